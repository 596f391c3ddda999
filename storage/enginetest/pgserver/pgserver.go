// Package pgserver finds a PostgreSQL server for tests and examples, or starts one
// that is there for them alone.
package pgserver

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

const (
	// URL is the environment variable with the address of a database in which
	// schemas may be made and dropped.
	URL = "ITSM_POSTGRES_URL"
	// Required is the environment variable which, if it is 1, makes tests fail
	// that would be skipped because there is no server.
	Required = "ITSM_POSTGRES_REQUIRED"
)

// Find returns the address of a database: the one that [URL] names, or that of a
// server that it starts, on loopback and in a temporary folder, from whatever
// version is installed and newest. Stop ends what was started, and is never nil.
// The error says what can be done about it.
func Find() (address string, stop func(), err error) {
	if address = os.Getenv(URL); address != "" {
		return address, func() {}, nil
	}
	s, err := New()
	if err != nil {
		return "", func() {}, fmt.Errorf("there is no PostgreSQL: set %s, or install postgresql (%w)", URL, err)
	}
	return s.Address, s.Stop, nil
}

// A Server is one that was started for whoever asked for it, who may kill it too.
type Server struct {
	// Address is that of a database.
	Address string

	dir, data string
	command   func(name string, args ...string) *exec.Cmd
	port      int
	process   *exec.Cmd
	ended     chan struct{} // closed when the process has
}

// New makes a server and starts it, as a user who is not root, which it does not want
// to be.
func New() (s *Server, err error) {
	bin, err := installed()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "itsm-postgres")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	as, err := somebody(dir)
	if err != nil {
		return nil, err
	}
	s = &Server{dir: dir, data: filepath.Join(dir, "data")}
	s.command = func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = as, dir
		c.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return c
	}
	if out, err := s.command("initdb", "-D", s.data, "-U", "itsm", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.port = free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return nil, err
	}
	s.Address = fmt.Sprintf("postgres://itsm@127.0.0.1:%d/postgres?sslmode=disable", s.port)
	return s, s.Start()
}

// Start starts a server that was killed, and returns when it answers. It tries again
// while what is left of the one before is in its way.
func (s *Server) Start() error {
	again := s.process != nil
	for begun := time.Now(); ; {
		err := s.start(begun)
		if err == nil || !again || time.Since(begun) > time.Minute {
			return err
		}
	}
}

// start starts a process and waits until it takes connections.
func (s *Server) start(begun time.Time) error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the process has its own
	c := s.command("postgres", "-D", s.data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(s.port),
		"-c", "unix_socket_directories=", "-c", "max_connections=100", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Wait() }()
	s.process, s.ended = c, ended
	for ; !s.ready(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
		default:
			if time.Since(begun) < time.Minute {
				continue
			}
		}
		_ = c.Process.Kill()
		<-ended
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("the server does not answer:\n%s", text)
	}
	return nil
}

// ready reports whether the server has written that it takes connections, as the last
// line of its file, whose first is who wrote it.
func (s *Server) ready() bool {
	text, err := os.ReadFile(filepath.Join(s.data, "postmaster.pid"))
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return err == nil && string(lines[0]) == strconv.Itoa(s.process.Process.Pid) && string(bytes.TrimSpace(lines[len(lines)-1])) == "ready"
}

// Kill kills the server, so that nothing is tidied up: it alone, and what it has
// started notices by itself, or everything at once.
func (s *Server) Kill() error {
	return s.end([]syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT}[rand.IntN(2)])
}

// Stop ends the server and removes what it has written.
func (s *Server) Stop() {
	_ = s.end(syscall.SIGINT) // a fast shutdown
	_ = os.RemoveAll(s.dir)
}

// end ends the process and waits for that: by a signal, or where there is no such
// signal by killing it. It returns an error if it could not, or had ended before.
func (s *Server) end(by syscall.Signal) error {
	err := s.process.Process.Signal(by)
	if err != nil {
		err = s.process.Process.Kill()
	}
	if err == nil || errors.Is(err, os.ErrProcessDone) {
		<-s.ended
	}
	return err
}

// installed returns the folder of the newest server's binaries.
func installed() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // Debian's
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errors.New("no server binary found")
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

// version returns the major version in a path such as
// /usr/lib/postgresql/15/bin/postgres.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}
