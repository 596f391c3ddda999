package knowledge_test

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
	"github.com/go-itsm/itsm/knowledge"
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

type action = itsm.Action[knowledge.Article]

// A library is a practice over a memory store, with a clock and a test. Mia writes; ann,
// bob and cai decide.
type library struct {
	*knowledge.Practice
	t     testing.TB
	clock *clock
	store *memory.Store[knowledge.Article]
}

var (
	mia = as("mia")
	sys = itsm.WithActor(context.Background(), itsm.System())
)

func as(id string) context.Context { return itsm.As(context.Background(), id) }

func newLibrary(t testing.TB, cfg knowledge.Config) *library {
	l := &library{t: t, clock: &clock{t: morning}, store: memory.New[knowledge.Article]()}
	cfg.Now = l.clock.now
	if cfg.NewID == nil {
		cfg.NewID = serial()
	}
	p, err := knowledge.NewPractice(l.store, cfg)
	require.NoError(t, err)
	l.Practice = p
	return l
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

// What most tests do on the way to what they are about.
var (
	mail = knowledge.Content{Title: "No mail after a change of password", Issue: "Outlook asks for the password again and again",
		Environment: "Outlook 16", Resolution: "Delete the stored password.", Cause: "The old one is stored."}
	publish = knowledge.Publish{}
	submit  = knowledge.Submit{Reviewers: []string{"ann", "bob"}}
	yes, no = knowledge.Vote{Vote: approval.Approve}, knowledge.Vote{Vote: approval.Reject}
	retire  = knowledge.Retire{Reason: "not needed"}
	inc     = func(n int) itsm.Ref { return itsm.Ref{Kind: "incident", ID: itsm.ID(fmt.Sprintf("inc-%d", n))} }
	solves  = func(n int) knowledge.RecordUse {
		return knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: inc(n)}
	}
	comply = knowledge.SetGovernance{Governance: knowledge.Compliance}
)

// write captures an article about mail and does the actions to it, as mia.
func (l *library) write(actions ...action) knowledge.Article {
	l.t.Helper()
	r, err := l.Capture(mia, knowledge.Capture{Content: mail, Services: []string{"mail"}})
	require.NoError(l.t, err)
	return l.do(mia, r.ID, actions...)
}

// do does actions, a minute apart, and checks the record against its replay.
func (l *library) do(ctx context.Context, id itsm.ID, actions ...action) knowledge.Article {
	l.t.Helper()
	r := l.get(id)
	for _, a := range actions {
		l.clock.advance(time.Minute)
		var err error
		r, err = l.Do(ctx, id, a)
		require.NoError(l.t, err, "%s", a.Action())
	}
	l.replays(id)
	return r
}

func (l *library) get(id itsm.ID) knowledge.Article {
	l.t.Helper()
	r, err := l.Get(mia, id)
	require.NoError(l.t, err)
	return r
}

// replays proves that the history leads to the record.
func (l *library) replays(id itsm.ID) {
	l.t.Helper()
	again, err := l.Replay(l.History(mia, id))
	require.NoError(l.t, err)
	require.Equal(l.t, l.get(id), again)
}

// refuse does an action that must be refused, with exactly these findings, and change
// nothing.
func (l *library) refuse(ctx context.Context, id itsm.ID, a action, findings ...string) {
	l.t.Helper()
	before := l.get(id)
	_, err := l.Do(ctx, id, a)
	require.Error(l.t, err)
	require.Equal(l.t, findings, said(err))
	require.Equal(l.t, before, l.get(id))
}

// said lists the findings of an error as text.
func said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// history lists the actions done to an article.
func (l *library) history(id itsm.ID) []string {
	l.t.Helper()
	var names []string
	for e, err := range l.History(mia, id) {
		require.NoError(l.t, err)
		names = append(names, e.Action)
	}
	return names
}

// due lets time pass and does what it brings.
func (l *library) due(after time.Duration) int {
	l.t.Helper()
	l.clock.advance(after)
	n, _, err := l.RunDue(sys)
	require.NoError(l.t, err)
	return n
}

// finds lists the articles that a reader finds.
func (l *library) finds(who knowledge.Reader, text string) []itsm.ID {
	l.t.Helper()
	hits, err := l.Search(mia, knowledge.Search{Text: text, Reader: who})
	require.NoError(l.t, err)
	var ids []itsm.ID
	for _, h := range hits {
		ids = append(ids, h.Article.ID)
	}
	return ids
}

var (
	staff    = knowledge.Reader{Reach: knowledge.Internal}
	writer   = knowledge.Reader{Reach: knowledge.Internal, Unpublished: true}
	customer = knowledge.Reader{Reach: knowledge.Customer}
)

// A flaky store fails commits as it is told.
type flaky struct {
	itsm.Store[knowledge.Article]
	mu sync.Mutex
	// before is asked before a commit, after when it has happened.
	before, after func() error
}

func (f *flaky) Commit(ctx context.Context, revs ...itsm.Revision[knowledge.Article]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		if err := f.before(); err != nil {
			return err
		}
	}
	if err := f.Store.Commit(ctx, revs...); err != nil {
		return err
	}
	if f.after != nil {
		return f.after()
	}
	return nil
}

func always(err error) func() error { return func() error { return err } }

func once(err error) func() error {
	return func() error {
		now := err
		err = nil
		return now
	}
}

var errDown = errors.New("the host is down")
