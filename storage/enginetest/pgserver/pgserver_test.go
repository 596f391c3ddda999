package pgserver

import (
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is named is not started, and not stopped either.
func TestNamed(t *testing.T) {
	t.Setenv(URL, "postgres://elsewhere/desk")
	address, stop, err := Find()
	require.NoError(t, err)
	require.Equal(t, "postgres://elsewhere/desk", address)
	stop()
}

// What is started takes connections at once; when it is stopped, nothing of it is
// left.
func TestStarted(t *testing.T) {
	dir, err := os.MkdirTemp("", "pgserver")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chmod(dir, 0o755)) // for the server's user
	t.Setenv(URL, "")
	t.Setenv("TMPDIR", dir)
	address, stop, err := Find()
	if err != nil && os.Getenv(Required) != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	at, err := url.Parse(address)
	require.NoError(t, err)
	conn, err := net.Dial("tcp", at.Host)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	stop()
	_, err = net.Dial("tcp", at.Host)
	require.Error(t, err)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

// What was killed is started again where it was.
func TestKilled(t *testing.T) {
	s, err := New()
	if err != nil && os.Getenv(Required) != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer s.Stop()
	at, err := url.Parse(s.Address)
	require.NoError(t, err)
	for range 3 {
		require.NoError(t, s.Kill())
		// What it had just started may have to notice first.
		require.Eventually(t, func() bool {
			conn, err := net.Dial("tcp", at.Host)
			if err == nil {
				_ = conn.Close()
			}
			return err != nil
		}, time.Minute, 10*time.Millisecond)
		require.NoError(t, s.Start())
		conn, err := net.Dial("tcp", at.Host)
		require.NoError(t, err)
		require.NoError(t, conn.Close())
	}
}

// Where there is no signal to end it by, it is ended all the same.
func TestWithoutSignals(t *testing.T) {
	s, err := New()
	if err != nil && os.Getenv(Required) != "1" {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer s.Stop()
	require.NoError(t, s.end(syscall.Signal(1000)))
	require.ErrorIs(t, s.end(syscall.Signal(1000)), os.ErrProcessDone)
}

func TestVersion(t *testing.T) {
	require.Equal(t, 15, version("/usr/lib/postgresql/15/bin/postgres"))
	require.Equal(t, 9, version("/usr/lib/postgresql/9/bin/postgres"))
	require.Zero(t, version("/usr/local/bin/postgres"))
}
