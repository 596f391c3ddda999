package incident_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
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

// A desk is a practice over a memory store, with a clock and a test. Mia works
// there, jin has the trouble.
type desk struct {
	*incident.Practice
	t     testing.TB
	clock *clock
	store *memory.Store[incident.Incident]
}

var (
	mia = itsm.As(context.Background(), "mia")
	jin = itsm.As(context.Background(), "jin")
	sys = itsm.WithActor(context.Background(), itsm.System())
)

func newDesk(t testing.TB, cfg incident.Config) *desk {
	d := &desk{t: t, clock: &clock{t: morning}, store: memory.New[incident.Incident]()}
	cfg.Now = d.clock.now
	if cfg.NewID == nil {
		cfg.NewID = serial()
	}
	p, err := incident.NewPractice(d.store, cfg)
	require.NoError(t, err)
	d.Practice = p
	return d
}

// serial numbers records and events, so that tests and examples say the same
// each time.
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

// open reports a mail outage of jin's and does the actions to it, as mia.
func (d *desk) open(actions ...itsm.Action[incident.Incident]) incident.Incident {
	d.t.Helper()
	inc, err := d.Open(mia, incident.Report{Title: "No mail", Caller: "jin", Service: "mail"})
	require.NoError(d.t, err)
	return d.do(inc.ID, actions...)
}

// do does actions as mia, a minute apart, and checks each against its replay.
func (d *desk) do(id itsm.ID, actions ...itsm.Action[incident.Incident]) incident.Incident {
	d.t.Helper()
	inc := d.get(id)
	for _, a := range actions {
		d.clock.advance(time.Minute)
		var err error
		inc, err = d.Do(mia, id, a)
		require.NoError(d.t, err, "%s", a.Action())
	}
	d.replays(id)
	return inc
}

func (d *desk) get(id itsm.ID) incident.Incident {
	d.t.Helper()
	inc, err := d.Get(mia, id)
	require.NoError(d.t, err)
	return inc
}

// replays proves that the history leads to the record.
func (d *desk) replays(id itsm.ID) {
	d.t.Helper()
	again, err := d.Replay(d.History(mia, id))
	require.NoError(d.t, err)
	require.Equal(d.t, d.get(id), again)
}

// refuse does an action that must be refused, with exactly these findings, and
// change nothing.
func (d *desk) refuse(ctx context.Context, id itsm.ID, a itsm.Action[incident.Incident], findings ...string) error {
	d.t.Helper()
	before := d.get(id)
	_, err := d.Do(ctx, id, a)
	require.Error(d.t, err)
	require.Equal(d.t, findings, said(err))
	require.Equal(d.t, before, d.get(id))
	return err
}

// said lists the findings of an error as text.
func said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// history lists the actions done to an incident, without the versions.
func (d *desk) history(id itsm.ID) []string {
	d.t.Helper()
	var names []string
	for e, err := range d.History(mia, id) {
		require.NoError(d.t, err)
		names = append(names, e.Action)
	}
	return names
}

// due lets time pass and does what it brings.
func (d *desk) due(after time.Duration) int {
	d.t.Helper()
	d.clock.advance(after)
	n, _, err := d.RunDue(sys)
	require.NoError(d.t, err)
	return n
}

// A flaky store fails commits as it is told.
type flaky struct {
	itsm.Store[incident.Incident]
	mu sync.Mutex
	// before is asked before a commit, after when it has happened.
	before, after func(revs int) error
}

func (f *flaky) Commit(ctx context.Context, revs ...itsm.Revision[incident.Incident]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		if err := f.before(len(revs)); err != nil {
			return err
		}
	}
	if err := f.Store.Commit(ctx, revs...); err != nil {
		return err
	}
	if f.after != nil {
		return f.after(len(revs))
	}
	return nil
}

var errDown = errors.New("the store is down")

// serial2 numbers on where another process stopped.
func serial2() func(context.Context, string, time.Time) (itsm.ID, error) {
	ids := serial()
	return func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
		id, err := ids(ctx, prefix, at)
		return "second-" + id, err
	}
}
