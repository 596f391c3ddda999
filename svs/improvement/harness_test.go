package improvement_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs/improvement"
)

// morning is when the tests begin: a Monday.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// A clock stands still until it is moved.
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

// A desk is a practice over a memory store, with a clock and a test.
type desk struct {
	*improvement.Practice
	t     testing.TB
	clock *clock
}

var (
	mia = itsm.As(context.Background(), "mia")
	jin = itsm.As(context.Background(), "jin")
	sys = itsm.WithActor(context.Background(), itsm.System())
)

type action = itsm.Action[improvement.Improvement]

func newDesk(t testing.TB, cfg improvement.Config) *desk {
	d := &desk{t: t, clock: &clock{t: morning}}
	cfg.Now = d.clock.now
	if cfg.NewID == nil {
		cfg.NewID = serial()
	}
	p, err := improvement.NewPractice(memory.New[improvement.Improvement](), cfg)
	require.NoError(t, err)
	d.Practice = p
	return d
}

// serial numbers records and events, so that tests and examples say the same each time.
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

// open logs an idea and does the actions to it.
func (d *desk) open(actions ...action) improvement.Improvement {
	d.t.Helper()
	r, err := d.Open(mia, improvement.Log{Title: "They wait for the network team", Source: improvement.FromReview, Scope: improvement.Scope{Service: "mail", Practice: "incident_management", Activity: "deliver_support"}})
	require.NoError(d.t, err)
	return d.do(r.ID, actions...)
}

// do does actions, a minute apart, and checks the record against its replay.
func (d *desk) do(id itsm.ID, actions ...action) improvement.Improvement {
	d.t.Helper()
	r := d.get(id)
	for _, a := range actions {
		d.clock.advance(time.Minute)
		var err error
		r, err = d.Do(mia, id, a)
		require.NoError(d.t, err, "%s", a.Action())
	}
	d.replays(id)
	return r
}

func (d *desk) get(id itsm.ID) improvement.Improvement {
	d.t.Helper()
	r, err := d.Get(mia, id)
	require.NoError(d.t, err)
	return r
}

// replays proves that the history leads to the record.
func (d *desk) replays(id itsm.ID) {
	d.t.Helper()
	again, err := d.Replay(d.History(mia, id))
	require.NoError(d.t, err)
	require.Equal(d.t, d.get(id), again)
}

// refuse does an action that must be refused, with exactly these findings, and change
// nothing.
func (d *desk) refuse(id itsm.ID, a action, findings ...string) {
	d.t.Helper()
	before := d.get(id)
	_, err := d.Do(mia, id, a)
	require.Error(d.t, err)
	require.Equal(d.t, findings, said(err))
	require.Equal(d.t, before, d.get(id))
}

func said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// due lets time pass and does what it brings.
func (d *desk) due(after time.Duration) int {
	d.t.Helper()
	d.clock.advance(after)
	n, _, err := d.RunDue(sys)
	require.NoError(d.t, err)
	return n
}

// What most tests do on the way to what they are about: waiting hours go from 20 to 8.
var (
	before   = improvement.SetBaseline{Metric: "wait", Value: 20, Unit: "h", From: morning.AddDate(0, -1, 0), To: morning}
	wanted   = improvement.SetTarget{Target: improvement.Target{Metric: "wait", Value: 8, Better: improvement.Lower}}
	vision   = improvement.SetVision{Vision: improvement.Vision{Text: "nobody waits overnight", Value: "a day of work", Stakeholders: []string{"sales"}}}
	planned  = improvement.SetPlan{Plan: improvement.Plan{Text: "two more can repair networks", Experiment: true, Cost: "3 days"}}
	lessons  = improvement.Close{Lessons: "teach two more"}
	underway = []action{vision, before, wanted, improvement.Assess{}, improvement.Approve{}, planned, improvement.Start{}}
)

// measured says a value a while after the work began.
func (d *desk) measured(value float64) improvement.Measure {
	d.clock.advance(time.Hour)
	return improvement.Measure{Metric: "wait", Value: value, Unit: "h", From: d.clock.now().Add(-time.Hour), To: d.clock.now()}
}
