package enginetest_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/enginetest"
	"github.com/go-itsm/itsm/storage/memory"
)

func newTower(t *testing.T) enginetest.Tower {
	return enginetest.Tower{Bells: memory.New[enginetest.Bell](), Echoes: memory.New[enginetest.Echo](), Folder: t.TempDir()}
}

// An actor is a host within this process, who dies between two calls.
type actor struct {
	tower enginetest.Tower
	name  string
	hear  func(line string)
	stop  context.CancelFunc
	group sync.WaitGroup
	over  chan struct{}
	ended error
}

func actors(tower enginetest.Tower) (hosts []enginetest.Host) {
	for _, name := range []string{"seoul", "berlin", "austin"} {
		hosts = append(hosts, &actor{tower: tower, name: name})
	}
	return hosts
}

func (a *actor) Hear(line func(line string)) { a.hear = line }

func (a *actor) Start() error {
	ctx, stop := context.WithCancel(context.Background())
	a.stop, a.over = stop, make(chan struct{})
	in, out := io.Pipe()
	a.group.Go(func() {
		a.ended = a.tower.Run(ctx, a.name, out)
		_ = out.Close()
		close(a.over)
	})
	a.group.Go(func() {
		for lines := bufio.NewScanner(in); lines.Scan(); {
			a.hear(lines.Text())
		}
	})
	return nil
}

func (a *actor) Ended() bool {
	select {
	case <-a.over:
		return true
	default:
		return false
	}
}

func (a *actor) Kill() error {
	a.stop()
	a.group.Wait()
	if errors.Is(a.ended, context.Canceled) {
		return nil
	}
	return a.ended
}

// A bystander is killed without anybody missing it.
type bystander struct{ killed, started int }

func (b *bystander) Kill() error  { b.killed++; return nil }
func (b *bystander) Start() error { b.started++; return nil }

// Over the reference store everything that was planned happens once, whoever dies.
func TestHavoc(t *testing.T) {
	tower, other := newTower(t), &bystander{}
	r, err := tower.Havoc(t.Context(), actors(tower), []enginetest.Victim{other}, 6)
	require.NoError(t, err)
	t.Log(r)
	require.Equal(t, [2]int{4, 4}, [2]int{r.HostKills, r.OtherKills})
	require.Equal(t, bystander{4, 4}, *other)
	require.Positive(t, r.Rings)
	require.Equal(t, r.Rings, r.Echoes)
	require.Positive(t, r.Strikes)
	require.Equal(t, r.Strikes, r.Replies)
	require.Greater(t, r.Events, r.Rings+r.Strikes+r.Echoes+r.Replies+r.Bells)
	require.LessOrEqual(t, r.Acknowledged, r.Events)
	require.Greater(t, r.Acknowledged, r.Events/2)
	require.LessOrEqual(t, r.Lag.Median, r.Lag.P99)
	require.LessOrEqual(t, r.Lag.P99, r.Lag.Max)
}

// A tampered store answers, now and then, with something else.
type tampered[R any] struct {
	*memory.Store[R]
	commit func(e itsm.Event) error // instead of a commit, if it is not errHonest
	due    func(w itsm.Wake) bool
	feed   func(e itsm.Event) int // how often it is in the feed
	events func(e itsm.Event) bool
	load   func(r *R)
}

var errHonest = errors.New("do it")

func (s *tampered[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) error {
	if s.commit != nil {
		if err := s.commit(revs[0].Events[0]); !errors.Is(err, errHonest) {
			return err
		}
	}
	return s.Store.Commit(ctx, revs...)
}

func (s *tampered[R]) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		for w, err := range s.Store.Due(ctx, now) {
			if (s.due == nil || err != nil || s.due(w)) && !yield(w, err) {
				return
			}
		}
	}
}

func (s *tampered[R]) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		for d, err := range s.Store.Feed(ctx, after) {
			n := 1
			if s.feed != nil && err == nil {
				n = s.feed(d.Event)
			}
			for range n {
				if !yield(d, err) {
					return
				}
			}
		}
	}
}

func (s *tampered[R]) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		for e, err := range s.Store.Events(ctx, id, after) {
			if s.events != nil && err == nil && !s.events(e) || !yield(e, err) {
				return
			}
		}
	}
}

func (s *tampered[R]) Load(ctx context.Context, id itsm.ID) (R, error) {
	r, err := s.Store.Load(ctx, id)
	if s.load != nil && err == nil {
		s.load(&r)
	}
	return r, err
}

// What breaks a promise while hosts work on it is found.
func TestHavocFinds(t *testing.T) {
	var n atomic.Int32
	for name, c := range map[string]struct {
		bells  tampered[enginetest.Bell]
		echoes tampered[enginetest.Echo]
		wait   time.Duration // if it takes longer
		want   string
	}{
		"forgetful": {
			bells: tampered[enginetest.Bell]{commit: func(itsm.Event) error {
				if n.Add(1)%10 == 0 {
					return nil
				}
				return errHonest
			}},
			want: "was acknowledged and is lost",
		},
		"never wakes": {
			bells: tampered[enginetest.Bell]{due: func(w itsm.Wake) bool { return w.ID[len(w.ID)-1]%2 == 0 }},
			want:  "bells are not silent",
		},
		"loses what follows": {
			echoes: tampered[enginetest.Echo]{commit: func(itsm.Event) error {
				if n.Add(1)%10 == 0 {
					return itsm.ErrExists
				}
				return errHonest
			}},
			want: "effects are missing",
		},
		"refuses": {
			bells: tampered[enginetest.Bell]{commit: func(itsm.Event) error { return itsm.ErrInvalid }},
			want:  itsm.ErrInvalid.Error(),
		},
		"is away": {
			bells: tampered[enginetest.Bell]{commit: func(itsm.Event) error { return errors.New("not now") }},
			want:  "hosts have been heard [0 0 0] times",
		},
		"is never struck": {
			bells: tampered[enginetest.Bell]{commit: func(e itsm.Event) error {
				if e.Action == "strike" {
					return errors.New("not now")
				}
				return errHonest
			}},
			wait: time.Minute, // there is less to hear
			want: " 0 strikes, ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tower := newTower(t)
			tower.Patience = cmp.Or(c.wait, 2*time.Second)
			c.bells.Store, c.echoes.Store = memory.New[enginetest.Bell](), memory.New[enginetest.Echo]()
			tower.Bells, tower.Echoes = &c.bells, &c.echoes
			_, err := tower.Havoc(t.Context(), actors(tower), nil, 1)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// A stage is what is there in the end: a bell that was to ring twice and was struck
// once, and the one beside it.
type stage struct {
	bells        *itsm.Practice[enginetest.Bell]
	echoes       *itsm.Practice[enginetest.Echo]
	bell, beside enginetest.Bell
	told         []string
	events       map[string][]itsm.Event // by action
}

// A what is what time brings to a bell.
type what func(b *enginetest.Bell) (time.Time, itsm.Action[enginetest.Bell])

// play does what hosts would do.
func play(t *testing.T, tower enginetest.Tower, first time.Time, next what) *stage {
	s := &stage{events: map[string][]itsm.Event{}}
	var err error
	if wrong := next; wrong != nil {
		next = func(b *enginetest.Bell) (time.Time, itsm.Action[enginetest.Bell]) {
			if b.State != "hung" {
				return time.Time{}, nil
			}
			return wrong(b)
		}
	}
	s.bells, s.echoes, err = tower.Practices(itsm.Config{Notify: func(_ context.Context, events []itsm.Event) {
		for _, e := range events {
			line, err := json.Marshal(e)
			require.NoError(t, err)
			s.told, s.events[e.Action] = append(s.told, string(line)), append(s.events[e.Action], e)
		}
	}}, next)
	require.NoError(t, err)
	ctx := itsm.As(t.Context(), "jin")
	s.beside, err = s.bells.Create(ctx, enginetest.Hang{First: first, Every: time.Second, Times: 1})
	require.NoError(t, err)
	s.bell, err = s.bells.Create(ctx, enginetest.Hang{First: first, Every: time.Minute, Times: 2, Beside: s.beside.ID})
	require.NoError(t, err)
	_, err = s.bells.Do(ctx, s.bell.ID, enginetest.Strike{})
	require.NoError(t, err)
	_, _, err = s.bells.RunDue(ctx)
	require.NoError(t, err)
	for _, e := range s.events["ring"] {
		s.hear(t, e, "hear")
	}
	_, err = s.bells.Do(itsm.Because(ctx, s.events["strike"][0], "reply"), s.beside.ID, enginetest.Reply{})
	require.NoError(t, err)
	return s
}

// hear makes the echo of a ring.
func (s *stage) hear(t *testing.T, e itsm.Event, reaction string) {
	var data enginetest.Ring
	require.NoError(t, json.Unmarshal(e.Data, &data))
	_, err := s.echoes.Create(itsm.Because(itsm.As(t.Context(), "jin"), e, reaction), enginetest.Hear{Bell: e.Record, For: data.For})
	require.NoError(t, err)
}

// Whatever is wrong in the end, the audit finds it.
func TestTowerAudit(t *testing.T) {
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	moment := func(b *enginetest.Bell) time.Time { return b.First.Add(time.Duration(b.Rung) * b.Every) }
	type bells = tampered[enginetest.Bell]
	type echoes = tampered[enginetest.Echo]
	for name, c := range map[string]struct {
		first time.Time // if it is not past
		next  what
		then  func(s *stage, b *bells, e *echoes)
		want  string // "" if nothing is
	}{
		"right": {},
		"right, and reactions are told twice": {then: func(s *stage, _ *bells, _ *echoes) {
			var e itsm.Event
			last := s.told[len(s.told)-1]
			require.NoError(t, json.Unmarshal([]byte(last), &e))
			e.At, e.Actor.ID = e.At.Add(time.Second), "kim"
			line, err := json.Marshal(e)
			require.NoError(t, err)
			s.told = append(s.told, string(line))
		}},
		"rings for another moment": {
			next: func(b *enginetest.Bell) (time.Time, itsm.Action[enginetest.Bell]) {
				return moment(b), enginetest.Ring{For: moment(b).Add(time.Microsecond)}
			},
			want: "and was planned for",
		},
		"rings for a moment twice": {
			next: func(b *enginetest.Bell) (time.Time, itsm.Action[enginetest.Bell]) {
				return moment(b), enginetest.Ring{For: b.First}
			},
			want: "ring 2 of 2 is for",
		},
		"rings too early": {
			first: future,
			next: func(b *enginetest.Bell) (time.Time, itsm.Action[enginetest.Bell]) {
				return moment(b).Add(-10 * time.Hour), enginetest.Ring{For: moment(b)}
			},
			want: "was at",
		},
		"has yet to ring": {
			first: time.Now().Add(-30 * time.Second),
			want:  "it was to ring 2 times, and rang 1 times",
		},
		"echoes twice": {
			then: func(s *stage, _ *bells, _ *echoes) { s.hear(t, s.events["ring"][0], "hear again") },
			want: "once, and what happened is",
		},
		"echoes for no reason": {
			then: func(s *stage, _ *bells, _ *echoes) { s.hear(t, s.events["hang"][0], "hear") },
			want: "nothing was to happen",
		},
		"does not echo": {
			then: func(s *stage, _ *bells, e *echoes) { e.feed, s.told = func(itsm.Event) int { return 0 }, nil },
			want: "{action:hear",
		},
		"replies in another place": {
			then: func(s *stage, _ *bells, _ *echoes) {
				_, err := s.bells.Do(itsm.Because(itsm.As(t.Context(), "jin"), s.events["strike"][0], "reply"), s.bell.ID, enginetest.Reply{})
				require.NoError(t, err)
			},
			want: "{action:reply",
		},
		"says what is no event": {
			then: func(s *stage, _ *bells, _ *echoes) { s.told = append(s.told, "x") },
			want: "told what is no event",
		},
		"says what is not there": {
			then: func(s *stage, _ *bells, _ *echoes) {
				s.told = append(s.told, `{"practice":"bell","record":"`+string(s.bell.ID)+`","version":99}`)
			},
			want: "version 99 of",
		},
		"says what was otherwise": {
			then: func(s *stage, _ *bells, _ *echoes) { s.told[0] = strings.Replace(s.told[0], "jin", "kim", 1) },
			want: "in its place is",
		},
		"feeds twice": {
			then: func(_ *stage, b *bells, _ *echoes) { b.feed = func(itsm.Event) int { return 2 } },
			want: "is there twice",
		},
		"feeds with a gap": {
			then: func(_ *stage, b *bells, _ *echoes) { b.feed = func(e itsm.Event) int { return int(e.Version) % 2 } },
			want: "comes after version",
		},
		"has a shorter history": {
			then: func(_ *stage, b *bells, _ *echoes) { b.events = func(e itsm.Event) bool { return e.Version < 3 } },
			want: "which are not the",
		},
		"has another record": {
			then: func(_ *stage, b *bells, _ *echoes) { b.load = func(r *enginetest.Bell) { r.Rung++ } },
			want: "its history leads to",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, e := &bells{Store: memory.New[enginetest.Bell]()}, &echoes{Store: memory.New[enginetest.Echo]()}
			tower := enginetest.Tower{Bells: b, Echoes: e}
			first := past
			if !c.first.IsZero() {
				first = c.first
			}
			s := play(t, tower, first, c.next)
			if c.then != nil {
				c.then(s, b, e)
			}
			r, err := tower.Audit(t.Context(), s.told)
			if c.want != "" {
				require.ErrorContains(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, enginetest.Report{
				Events: 12, Acknowledged: 12, Bells: 2, Rings: 3, Strikes: 1, Echoes: 3, Replies: 1, Lag: r.Lag, Delay: r.Delay,
			}, r)
			require.InDelta(t, time.Hour-time.Minute, r.Lag.Median, float64(2*time.Minute))
		})
	}
}

// TestMain is also the programs that are killed.
func TestMain(m *testing.M) {
	enginetest.Play(map[string]func(args ...string) error{
		"counts": func(args ...string) error {
			for n := 0; ; n++ {
				fmt.Println(args[0], n)
			}
		},
		"ends": func(...string) error { return errors.New("it has ended") },
		"exits": func(args ...string) error {
			code, err := strconv.Atoi(args[0])
			if err == nil {
				os.Exit(code)
			}
			return err
		},
		"races": func(...string) error {
			for n := 0; ; { // until it is found
				go func() { n++ }()
				n++
			}
		},
		"tells": func(args ...string) error {
			fmt.Println(os.Getenv(args[0]))
			select {}
		},
	})
	os.Exit(m.Run())
}

// A program is heard until it is killed, is started again, and must not end by
// itself.
func TestProgram(t *testing.T) {
	p := &enginetest.Program{Part: []string{"counts", "to"}}
	require.NoError(t, p.Kill(), "it was not started")
	for range 3 {
		lines, enough := 0, make(chan struct{})
		p.Hear(func(line string) {
			if line != fmt.Sprint("to ", lines) {
				t.Errorf("line %d is %q", lines, line)
			}
			if lines++; lines == 1000 {
				close(enough)
			}
		})
		require.NoError(t, p.Start())
		<-enough
		require.NoError(t, p.Kill())
		before := lines
		require.GreaterOrEqual(t, lines, 1000)
		require.NoError(t, p.Kill())
		require.Equal(t, before, lines)
	}
	for _, c := range []struct {
		part []string
		want string
	}{
		{[]string{"ends"}, "[ends] had ended by itself: exit status 2"},
		{[]string{"exits", "0"}, "[exits 0] had ended by itself: exit status 0"},
		{[]string{"exits", "1"}, "[exits 1] had ended by itself: exit status 1"},
		{[]string{"exits", "66"}, "[exits 66] had ended by itself: exit status 66"},
	} {
		p = &enginetest.Program{Part: c.part}
		require.NoError(t, p.Start())
		require.Eventually(t, p.Ended, time.Minute, time.Millisecond)
		require.EqualError(t, p.Kill(), c.want)
		require.False(t, p.Ended(), "it is known")
		_, err := enginetest.Kill(&enginetest.Program{Part: c.part})
		require.EqualError(t, err, c.want)
	}
}

// A data race ends a program, whatever else is said of races.
func TestProgramRaces(t *testing.T) {
	t.Setenv("GORACE", "history_size=2")
	told := make(chan string, 1)
	p := &enginetest.Program{Part: []string{"tells", "GORACE"}}
	p.Hear(func(line string) { told <- line })
	require.NoError(t, p.Start())
	require.Equal(t, "history_size=2 halt_on_error=1", <-told)
	require.NoError(t, p.Kill())
	if !races {
		return
	}
	t.Setenv("GORACE", "halt_on_error=0 exitcode=77")
	p = &enginetest.Program{Part: []string{"races"}}
	require.NoError(t, p.Start())
	require.Eventually(t, p.Ended, time.Minute, time.Millisecond)
	require.EqualError(t, p.Kill(), "[races] had ended by itself: exit status 77")
}
