package jetstream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// A fake answers in place of a stream: what servers answer when something is
// wrong, which real ones cannot be brought to do at will.
type fake struct {
	t   *testing.T
	nc  *nats.Conn // of the one who answers
	url string
	mu  sync.Mutex
	// What is answered to a question to the leader, to any node, and to a
	// publish, in order; the last again and again. "" is no answer.
	leader, any, publish []string
	leadership           string // who the stream says leads
}

func newFake(t *testing.T) *fake {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	f := &fake{t: t, nc: connect(t, s.ClientURL()), url: s.ClientURL()}
	f.on("$JS.API.STREAM.INFO.F", func(m *nats.Msg) string {
		f.mu.Lock()
		defer f.mu.Unlock()
		info, err := json.Marshal(natsjs.StreamInfo{
			Config: natsjs.StreamConfig{
				Name: "F", Subjects: []string{"F.r.*", "F.e.*"}, AllowDirect: true, AllowAtomicPublish: true,
				Metadata: map[string]string{"itsm.id": "f", "itsm.form": "1", "itsm.unique_event_ids": "false"},
			},
			Cluster: &natsjs.ClusterInfo{Name: "desk", Leader: f.leadership, Replicas: []*natsjs.PeerInfo{
				{Name: "n1", Current: true, Offline: true, Lag: 7}, {Name: "n2", Current: f.leadership != "", Lag: 3},
			}},
		})
		require.NoError(t, err)
		return string(info)
	})
	f.on("$JS.API.STREAM.MSG.GET.F", func(*nats.Msg) string { return f.take(&f.leader) })
	f.on("$JS.API.DIRECT.GET.F", func(*nats.Msg) string { return f.take(&f.any) })
	f.on("F.r.*", func(*nats.Msg) string { return f.take(&f.publish) })
	require.NoError(t, f.nc.Flush())
	return f
}

func (f *fake) on(subject string, answer func(m *nats.Msg) string) {
	_, err := f.nc.Subscribe(subject, func(m *nats.Msg) {
		text := answer(m)
		reply := nats.NewMsg(m.Reply)
		if status, last, ok := strings.Cut(text, " EOB "); ok || len(text) == 3 {
			reply.Header.Set("Status", status)
			reply.Header.Set("Nats-Last-Sequence", last)
			text = ""
		} else if text == "" {
			return
		}
		reply.Data = []byte(text)
		require.NoError(f.t, m.RespondMsg(reply))
	})
	require.NoError(f.t, err)
}

func (f *fake) take(answers *[]string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(*answers) == 0 {
		return ""
	}
	first := (*answers)[0]
	if len(*answers) > 1 {
		*answers = (*answers)[1:]
	}
	return first
}

func (f *fake) set(leader, any, publish []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leader, f.any, f.publish = leader, any, publish
}

func (f *fake) open(o jetstream.Options) *jetstream.Store[enginetest.Item] {
	o.Stream = "F"
	return open(f.t, connect(f.t, f.url), o)
}

// The answers.

func refusal(code, number int) string {
	return fmt.Sprintf(`{"error":{"code":%d,"err_code":%d,"description":"no"}}`, code, number)
}

func message(seq int, data string) string {
	text, _ := json.Marshal(map[string]any{"message": map[string]any{"seq": seq, "data": []byte(data)}})
	return string(text)
}

// version is the message of a ticket at a version.
func version(n int) string {
	line, _ := json.Marshal(enginetest.Item{Meta: itsm.Meta{ID: "t", Version: itsm.Version(n), State: "new"}})
	return fmt.Sprintf("1 %d %d %d 1\n"+`{"id":"e%d","practice":"ticket","record":"t","version":%d,"action":"edit","to":"new","at":"2026-01-05T08:00:00Z","actor":{"id":"jin"},"data":{}}`+"\n%s",
		n-1, n-1, 1, n, n, line)
}

const (
	written = `{"stream":"F","seq":9}`
	none    = `{"error":{"code":404,"err_code":10037,"description":"no message found"}}`
)

var (
	busy     = refusal(503, 10008)
	conflict = refusal(400, 10071)
)

func TestCommitAnswers(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	third := func() itsm.Revision[enginetest.Item] { // from version 2
		return enginetest.Next(enginetest.Item{Meta: itsm.Meta{ID: "t", Version: 2, State: "new"}}, "me")
	}
	for _, c := range []struct {
		name            string
		leader, publish []string
		patience        time.Duration
		want, not       error
	}{
		{"Written", []string{message(2, version(2))}, []string{written}, 0, nil, nil},
		{"Busy", []string{message(2, version(2))}, []string{busy, busy, written}, 0, nil, nil},
		{"BusyLeader", []string{busy, message(2, version(2))}, []string{written}, 0, nil, nil},
		{"TooManyRequests", []string{message(2, version(2))}, []string{refusal(429, 10167), written}, 0, nil, nil},
		{"BatchWasLost", []string{message(2, version(2))}, []string{refusal(400, 10176), written}, 0, nil, nil},
		{"Garbage", []string{message(2, version(2))}, []string{"garbage", written}, 0, nil, nil},
		{"BusyForEver", []string{message(2, version(2))}, []string{busy}, time.Millisecond, itsm.ErrUnknown, nil},
		{"Refused", []string{message(2, version(2))}, []string{refusal(400, 10054)}, 0, errAny, itsm.ErrUnknown},
		{"RefusedLater", []string{message(2, version(2))}, []string{busy, refusal(400, 10054)}, 0, itsm.ErrUnknown, nil},
		{"Conflict", []string{message(2, version(2)), message(3, version(3))}, []string{conflict}, 0, itsm.ErrConflict, itsm.ErrUnknown},
		// The record is where it was, and yet something else is before this.
		{"UnderWay", []string{message(2, version(2))}, []string{conflict}, time.Millisecond, itsm.ErrUnknown, itsm.ErrConflict},
		{"UnderWayThenGone", []string{message(2, version(2))}, []string{conflict, refusal(400, 10164), written}, 0, nil, nil},
		// A leader that has been cut off does not decide about what was sent.
		{"OldLeader", []string{message(2, version(2)), message(1, version(1)), message(2, version(2))}, []string{busy, written}, 0, nil, itsm.ErrConflict},
		{"Behind", []string{message(1, version(1))}, []string{written}, 0, itsm.ErrConflict, nil},
		{"Missing", []string{none}, []string{written}, 0, itsm.ErrConflict, nil},
		{"LeaderGarbage", []string{"garbage"}, nil, 0, errAny, itsm.ErrUnknown},
		{"LeaderRefuses", []string{refusal(400, 10003)}, nil, 0, errAny, itsm.ErrUnknown},
		{"WrongMessage", []string{message(2, "garbage")}, nil, 0, errAny, itsm.ErrUnknown},
		{"NoRevision", []string{message(2, "e t")}, nil, 0, errAny, itsm.ErrUnknown},
		{"WrongEvent", []string{message(3, "1 2 2 1 1\n{\"version\":x}\n{}")}, nil, 0, errAny, itsm.ErrUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.set(c.leader, nil, c.publish)
			s := f.open(jetstream.Options{Patience: c.patience})
			err := s.Commit(t.Context(), third())
			switch {
			case c.want == errAny:
				require.Error(t, err)
				require.NotErrorIs(t, err, itsm.ErrConflict)
			default:
				require.ErrorIs(t, err, c.want)
			}
			if c.not != nil {
				require.NotErrorIs(t, err, c.not)
			}
		})
	}
	// What was sent before is written between the look at one record and the look
	// at the next.
	t.Run("WrittenMeanwhile", func(t *testing.T) {
		again := func() itsm.Revision[enginetest.Item] {
			rev := third()
			rev.Events[0].ID = "e3"
			return rev
		}
		other := again()
		other.Record.ID, other.Events[0].Record, other.Events[0].ID = "u", "u", "e4"
		fourth := strings.ReplaceAll(version(3), `"e3"`, `"e4"`)
		f.set([]string{message(2, version(2)), message(9, fourth), message(9, version(3)), message(9, fourth)}, nil, []string{conflict})
		s := f.open(jetstream.Options{})
		require.NoError(t, s.Commit(t.Context(), again(), other))
		// What is half there for good is refused.
		f.set([]string{message(2, version(2)), message(9, fourth), message(2, version(2)), message(9, fourth)}, nil, []string{conflict})
		require.ErrorIs(t, f.open(jetstream.Options{}).Commit(t.Context(), again(), other), itsm.ErrConflict)
	})
	// Who is told of attempts is told of which kind they were.
	t.Run("Told", func(t *testing.T) {
		f.set([]string{message(2, version(2))}, nil, []string{busy, conflict, written})
		var told []bool
		s := f.open(jetstream.Options{Retry: func(_ context.Context, _ string, _ int, err error) {
			told = append(told, errors.Is(err, itsm.ErrConflict))
		}})
		require.NoError(t, s.Commit(t.Context(), third()))
		require.Equal(t, []bool{false, true}, told)
	})
	t.Run("Silence", func(t *testing.T) {
		f.set([]string{message(2, version(2))}, nil, nil)
		s := f.open(jetstream.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.Commit(ctx, third())
		require.ErrorIs(t, err, itsm.ErrUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("SilenceFromTheStart", func(t *testing.T) {
		f.set(nil, nil, nil)
		s := f.open(jetstream.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.Commit(ctx, third())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, itsm.ErrUnknown, "nothing was sent")
	})
	t.Run("SilenceForAnAttempt", func(t *testing.T) {
		f.set([]string{message(2, version(2))}, nil, []string{"", written})
		require.NoError(t, f.open(jetstream.Options{}).Commit(t.Context(), third()))
	})
	t.Run("NobodyThere", func(t *testing.T) {
		require.NoError(t, f.nc.Drain())
		require.Eventually(t, f.nc.IsClosed, time.Minute, time.Millisecond)
		nc := connect(t, f.url)
		_, err := jetstream.Open[enginetest.Item](t.Context(), nc, jetstream.Options{Stream: "F", Patience: time.Millisecond})
		require.Error(t, err)
	})
}

var errAny = errors.New("any")

func TestReadAnswers(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	feed := func(s *jetstream.Store[enginetest.Item]) (versions []itsm.Version, err error) {
		for d, err := range s.Feed(t.Context(), "") {
			if err != nil {
				return versions, err
			}
			versions = append(versions, d.Event.Version)
		}
		return versions, nil
	}
	for _, c := range []struct {
		name        string
		leader, any []string
		want        []itsm.Version
		fails       bool
	}{
		// Whoever is asked is behind, for ever: the leader has them.
		{"Behind", []string{message(2, version(2)), message(1, version(1)), message(2, version(2))}, []string{"404"}, []itsm.Version{1, 2}, false},
		{"BehindAtTheEnd", []string{message(1, version(1)), none, message(1, version(1))}, []string{"404", "204 EOB 0", "404"}, []itsm.Version{1}, false},
		{"Overloaded", []string{message(1, version(1))}, []string{"503"}, []itsm.Version{1}, false},
		{"Refused", []string{message(1, version(1))}, []string{"408"}, nil, true},
		{"WrongEnd", []string{message(1, version(1))}, []string{"204 EOB x"}, nil, true},
		{"NoEnd", []string{refusal(400, 10003)}, nil, nil, true},
		{"LaterForm", []string{message(1, "2 garbage"), message(1, "2 garbage")}, []string{"404"}, nil, true},
		{"SomebodyElses", []string{message(2, version(2)), message(1, "hello"), message(2, version(2))}, []string{"404"}, []itsm.Version{2}, false},
		{"WrongEvent", []string{message(1, "1 0 0 0 1\n{\n{}"), message(1, "1 0 0 0 1\n{\n{}")}, []string{"404"}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.set(c.leader, c.any, nil)
			got, err := feed(f.open(jetstream.Options{}))
			require.Equal(t, c.fails, err != nil, "%v", err)
			require.Equal(t, c.want, got)
		})
	}
	t.Run("Impatient", func(t *testing.T) {
		s := f.open(jetstream.Options{})
		f.set([]string{busy}, nil, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := s.Load(ctx, "t")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("Load", func(t *testing.T) {
		s := f.open(jetstream.Options{})
		f.set([]string{message(1, "1 0 0 0 1\n{}\n[]")}, nil, nil)
		_, err := s.Load(t.Context(), "t")
		require.ErrorContains(t, err, "record t")
	})
	t.Run("Events", func(t *testing.T) {
		s := f.open(jetstream.Options{})
		for _, c := range []struct{ leader, any []string }{
			{[]string{"garbage"}, nil},
			{[]string{message(2, version(2)), message(1, "garbage")}, []string{"404"}},
			{[]string{message(2, version(2)), refusal(400, 10003)}, []string{"404"}},
			{[]string{message(1, "1 0 0 0 1\n{\n{}")}, nil},
		} {
			f.set(c.leader, c.any, nil)
			var last error
			for _, err := range s.Events(t.Context(), "t", 0) {
				last = err
			}
			require.Error(t, last)
		}
	})
	t.Run("List", func(t *testing.T) {
		for _, c := range []struct {
			name        string
			leader, any []string
			ok          bool
		}{
			// 1 and 2 are where the index and the page are read from.
			{"FromLeader", []string{message(1, version(1)), message(1, version(1))}, []string{"404"}, true},
			{"Removed", []string{message(1, version(1)), message(1, version(1)), none}, []string{"404"}, false},
			{"Refused", []string{message(1, version(1)), message(1, version(1)), refusal(400, 10003)}, []string{"404"}, false},
			{"Wrong", []string{message(1, version(1)), message(1, version(1)), message(1, "garbage")}, []string{"404"}, false},
			{"WrongIndex", []string{message(1, version(1)), message(1, "1 garbage")}, []string{"404"}, false},
			{"NoIndex", []string{message(1, version(1)), refusal(400, 10003)}, []string{"404"}, false},
			{"NoEnd", []string{refusal(400, 10003)}, nil, false},
		} {
			f.set(c.leader, c.any, nil)
			page, err := f.open(jetstream.Options{}).List(t.Context(), itsm.Query{})
			require.Equal(t, c.ok, err == nil, "%s: %v", c.name, err)
			if c.ok {
				require.Len(t, page.Records, 1)
			}
		}
	})
	t.Run("Resent", func(t *testing.T) {
		// What the history says further back cannot be read.
		for _, leader := range [][]string{
			{message(5, version(5)), none},
			{message(5, version(5)), message(4, "garbage")},
		} {
			f.set(leader, []string{"404"}, nil)
			rev := enginetest.Next(enginetest.Item{Meta: itsm.Meta{ID: "t", Version: 3, State: "new"}}, "me")
			err := f.open(jetstream.Options{}).Commit(t.Context(), rev)
			require.Error(t, err)
			require.NotErrorIs(t, err, itsm.ErrConflict)
		}
	})
	t.Run("Health", func(t *testing.T) {
		s := f.open(jetstream.Options{})
		h, err := s.Health(t.Context())
		require.ErrorContains(t, err, "1 of 3 nodes are current")
		require.Equal(t, uint64(7), h.Lag)
		f.mu.Lock()
		f.leadership = "n0"
		f.mu.Unlock()
		h, err = s.Health(t.Context())
		require.NoError(t, err)
		require.Equal(t, jetstream.Health{Stream: "F", Leader: "n0", Nodes: 3, Current: 2, Lag: 7}, h)
	})
}
