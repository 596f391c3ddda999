package svs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A Policy is what a governing body directs, as something that can be seen in the
// histories of records: predicates over the event feed. Governance is three things
// that go round: evaluate how it goes, direct how it is to go, monitor whether it goes
// so. [Monitor] lists where policies were not kept, and [Evaluate] compares a period
// with the one before.
type Policy struct {
	Name string `json:"name"`
	// Why is what it is for: a policy without a reason is not understood, and not
	// kept.
	Why string `json:"why"`
	// Owner is accountable for it.
	Owner string `json:"owner"`
	// From and To are when it holds; zero is for ever. To is not included.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// Tolerance is the share of cases, in percent, that may be against it before
	// its evaluation says that it is not kept; empty means none.
	Tolerance sla.Decimal `json:"tolerance,omitempty"`
	// Rules say what it is about. It is kept in a case if the rule that is about
	// it finds nothing.
	Rules []Rule `json:"-"`
}

// A Rule is a predicate over the events of a practice. It is a value of type [Must].
type Rule interface {
	predicate() predicate
}

// Must is a rule about actions of one practice:
//
//	svs.Must[change.Change]{
//		Practice: changes.Practice, Actions: []string{"close"},
//		Holds: func(past itsm.Past[change.Change]) error {
//			if past.Record.Type == change.Emergency && past.Record.Review == nil {
//				return errors.New("an emergency was closed without a review")
//			}
//			return nil
//		},
//	}
type Must[R any] struct {
	Practice *itsm.Practice[R]
	// Actions are those that it is about; none means all.
	Actions []string
	// Holds returns what is wrong with a record as it was after an event, or nil.
	// Each of [itsm.Findings] counts as one finding. It is pure.
	Holds func(past itsm.Past[R]) error
}

type predicate struct {
	source  practice
	actions []string
	holds   func(ctx context.Context, e itsm.Event) (finding, failed error)
}

func (m Must[R]) predicate() predicate {
	p := predicate{actions: slices.Clone(m.Actions)}
	if m.Practice != nil {
		p.source = m.Practice
	}
	if m.Holds != nil {
		p.holds = func(ctx context.Context, e itsm.Event) (finding, failed error) {
			past, err := pastOf(ctx, m.Practice, e)
			if err != nil {
				return nil, err
			}
			return m.Holds(past), nil
		}
	}
	return p
}

// holdsAt reports whether a policy is in force.
func (d Policy) holdsAt(t time.Time) bool {
	return !t.Before(d.From) && (d.To.IsZero() || t.Before(d.To))
}

// Validate returns an [itsm.ErrInvalid] with everything that is missing or wrong.
func (d Policy) Validate() error {
	var v itsm.Validation
	v.Text("name", d.Name, 1, 200)
	v.Text("why", d.Why, 1, 5000)
	v.Text("owner", d.Owner, 1, 200)
	v.Check(d.To.IsZero() || d.From.Before(d.To), "to", "must be after from")
	tolerance, err := d.Tolerance.Rat()
	v.Check(err == nil && tolerance.Sign() >= 0 && tolerance.Cmp(big.NewRat(100, 1)) <= 0, "tolerance", "must be a percentage from 0 to 100")
	v.Check(len(d.Rules) > 0, "rules", "must not be empty")
	for i, r := range d.Rules {
		field := fmt.Sprintf("rules[%d]", i)
		if r == nil {
			v.Check(false, field, "must not be nil")
			continue
		}
		p := r.predicate()
		v.Check(p.holds != nil, field+".holds", "must not be nil")
		v.Check(p.source != nil, field+".practice", "must not be nil")
		if p.source == nil {
			continue
		}
		known := actionsOf(p.source.Lifecycle())
		for j, a := range p.actions {
			v.Check(known[a], fmt.Sprintf("%s.actions[%d]", field, j), fmt.Sprintf("%q is no action of %s", a, p.source.Name()))
		}
	}
	return v.Err()
}

// tolerates reports whether enough of all cases kept it. It was validated.
func (d Policy) tolerates(kept sla.Fraction) bool {
	tolerance, err := d.Tolerance.Rat()
	if err != nil || kept.Of == 0 {
		return err == nil
	}
	return big.NewRat(100*(kept.Of-kept.Part), kept.Of).Cmp(tolerance) <= 0
}

// A Breach is a case in which a policy was not kept.
type Breach struct {
	Policy string     `json:"policy"`
	Event  itsm.Event `json:"event"`
	// Finding says what is wrong.
	Finding string `json:"finding"`
}

// String returns a line for people.
func (b Breach) String() string {
	return fmt.Sprintf("%s: %s %s, %s by %s on %s: %s", b.Policy, b.Event.Practice, b.Event.Record, b.Event.Action,
		b.Event.Actor.ID, b.Event.At.Format("2006-01-02 15:04"), b.Finding)
}

// A Case is something that a policy is about: an event, and what was found.
type Case struct {
	Policy string
	Event  itsm.Event
	// Findings are empty if the policy was kept.
	Findings []string
}

// Monitor yields every case of a period that policies in force were about, kept or
// not: the practices in the order in which they are first named, and each in the order
// of its feed, which is read from the beginning. An error ends the sequence: an
// [itsm.ErrInvalid] with every finding about the policies, an [itsm.ErrUnsupported]
// if a store has no feed, or the store's own.
func Monitor(ctx context.Context, period sla.Period, policies ...Policy) iter.Seq2[Case, error] {
	return func(yield func(Case, error) bool) {
		type watch struct {
			Policy
			predicate
		}
		var v itsm.Validation
		var sources []practice
		watches := map[practice][]watch{}
		names := map[string]bool{}
		for i, d := range policies {
			for _, f := range itsm.Findings(d.Validate()) {
				var field *itsm.FieldError
				if errors.As(f, &field) {
					v.Check(false, fmt.Sprintf("policies[%d].%s", i, field.Field), field.Reason)
				}
			}
			v.Check(!names[d.Name], fmt.Sprintf("policies[%d].name", i), "is there twice")
			names[d.Name] = true
			for _, r := range d.Rules {
				if r == nil {
					continue
				}
				p := r.predicate()
				if p.source != nil && watches[p.source] == nil {
					sources = append(sources, p.source)
				}
				watches[p.source] = append(watches[p.source], watch{d, p})
			}
		}
		if err := v.Err(); err != nil {
			yield(Case{}, err)
			return
		}
		for _, source := range sources {
			for d, err := range source.Feed(ctx, "") {
				if err != nil {
					yield(Case{}, err)
					return
				}
				e := d.Event
				if !period.Contains(e.At) {
					continue
				}
				for _, w := range watches[source] {
					if !w.holdsAt(e.At) || len(w.actions) > 0 && !slices.Contains(w.actions, e.Action) {
						continue
					}
					finding, err := w.holds(ctx, e)
					if err != nil {
						yield(Case{}, err)
						return
					}
					c := Case{Policy: w.Name, Event: e}
					for _, f := range itsm.Findings(finding) {
						c.Findings = append(c.Findings, f.Error())
					}
					if !yield(c, nil) {
						return
					}
				}
			}
		}
	}
}

// An Evaluation is how policies were kept in a period.
type Evaluation struct {
	Period   sla.Period   `json:"period"`
	Policies []Compliance `json:"policies"`
	// Breaches are the cases that were against one.
	Breaches []Breach `json:"breaches,omitempty"`
}

// Compliance is how one policy was kept.
type Compliance struct {
	Policy string `json:"policy"`
	Owner  string `json:"owner"`
	// Kept are the cases in which it was, of all it was about. Before is the same
	// for the period before, as long as this one.
	Kept   sla.Fraction `json:"kept"`
	Before sla.Fraction `json:"before"`
	// Tolerable says that no more were against it than Tolerance allows. A
	// policy that nothing was about is kept, and worth a question.
	Tolerable bool `json:"tolerable"`
}

// Evaluate monitors a period and the one before. Its errors are those of [Monitor],
// and an [itsm.ErrInvalid] for a period that ends before it begins.
func Evaluate(ctx context.Context, period sla.Period, policies ...Policy) (Evaluation, error) {
	if !period.From.Before(period.To) {
		return Evaluation{}, &itsm.FieldError{Field: "period", Reason: "must end after it begins"}
	}
	both := sla.Period{From: period.From.Add(-period.To.Sub(period.From)), To: period.To}
	result := Evaluation{Period: period}
	at := map[string]int{}
	for i, d := range policies {
		result.Policies = append(result.Policies, Compliance{Policy: d.Name, Owner: d.Owner})
		at[d.Name] = i
	}
	for c, err := range Monitor(ctx, both, policies...) {
		if err != nil {
			return Evaluation{}, err
		}
		kept := &result.Policies[at[c.Policy]].Before
		if period.Contains(c.Event.At) {
			kept = &result.Policies[at[c.Policy]].Kept
			for _, f := range c.Findings {
				result.Breaches = append(result.Breaches, Breach{c.Policy, c.Event, f})
			}
		}
		kept.Of++
		if len(c.Findings) == 0 {
			kept.Part++
		}
	}
	for i, d := range policies {
		one := &result.Policies[i]
		one.Tolerable = d.tolerates(one.Kept)
	}
	slices.SortStableFunc(result.Breaches, func(a, b Breach) int {
		return cmp.Or(a.Event.At.Compare(b.Event.At), strings.Compare(a.Policy, b.Policy))
	})
	return result, nil
}

// Text returns the evaluation as a table, and each breach as a line.
func (e Evaluation) Text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "policy\towner\tkept\tbefore\ttolerable")
	for _, d := range e.Policies {
		tolerable := "yes"
		if !d.Tolerable {
			tolerable = "no"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Policy, d.Owner, d.Kept, d.Before, tolerable)
	}
	_ = w.Flush() // a builder takes everything
	for _, one := range e.Breaches {
		fmt.Fprintln(&b, one)
	}
	return b.String()
}
