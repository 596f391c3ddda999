package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-itsm/itsm"
)

// A Harness says how to make the store that is tested, and what to put into it.
type Harness[R any] struct {
	// Open makes a new backend with nothing in it. Each rule gets its own.
	Open func(ctx context.Context) (Backend[R], error)

	// Record makes the n-th sample, n ≥ 0. The same n makes the same record
	// each time, and no two calls share memory. Every exported field is filled,
	// and the samples are in at least two states.
	//
	// The suite sets ID, Created, Links and Fields where they are empty, and
	// always sets Version, Changed and Due. A store that needs ids of its own
	// kind gets them by setting them here, another one for each n.
	Record func(n int) R

	// Change changes a record in any way that depends on nothing but the record
	// and n, and shares no memory with anything. It should change the state now
	// and then, and what is listed by keys. It leaves the ID alone.
	Change func(r *R, n int)

	// SingleRevision says that the store takes one revision a commit.
	SingleRevision bool
	// TrustsEventIDs says that the store takes it from its callers that the id
	// of an event is unique, and does not look for it in all of its history, as
	// where that is spread over many machines.
	TrustsEventIDs bool
	// Lists, Feeds and Wakes say that the store must be an [itsm.Lister], an
	// [itsm.Feeder] and an [itsm.DueStore]. What it is without being asked for
	// is tested all the same.
	Lists, Feeds, Wakes bool

	// Patience is how long the suite waits for what may take a moment: for an
	// event to get into the feed while transactions of others are open, and
	// for a call to return before it is taken to be stuck. 0 means 10 s.
	Patience time.Duration
}

// A Backend is a store that was opened for one rule, and its surroundings.
type Backend[R any] struct {
	// Store is what is tested.
	Store itsm.Store[R]
	// Other is a second handle to the same records, as another host would have
	// it: over a connection of its own, to another node if there are several.
	// nil if there cannot be one.
	Other itsm.Store[R]
	// Wall is the store of another tenant over the same backend. nil if the
	// engine has no tenants, or keeps each in a backend of its own.
	Wall itsm.Store[R]
	// Close is called when the rule is done; may be nil.
	Close func() error
}

// A Rule is something that is true of every right store.
type Rule struct {
	// Name is a word by which a test run can choose the rule.
	Name string
	// Sentence is the rule.
	Sentence string
}

// Rules returns all rules, in the order in which they are tested.
func Rules() []Rule {
	var rules []Rule
	for _, r := range cases[struct{ itsm.Meta }]() {
		rules = append(rules, r.Rule)
	}
	return rules
}

// A Failure is a rule that a store breaks.
type Failure struct {
	Rule Rule
	// Seen says what was seen instead.
	Seen error
}

// Error returns the rule and what was seen instead.
func (f Failure) Error() string {
	return fmt.Sprintf("%s: %s\n\tseen: %v", f.Rule.Name, f.Rule.Sentence, f.Seen)
}

// Unwrap returns what was seen.
func (f Failure) Unwrap() error { return f.Seen }

// harnessRule is the first rule. Where the harness itself is wrong, the other
// rules would mean nothing, and are not tested.
const harnessRule = "Harness"

// Test tests a store, each rule as a subtest by its name.
func Test[R any](t *testing.T, h Harness[R]) {
	for _, c := range cases[R]() {
		ok := t.Run(c.Name, func(t *testing.T) {
			switch err := c.run(t.Context(), h); {
			case errors.Is(err, errSkip):
				t.Skip(err)
			case err != nil:
				t.Error(Failure{c.Rule, err})
			}
		})
		if !ok && c.Name == harnessRule {
			return
		}
	}
}

// Check tests a store and returns the rules that it breaks. What does not apply
// is passed over.
func Check[R any](ctx context.Context, h Harness[R]) []Failure {
	var failures []Failure
	for _, c := range cases[R]() {
		if err := c.run(ctx, h); err != nil && !errors.Is(err, errSkip) {
			failures = append(failures, Failure{c.Rule, err})
			if c.Name == harnessRule {
				break
			}
		}
	}
	return failures
}

// errSkip says that a rule is about something that the store does not have.
var errSkip = errors.New("not tested")

// A testCase is a rule and the code that says whether a store keeps it.
type testCase[R any] struct {
	Rule
	needs need
	check func(ctx context.Context, l *lab[R]) error
}

// A need is what a rule cannot be tested without.
type need int

const (
	several   need = 1 << iota // revisions in one commit
	single                     // a store that takes one only
	uniqueIDs                  // a store that finds out whether the id of an event is taken
	lists
	feeds
	wakes
	otherHandle
	otherTenant
)

func cases[R any]() []testCase[R] {
	var all []testCase[R]
	for _, some := range [][]testCase[R]{
		harnessCases[R](), recordCases[R](), commitCases[R](), historyCases[R](), sharingCases[R](),
		concurrencyCases[R](), listCases[R](), feedCases[R](), dueCases[R](),
	} {
		all = append(all, some...)
	}
	return all
}

// run opens a backend and checks the rule on it. A panic is a failure, and so
// is a call that does not return.
func (c testCase[R]) run(ctx context.Context, h Harness[R]) (err error) {
	if h.Patience <= 0 {
		h.Patience = 10 * time.Second
	}
	if h.Open == nil || h.Record == nil || h.Change == nil {
		return errors.New("the harness lacks Open, Record or Change")
	}
	b, err := h.Open(ctx)
	if err != nil {
		return fmt.Errorf("opening the backend: %w", err)
	}
	if b.Store == nil {
		return errors.New("opening the backend: there is no Store in it")
	}
	if b.Close != nil {
		defer func() { err = errors.Join(err, b.Close()) }()
	}
	l := &lab[R]{Harness: h, Backend: b}
	if why := l.lacks(c.needs); why != "" {
		return fmt.Errorf("%w: %s", errSkip, why)
	}
	return l.guarded(func() error { return c.check(ctx, l) })
}

// guarded turns a panic into an error. It returns what f returns.
func (l *lab[R]) guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("a panic: %v", p)
		}
	}()
	return f()
}
