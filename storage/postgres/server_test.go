package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
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

	"github.com/go-itsm/itsm"
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
	// writerEnv makes the test binary a program that writes until it is killed.
	writerEnv = "ITSM_POSTGRES_WRITER"
)

// server is the address of a database, empty if there is none; missing says why.
var server, missing string

func TestMain(m *testing.M) {
	if address := os.Getenv(writerEnv); address != "" {
		fmt.Fprintln(os.Stderr, writeForEver(address))
		os.Exit(1)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	server = os.Getenv(urlEnv)
	if server == "" {
		stop, err := startServer()
		if err != nil {
			missing = fmt.Sprintf("there is no PostgreSQL: set %s, or install postgresql (%v)", urlEnv, err)
		} else {
			defer stop()
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

// startServer starts a server on loopback, in a temporary folder, as a user who is
// not root, which the server does not want to be.
func startServer() (stop func(), err error) {
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
	dir, err := os.MkdirTemp("", "itsm-postgres")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	as := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		if as.Credential, err = somebody(); err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			return nil, err
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = as, dir
		c.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := command("initdb", "-D", data, "-U", "itsm", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	c := command("postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port),
		"-c", "unix_socket_directories=", "-c", "max_connections=100", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB")
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = c.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = c.Wait()
		_ = log.Close()
		_ = os.RemoveAll(dir)
	}
	address := fmt.Sprintf("postgres://itsm@127.0.0.1:%d/postgres?sslmode=disable", port)
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		conn, err := pgx.Connect(context.Background(), address)
		if err == nil {
			server = address
			return stop, conn.Close(context.Background())
		}
		if time.Since(begun) > time.Minute {
			text, _ := os.ReadFile(log.Name())
			stop()
			return nil, fmt.Errorf("the server does not answer: %w\n%s", err, text)
		}
	}
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

func writeForEver(address string) error {
	ctx := context.Background()
	db, err := postgres.Open(ctx, address, postgres.Config{})
	if err != nil {
		return err
	}
	return enginetest.Write(ctx, itsm.Store[enginetest.Item](postgres.NewStore[enginetest.Item](db, items)), os.Stdout)
}
