// Package pgserver finds a PostgreSQL server for tests and examples, or starts one
// that is there for them alone.
package pgserver

import (
	"bytes"
	"errors"
	"fmt"
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
	address, stop, err = start()
	if err != nil {
		return "", func() {}, fmt.Errorf("there is no PostgreSQL: set %s, or install postgresql (%w)", URL, err)
	}
	return address, stop, nil
}

// start starts a server as a user who is not root, which it does not want to be.
func start() (address string, stop func(), err error) {
	bin, err := installed()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "itsm-postgres")
	if err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	as, err := somebody(dir)
	if err != nil {
		return "", nil, err
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = as, dir
		c.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-U", "itsm", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return "", nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", nil, err
	}
	c := command("postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port),
		"-c", "unix_socket_directories=", "-c", "max_connections=100", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return "", nil, errors.Join(err, log.Close())
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = c.Wait() }()
	stop = func() {
		_ = c.Process.Signal(syscall.SIGINT) // a fast shutdown
		<-ended
		_ = log.Close()
		_ = os.RemoveAll(dir)
	}
	for begun := time.Now(); !ready(data); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
		default:
			if time.Since(begun) < time.Minute {
				continue
			}
		}
		text, _ := os.ReadFile(log.Name())
		stop()
		return "", nil, fmt.Errorf("the server does not answer:\n%s", text)
	}
	return fmt.Sprintf("postgres://itsm@127.0.0.1:%d/postgres?sslmode=disable", port), stop, nil
}

// ready reports whether a server has written that it takes connections, as the
// last line of its file.
func ready(data string) bool {
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return err == nil && string(lines[len(lines)-1]) == "ready"
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
