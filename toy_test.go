package itsm_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// The tests of the kernel use a practice of their own that has one of
// everything: a guard, a validator, a follower, due actions, something to
// prepare, a cascade.

const (
	stateOpen    itsm.State = "open"
	stateWaiting itsm.State = "waiting"
	stateDone    itsm.State = "done"
	stateClosed  itsm.State = "closed"
)

type Ticket struct {
	itsm.Meta
	Title  string            `json:"title"`
	Owner  string            `json:"owner,omitempty"`
	Tags   []string          `json:"tags,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Points int               `json:"points,omitempty"`
	Rank   int               `json:"rank,omitempty"`
	Until  time.Time         `json:"until,omitzero"`
	// Pulses left, one every Every, the next at Pulse.
	Pulse  time.Time     `json:"pulse,omitzero"`
	Every  time.Duration `json:"every,omitempty"`
	Left   int           `json:"left,omitempty"`
	Beats  int           `json:"beats,omitempty"`
	Cursed time.Time     `json:"cursed,omitzero"`
	Parent itsm.ID       `json:"parent,omitempty"`
	Kids   []Kid         `json:"kids,omitempty"`
}

type Kid struct {
	ID    itsm.ID    `json:"id"`
	State itsm.State `json:"state"`
}

func (r *Ticket) AppendKeys(keys []itsm.Key) []itsm.Key {
	if r.Owner != "" {
		keys = append(keys, itsm.Key{Field: "owner", Value: r.Owner})
	}
	return keys
}

// File creates a ticket; the practice sets Rank.
type File struct {
	Title  string            `json:"title"`
	Tags   []string          `json:"tags,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
	Parent itsm.ID           `json:"parent,omitempty"`
	Rank   int               `json:"rank,omitempty"`
}

func (File) Action() string { return "file" }

func (a File) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, 100)
	v.Check(len(a.Tags) <= 10, "tags", "must be at most 10")
	return v.Err()
}

func (a File) Apply(r *Ticket, _ itsm.Moment) error {
	r.Title, r.Tags, r.Labels, r.Parent, r.Rank = a.Title, a.Tags, a.Labels, a.Parent, a.Rank
	return nil
}

// Score is a validator with something to prepare.
type Score struct {
	Points int `json:"points"`
	Rank   int `json:"rank,omitempty"`
}

func (Score) Action() string { return "score" }

func (a Score) Validate() error {
	var v itsm.Validation
	v.Check(a.Points >= 1 && a.Points <= 1000, "points", "must be 1 to 1000")
	return v.Err()
}

func (a Score) Apply(r *Ticket, _ itsm.Moment) error {
	r.Points, r.Rank = a.Points, a.Rank
	return nil
}

// Add counts up: what is lost shows.
type Add struct {
	N int `json:"n"`
}

func (Add) Action() string                         { return "add" }
func (a Add) Apply(r *Ticket, _ itsm.Moment) error { r.Points += a.N; return nil }

// Own gives the ticket to somebody, the actor if nobody is named.
type Own struct {
	Owner string `json:"owner,omitempty"`
}

func (Own) Action() string { return "own" }

func (a Own) Apply(r *Ticket, at itsm.Moment) error {
	if r.Owner = a.Owner; r.Owner == "" {
		r.Owner = at.Actor.ID
	}
	return nil
}

// Tag appends to what is there, so that aliasing would show.
type Tag struct {
	Tags []string `json:"tags"`
}

func (Tag) Action() string { return "tag" }

func (a Tag) Apply(r *Ticket, _ itsm.Moment) error {
	r.Tags = append(r.Tags, a.Tags...)
	if len(r.Tags) > 20 {
		r.Tags = r.Tags[len(r.Tags)-20:]
	}
	return nil
}

// Wait is refused by the record or by its input, in Apply.
type Wait struct {
	Until time.Time `json:"until"`
}

func (Wait) Action() string { return "wait" }

func (a Wait) Apply(r *Ticket, at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.Until.After(at.At), "until", "must be in the future")
	r.Until = a.Until
	return v.Err()
}

// Wake is derived: time or a reply ends the waiting.
type Wake struct {
	By string `json:"by"`
}

func (Wake) Action() string                         { return "wake" }
func (a Wake) Apply(r *Ticket, _ itsm.Moment) error { r.Until = time.Time{}; return nil }

// Reply is a follower.
type Reply struct {
	Text string `json:"text"`
}

func (Reply) Action() string                       { return "reply" }
func (Reply) Apply(_ *Ticket, _ itsm.Moment) error { return nil }

func (Reply) Follow(r *Ticket, _ itsm.Moment) itsm.Action[Ticket] {
	if r.State == stateWaiting {
		return Wake{By: "reply"}
	}
	return nil
}

// Watch makes the ticket beat.
type Watch struct {
	Every time.Duration `json:"every"`
	Times int           `json:"times"`
}

func (Watch) Action() string { return "watch" }

func (a Watch) Validate() error {
	var v itsm.Validation
	v.Check(a.Every > 0, "every", "must be positive")
	v.Check(a.Times > 0, "times", "must be positive")
	return v.Err()
}

func (a Watch) Apply(r *Ticket, at itsm.Moment) error {
	r.Every, r.Left, r.Pulse = a.Every, a.Times, at.At.Add(a.Every)
	return nil
}

// Beat is derived and recurs.
type Beat struct {
	Due time.Time `json:"due"`
}

func (Beat) Action() string { return "beat" }

func (a Beat) Apply(r *Ticket, _ itsm.Moment) error {
	r.Beats++
	if r.Left--; r.Left > 0 {
		r.Pulse = a.Due.Add(r.Every)
	} else {
		r.Pulse = time.Time{}
	}
	return nil
}

// Curse makes a record whose due action can never be done.
type Curse struct {
	At time.Time `json:"at"`
}

func (Curse) Action() string                         { return "curse" }
func (a Curse) Apply(r *Ticket, _ itsm.Moment) error { r.Cursed = a.At; return nil }

type Hex struct{}

func (Hex) Action() string                       { return "hex" }
func (Hex) Apply(_ *Ticket, _ itsm.Moment) error { return itsm.Refuse("the hex does not work") }

// Finish has a guard.
type Finish struct {
	Note string `json:"note"`
}

func (Finish) Action() string { return "finish" }

func (Finish) Guard(r *Ticket, _ itsm.Moment) error {
	var v itsm.Validation
	v.Rule(r.Points > 0, "it has no points")
	v.Rule(r.Owner != "", "it is nobody's")
	v.Rule(!slices.Contains(r.Tags, "meddled"), "it was meddled with")
	return v.Err()
}

func (a Finish) Validate() error {
	var v itsm.Validation
	v.Text("note", a.Note, 1, 100)
	return v.Err()
}

func (Finish) Apply(_ *Ticket, _ itsm.Moment) error { return nil }

type Close struct{}

func (Close) Action() string                       { return "close" }
func (Close) Apply(_ *Ticket, _ itsm.Moment) error { return nil }

type Reopen struct{}

func (Reopen) Action() string                       { return "reopen" }
func (Reopen) Apply(_ *Ticket, _ itsm.Moment) error { return nil }

// Drop is the cancelling action.
type Drop struct{}

func (Drop) Action() string { return "drop" }

func (Drop) Apply(r *Ticket, _ itsm.Moment) error {
	r.Until, r.Pulse, r.Left = time.Time{}, time.Time{}, 0
	return nil
}

// Chain is followed by a shorter one of itself.
type Chain struct {
	N int `json:"n"`
}

func (Chain) Action() string                       { return "chain" }
func (Chain) Apply(_ *Ticket, _ itsm.Moment) error { return nil }

func (a Chain) Follow(*Ticket, itsm.Moment) itsm.Action[Ticket] {
	if a.N <= 1 {
		return nil
	}
	return Chain{N: a.N - 1}
}

// Meddle tries to change what is not an action's to change, and changes the tags
// in place, so that a tried action that shares them would show.
type Meddle struct{}

func (Meddle) Action() string { return "meddle" }

func (Meddle) Apply(r *Ticket, _ itsm.Moment) error {
	r.ID, r.Version, r.State = "tkt_mine", 77, "nowhere"
	r.Created, r.Changed, r.Due = time.Unix(1, 0), time.Unix(2, 0), time.Unix(3, 0)
	for i := range r.Tags {
		r.Tags[i] = "meddled"
	}
	return nil
}

// Gain and Track are what kids do to their parent.
type Gain struct{ Kid }

func (Gain) Action() string                         { return "gain" }
func (a Gain) Apply(r *Ticket, _ itsm.Moment) error { r.Kids = append(r.Kids, a.Kid); return nil }

type Track struct{ Kid }

func (Track) Action() string { return "track" }

func (a Track) Apply(r *Ticket, _ itsm.Moment) error {
	for i := range r.Kids {
		if r.Kids[i].ID == a.ID {
			r.Kids[i].State = a.State
			return nil
		}
	}
	return itsm.Refuse("%s is no kid of %s", a.ID, r.ID)
}

type (
	Link      = itsm.AddLink[Ticket]
	Unlink    = itsm.RemoveLink[Ticket]
	SetFields = itsm.SetFields[Ticket]
)

func toySpec() itsm.LifecycleSpec {
	live := []itsm.State{stateOpen, stateWaiting}
	all := []itsm.State{stateOpen, stateWaiting, stateDone, stateClosed}
	s := itsm.LifecycleSpec{
		Name: "ticket", Create: "file", Initial: stateOpen,
		States: all, Ends: []itsm.State{stateClosed}, Cancel: "drop",
	}
	s.Allow("wait", stateWaiting, stateOpen)
	s.Allow("wake", stateOpen, stateWaiting)
	s.Allow("finish", stateDone, live...)
	s.Allow("close", stateClosed, stateDone)
	s.Allow("reopen", stateOpen, stateDone)
	s.Allow("drop", stateClosed, stateOpen, stateWaiting, stateDone)
	for _, action := range []string{"score", "own", "watch", "curse", "hex", "chain"} {
		s.Allow(action, "", live...)
	}
	for _, action := range []string{"add", "tag", "reply", "meddle", "gain", "track", "beat", "link", "unlink", "set_fields"} {
		s.Allow(action, "", all...)
	}
	return s
}

func toyLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(toySpec())
	if err != nil {
		panic(err)
	}
	return l
}

func toyNext(r *Ticket) (time.Time, itsm.Action[Ticket]) {
	var due time.Time
	var what itsm.Action[Ticket]
	consider := func(t time.Time, a itsm.Action[Ticket]) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due, what = t, a
		}
	}
	if r.State == stateWaiting {
		consider(r.Until, Wake{By: "time"})
	}
	consider(r.Pulse, Beat{Due: r.Pulse})
	if r.State == stateOpen || r.State == stateWaiting {
		consider(r.Cursed, Hex{})
	}
	return due, what
}

// toyDefinition multiplies points by the host's factor; the practice refuses
// ranks above 5000.
func toyDefinition(factor int) itsm.Definition[Ticket] {
	return itsm.Definition[Ticket]{
		Prefix:    "tkt",
		Lifecycle: toyLifecycle(),
		Actions: []itsm.Action[Ticket]{
			File{}, Score{}, Add{}, Own{}, Tag{}, Wait{}, Reply{}, Watch{}, Curse{}, Chain{}, Meddle{},
			Link{}, Unlink{}, SetFields{}, Finish{}, Close{}, Reopen{}, Drop{},
		},
		Derived: []itsm.Action[Ticket]{Wake{}, Beat{}, Hex{}, Gain{}, Track{}},
		Next:    toyNext,
		Prepare: func(_ context.Context, tx *itsm.Tx[Ticket], _ *Ticket, a itsm.Action[Ticket]) (itsm.Action[Ticket], error) {
			switch a := a.(type) {
			case File:
				a.Rank = factor
				if a.Parent != "" {
					if _, err := tx.Get(a.Parent); errors.Is(err, itsm.ErrNotFound) {
						return a, &itsm.FieldError{Field: "parent", Reason: "is not there"}
					} else if err != nil {
						return a, err
					}
				}
				return a, nil
			case Score:
				a.Rank = factor * a.Points
				var v itsm.Validation
				v.Check(a.Rank <= 5000, "points", "rank above 5000")
				return a, v.Err()
			}
			return nil, nil // as it is
		},
		Cascade: func(_ context.Context, tx *itsm.Tx[Ticket], r *Ticket, a itsm.Action[Ticket], e itsm.Event) error {
			if _, ok := a.(Close); ok {
				for _, kid := range slices.Clone(r.Kids) {
					if kid.State == stateDone {
						if _, err := tx.Do(kid.ID, Close{}); err != nil {
							return err
						}
					}
				}
			}
			if r.Parent == "" || e.From == e.To {
				return nil
			}
			kid := Kid{ID: r.ID, State: e.To}
			var act itsm.Action[Ticket] = Track{kid}
			if e.From == "" {
				act = Gain{kid}
			}
			_, err := tx.Do(r.Parent, act)
			return err
		},
	}
}

func newToy(t testing.TB, store itsm.Store[Ticket], cfg itsm.Config) *itsm.Practice[Ticket] {
	t.Helper()
	p, err := itsm.NewPractice(toyDefinition(10), store, cfg)
	require.NoError(t, err)
	return p
}

// A clock that goes only when told to, or by a step with each look.
type clock struct {
	mu   sync.Mutex
	t    time.Time
	step time.Duration
}

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func newClock() *clock { return &clock{t: monday} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(c.step)
	return c.t
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A hooked store calls before and after around every call; an error from either
// is the call's. After gets the store's own answer.
type hooked struct {
	*memory.Store[Ticket]
	before func(call string) error
	after  func(call string, err error) error
}

func (h *hooked) around(call string, do func() error) error {
	if h.before != nil {
		if err := h.before(call); err != nil {
			return err
		}
	}
	err := do()
	if h.after != nil {
		return h.after(call, err)
	}
	return err
}

func (h *hooked) Load(ctx context.Context, id itsm.ID) (r Ticket, err error) {
	err = h.around("load", func() (err error) { r, err = h.Store.Load(ctx, id); return err })
	return r, err
}

func (h *hooked) Commit(ctx context.Context, revs ...itsm.Revision[Ticket]) error {
	return h.around("commit", func() error { return h.Store.Commit(ctx, revs...) })
}

func (h *hooked) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		if err := h.around("events", func() error { return nil }); err != nil {
			yield(itsm.Event{}, err)
			return
		}
		h.Store.Events(ctx, id, after)(yield)
	}
}

// Due is a step when it begins and one after each record that it hands out.
func (h *hooked) Due(ctx context.Context, now time.Time) iter.Seq2[itsm.Wake, error] {
	return func(yield func(itsm.Wake, error) bool) {
		if err := h.around("due", func() error { return nil }); err != nil {
			yield(itsm.Wake{}, err)
			return
		}
		for w, err := range h.Store.Due(ctx, now) {
			if !yield(w, err) {
				return
			}
			if err := h.around("due next", func() error { return nil }); err != nil {
				yield(itsm.Wake{}, err)
				return
			}
		}
	}
}

func (h *hooked) NextDue(ctx context.Context, after time.Time) (next time.Time, err error) {
	err = h.around("next due", func() (err error) { next, err = h.Store.NextDue(ctx, after); return err })
	return next, err
}

// bare has the three methods of a store and no more.
type bare struct{ itsm.Store[Ticket] }

func as(t testing.TB, actor string) context.Context { return itsm.As(t.Context(), actor) }

func file(t testing.TB, p *itsm.Practice[Ticket], title string) Ticket {
	t.Helper()
	r, err := p.Create(as(t, "jin"), File{Title: title})
	require.NoError(t, err)
	return r
}

func do(t testing.TB, p *itsm.Practice[Ticket], id itsm.ID, actions ...itsm.Action[Ticket]) (r Ticket) {
	t.Helper()
	for _, a := range actions {
		var err error
		r, err = p.Do(as(t, "jin"), id, a)
		require.NoError(t, err)
	}
	return r
}

func events(t testing.TB, p *itsm.Practice[Ticket], id itsm.ID) (all []itsm.Event) {
	t.Helper()
	for e, err := range p.History(context.WithoutCancel(t.Context()), id) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

func actionsOf(events []itsm.Event) []string {
	names := make([]string, len(events))
	for i, e := range events {
		names[i] = e.Action
	}
	return names
}

// count returns how often an action is in a record's history.
func count(t testing.TB, p *itsm.Practice[Ticket], id itsm.ID, action string) (n int) {
	for _, name := range actionsOf(events(t, p, id)) {
		if name == action {
			n++
		}
	}
	return n
}

// messages lists what the findings of an error say.
func messages(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// fields lists the fields of an error's findings.
func fields(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		var field *itsm.FieldError
		if errors.As(f, &field) {
			all = append(all, field.Field)
		} else {
			all = append(all, fmt.Sprintf("%T", f))
		}
	}
	return all
}

// numbered makes ids inc_000001 and so on.
func numbered() func(context.Context, string, time.Time) (itsm.ID, error) {
	var mu sync.Mutex
	n := map[string]int{}
	return func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
		mu.Lock()
		defer mu.Unlock()
		n[prefix]++
		return itsm.ID(fmt.Sprintf("%s_%06d", prefix, n[prefix])), nil
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s differs; if that is meant: go test -run %s -update .", path, t.Name())
}
