package postgres_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/enginetest/pgserver"
	"github.com/go-itsm/itsm/storage/postgres"
)

// writerEnv makes the test binary a program that writes until it is killed.
const writerEnv = "ITSM_POSTGRES_WRITER"

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
	var stop func()
	var err error
	if server, stop, err = pgserver.Find(); err != nil {
		missing = err.Error()
	}
	defer stop()
	if server == "" && os.Getenv(pgserver.Required) == "1" {
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
