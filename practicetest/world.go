package practicetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A World is a few records of a practice to which things happen by chance, by a clock
// that jumps, mostly forwards.
type World[R any] struct {
	*Chance
	Practice *itsm.Practice[R]
	// Store has the records, whatever store the practice is over.
	Store *memory.Store[R]
	// Actor is who acts next. An action that only makes sense of somebody sets it.
	Actor string
	// Alone says that all that was done was done by Practice itself, and that its store
	// never failed: it was told of everything that has happened.
	Alone bool
	// Done counts what was done, by the names of the actions.
	Done map[string]int

	h    Harness[R]
	host Host[R]
	cfg  itsm.Config
	// seen is how far the feed was read.
	seen itsm.Cursor
	// snapshots are the records as they were after each version that was the last of a
	// commit.
	snapshots map[itsm.ID]map[itsm.Version]R
	over      map[itsm.ID]bool
	tally     *tally
	// due does what is due.
	due func() (int, error)
}

// A tally counts over several worlds.
type tally struct {
	tried, done            map[string]int
	actions, did, compared int
}

// nobody is whom the host lets do nothing.
const nobody = "nobody"

var errNobody = errors.New("nobody may")

func newWorld[R any](h Harness[R], host Host[R], seed uint64, t *tally) *World[R] {
	clock := NewClock(Morning())
	w := &World[R]{
		Chance: NewChance(seed, clock, h.Words...), Store: memory.New[R](), Alone: true, Done: map[string]int{}, h: h, host: host,
		snapshots: map[itsm.ID]map[itsm.Version]R{}, over: map[itsm.ID]bool{}, tally: t,
	}
	w.cfg = itsm.Config{Now: clock.Now, NewID: Serial(), Attempts: 1000, Authorize: func(_ context.Context, a itsm.Attempt) error {
		if a.Actor.ID == nobody {
			return errNobody
		}
		return nil
	}}
	w.move(w.Store)
	w.due = func() (int, error) { return runDue(w.Practice, clock.Now) }
	return w
}

// move puts the practice over a store.
func (w *World[R]) move(store itsm.Store[R]) {
	p, err := w.host(store, w.cfg)
	w.must(ruleHost, err, "making the practice")
	w.Practice = p
}

// fail ends the world.
func (w *World[R]) fail(rule Rule, format string, args ...any) {
	panic(Failure{rule, fmt.Errorf(format, args...)})
}

func (w *World[R]) must(rule Rule, err error, doing string) {
	if err != nil {
		w.fail(rule, "%s: %w", doing, err)
	}
}

func (w *World[R]) same(rule Rule, want, got any, says string, args ...any) {
	if !reflect.DeepEqual(want, got) {
		w.fail(rule, "%s: %s", fmt.Sprintf(says, args...), difference(want, got))
	}
}

// Check ends the world unless err is nil: something did not go as it must.
func (w *World[R]) Check(err error, doing string) { w.must(ruleSound, err, doing) }

// Same ends the world unless two values are deeply equal. It counts as a comparison.
func (w *World[R]) Same(want, got any, says string) {
	w.tally.compared++
	w.same(ruleSound, want, got, "%s", says)
}

// Record returns a record that is there.
func (w *World[R]) Record(id itsm.ID) R {
	r, err := w.Store.Load(context.Background(), id)
	w.must(ruleSound, err, "reading "+string(id))
	return r
}

// Events returns the history of a record.
func (w *World[R]) Events(id itsm.ID) []itsm.Event {
	all, err := events(w.Store, id)
	w.must(ruleHistory, err, "reading the history of "+string(id))
	return all
}

// Anything returns an action of the same type with anything in it.
func (w *World[R]) Anything(a itsm.Action[R]) itsm.Action[R] {
	v := reflect.New(reflect.TypeOf(a)).Elem()
	w.fill(v, 0)
	return v.Interface().(itsm.Action[R])
}

// next is the next action and the record that it is for; none creates one.
func (w *World[R]) next() (id itsm.ID, r R, a itsm.Action[R]) {
	w.Actor = Pick(w, w.h.Actors...)
	if len(w.IDs) == 0 || len(w.IDs) < w.h.Records && w.OneIn(15) {
		return "", r, w.h.Create(w)
	}
	id = Pick(w, w.IDs...)
	for range 4 { // mostly one that is not over
		if w.over[id] {
			id = Pick(w, w.IDs...)
		}
	}
	r = w.Record(id)
	return id, r, w.h.Action(w, &r)
}

// step does one random thing and returns how many actions were tried.
func (w *World[R]) step() int {
	if w.OneIn(3) {
		w.jump()
	}
	if w.OneIn(15) {
		n, err := w.due()
		w.must(ruleTime, err, "what is due")
		w.tally.did += n
		w.look()
		w.nothingDue()
		return n
	}
	id, before, a := w.next()
	called := name(a)
	w.tally.tried[called]++
	switch {
	case w.OneIn(60):
		w.refused(id, a)
		return 1
	case a != nil && w.OneIn(10):
		w.survives(a)
	}
	var foreseen func(after R, err error)
	if id == "" || w.OneIn(50) { // few things are created
		foreseen = w.foresee(id, before, a)
	}
	after, err := w.do(w.ctx(), id, a)
	if foreseen != nil {
		foreseen(after, err)
	}
	if err == nil {
		w.tally.did++
		w.look()
		m := itsm.MetaOf(&after)
		w.same(ruleHistory, w.snapshots[m.ID][m.Version], after, "what %s returned is stored", called)
		return 1
	}
	if !refusal(err) {
		w.fail(ruleRefusal, "%s: %w", called, err)
	}
	for _, f := range itsm.Findings(err) {
		if f.Error() == "" {
			w.fail(ruleRefusal, "%s is refused by %T, which does not say why", called, f)
		}
	}
	w.unchanged(ruleRefusal, id, before, called)
	return 1
}

// refusal reports whether an error says no, rather than that something failed.
func refusal(err error) bool {
	return errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed) || errors.Is(err, itsm.ErrDenied) || errors.Is(err, itsm.ErrNotFound)
}

func (w *World[R]) ctx() context.Context { return itsm.As(context.Background(), w.Actor) }

// do creates a record, or does an action to one.
func (w *World[R]) do(ctx context.Context, id itsm.ID, a itsm.Action[R]) (R, error) {
	if id == "" {
		return w.Practice.Create(ctx, a)
	}
	return w.Practice.Do(ctx, id, a)
}

// unchanged proves that nothing was done, to this record or to any.
func (w *World[R]) unchanged(rule Rule, id itsm.ID, before R, called string) {
	if id != "" {
		w.same(rule, before, w.Record(id), "after %s", called)
	}
	for news, err := range w.Store.Feed(context.Background(), w.seen) {
		w.must(rule, err, "reading the feed")
		w.fail(rule, "after %s: %s was done to %s", called, news.Event.Action, news.Event.Record)
	}
}

// refused is what the host decides: nobody may, or it is not known who wants it, or there
// is no such record.
func (w *World[R]) refused(id itsm.ID, a itsm.Action[R]) {
	var before R
	if id != "" {
		before = w.Record(id)
	}
	called := name(a)
	_, err := w.do(context.Background(), id, a)
	if !errors.Is(err, itsm.ErrNoActor) {
		w.fail(ruleHost, "%s without an actor is answered with %v", called, err)
	}
	if _, asked := w.Practice.Encode(a); asked == nil {
		w.Actor = nobody
		if _, err = w.do(w.ctx(), id, a); !errors.Is(err, itsm.ErrDenied) && !errors.Is(err, itsm.ErrNotAllowed) { // a derived action is not even asked about
			w.fail(ruleHost, "%s of somebody who may not is answered with %v", called, err)
		}
	}
	_, err = w.Practice.Do(itsm.As(context.Background(), w.h.Actors[0]), "nobody-0", a)
	if !errors.Is(err, itsm.ErrNotFound) {
		w.fail(ruleRefusal, "%s of a record that is not there is answered with %v", called, err)
	}
	w.unchanged(ruleHost, id, before, called)
}

// survives proves that an action comes back from its JSON.
func (w *World[R]) survives(a itsm.Action[R]) {
	data, err := w.Practice.Encode(a)
	if err != nil {
		if !refusal(err) {
			w.fail(ruleJSON, "%s has no JSON form: %w", name(a), err)
		}
		return
	}
	back, err := w.Practice.Decode(data)
	if err != nil {
		if !refusal(err) {
			w.fail(ruleJSON, "%s comes back as %w", data, err)
		}
		return // what it finds wrong with itself
	}
	again, err := w.Practice.Encode(back)
	w.must(ruleJSON, err, "once more")
	if !bytes.Equal(data, again) {
		w.fail(ruleJSON, "%s comes back as %s", data, again)
	}
}

// foresee asks what an action would do, and returns what compares that with what it did.
func (w *World[R]) foresee(id itsm.ID, before R, a itsm.Action[R]) func(after R, err error) {
	would, refused := w.Practice.Check(w.ctx(), id, a)
	called := name(a)
	var options []itsm.Option
	if id != "" {
		var failed error
		options, failed = w.Practice.WhyNot(w.ctx(), id)
		w.must(ruleForesee, failed, "WhyNot")
	}
	w.unchanged(ruleForesee, id, before, "asking about "+called)
	return func(after R, err error) {
		if slices.Contains(w.h.Unforeseen, called) {
			return
		}
		if !slices.Equal(Said(refused), Said(err)) {
			w.fail(ruleForesee, "Check of %s says %v, Do says %v", called, refused, err)
		}
		for _, o := range options {
			if o.Action == called && !o.Permitted && err == nil {
				w.fail(ruleForesee, "WhyNot says of %s that it is not permitted: %v; it was done: %+v", called, o.Refused, a)
			}
		}
		if err == nil {
			w.same(ruleForesee, itsm.MetaOf(&after).State, itsm.MetaOf(&would).State, "where %s leads", called)
			w.same(ruleForesee, itsm.MetaOf(&after).Version, itsm.MetaOf(&would).Version, "what follows from %s", called)
		}
	}
}

// look takes snapshots of what has changed and proves what is always true of it.
func (w *World[R]) look() {
	now := w.Clock.Now().Truncate(time.Microsecond)
	var changed []itsm.ID
	for news, err := range w.Store.Feed(context.Background(), w.seen) {
		w.must(ruleHistory, err, "reading the feed")
		w.seen = news.Cursor
		e := news.Event
		w.Done[e.Action]++
		w.tally.done[e.Action]++
		if !e.At.Equal(now) {
			w.fail(ruleHost, "%s was done at %s, says its event; the clock says %s", e.Action, e.At, now)
		}
		if e.Actor.ID != w.Actor && e.Actor != itsm.System() {
			w.fail(ruleHost, "%s was done by %s, says its event; it was %s", e.Action, e.Actor.ID, w.Actor)
		}
		if !slices.Contains(changed, e.Record) {
			changed = append(changed, e.Record)
		}
	}
	for _, id := range changed {
		r := w.Record(id)
		of := w.snapshots[id]
		if of == nil {
			of = map[itsm.Version]R{}
			w.snapshots[id] = of
		}
		of[itsm.MetaOf(&r).Version] = r
		w.over[id] = w.Practice.Lifecycle().IsEnd(itsm.MetaOf(&r).State)
		if !slices.Contains(w.IDs, id) {
			w.IDs = append(w.IDs, id)
		}
		w.sound(&r)
	}
}

// sound proves what is always true of a record.
func (w *World[R]) sound(r *R) {
	m := itsm.MetaOf(r)
	ok := func(fact bool, says string) {
		if !fact {
			w.fail(ruleSound, "%s, version %d, %s: not so: %s\n%+v\n%s", m.ID, m.Version, m.State, says, *r, names(w.Events(m.ID)))
		}
	}
	ok(w.Practice.Lifecycle().Has(m.State), "its state is one of the lifecycle's")
	w.h.Sound(w, r, ok)
}

// nothingDue proves that all that is due was done.
func (w *World[R]) nothingDue() {
	for _, id := range w.IDs {
		r := w.Record(id)
		if due := itsm.MetaOf(&r).Due; !due.IsZero() && !due.After(w.Clock.Now()) {
			w.fail(ruleTime, "%s was due at %s, and is still at %s", id, due, w.Clock.Now())
		}
	}
}

// audit proves that history and records agree: now, and as they were at versions and
// times that were looked at.
func (w *World[R]) audit() {
	ctx := context.Background()
	equal := func(want, got R, what string, args ...any) {
		w.tally.compared++
		w.same(ruleHistory, want, got, what, args...)
	}
	// Another host replays it as well as this one.
	other, err := w.host(memory.New[R](), w.cfg)
	w.must(ruleHost, err, "making the practice")
	for _, id := range w.IDs {
		stored := w.Record(id)
		again, err := other.Replay(w.Store.Events(ctx, id, 0))
		w.must(ruleHistory, err, "replaying "+string(id))
		equal(stored, again, "%s, replayed", id)

		data, err := json.Marshal(stored)
		w.must(ruleJSON, err, "writing "+string(id))
		var kept R
		w.must(ruleJSON, json.Unmarshal(data, &kept), "reading "+string(id))
		w.same(ruleJSON, stored, kept, "%s, as a host keeps it", id)

		history := w.Events(id)
		w.same(ruleHistory, int(itsm.MetaOf(&stored).Version), len(history), "the events of %s", id)
		// Two of them in each way in which a host asks; all of them are compared below.
		versions := slices.Sorted(maps.Keys(w.snapshots[id]))
		w.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		for _, v := range versions[:min(len(versions), 2)] {
			got, err := w.Practice.AtVersion(ctx, id, v)
			w.must(ruleHistory, err, "reading a version")
			equal(w.snapshots[id][v], got, "%s at version %d", id, v)
			at, last := history[v-1].At, v
			for _, e := range history {
				if !e.At.After(at) && e.Version > last {
					last = e.Version
				}
			}
			if want, ok := w.snapshots[id][last]; ok {
				got, err = w.Practice.At(ctx, id, at)
				w.must(ruleHistory, err, "reading what was")
				equal(want, got, "%s at %s", id, at)
			}
		}
		if _, err = w.Practice.At(ctx, id, Morning().AddDate(-20, 0, 0)); !errors.Is(err, itsm.ErrNotFound) {
			w.fail(ruleHistory, "%s before it was there: %v", id, err)
		}
		if _, err = w.Practice.AtVersion(ctx, id, itsm.MetaOf(&stored).Version+1); !errors.Is(err, itsm.ErrNotFound) {
			w.fail(ruleHistory, "%s at a version that is yet to come: %v", id, err)
		}
		w.walk(id)
	}
	w.h.Audit(w)
}

// walk proves of a history that it leads to every version that was looked at, that
// whatever time did was due, and of each action that it comes back from its JSON.
func (w *World[R]) walk(id itsm.ID) {
	var before R
	for past, err := range w.Practice.Walk(w.Store.Events(context.Background(), id, 0)) {
		w.must(ruleHistory, err, "walking through "+string(id))
		e := past.Event
		if due := itsm.MetaOf(&before).Due; e.Actor == itsm.System() && e.Cause == "" && (due.IsZero() || due.After(e.At)) {
			w.fail(ruleTime, "%s was done to %s at %s, which was due at %s", e.Action, id, e.At, due)
		}
		data, err := json.Marshal(past.Action)
		w.must(ruleJSON, err, "writing "+e.Action)
		if !bytes.Equal(data, e.Data) {
			w.fail(ruleJSON, "%s was kept as %s and comes back as %s", e.Action, e.Data, data)
		}
		if want, ok := w.snapshots[id][e.Version]; ok {
			w.tally.compared++
			w.same(ruleHistory, want, past.Record, "%s at version %d", id, e.Version)
		}
		before = past.Record
	}
}

// name is that of an action, even of none.
func name[R any](a itsm.Action[R]) string {
	if a == nil {
		return "nil"
	}
	return a.Action()
}

func names(events []itsm.Event) string {
	var all []string
	for _, e := range events {
		all = append(all, e.Action)
	}
	return strings.Join(all, " ")
}

// events returns the history of a record.
func events[R any](store itsm.Store[R], id itsm.ID) (all []itsm.Event, err error) {
	for e, err := range store.Events(context.Background(), id, 0) {
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// records returns all records.
func records[R any](store itsm.Lister[R]) (map[itsm.ID]R, error) {
	all := map[itsm.ID]R{}
	for q := (itsm.Query{}); ; {
		page, err := store.List(context.Background(), q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Records {
			all[itsm.MetaOf(&r).ID] = r
		}
		if q.After = page.Next; q.After == "" {
			return all, nil
		}
	}
}

// difference tells where two values differ, by the lines of their JSON.
func difference(want, got any) string {
	text := func(v any) []string {
		data, err := json.MarshalIndent(v, "  ", "  ")
		if err != nil {
			data = fmt.Appendf(nil, "%+v", v)
		}
		return strings.Split(string(data), "\n")
	}
	a, b := text(want), text(got)
	from := 0
	for from < len(a) && from < len(b) && a[from] == b[from] {
		from++
	}
	if from == len(a) && from == len(b) {
		return fmt.Sprintf("\n  %+v\nis not\n  %+v", want, got) // what JSON does not show
	}
	for len(a) > from && len(b) > from && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return fmt.Sprintf("\n%s\nis\n%s", strings.Join(a[from:], "\n"), strings.Join(b[from:], "\n"))
}
