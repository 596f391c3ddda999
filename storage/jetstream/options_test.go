package jetstream_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := jetstream.Open[enginetest.Item](t.Context(), nil, jetstream.Options{Stream: "A.B", Tenant: strings.Repeat("T", 40), Replicas: 7})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Len(t, itsm.Findings(err), 4)
	_, err = jetstream.Open[int](t.Context(), nil, jetstream.Options{Stream: "A"})
	require.ErrorIs(t, err, itsm.ErrInvalid)

	c := newCluster(t, 1)
	nc := c.connect(0)
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	// A stream that was made for something else.
	_, err = js.CreateStream(t.Context(), natsjs.StreamConfig{Name: "OTHER", Subjects: []string{"other"}, MaxAge: time.Hour, MaxMsgsPerSubject: 1, MaxMsgs: 10, Retention: natsjs.WorkQueuePolicy, Storage: natsjs.MemoryStorage})
	require.NoError(t, err)
	_, err = jetstream.Open[enginetest.Item](t.Context(), nc, jetstream.Options{Stream: "OTHER"})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Len(t, itsm.Findings(err), 12, "%v", err)
	// One whose event ids are kept unique, or are not.
	open(t, nc, jetstream.Options{Stream: "IDS", UniqueEventIDs: true})
	_, err = jetstream.Open[enginetest.Item](t.Context(), nc, jetstream.Options{Stream: "IDS"})
	require.ErrorContains(t, err, `itsm.unique_event_ids is "true", not "false"`)
	// One that many make at the same time.
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			s, err := jetstream.Open[enginetest.Item](background, nc, jetstream.Options{Stream: "MANY", Patience: time.Minute})
			if err == nil {
				err = s.Commit(background, create(itsm.ID(fmt.Sprint(n))))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Nobody may have one with more replicas than there are nodes.
	_, err = jetstream.Open[enginetest.Item](t.Context(), nc, jetstream.Options{Stream: "THREE", Replicas: 3, Patience: time.Millisecond})
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = jetstream.Open[enginetest.Item](ctx, nc, jetstream.Options{Stream: "NEVER"})
	require.ErrorIs(t, err, context.Canceled)
}

// Whatever ids and tenants are called, each has what is its own.
func TestWall(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	nc := c.connect(0)
	tenants := []string{"", "a", "A", "a_b", "a=5Fb", "a.b", "*", ">", "한글", "a b"}
	ids := []itsm.ID{">", "*", "a.b", "a b", "..", "=2E=2E", "a", "A", "DESK_a.r.a", "\r\n", "x\x00y", "x", "ä", "📎", itsm.ID(strings.Repeat("x", 1024))}
	stores := make([]*jetstream.Store[enginetest.Item], len(tenants))
	for n, tenant := range tenants {
		stores[n] = open(t, nc, jetstream.Options{Stream: "DESK", Tenant: tenant})
		// Each has one id less than the one before.
		for _, id := range ids[n:] {
			require.NoError(t, stores[n].Commit(t.Context(), create(id)), "%q %q", tenant, id)
		}
	}
	for n, s := range stores {
		for k, id := range ids {
			r, err := s.Load(t.Context(), id)
			if k < n {
				require.ErrorIs(t, err, itsm.ErrNotFound, "%q %q", tenants[n], id)
			} else {
				require.NoError(t, err)
				require.Equal(t, id, r.ID)
			}
			events := 0
			for e, err := range s.Events(t.Context(), id, 0) {
				require.NoError(t, err)
				require.Equal(t, id, e.Record)
				events++
			}
			require.Equal(t, k >= n, events == 1)
		}
		page, err := s.List(t.Context(), itsm.Query{})
		require.NoError(t, err)
		require.Len(t, page.Records, len(ids)-n)
		for d := range s.Feed(t.Context(), "") {
			for other, s := range stores {
				for _, err := range s.Feed(t.Context(), d.Cursor) {
					require.Equal(t, other != n, errors.Is(err, itsm.ErrInvalid))
				}
			}
			break
		}
	}
	// What has no place in a subject is not there, and is refused.
	for _, id := range []itsm.ID{itsm.ID(strings.Repeat("x", 1025)), itsm.ID(strings.Repeat("é", 200)), "\xff"} {
		require.ErrorIs(t, stores[0].Commit(t.Context(), create(id)), itsm.ErrInvalid)
		_, err := stores[0].Load(t.Context(), id)
		require.ErrorIs(t, err, itsm.ErrNotFound)
	}
	_, err := stores[0].Load(t.Context(), "")
	require.ErrorIs(t, err, itsm.ErrNotFound)
	ids1 := open(t, nc, jetstream.Options{Stream: "IDS", UniqueEventIDs: true})
	rev := create("x")
	rev.Events[0].ID = itsm.ID(strings.Repeat("x", 1025))
	require.ErrorIs(t, ids1.Commit(t.Context(), rev), itsm.ErrInvalid)
}

// What does not fit into a message, or has no JSON form, is refused and said.
func TestRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := open(t, c.connect(0), jetstream.Options{Stream: "DESK"})
	large := create("large")
	large.Record.Title = strings.Repeat("x", 1<<20)
	err := s.Commit(t.Context(), large)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.ErrorContains(t, err, "must have at most 1048576 bytes")
	wrong := create("wrong")
	wrong.Events[0].Data, wrong.Record.Fields = []byte("{"), itsm.Fields{"x": []byte("{")}
	err = s.Commit(t.Context(), wrong, large)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Len(t, itsm.Findings(err), 2)
	page, err := s.List(t.Context(), itsm.Query{})
	require.NoError(t, err)
	require.Empty(t, page.Records)
}

// When the connection has been closed, or there is no server, calls say so, and
// none says that it does not know what it never sent.
func TestWithoutServer(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	nc := c.connect(0)
	open(t, nc, jetstream.Options{Stream: "DESK"})
	s, err := jetstream.Open[enginetest.Item](t.Context(), nc, jetstream.Options{Stream: "DESK", Patience: time.Millisecond})
	require.NoError(t, err)
	all := func(check func(t require.TestingT, err error, args ...any)) {
		_, err := s.Load(t.Context(), "x")
		check(t, err)
		check(t, s.Commit(t.Context(), create("x")))
		for _, err := range s.Events(t.Context(), "x", 0) {
			check(t, err)
		}
		for _, err := range s.Feed(t.Context(), "") {
			check(t, err)
		}
		_, err = s.List(t.Context(), itsm.Query{})
		check(t, err)
		for _, err := range s.Due(t.Context(), start) {
			check(t, err)
		}
		_, err = s.NextDue(t.Context(), start)
		check(t, err)
		_, err = s.Health(t.Context())
		check(t, err)
	}
	c.stop(0)
	require.Eventually(t, func() bool { return !nc.IsConnected() }, time.Minute, time.Millisecond)
	all(func(t require.TestingT, err error, _ ...any) {
		require.Error(t, err)
		require.NotErrorIs(t, err, itsm.ErrUnknown)
	})
	c.start(0)
	require.Eventually(t, func() bool { return s.Commit(t.Context(), create("y")) == nil }, time.Minute, time.Millisecond)
	nc.Close()
	all(func(t require.TestingT, err error, _ ...any) { require.ErrorIs(t, err, nats.ErrConnectionClosed) })
}

// What is tried again is told, and what was slow.
func TestRetry(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(t.Context(), key{}, "mine")
	told := make(chan string, 1000)
	var text bytes.Buffer
	c := newCluster(t, 1)
	nc := c.connect(0)
	s := open(t, nc, jetstream.Options{
		Stream: "DESK", Patience: time.Minute, Slow: time.Nanosecond, Log: slog.New(slog.NewTextHandler(&text, nil)),
		Retry: func(ctx context.Context, method string, attempt int, err error) {
			select {
			case told <- fmt.Sprint(method, " ", attempt, " ", ctx.Value(key{}), " ", err != nil):
			default:
			}
		},
	})
	require.NoError(t, s.Commit(ctx, create("a")))
	require.Regexp(t, `level=WARN msg="slow commit" stream=DESK record=a revisions=1 took=\S+ attempts=1 error=<nil>`, text.String())
	require.Empty(t, told)
	for _, call := range []struct {
		method string
		do     func() error
	}{
		{"Load", func() error { _, err := s.Load(ctx, "a"); return err }},
		{"Commit", func() error { return s.Commit(ctx, create("b")) }},
		{"List", func() error { _, err := s.List(ctx, itsm.Query{}); return err }},
		{"NextDue", func() error { _, err := s.NextDue(ctx, start); return err }},
		{"Events", func() (err error) {
			for _, err = range s.Events(ctx, "a", 0) {
			}
			return err
		}},
		{"Feed", func() (err error) {
			for _, err = range s.Feed(ctx, "") {
			}
			return err
		}},
		{"Due", func() (err error) {
			for _, err = range s.Due(ctx, start) {
			}
			return err
		}},
	} {
		c.stop(0)
		require.Eventually(t, func() bool { return !nc.IsConnected() }, time.Minute, time.Millisecond)
		done := make(chan error)
		go func() { done <- call.do() }()
		require.Equal(t, call.method+" 1 mine true", <-told)
		c.start(0)
		require.NoError(t, <-done, "it waits for the server to come back")
		for len(told) > 0 {
			<-told
		}
	}
}

// Where somebody has removed a message from the stream, what is left is read.
func TestRemoved(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	nc := c.connect(0)
	open(t, nc, jetstream.Options{Stream: "DESK"})
	js, err := natsjs.New(nc)
	require.NoError(t, err)
	like, err := js.Stream(t.Context(), "DESK")
	require.NoError(t, err)
	config := like.CachedInfo().Config
	require.NoError(t, js.DeleteStream(t.Context(), "DESK"))
	config.DenyDelete = false
	stream, err := js.CreateStream(t.Context(), config)
	require.NoError(t, err)

	s := open(t, nc, jetstream.Options{Stream: "DESK"})
	const n = 1500
	race(16, n, func(client, i int) {
		if err := s.Commit(background, create(itsm.ID(fmt.Sprint(client, "_", i)))); err != nil {
			panic(err)
		}
	})
	removed := []uint64{2, 3, 700, 1024, 1025, 1500}
	for _, seq := range removed[:5] {
		require.NoError(t, stream.DeleteMsg(t.Context(), seq))
	}
	h, err := s.Health(t.Context())
	require.NoError(t, err)
	require.Equal(t, jetstream.Health{Stream: "DESK", Nodes: 1, Current: 1, Messages: n - 5, Bytes: h.Bytes, Subjects: n - 5}, h)
	var cursors []itsm.Cursor
	for d, err := range s.Feed(t.Context(), "") {
		require.NoError(t, err)
		cursors = append(cursors, d.Cursor)
	}
	require.Len(t, cursors, n-5)
	rest := 0
	for _, err := range s.Feed(t.Context(), cursors[n-5-10]) {
		require.NoError(t, err)
		rest++
	}
	require.Equal(t, 9, rest)
	page, err := s.List(t.Context(), itsm.Query{Limit: n})
	require.NoError(t, err)
	require.Len(t, page.Records, n-5)
	require.Empty(t, page.Next)
}

// A record with a long history: whatever is sent again is found in it, and its
// events are read from wherever is asked.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	s := open(t, c.connect(0), jetstream.Options{Stream: "DESK"})
	var sent []itsm.Revision[enginetest.Item]
	r := enginetest.Item{Meta: itsm.Meta{ID: "long", State: "new"}}
	for range 600 {
		rev := enginetest.Next(r, "me")
		require.NoError(t, s.Commit(t.Context(), rev))
		sent = append(sent, rev)
		r = rev.Record
	}
	for _, n := range []int{0, 1, 300, 598, 599} {
		require.NoError(t, s.Commit(t.Context(), sent[n]))
		other := sent[n]
		other.Events = []itsm.Event{other.Events[0]}
		other.Events[0].ID = "other"
		require.Error(t, s.Commit(t.Context(), other))
	}
	for _, after := range []itsm.Version{0, 1, 511, 512, 513, 598, 599, 600, 2000} {
		next := after
		for e, err := range s.Events(t.Context(), "long", after) {
			require.NoError(t, err)
			next++
			require.Equal(t, next, e.Version)
			if e.Version == 550 {
				// What is written meanwhile belongs to the next reader.
				require.NoError(t, s.Commit(t.Context(), sent[599]))
			}
		}
		require.Equal(t, max(after, 600), next)
	}
	for range s.Events(t.Context(), "long", 0) {
		break
	}
}
