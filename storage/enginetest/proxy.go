package enginetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"reflect"
	"strings"
	"sync"

	"github.com/go-itsm/itsm"
)

// A Proxy stands before a server, passes on what it and its clients say to each
// other, and cuts the connections: at once, or after so many bytes more. It is safe
// for concurrent use.
type Proxy struct {
	listener net.Listener
	server   string
	group    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
	armed  bool
	left   [2]int // before the cut
	passed [2]int // since it was armed
	cuts   int
}

// A Way is where bytes go.
type Way int

const (
	ToServer   Way = iota // what clients say
	FromServer            // what they are told
)

// never is more than ever passes.
const never = 1 << 30

// NewProxy returns a proxy on loopback for the server at an address. It is to be
// closed.
func NewProxy(server string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, server: server, conns: map[net.Conn]bool{}}
	p.group.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			if server, err := net.Dial("tcp", p.server); err != nil {
				_ = client.Close()
			} else {
				p.link(client, server)
			}
		}
	})
	return p, nil
}

// Addr returns the address of the proxy, to be used in place of the server's.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

func (p *Proxy) link(client, server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[client], p.conns[server] = true, true
	if p.closed {
		p.cut(p.conns)
		return
	}
	p.group.Go(func() { p.pass(server, client, ToServer) })
	p.group.Go(func() { p.pass(client, server, FromServer) })
}

// pass passes on what comes, as far as there is something left.
func (p *Proxy) pass(to, from net.Conn, way Way) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		var last map[net.Conn]bool // what is cut when this has been passed on; not what is made or armed meanwhile
		if p.armed {
			if n >= p.left[way] {
				n, p.armed, last = p.left[way], false, maps.Clone(p.conns)
			}
			p.left[way] -= n
			p.passed[way] += n
		}
		p.mu.Unlock()
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		switch {
		case last != nil:
			p.mu.Lock()
			p.cut(last)
			p.mu.Unlock()
			return
		case err != nil:
			_ = to.Close()
			_ = from.Close()
			p.mu.Lock()
			delete(p.conns, to)
			delete(p.conns, from)
			p.mu.Unlock()
			return
		}
	}
}

// Cut cuts all connections. What comes over new ones is passed on.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	p.cut(p.conns)
}

func (p *Proxy) cut(conns map[net.Conn]bool) {
	for c := range conns {
		_ = c.Close()
		delete(p.conns, c)
	}
	p.cuts++
}

// CutAfter lets so many bytes more pass one way, and then cuts all connections.
func (p *Proxy) CutAfter(way Way, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed, p.left, p.passed = true, [2]int{never, never}, [2]int{}
	p.left[way] = bytes
}

// Passed returns how many bytes have passed each way since [Proxy.CutAfter], and
// calls the cut off if it has not happened yet.
func (p *Proxy) Passed() [2]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.armed = false
	return p.passed
}

// Cuts returns how often connections were cut.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Close cuts all connections and returns when nothing is passed on any more.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.cut(p.conns)
	p.mu.Unlock()
	p.group.Wait()
	return err
}

// Cutting has commits that are cut off from their server in the middle.
type Cutting struct {
	// Proxy is what the store's connection goes through, which is one at a time.
	Proxy *Proxy
	// Store returns the store for the n-th commit; Direct is the same records, and
	// is not cut off.
	Store  func(n int) itsm.Store[Item]
	Direct interface {
		itsm.Store[Item]
		itsm.Feeder
	}
	// Ready waits until there is a connection again; may be nil.
	Ready func()
	// Name is part of the ids of all records, of which each commit creates so many.
	Name    string
	Records int
	// Places lists after how many bytes one way connections are cut, if so many pass
	// when they are not.
	Places func(way Way, bytes int) []int
}

// Cuts is what came of a [Cutting].
type Cuts struct {
	// Commits is how many there were. The store said of some that they were done
	// and of some that it does not know; that the others were not.
	Commits, Done, Unknown int
}

// Run returns an error if, wherever the connection was cut, what the store said of a
// commit is not true, if the commit is there by halves, or if it is not there once
// after it was sent again until it was done.
func (c Cutting) Run(ctx context.Context) (cuts Cuts, err error) {
	commits := 0
	create := func() (revs []itsm.Revision[Item]) {
		for n := range c.Records {
			i := Sample(commits)
			i.ID = itsm.ID(fmt.Sprintf("%s_%07d_%d", c.Name, commits, n))
			revs = append(revs, Next(i, "cut"))
		}
		commits++
		return revs
	}
	warm := func() error { return c.insist(ctx, create()) } // connected, and the statements prepared
	if err := errors.Join(warm(), warm()); err != nil {
		return cuts, err
	}
	c.Proxy.CutAfter(ToServer, never)
	if err := warm(); err != nil {
		return cuts, err
	}
	for way, bytes := range c.Proxy.Passed() {
		for _, at := range c.Places(Way(way), bytes) {
			if c.Ready != nil {
				c.Ready()
			}
			revs := create()
			c.Proxy.CutAfter(Way(way), at)
			said := c.Store(cuts.Commits).Commit(ctx, revs...)
			c.Proxy.Passed()
			cuts.Commits++
			if err := c.check(ctx, revs, said, &cuts); err != nil {
				return cuts, fmt.Errorf("cut after byte %d of %d, way %d: it said %v: %w", at, bytes, way, said, err)
			}
		}
	}
	times := map[itsm.ID]int{}
	for d, err := range c.Direct.Feed(ctx, "") {
		if err != nil {
			return cuts, err
		}
		if strings.HasPrefix(string(d.Event.Record), c.Name+"_") {
			times[d.Event.ID]++
			if times[d.Event.ID] > 1 {
				return cuts, fmt.Errorf("event %s is there twice", d.Event.ID)
			}
		}
	}
	if want := commits * c.Records; len(times) != want {
		return cuts, fmt.Errorf("%d events are there, and not %d", len(times), want)
	}
	return cuts, nil
}

// check compares what was said of a commit with what is there, and sends it again.
func (c Cutting) check(ctx context.Context, revs []itsm.Revision[Item], said error, cuts *Cuts) error {
	there := 0
	for _, rev := range revs {
		_, err := c.Direct.Load(ctx, rev.Record.ID)
		switch {
		case err == nil:
			there++
		case !errors.Is(err, itsm.ErrNotFound):
			return err
		case there > 0: // those before it are there, so it must be
			return fmt.Errorf("it is there by halves: without %s", rev.Record.ID)
		}
	}
	switch {
	case said == nil:
		cuts.Done++
		if there < len(revs) {
			return fmt.Errorf("%d of %d records are there", there, len(revs))
		}
	case errors.Is(said, itsm.ErrUnknown):
		cuts.Unknown++ // it may yet be there, all of it
	case there > 0:
		return fmt.Errorf("%d of %d records are there", there, len(revs))
	}
	if err := c.insist(ctx, revs); err != nil {
		return fmt.Errorf("sent again: %w", err)
	}
	for _, rev := range revs {
		got, err := c.Direct.Load(ctx, rev.Record.ID)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got, rev.Record) {
			return fmt.Errorf("%+v is there, and was %+v", got, rev.Record)
		}
		var events []itsm.Event
		for e, err := range c.Direct.Events(ctx, rev.Record.ID, 0) {
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		if !reflect.DeepEqual(events, rev.Events) {
			return fmt.Errorf("the history of %s is %+v, and was %+v", rev.Record.ID, events, rev.Events)
		}
	}
	return nil
}

// insist sends a commit until it is done.
func (c Cutting) insist(ctx context.Context, revs []itsm.Revision[Item]) error {
	return insist(ctx, patience, func() error {
		if c.Ready != nil {
			c.Ready()
		}
		return c.Store(0).Commit(ctx, revs...)
	})
}
