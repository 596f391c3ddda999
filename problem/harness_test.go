package problem_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// morning is when the tests begin: a Monday.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// A clock stands still until it is moved, forwards or backwards.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type (
	action      = itsm.Action[problem.Problem]
	errorAction = itsm.Action[problem.KnownError]
)

// A kernel is a practice over a memory store, with a clock and a test, whatever its
// records are.
type kernel[R any] struct {
	*itsm.Practice[R]
	t     testing.TB
	clock *clock
	store *memory.Store[R]
}

// An office is problem management: problems and known errors.
type office struct {
	kernel[problem.Problem]
	problems *problem.Practice
	errors   kernel[problem.KnownError]
	known    *problem.KnownErrors
}

var (
	kim = as("kim")
	sys = itsm.WithActor(context.Background(), itsm.System())
)

func as(id string) context.Context { return itsm.As(context.Background(), id) }

// newOffice returns a practice of problems whose known errors follow them.
func newOffice(t testing.TB, cfg problem.Config, views ...problem.View[problem.KnownError]) *office {
	c := &clock{t: morning}
	errors := memory.New[problem.KnownError]()
	known, err := problem.NewKnownErrors(errors, problem.KnownErrorConfig{Config: itsm.Config{Now: c.now, NewID: serial(), Attempts: cfg.Attempts}, Views: views})
	require.NoError(t, err)
	store := memory.New[problem.Problem]()
	cfg.Now, cfg.KnownErrors = c.now, known
	if cfg.NewID == nil {
		cfg.NewID = serial()
	}
	p, err := problem.NewPractice(store, cfg)
	require.NoError(t, err)
	return &office{kernel[problem.Problem]{p.Practice, t, c, store}, p, kernel[problem.KnownError]{known.Practice, t, c, errors}, known}
}

// serial numbers records and events, so that tests and examples say the same each
// time.
func serial() func(context.Context, string, time.Time) (itsm.ID, error) {
	var mu sync.Mutex
	last := map[string]int{}
	return func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
	}
}

// open registers a problem of the mail service and does the actions to it, as kim.
func (o *office) open(actions ...action) problem.Problem {
	o.t.Helper()
	r, err := o.problems.Open(kim, problem.Register{Title: "Mail stops", Services: []string{"mail"}, CIs: []string{"mx-1"}, Symptom: "no mail"})
	require.NoError(o.t, err)
	return o.do(kim, r.ID, actions...)
}

// document writes a known error of a problem down and does the actions to it.
func (o *office) document(p problem.Problem, actions ...errorAction) problem.KnownError {
	o.t.Helper()
	r, err := o.known.Open(kim, p.Document())
	require.NoError(o.t, err)
	return o.errors.do(kim, r.ID, actions...)
}

// do does actions, a minute apart, and checks the record against its replay.
func (o *kernel[R]) do(ctx context.Context, id itsm.ID, actions ...itsm.Action[R]) R {
	o.t.Helper()
	for _, a := range actions {
		o.clock.advance(time.Minute)
		_, err := o.Do(ctx, id, a)
		require.NoError(o.t, err, "%s", a.Action())
	}
	o.replays(id)
	return o.get(id)
}

func (o *kernel[R]) get(id itsm.ID) R {
	o.t.Helper()
	r, err := o.Get(kim, id)
	require.NoError(o.t, err)
	return r
}

// replays proves that the history leads to the record.
func (o *kernel[R]) replays(id itsm.ID) {
	o.t.Helper()
	again, err := o.Replay(o.History(kim, id))
	require.NoError(o.t, err)
	require.Equal(o.t, o.get(id), again)
}

// refuse does an action that must be refused, with exactly these findings, and
// change nothing.
func (o *kernel[R]) refuse(id itsm.ID, a itsm.Action[R], findings ...string) {
	o.t.Helper()
	before := o.get(id)
	_, err := o.Do(kim, id, a)
	require.Error(o.t, err)
	require.Equal(o.t, findings, said(err))
	require.Equal(o.t, before, o.get(id))
}

// said lists the findings of an error as text.
func said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// history lists the actions done to a record.
func (o *kernel[R]) history(id itsm.ID) []string {
	o.t.Helper()
	var names []string
	for e, err := range o.History(kim, id) {
		require.NoError(o.t, err)
		names = append(names, e.Action)
	}
	return names
}

// due lets time pass and does what it brings.
func (o *kernel[R]) due(after time.Duration) int {
	o.t.Helper()
	o.clock.advance(after)
	n, _, err := o.RunDue(sys)
	require.NoError(o.t, err)
	return n
}

// everything lists all records.
func (o *kernel[R]) everything() map[itsm.ID]R {
	o.t.Helper()
	all := map[itsm.ID]R{}
	for r, err := range o.All(kim, itsm.Query{}) {
		require.NoError(o.t, err)
		all[itsm.MetaOf(&r).ID] = r
	}
	return all
}

// What most tests do on the way to what they are about.
var (
	identify = problem.Identify{Causes: []problem.Cause{{Text: "the disk is full", Evidence: "df", Dimension: problem.InformationTechnology}}}
	fixing   = problem.StartFix{Plan: "a larger disk", Change: itsm.Ref{Kind: "change", ID: "chg-1"}}
	fixed    = problem.Resolve{Code: problem.FixApplied, Note: "a larger disk"}
	fallback = problem.AddWorkaround{Title: "Second server", Steps: "switch over"}
	incident = itsm.Ref{Kind: "incident", ID: "inc-1"}
)

// calendar is open every day.
func calendar(t testing.TB) *sla.Hours {
	t.Helper()
	h, err := sla.Calendar{Name: "always", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: 24 * time.Hour})}}.Compile()
	require.NoError(t, err)
	return h
}

// agreed promises control in a day and a resolution in three from there.
func agreed(t testing.TB) *sla.Book {
	book, err := sla.NewBook([]*sla.Hours{calendar(t)}, []sla.Agreement{{Name: "all", Kind: sla.ServiceLevel, Metrics: []sla.Metric{
		problem.ControlMetric("always", sla.GoalRule{Within: 24 * time.Hour}),
		problem.ResolutionMetric("always", sla.GoalRule{Within: 72 * time.Hour}),
	}}})
	require.NoError(t, err)
	return book
}

var errDown = errors.New("the host is down")

// flaky is a store whose commits fail as told, before they are done or after.
type flaky[R any] struct {
	itsm.Store[R]
	itsm.DueStore
	before, after func() error
}

func (s *flaky[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) error {
	if s.before != nil {
		if err := s.before(); err != nil {
			return err
		}
	}
	err := s.Store.Commit(ctx, revs...)
	if err == nil && s.after != nil {
		err = s.after()
	}
	return err
}

// sequence is what a store yields.
func sequence[T any](all []T, failing error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
		if failing != nil {
			var none T
			yield(none, failing)
		}
	}
}
