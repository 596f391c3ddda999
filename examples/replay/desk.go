package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

// matrix is the one by which the log's owner sets priorities: a row for each
// impact, a column for each urgency.
var matrix = [][]itsm.Priority{{1, 2, 3}, {2, 3, 4}, {3, 4, 4}}

// A goal is where an incident of ours is to be when the log says its state.
type goal struct {
	state  itsm.State
	reason incident.HoldReason // if on hold
}

// goals says what the log's states mean. A state that is not here means nothing
// to us: the record keeps the state that it has.
var goals = map[string]goal{
	"New":                {state: incident.New}, // or Assigned: the log has one word for both
	"Active":             {state: incident.InProgress},
	"Awaiting User Info": {incident.OnHold, incident.AwaitingCaller},
	"Awaiting Vendor":    {incident.OnHold, incident.AwaitingVendor},
	"Awaiting Problem":   {incident.OnHold, incident.AwaitingProblem},
	"Awaiting Evidence":  {incident.OnHold, "evidence"}, // a reason of the host's own
	"Resolved":           {state: incident.Resolved},
	"Closed":             {state: incident.Closed},
}

// reached reports whether a state of ours is what the log means.
func (g goal) reached(s itsm.State) bool {
	return s == g.state || g.state == incident.New && s == incident.Assigned
}

// Seen is an action of the host's own: it keeps in the history what a row of the
// log says, and leaves the record alone. The actions after it, up to the next
// Seen, are what the practice made of the row.
type Seen struct {
	Line  int    `json:"line"`
	State string `json:"state"`
	// Undated says that the row has no time of its own.
	Undated bool `json:"undated,omitempty"`
	// Inferred names those of the actions that follow which the log does not
	// have, but without which its next state cannot be reached; Refused those
	// that it has and our lifecycle does not permit.
	Inferred []string `json:"inferred,omitempty"`
	Refused  []string `json:"refused,omitempty"`
	// Kept says that our record does not stand where the log does.
	Kept bool `json:"kept,omitempty"`

	Priority      string    `json:"priority,omitempty"`
	Group         string    `json:"group,omitempty"`
	Reopens       int       `json:"reopens,omitempty"`
	Reassignments int       `json:"reassignments,omitempty"`
	MadeSLA       bool      `json:"made_sla,omitempty"`
	Resolved      time.Time `json:"resolved,omitzero"`
	Closed        time.Time `json:"closed,omitzero"`
}

// Action returns "row".
func (Seen) Action() string { return "row" }

// Apply has nothing to do: the place of a row is the history.
func (Seen) Apply(*incident.Incident, itsm.Moment) error { return nil }

// A Desk is the incident practice as the log's owner has it, with a clock that
// reads what the row says.
type Desk struct {
	*incident.Practice
	now     time.Time
	number  itsm.ID
	lines   int
	opened  map[itsm.ID]bool
	Reopens Agreement // of our count of reopenings with the log's, on every row
	Matrix  Agreement // of our priority with the log's, on every row
}

// NewDesk returns a desk without incidents.
func NewDesk() (*Desk, error) {
	d := &Desk{opened: map[itsm.ID]bool{}}
	lifecycle, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.Allow(Seen{}.Action(), "", s.States...)
	})
	if err != nil {
		return nil, err
	}
	theirs, err := itsm.NewMatrix(matrix)
	if err != nil {
		return nil, err
	}
	d.Practice, err = incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config:    itsm.Config{Now: func() time.Time { return d.now }, NewID: d.newID},
		Lifecycle: lifecycle,
		Actions:   []itsm.Action[incident.Incident]{Seen{}},
		Matrix:    theirs,
		Reopen:    incident.ReopenPolicy{Mode: incident.ReopenInPlace},
	})
	return d, err
}

// newID gives records the log's numbers.
func (d *Desk) newID(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
	if prefix == "inc" {
		return d.number, nil
	}
	d.lines++
	return itsm.ID("evt-" + strconv.Itoa(d.lines)), nil
}

// Replay does what a row says, all of it in one commit. The first row of an
// incident also says when it was opened, which was before.
func (d *Desk) Replay(ctx context.Context, row *Row) error {
	id := itsm.ID(row.Number)
	if !d.opened[id] {
		if err := d.open(ctx, row); err != nil {
			return row.wrap(err)
		}
		d.opened[id] = true
	}
	if !row.Updated.IsZero() { // else it is still the time of the row before
		d.now = row.Updated
	}
	inc, err := d.Get(ctx, id)
	if err == nil {
		inc, err = d.commit(itsm.As(ctx, cmp.Or(row.Updater, nobody)), id, d.plan(&inc, row))
	}
	if err != nil {
		return row.wrap(err)
	}
	if row.Reopens != notSaid {
		d.Reopens.check(inc.Reopens == row.Reopens, "line %d: %s reopened %d times, the log says %d",
			row.Line, row.Number, inc.Reopens, row.Reopens)
	}
	if row.Priority != 0 {
		d.Matrix.check(inc.Priority == row.Priority, "line %d: %s is %s, the log says %s",
			row.Line, row.Number, inc.Priority, row.Priority)
	}
	return nil
}

// commit does several actions at once. Most rows are one action only.
func (d *Desk) commit(ctx context.Context, id itsm.ID, actions []itsm.Action[incident.Incident]) (inc incident.Incident, err error) {
	if len(actions) == 1 {
		return d.Do(ctx, id, actions[0])
	}
	err = d.Update(ctx, func(tx *itsm.Tx[incident.Incident]) error {
		for _, a := range actions {
			if inc, err = tx.Do(id, a); err != nil {
				return err
			}
		}
		return nil
	})
	return inc, err
}

// nobody stands for people whom the log does not name.
const nobody = "somebody"

func (r *Row) wrap(err error) error { return fmt.Errorf("line %d: %w", r.Line, err) }

// open registers an incident.
func (d *Desk) open(ctx context.Context, row *Row) error {
	d.now = cmp.Or(row.Opened, row.Updated, time.Unix(0, 0))
	d.number = itsm.ID(row.Number)
	report := incident.Report{
		Title:       cmp.Or(row.Symptom, row.Category, row.Number),
		Description: strings.Join(slices.DeleteFunc([]string{row.Subcategory, row.Location, row.Vendor}, isEmpty), ", "),
		Caller:      cmp.Or(row.Caller, "the caller"),
		Channel:     row.Channel, Category: row.Category, CI: row.CI,
		Detected: row.Opened,
	}
	if row.Impact > 0 && row.Urgency > 0 {
		report.Impact, report.Urgency = row.Impact, row.Urgency
	}
	_, err := d.Open(itsm.As(ctx, cmp.Or(row.Opener, nobody)), report)
	return err
}

func isEmpty(s string) bool { return s == "" }

// A plan is how an incident of ours gets to where a row of the log says it is.
type plan struct {
	lifecycle *itsm.Lifecycle
	state     itsm.State // after the actions so far
	seen      Seen
	actions   []itsm.Action[incident.Incident]
}

// do adds an action if the lifecycle permits it.
func (p *plan) do(a itsm.Action[incident.Incident], inferred bool) {
	name := a.Action()
	to, ok := p.lifecycle.Can(p.state, name)
	if !ok {
		p.seen.Refused = append(p.seen.Refused, name)
		return
	}
	if inferred {
		p.seen.Inferred = append(p.seen.Inferred, name)
	}
	p.state = to
	p.actions = append(p.actions, a)
}

// plan compares a row with the incident as it is and returns what has happened
// in between: first the row itself, then what follows from its columns.
func (d *Desk) plan(inc *incident.Incident, row *Row) []itsm.Action[incident.Incident] {
	p := &plan{lifecycle: d.Lifecycle(), state: inc.State, seen: Seen{
		Line: row.Line, State: cmp.Or(row.State, missing), Undated: row.Updated.IsZero(),
		Priority: row.PriorityLabel, Group: row.Group, MadeSLA: row.MadeSLA,
		Reopens: max(row.Reopens, 0), Reassignments: max(row.Reassignments, 0),
		Resolved: row.Resolved, Closed: row.Closed,
	}}
	p.facts(inc, row)
	p.move(inc, row)
	return slices.Insert(p.actions, 0, itsm.Action[incident.Incident](p.seen))
}

// facts is what a row says beside its state and whose the incident is.
func (p *plan) facts(inc *incident.Incident, row *Row) {
	if row.Impact > 0 && row.Urgency > 0 && (row.Impact != inc.Impact || row.Urgency != inc.Urgency) {
		p.do(incident.Assess{Impact: row.Impact, Urgency: row.Urgency}, false)
	}
	category, ci := cmp.Or(row.Category, inc.Category), cmp.Or(row.CI, inc.CI)
	if category != inc.Category || ci != inc.CI {
		p.do(incident.Classify{Service: inc.Service, CI: ci, Category: category}, false)
	}
	for _, l := range []struct{ rel, kind, id string }{
		{incident.SymptomOf, "problem", row.Problem},
		{incident.SolvedBy, "change", row.RFC},
		{incident.CausedBy, "change", row.CausedBy},
	} {
		link := itsm.Link{Rel: l.rel, To: itsm.Ref{Kind: l.kind, ID: itsm.ID(l.id)}}
		if l.id != "" && !slices.Contains(inc.Links, link) {
			p.do(incident.Link{Link: link}, false)
		}
	}
	// The log says that an article helped, but not which: nothing to link to.
	if _, known := inc.Fields["knowledge"]; row.Knowledge && !known {
		p.do(incident.SetFields{Fields: itsm.Fields{"knowledge": []byte("true")}}, false)
	}
}

// move is the way to the row's state. The log skips states, and it can hand work
// in progress to others without saying that they have begun.
func (p *plan) move(inc *incident.Incident, row *Row) {
	to, known := goals[row.State]
	if !known {
		p.seen.Kept = true
		return
	}
	isDone := inc.State == incident.Resolved || inc.State == incident.Closed
	wantsDone := to.state == incident.Resolved || to.state == incident.Closed
	if isDone && !wantsDone {
		p.do(incident.Reopen{Reason: "the log says " + row.State}, to.state != incident.InProgress)
	}
	had := p.state
	whose := assignment(inc, row)
	if whose != inc.Assignment {
		p.do(incident.Assign(whose), false)
	}
	switch to.state {
	case incident.New:
		if !to.reached(p.state) && whose != (incident.Assignment{}) {
			p.do(incident.Assign(whose), false) // back to those who had it
		}
	case incident.InProgress:
		switch p.state {
		case incident.New, incident.Assigned:
			p.do(incident.Start{}, had == incident.InProgress)
		case incident.OnHold:
			p.do(incident.Resume{}, false)
		}
	case incident.OnHold:
		if p.state != incident.OnHold || inc.Hold.Reason != to.reason {
			same := had == incident.OnHold && inc.Hold.Reason == to.reason
			p.do(incident.PutOnHold{Reason: to.reason}, same)
		}
	case incident.Resolved:
		if p.state != incident.Resolved {
			p.do(resolve(row), false)
		}
	case incident.Closed:
		if p.state != incident.Resolved && p.state != incident.Closed {
			p.do(resolve(row), true)
		}
		if p.state != incident.Closed {
			p.do(incident.Close{ClosureCategory: row.Code}, false)
		}
	}
	p.seen.Kept = !to.reached(p.state)
}

// assignment is whose an incident is by a row. Where the log names nobody it may
// mean the one before, unless it has gone to another group.
func assignment(inc *incident.Incident, row *Row) incident.Assignment {
	whose := inc.Assignment
	if row.Group != "" && row.Group != whose.Group {
		whose = incident.Assignment{Group: row.Group}
	}
	if row.Person != "" {
		whose.Person = row.Person
	}
	return whose
}

func resolve(row *Row) incident.Resolve {
	code := cmp.Or(incident.ResolutionCode(row.Code), incident.OtherResolution)
	return incident.Resolve{Code: code, Note: "as the log has it", ClosureCategory: row.Code}
}

// An Agreement says how often two accounts of the same thing were compared, and
// how often they were equal.
type Agreement struct {
	Compared int `json:"compared"`
	Equal    int `json:"equal"`
	// Differences describes the first few that were not.
	Differences []string `json:"differences,omitempty"`
}

// Holds reports whether there was no difference.
func (a *Agreement) Holds() bool { return a.Equal == a.Compared }

func (a *Agreement) check(equal bool, format string, args ...any) {
	const few = 10
	a.Compared++
	if equal {
		a.Equal++
	} else if len(a.Differences) < few {
		a.Differences = append(a.Differences, fmt.Sprintf(format, args...))
	}
}
