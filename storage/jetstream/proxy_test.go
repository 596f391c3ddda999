package jetstream_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// A proxy passes on what a client and a server say to each other, until it cuts
// the connection after so many bytes.
type proxy struct {
	listener net.Listener
	server   string
	mu       sync.Mutex
	links    map[*link]bool
	armed    bool
	left     [2]int // bytes to the server, and from it, before the cut
	passed   [2]int // since it was armed
	cuts     atomic.Int64
}

type link struct{ client, server net.Conn }

func (l *link) close() { _, _ = l.client.Close(), l.server.Close() }

const (
	toServer = iota
	fromServer
)

const never = 1 << 30

func newProxy(t *testing.T, server string) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, server: server, links: map[*link]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", p.server)
			if err != nil {
				_ = client.Close()
				continue
			}
			one := &link{client, server}
			p.mu.Lock()
			p.links[one] = true
			p.mu.Unlock()
			all.Go(func() { p.pass(one, server, client, toServer) })
			all.Go(func() { p.pass(one, client, server, fromServer) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		for one := range p.links {
			one.close()
		}
		p.mu.Unlock()
		all.Wait()
	})
	return p
}

func (p *proxy) pass(one *link, to io.Writer, from io.Reader, way int) {
	defer func() {
		one.close()
		p.mu.Lock()
		delete(p.links, one)
		p.mu.Unlock()
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		p.mu.Lock()
		cut := false
		if p.armed {
			if cut = n >= p.left[way]; cut {
				n = p.left[way]
				p.armed = false
			}
			p.left[way] -= n
			p.passed[way] += n
		}
		p.mu.Unlock()
		if _, err := to.Write(buffer[:n]); err != nil || cut {
			if cut {
				p.cuts.Add(1)
			}
			return
		}
	}
}

// arm has the proxy cut the connection after some bytes more.
func (p *proxy) arm(way, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.left, p.passed = true, [2]int{never, never}, [2]int{}
	p.left[way] = bytes
}

// disarm returns what has passed.
func (p *proxy) disarm() [2]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	return p.passed
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

// Wherever the connection is cut during a commit, sending it again while its
// outcome is unknown brings it into the history exactly once.
func TestCut(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	server := fmt.Sprintf("127.0.0.1:%d", c.options[0].Port)
	for _, kind := range []struct {
		name   string
		ids    bool
		commit func(id itsm.ID) []itsm.Revision[ticket]
		step   int // in the normal run
	}{
		{"one", false, func(id itsm.ID) []itsm.Revision[ticket] { return []itsm.Revision[ticket]{create(id)} }, 1},
		{"two", false, func(id itsm.ID) []itsm.Revision[ticket] {
			return []itsm.Revision[ticket]{create(id + "_a"), create(id + "_b")}
		}, 29},
		{"unique", true, func(id itsm.ID) []itsm.Revision[ticket] { return []itsm.Revision[ticket]{create(id)} }, 29},
	} {
		t.Run(kind.name, func(t *testing.T) {
			o := jetstream.Options{Stream: unique(), UniqueEventIDs: kind.ids}
			direct := open(t, c.connect(0), o)
			// What passes when nothing is cut.
			p := newProxy(t, server)
			store := open(t, connect(t, p.url()), o)
			require.NoError(t, store.Commit(t.Context(), kind.commit("warm__0000")...))
			p.arm(toServer, never)
			require.NoError(t, store.Commit(t.Context(), kind.commit("whole_0000")...))
			passes := p.disarm()
			require.Greater(t, passes[toServer], 500)

			step := kind.step
			if long() {
				step = 1
			}
			type place struct{ way, bytes int }
			places := make(chan place)
			var wg sync.WaitGroup
			var cuts atomic.Int64
			for range 8 {
				p := newProxy(t, server)
				// Without patience of its own it leaves the sending to its caller.
				nc := connect(t, p.url())
				open(t, nc, o)
				store := open(t, nc, jetstream.Options{Stream: o.Stream, UniqueEventIDs: kind.ids, Patience: time.Minute})
				impatient := open(t, nc, jetstream.Options{Stream: o.Stream, UniqueEventIDs: kind.ids, Patience: time.Nanosecond})
				wg.Go(func() {
					defer func() { cuts.Add(p.cuts.Load()) }()
					for at := range places {
						connected(nc)
						id := itsm.ID(fmt.Sprintf("cut%d_%05d", at.way, at.bytes))
						s := store
						if at.bytes/step%2 == 0 {
							s = impatient
						}
						p.arm(at.way, at.bytes)
						err := s.Commit(background, kind.commit(id)...)
						for errors.Is(err, itsm.ErrUnknown) || transient(err) {
							connected(nc)
							err = s.Commit(background, kind.commit(id)...)
						}
						p.disarm()
						if err != nil {
							t.Errorf("cut after %d bytes, way %d: %v", at.bytes, at.way, err)
						}
					}
				})
			}
			n := 0
			for way, most := range passes {
				for bytes := 1; bytes <= most; bytes += step {
					places <- place{way, bytes}
					n++
				}
			}
			close(places)
			wg.Wait()
			require.GreaterOrEqual(t, cuts.Load(), int64(n*9/10), "connections were cut")
			t.Logf("%d commits, %d connections cut", n, cuts.Load())

			times := map[itsm.ID]int{}
			for d, err := range direct.Feed(t.Context(), "") {
				require.NoError(t, err)
				times[d.Event.ID]++
			}
			require.Len(t, times, (n+2)*len(kind.commit("x")))
			for id, n := range times {
				require.Equal(t, 1, n, id)
			}
		})
	}
}

// connected waits until a connection has been made again.
func connected(nc *nats.Conn) {
	for !nc.IsConnected() || nc.FlushTimeout(time.Second) != nil {
		time.Sleep(time.Millisecond)
	}
}

// transient reports whether nobody answered, and nothing was written.
func transient(err error) bool {
	return err != nil && !errors.Is(err, itsm.ErrExists) && !errors.Is(err, itsm.ErrConflict) && !errors.Is(err, itsm.ErrInvalid)
}
