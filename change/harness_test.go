package change_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
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

type action = itsm.Action[change.Change]

// An office is a practice over a memory store, with a clock and a test. Mia makes
// changes; ann, bob and cai decide about them.
type office struct {
	*change.Practice
	t     testing.TB
	clock *clock
	store *memory.Store[change.Change]
}

var (
	mia = as("mia")
	sys = itsm.WithActor(context.Background(), itsm.System())
)

func as(id string) context.Context { return itsm.As(context.Background(), id) }

func newOffice(t testing.TB, cfg change.Config) *office {
	o := &office{t: t, clock: &clock{t: morning}, store: memory.New[change.Change]()}
	cfg.Now = o.clock.now
	if cfg.NewID == nil {
		cfg.NewID = serial()
	}
	p, err := change.NewPractice(o.store, cfg)
	require.NoError(t, err)
	o.Practice = p
	return o
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

// open proposes a change of the mail service and does the actions to it, as mia.
func (o *office) open(model string, actions ...action) change.Change {
	o.t.Helper()
	r, err := o.Open(mia, change.Propose{Title: "Mail 8", Model: model, Services: []string{"mail"}, CIs: []string{"mx-1"}})
	require.NoError(o.t, err)
	return o.do(mia, r.ID, actions...)
}

// do does actions, a minute apart, and checks the record against its replay.
func (o *office) do(ctx context.Context, id itsm.ID, actions ...action) change.Change {
	o.t.Helper()
	r := o.get(id)
	for _, a := range actions {
		o.clock.advance(time.Minute)
		var err error
		r, err = o.Do(ctx, id, a)
		require.NoError(o.t, err, "%s", a.Action())
	}
	o.replays(id)
	return r
}

func (o *office) get(id itsm.ID) change.Change {
	o.t.Helper()
	r, err := o.Get(mia, id)
	require.NoError(o.t, err)
	return r
}

// replays proves that the history leads to the record.
func (o *office) replays(id itsm.ID) {
	o.t.Helper()
	again, err := o.Replay(o.History(mia, id))
	require.NoError(o.t, err)
	require.Equal(o.t, o.get(id), again)
}

// refuse does an action that must be refused, with exactly these findings, and
// change nothing.
func (o *office) refuse(ctx context.Context, id itsm.ID, a action, findings ...string) {
	o.t.Helper()
	before := o.get(id)
	_, err := o.Do(ctx, id, a)
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

// history lists the actions done to a change.
func (o *office) history(id itsm.ID) []string {
	o.t.Helper()
	var names []string
	for e, err := range o.History(mia, id) {
		require.NoError(o.t, err)
		names = append(names, e.Action)
	}
	return names
}

// due lets time pass and does what it brings.
func (o *office) due(after time.Duration) int {
	o.t.Helper()
	o.clock.advance(after)
	n, _, err := o.RunDue(sys)
	require.NoError(o.t, err)
	return n
}

// What most tests do on the way to what they are about.
var (
	plan     = change.SetPlan{Plan: change.Plan{Implementation: "install", BackOut: "reinstall", Test: "send a mail"}}
	assess   = change.AssessRisk{Answers: map[string]string{"likelihood": "rare", "impact": "nobody"}}
	tonight  = change.SetWindow{Span: change.Span{Start: morning.Add(12 * time.Hour), End: morning.Add(14 * time.Hour)}}
	ask      = change.RequestApproval{Approvers: []string{"ann", "bob", "cai"}}
	yes, no  = change.Vote{Vote: approval.Approve}, change.Vote{Vote: approval.Reject}
	complete = change.Complete{Outcome: change.Successful}
)

// ready is what a normal change needs before its authority is asked.
func ready(more ...action) []action { return append([]action{plan, assess, tonight}, more...) }

// hours compiles a calendar.
func hours(t testing.TB, c sla.Calendar) *sla.Hours {
	t.Helper()
	h, err := c.Compile()
	require.NoError(t, err)
	return h
}

var errDown = errors.New("the host is down")
