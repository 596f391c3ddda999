package practicetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/race"
)

// A Host is a way to make the practice that is tested: what a vendor's own constructor
// does, with the clock, the ids and the rule of who may what that it is given. It must
// pass all of the Config on.
type Host[R any] func(store itsm.Store[R], cfg itsm.Config) (*itsm.Practice[R], error)

// A Harness says what the suite cannot know of a practice. The zero value is ready: then
// every action has anything in it that its type can hold.
//
// Its functions are called on one goroutine at a time for each [World], on several for
// several worlds.
type Harness[R any] struct {
	// Create makes the action that creates a record, Action one that is done to a record,
	// which may be nil, wrong or out of place now and then. Where they know which input
	// makes sense, more is reached. They use no chance but the world's. Nil means any
	// action that actors may ask for, with anything in it ([World.Anything]).
	Create func(w *World[R]) itsm.Action[R]
	Action func(w *World[R], r *R) itsm.Action[R]
	// Sound says what is always true of a record: ok is called with each fact. It must not
	// change the record. Nil means that nothing more is known.
	Sound func(w *World[R], r *R, ok func(fact bool, says string))
	// Audit looks at a world that has lived: at what a practice keeps beside its store.
	// It says what is wrong by [World.Check] and [World.Same]. May be nil.
	Audit func(w *World[R])

	// Words are texts that some actions accept, such as the codes of an enumeration, of
	// which [World.Text] then makes use.
	Words []string
	// Actors are the persons who act; nil means four of them.
	Actors []string
	// Actions is how many actions are done in all, several times as many are tried. 0
	// means 5000. Test does fewer with -short and under the race detector.
	Actions int
	// Records is how many records a world has at the most; 0 means 60.
	Records int
	// Never lists the actions of the lifecycle that chance does not come to; each other
	// one has to be done at least once, if Actions is 5000 or more.
	Never []string
	// Unforeseen lists the actions of which Check and WhyNot may say something else than
	// doing them shows: those that ask others, which is left out where nothing is written,
	// and those for which WhyNot takes missing input for a refusal.
	Unforeseen []string
}

// A Rule is something that is true of every right practice.
type Rule struct {
	// Name is a word for the rule.
	Name string
	// Sentence is the rule.
	Sentence string
}

var (
	ruleHistory = Rule{"History", "a record is what its history leads to: now, and as it was at every version and time"}
	ruleJSON    = Rule{"JSON", "a record, and every action, comes back from JSON as it was"}
	ruleRefusal = Rule{"Refusal", "what is refused says why, and changes nothing"}
	ruleForesee = Rule{"Foresee", "Check and WhyNot say what doing it shows, and change nothing"}
	ruleHost    = Rule{"Host", "the host decides: its clock says when, its rule who may what, and nobody acts without a name"}
	ruleSound   = Rule{"Sound", "what is always true of a record is true after everything that happens"}
	ruleTime    = Rule{"Time", "what time brings happens when it is due, all of it, and once, however many hosts there are"}
	ruleWhole   = Rule{"Whole", "a commit that fails leaves nothing half done, and one of unknown outcome happens once"}
	ruleMany    = Rule{"Many", "of what many do at once, each thing that was answered with yes is in the history once, and nothing else is"}
	ruleReach   = Rule{"Reach", "every action of the lifecycle can be done"}
)

// Rules returns all rules.
func Rules() []Rule {
	return []Rule{ruleHistory, ruleJSON, ruleRefusal, ruleForesee, ruleHost, ruleSound, ruleTime, ruleWhole, ruleMany, ruleReach}
}

// A Failure is a rule that a practice breaks.
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

// Test tests a practice: on one host, on several, by many at once, and over a store that
// fails, each a subtest, which ends with the first rule that is broken. The hosts are the
// ways in which the practice may be configured and take turns.
func Test[R any](t *testing.T, h Harness[R], hosts ...Host[R]) {
	h = h.ready()
	switch {
	case testing.Short():
		h.Actions = min(h.Actions, 2_000)
	case race.Detector:
		h.Actions = min(h.Actions, 4_000)
	}
	for _, l := range lives[R]() {
		t.Run(l.name, func(t *testing.T) {
			said, err := l.live(h, hosts)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(said)
		})
	}
}

// Check tests a practice and returns the rules that it breaks: the first of each of the
// ways in which it is tested.
func Check[R any](h Harness[R], hosts ...Host[R]) []Failure {
	h = h.ready()
	var failures []Failure
	for _, l := range lives[R]() {
		if _, err := l.live(h, hosts); err != nil {
			var f Failure
			errors.As(err, &f)
			failures = append(failures, f)
		}
	}
	return failures
}

func (h Harness[R]) ready() Harness[R] {
	if h.Actions <= 0 {
		h.Actions = 5_000
	}
	if h.Records <= 0 {
		h.Records = 60
	}
	if len(h.Actors) == 0 {
		h.Actors = []string{"mia", "jin", "kim", "lee"}
	}
	if h.Create == nil {
		h.Create = func(w *World[R]) itsm.Action[R] {
			for a := range w.Practice.Actions() {
				if a.Action() == w.Practice.Lifecycle().Create() {
					return w.Anything(a)
				}
			}
			return nil
		}
	}
	if h.Action == nil {
		h.Action = func(w *World[R], _ *R) itsm.Action[R] {
			var all []itsm.Action[R]
			for a := range w.Practice.Actions() {
				all = append(all, a)
			}
			return w.Anything(Pick(w, all...))
		}
	}
	if h.Sound == nil {
		h.Sound = func(*World[R], *R, func(bool, string)) {}
	}
	if h.Audit == nil {
		h.Audit = func(*World[R]) {}
	}
	return h
}

// With fills what a host's own configuration leaves open with what it was given. Who may
// what, both decide: each must say yes. By Now, NewID and Attempts [Test] knows what must
// come of it, so that a host that it tests leaves them open.
func With(own, given itsm.Config) itsm.Config {
	if mine, theirs := own.Authorize, given.Authorize; mine != nil && theirs != nil {
		own.Authorize = func(ctx context.Context, a itsm.Attempt) error {
			if err := theirs(ctx, a); err != nil {
				return err
			}
			return mine(ctx, a)
		}
	}
	to, from := reflect.ValueOf(&own).Elem(), reflect.ValueOf(given)
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return own
}
