package enginetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/memory"
)

// echo is a server that says what it is told.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				_, _ = io.Copy(c, c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		group.Wait()
	})
	return l.Addr().String()
}

// A proxy passes everything on, and cuts where it is told to, to the byte.
func TestProxy(t *testing.T) {
	p, err := enginetest.NewProxy(echo(t))
	require.NoError(t, err)
	dial := func() net.Conn {
		c, err := net.Dial("tcp", p.Addr())
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	// say returns what comes back before the connection ends.
	say := func(c net.Conn, text string) string {
		_, _ = io.WriteString(c, text)
		back := make([]byte, len(text))
		n, _ := io.ReadFull(c, back)
		return string(back[:n])
	}
	c := dial()
	require.Equal(t, "hello", say(c, "hello"))
	p.CutAfter(enginetest.ToServer, 100)
	require.Equal(t, "hello", say(c, "hello"))
	require.Equal(t, [2]int{5, 5}, p.Passed())
	require.Equal(t, "hello", say(c, "hello"), "the cut was called off")
	require.Zero(t, p.Cuts())
	for way, want := range map[enginetest.Way][2]int{enginetest.ToServer: {3, 0}, enginetest.FromServer: {5, 3}} {
		c, other := dial(), dial()
		require.Equal(t, "hello", say(c, "hello"))
		require.Equal(t, "hello", say(other, "hello"))
		before := p.Cuts()
		p.CutAfter(way, 3)
		got := say(c, "hello")
		if way == enginetest.FromServer {
			require.Equal(t, "hel", got)
		}
		require.Equal(t, want, p.Passed())
		require.Empty(t, say(other, "hello"), "all are cut")
		require.Equal(t, before+1, p.Cuts())
	}
	c = dial()
	require.Equal(t, "hello", say(c, "hello"))
	p.Cut()
	require.Empty(t, say(c, "hello"))
	require.NoError(t, p.Close())
	_, err = net.Dial("tcp", p.Addr())
	require.Error(t, err)
}

// A cut is of the connections that there were: what comes while the last bytes are on
// their way is not cut off with them, and a cut that is planned then is not called off.
func TestProxyCutsOnce(t *testing.T) {
	p, err := enginetest.NewProxy("")
	require.NoError(t, err)
	link := func() (client, server net.Conn) {
		client, near := net.Pipe() // which passes nothing on before it is read
		far, server := net.Pipe()
		p.Link(near, far)
		for _, end := range []net.Conn{client, server} { // what is called off would be waited for
			require.NoError(t, end.SetDeadline(time.Now().Add(10*time.Second)))
		}
		t.Cleanup(func() { _, _ = client.Close(), server.Close() })
		return client, server
	}
	read := func(from net.Conn, n int) string {
		text := make([]byte, n)
		_, err := io.ReadFull(from, text)
		require.NoError(t, err)
		return string(text)
	}
	client, server := link()
	p.CutAfter(enginetest.ToServer, 3)
	_, err = io.WriteString(client, "hello")
	require.NoError(t, err)
	require.Equal(t, "h", read(server, 1))
	laterClient, laterServer := link()
	p.CutAfter(enginetest.ToServer, 4)
	require.Equal(t, "el", read(server, 2))
	_, err = client.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	_, err = io.WriteString(laterClient, "hello")
	require.NoError(t, err)
	require.Equal(t, "hell", read(laterServer, 4))
	_, err = laterClient.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, p.Close())
}

// A remote is a store whose commits go over a connection: one after the other, or
// each revision by itself if it is torn. What it is told of a commit that is cut off
// is that nobody knows, or what cut says.
type remote struct {
	store
	address string
	torn    bool
	cut     func(err error) error
	conn    net.Conn
}

// serve has a store do what remotes ask for, each thing as often as repeat says.
func serve(t *testing.T, s store, repeat int) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer func() { _ = c.Close() }()
				for in := json.NewDecoder(c); ; {
					var revs []itsm.Revision[enginetest.Item]
					if err := in.Decode(&revs); err != nil {
						return
					}
					answer := ""
					for n := range repeat {
						for i := range revs {
							if n > 0 { // a server that does not know what was sent again
								revs[i].Base, revs[i].Record.Version = revs[i].Base+1, revs[i].Record.Version+1
								revs[i].Events[0].Version, revs[i].Events[0].ID = revs[i].Events[0].Version+1, revs[i].Events[0].ID+"_again"
							}
						}
						if err := s.Commit(context.Background(), revs...); err != nil {
							answer = err.Error()
						}
					}
					if err := json.NewEncoder(c).Encode(answer); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		group.Wait()
	})
	return l.Addr().String()
}

func (r *remote) Commit(_ context.Context, revs ...itsm.Revision[enginetest.Item]) error {
	parts := [][]itsm.Revision[enginetest.Item]{revs}
	if r.torn {
		parts = nil
		for _, rev := range revs {
			parts = append(parts, []itsm.Revision[enginetest.Item]{rev})
		}
	}
	for _, part := range parts {
		if err := r.ask(part); err != nil {
			return err
		}
	}
	return nil
}

func (r *remote) ask(revs []itsm.Revision[enginetest.Item]) (err error) {
	if r.conn == nil {
		if r.conn, err = net.Dial("tcp", r.address); err != nil {
			return err
		}
	}
	var answer string
	if err = json.NewEncoder(r.conn).Encode(revs); err == nil {
		err = json.NewDecoder(r.conn).Decode(&answer)
	}
	switch {
	case err != nil:
		_ = r.conn.Close()
		r.conn = nil
		return r.cut(err)
	case answer != "":
		return errors.Join(itsm.ErrConflict, errors.New(answer))
	}
	return nil
}

// What a store says of commits that are cut off is compared with what is there.
func TestCutting(t *testing.T) {
	unknown := func(err error) error { return errors.Join(itsm.ErrUnknown, err) }
	for name, c := range map[string]struct {
		cut    func(err error) error
		torn   bool
		repeat int
		want   string // "" for no error
	}{
		"honest":    {unknown, false, 1, ""},
		"pessimist": {func(err error) error { return err }, false, 1, "2 of 2 records are there"},
		"optimist":  {func(error) error { return nil }, false, 1, "0 of 2 records are there"},
		"torn":      {unknown, true, 1, "by halves"},
		"repeated":  {unknown, false, 2, "is there, and was"},
	} {
		t.Run(name, func(t *testing.T) {
			s := memory.New[enginetest.Item]()
			p, err := enginetest.NewProxy(serve(t, s, c.repeat))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, p.Close()) })
			far := &remote{store: s, address: p.Addr(), torn: c.torn, cut: c.cut}
			t.Cleanup(func() {
				if far.conn != nil {
					_ = far.conn.Close()
				}
			})
			var places [2]int
			cuts, err := enginetest.Cutting{
				Proxy: p, Direct: s, Name: "cut", Records: 2, Store: func(int) itsm.Store[enginetest.Item] { return far },
				Places: func(way enginetest.Way, bytes int) (all []int) {
					for at := range min(bytes+1, 3000) {
						if way == enginetest.FromServer || at%20 == 0 {
							all = append(all, at)
						}
					}
					places[way] = len(all)
					return all
				},
			}.Run(t.Context())
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, places[0]+places[1], cuts.Commits)
			require.Greater(t, cuts.Unknown, 20)
			require.Equal(t, cuts.Commits, cuts.Unknown+cuts.Done)
		})
	}
}
