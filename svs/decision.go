package svs

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// Limits of what people write, in characters and in elements.
const (
	maxName  = 100
	maxTitle = 300
	maxText  = 4000
	maxList  = 100
)

// A Decision is a record of what was decided and why: which guiding principles it
// follows, and how. It is plain data; a host keeps it where it belongs, for example
// with the record that it is about ([WithDecision]).
type Decision struct {
	// ID is the host's own.
	ID    string `json:"id"`
	Title string `json:"title"`
	// About is the record that it is about, if there is one.
	About itsm.Ref `json:"about,omitzero"`
	// Issue is what made a decision necessary.
	Issue string `json:"issue,omitempty"`
	// Options are what could have been done, and Chosen the name of what will be.
	Options []Option `json:"options,omitempty"`
	Chosen  string   `json:"chosen"`
	// Reason says why this one.
	Reason string `json:"reason,omitempty"`
	// Principles lists those that it follows, and SetAside those that speak against it.
	Principles []Applied `json:"principles,omitempty"`
	SetAside   []Applied `json:"set_aside,omitempty"`
	By         string    `json:"by,omitempty"`
	At         time.Time `json:"at"`
	// Review is when it is to be looked at again; zero means never.
	Review time.Time `json:"review,omitzero"`
	// Reviewed is when that was done.
	Reviewed time.Time `json:"reviewed,omitzero"`
}

// An Option is something that could be done.
type Option struct {
	Name    string   `json:"name"`
	For     []string `json:"for,omitempty"`
	Against []string `json:"against,omitempty"`
}

// Applied is a principle, and what it says about a decision.
type Applied struct {
	Principle Principle `json:"principle"`
	Why       string    `json:"why,omitempty"`
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the record.
// That it gives no reasons is not wrong, but found by [Unexplained].
func (d Decision) Validate() error {
	var v itsm.Validation
	v.Text("id", d.ID, 1, maxName)
	v.Text("title", d.Title, 1, maxTitle)
	v.Text("issue", d.Issue, 0, maxText)
	v.Text("chosen", d.Chosen, 1, maxTitle)
	v.Text("reason", d.Reason, 0, maxText)
	v.Text("by", d.By, 0, maxName)
	v.Check(!d.At.IsZero(), "at", "must be set")
	if !d.Review.IsZero() {
		v.Check(d.Review.After(d.At), "review", "must be after the decision")
	}
	v.Check(len(d.Options) <= maxList, "options", fmt.Sprintf("must be at most %d", maxList))
	known := len(d.Options) == 0
	for i, o := range d.Options {
		field := fmt.Sprintf("options[%d]", i)
		v.Text(field+".name", o.Name, 1, maxTitle)
		v.Check(!slices.ContainsFunc(d.Options[:i], func(x Option) bool { return x.Name == o.Name }), field+".name", "is there twice")
		for _, part := range []struct {
			name string
			all  []string
		}{{"for", o.For}, {"against", o.Against}} {
			v.Check(len(part.all) <= maxList, field+"."+part.name, fmt.Sprintf("must be at most %d", maxList))
			for j, text := range part.all {
				v.Text(fmt.Sprintf("%s.%s[%d]", field, part.name, j), text, 1, maxText)
			}
		}
		known = known || o.Name == d.Chosen
	}
	v.Check(known, "chosen", "must be one of the options")
	named := map[Principle]bool{}
	for _, part := range []struct {
		name string
		all  []Applied
	}{{"principles", d.Principles}, {"set_aside", d.SetAside}} {
		for i, a := range part.all {
			field := fmt.Sprintf("%s[%d]", part.name, i)
			v.Check(slices.Contains(Principles(), a.Principle), field+".principle", fmt.Sprintf("is none of the seven: %q", short.Text(a.Principle)))
			v.Check(!named[a.Principle], field+".principle", "is there twice")
			named[a.Principle] = true
			v.Text(field+".why", a.Why, 0, maxText)
		}
	}
	return v.Err()
}

// Unreasoned is a decision of which something is not explained.
type Unreasoned struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Lacks says what, each a sentence without its subject.
	Lacks []string `json:"lacks"`
}

// Unexplained lists the decisions of which something is not explained as of a moment,
// in their order: those without a reason, without principles, or with principles that
// they do not connect to anything; those between one option and none; and those that
// were to be looked at again by then and were not.
func Unexplained(decisions []Decision, now time.Time) []Unreasoned {
	var all []Unreasoned
	for _, d := range decisions {
		u := Unreasoned{ID: d.ID, Title: d.Title}
		lacks := func(missing bool, text string) {
			if missing {
				u.Lacks = append(u.Lacks, text)
			}
		}
		lacks(d.Reason == "", "gives no reason")
		lacks(len(d.Principles) == 0, "names no principle that it follows")
		lacks(len(d.Options) < 2, "weighs no options")
		for _, a := range d.Principles {
			lacks(a.Why == "", fmt.Sprintf("does not say how it follows %q", a.Principle.Title()))
		}
		for _, a := range d.SetAside {
			lacks(a.Why == "", fmt.Sprintf("does not say why it sets %q aside", a.Principle.Title()))
		}
		overdue := !d.Review.IsZero() && d.Review.Before(now) && d.Reviewed.IsZero()
		lacks(overdue, "was to be looked at again by "+d.Review.UTC().Format(time.DateOnly))
		if len(u.Lacks) > 0 {
			all = append(all, u)
		}
	}
	return all
}

// A PrincipleUse says how often a principle was followed and set aside.
type PrincipleUse struct {
	Principle Principle `json:"principle"`
	Followed  int       `json:"followed"`
	SetAside  int       `json:"set_aside,omitempty"`
}

// PrinciplesUsed counts the seven principles over decisions, in their order: one that
// never applies is worth a question.
func PrinciplesUsed(decisions []Decision) []PrincipleUse {
	uses := make([]PrincipleUse, len(Principles()))
	for i, p := range Principles() {
		uses[i].Principle = p
		for _, d := range decisions {
			has := func(all []Applied) bool {
				return slices.ContainsFunc(all, func(a Applied) bool { return a.Principle == p })
			}
			if has(d.Principles) {
				uses[i].Followed++
			}
			if has(d.SetAside) {
				uses[i].SetAside++
			}
		}
	}
	return uses
}

// DecisionsField is the name under which decisions stand in a record's own data.
const DecisionsField = "decisions"

// DecisionsOf reads the decisions that stand with a record. It returns an
// [itsm.ErrInvalid] if what stands there is something else.
func DecisionsOf(m itsm.Meta) ([]Decision, error) {
	var all []Decision
	if err := m.Fields.Get(DecisionsField, &all); err != nil {
		return nil, err
	}
	return all, nil
}

// WithDecision returns the fields to set, by the action that every practice has for
// that, so that a decision stands with a record: beside those that stand there, or in
// place of the one with its id. It returns an [itsm.ErrInvalid] with what is wrong with
// the decision or with what stands there.
//
//	fields, err := svs.WithDecision(chg.Meta, decision)
//	chg, err = changes.Do(ctx, chg.ID, change.SetFields{Fields: fields})
func WithDecision(m itsm.Meta, d Decision) (itsm.Fields, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	return standWith(m, DecisionsField, d, func(d Decision) (time.Time, string) { return d.At, d.ID })
}

// standWith returns the fields to set so that something stands with a record, under a
// name, in the order of time: beside those that stand there, or in place of the one with
// its id.
func standWith[T any](m itsm.Meta, name string, one T, key func(T) (at time.Time, id string)) (itsm.Fields, error) {
	var all []T
	if err := m.Fields.Get(name, &all); err != nil {
		return nil, err
	}
	_, id := key(one)
	all = slices.DeleteFunc(all, func(x T) bool { _, have := key(x); return have == id })
	all = append(all, one)
	slices.SortStableFunc(all, func(a, b T) int {
		atA, idA := key(a)
		atB, idB := key(b)
		return cmp.Or(atA.Compare(atB), cmp.Compare(idA, idB))
	})
	var f itsm.Fields
	if err := f.Set(name, all); err != nil {
		return nil, err
	}
	return f, nil
}
