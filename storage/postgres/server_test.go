package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/postgres"
)

// What tests find by the environment:
const (
	// urlEnv is the address of a database in which tests may make schemas of
	// their own. Without it they start a server of their own, if it is installed.
	urlEnv = "ITSM_POSTGRES_URL"
	// requiredEnv, if it is 1, makes it a failure that there is no server.
	requiredEnv = "ITSM_POSTGRES_REQUIRED"
)

// server is the address of a database, empty if there is none; missing says why.
var server, missing string

func TestMain(m *testing.M) {
	enginetest.Play(map[string]func(args ...string) error{
		"writer": func(args ...string) error {
			ctx := context.Background()
			db, err := postgres.Open(ctx, args[0], postgres.Config{})
			if err != nil {
				return err
			}
			return enginetest.Write(ctx, postgres.NewStore[enginetest.Item](db, items), "w", os.Stdout)
		},
		"host": func(args ...string) error {
			ctx := context.Background()
			// What a host had claimed when it was killed waits for the end of its
			// lease; without one, every runner would always be asked for everything.
			cfg := postgres.Config{Lease: time.Second}
			db, err := postgres.Open(ctx, args[0], cfg)
			for begun := time.Now(); err != nil && time.Since(begun) < time.Minute; time.Sleep(10 * time.Millisecond) {
				db, err = postgres.Open(ctx, args[0], cfg) // the server may be away
			}
			if err != nil {
				return err
			}
			return tower(db, args[1]).Run(ctx, args[2], os.Stdout)
		},
	})
	os.Exit(run(m))
}

func run(m *testing.M) int {
	server = os.Getenv(urlEnv)
	if server == "" {
		own, err := newPostmaster()
		if err != nil {
			missing = fmt.Sprintf("there is no PostgreSQL: set %s, or install postgresql (%v)", urlEnv, err)
		} else {
			defer own.stop()
			server = own.address
		}
	}
	if server == "" && os.Getenv(requiredEnv) == "1" {
		fmt.Fprintln(os.Stderr, missing)
		return 1
	}
	if server == "" {
		// An example cannot skip itself.
		flag.Parse()
		if err := flag.Set("test.skip", "^Example"); err != nil {
			panic(err)
		}
		return m.Run()
	}
	admin, err := pgx.Connect(context.Background(), server)
	if err == nil {
		_, err = admin.Exec(context.Background(), `CREATE SCHEMA itsm_example_`+strconv.Itoa(os.Getpid()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		_, err := admin.Exec(context.Background(), `DROP SCHEMA itsm_example_`+strconv.Itoa(os.Getpid())+` CASCADE`)
		if err = errors.Join(err, admin.Close(context.Background())); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	if address, err = withParameter(server, "search_path", "itsm_example_"+strconv.Itoa(os.Getpid())); err != nil {
		panic(err)
	}
	return m.Run()
}

// A postmaster is a server of the tests' own, on loopback and in a temporary folder,
// as a user who is not root, which it does not want to be.
type postmaster struct {
	address string
	dir     string
	command func(name string, args ...string) *exec.Cmd
	port    int
	process *exec.Cmd
	ended   chan struct{} // closed when the process has
}

// newPostmaster makes a server and starts it.
func newPostmaster() (p *postmaster, err error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return nil, err
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, errors.New("no server binary found")
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	bin := filepath.Dir(found[len(found)-1])
	p = &postmaster{}
	if p.dir, err = os.MkdirTemp("", "itsm-postgres"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(p.dir))
		}
	}()
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		if as.Credential, err = somebody(); err != nil {
			return nil, err
		}
		if err := os.Chown(p.dir, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			return nil, err
		}
	}
	p.command = func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = as, p.dir
		c.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return c
	}
	if out, err := p.command("initdb", "-D", "data", "-U", "itsm", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.port = free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return nil, err
	}
	p.address = fmt.Sprintf("postgres://itsm@127.0.0.1:%d/postgres?sslmode=disable", p.port)
	return p, p.Start()
}

// Start starts the server, and returns when it answers. It tries again while what is
// left of one that was killed is in its way.
func (p *postmaster) Start() error {
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	for begun := time.Now(); ; {
		p.process, p.ended = p.command("postgres", "-D", "data", "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(p.port),
			"-c", "unix_socket_directories=", "-c", "max_connections=100", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB"), make(chan struct{})
		p.process.Stdout, p.process.Stderr = log, log
		if err := p.process.Start(); err != nil {
			return err
		}
		go func() {
			defer close(p.ended)
			_ = p.process.Wait()
		}()
		for tries := true; tries; {
			conn, err := pgx.Connect(context.Background(), p.address)
			if err == nil {
				return conn.Close(context.Background())
			}
			if time.Since(begun) > time.Minute {
				text, _ := os.ReadFile(log.Name())
				p.stop()
				return fmt.Errorf("the server does not answer: %w\n%s", err, text)
			}
			select {
			case <-p.ended:
				tries = false
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// Kill kills the server: it alone, so that what it has started notices by itself, or
// everything at once. Nothing is tidied up.
func (p *postmaster) Kill() error {
	err := p.process.Process.Signal([]syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT}[rand.IntN(2)])
	<-p.ended
	return err
}

// stop ends it for good.
func (p *postmaster) stop() {
	_ = p.process.Process.Signal(syscall.SIGINT) // a fast shutdown
	<-p.ended
	_ = os.RemoveAll(p.dir)
}

// version returns the major version in a path such as /usr/lib/postgresql/15/bin.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

// somebody returns a user without rights.
func somebody() (*syscall.Credential, error) {
	var failed error
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: true}, errors.Join(err, err2)
	}
	return nil, failed
}

// fresh makes an empty schema and returns the address of the database with it.
func fresh(tb testing.TB) string {
	tb.Helper()
	if server == "" {
		tb.Skip(missing)
	}
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, server)
	require.NoError(tb, err)
	name := pgx.Identifier{fmt.Sprintf("itsm_test_%d_%d", os.Getpid(), time.Now().UnixNano())}.Sanitize()
	_, err = admin.Exec(ctx, `CREATE SCHEMA `+name)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		_, err := admin.Exec(ctx, `DROP SCHEMA `+name+` CASCADE`)
		require.NoError(tb, errors.Join(err, admin.Close(ctx)))
	})
	return with(tb, server, "search_path", name)
}

// with returns an address with a parameter more.
func with(tb testing.TB, address, name, value string) string {
	address, err := withParameter(address, name, value)
	require.NoError(tb, err)
	return address
}

func withParameter(address, name, value string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String(), nil
}

func open(tb testing.TB, address string, cfg postgres.Config) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(tb.Context(), address, cfg)
	require.NoError(tb, err)
	tb.Cleanup(db.Close)
	return db
}

var items = postgres.Space{Practice: "item"}

// tower is over tables that many processes use.
func tower(db *postgres.DB, folder string) enginetest.Tower {
	return enginetest.Tower{
		Bells:  postgres.NewStore[enginetest.Bell](db, postgres.Space{Practice: "bell"}),
		Echoes: postgres.NewStore[enginetest.Echo](db, postgres.Space{Practice: "echo"}),
		Folder: folder,
	}
}
