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

	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/enginetest/pgserver"
	"github.com/go-itsm/itsm/storage/postgres"
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
			return enginetest.Write(ctx, postgres.NewStore[enginetest.Item](db, items), "w", 0, os.Stdout)
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

// tower is over tables that many processes use.
func tower(db *postgres.DB, folder string) enginetest.Tower {
	return enginetest.Tower{
		Bells:  postgres.NewStore[enginetest.Bell](db, postgres.Space{Practice: "bell"}),
		Echoes: postgres.NewStore[enginetest.Echo](db, postgres.Space{Practice: "echo"}),
		Folder: folder,
	}
}
