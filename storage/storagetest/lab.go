package storagetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A lab is where a rule is checked: a backend, and what to put into it. The
// samples are numbered, and a sample and a version make a record, the same each
// time: so what is expected never has to be remembered, and cannot be changed
// by a store that shares memory.
type lab[R any] struct {
	Harness[R]
	Backend[R]
	// due gives the samples a due time; nil for none.
	due func(i int, v itsm.Version) time.Time
}

// lacks says what is missing of what a rule needs, or "".
func (l *lab[R]) lacks(n need) string {
	_, lister := l.Store.(itsm.Lister[R])
	_, feeder := l.Store.(itsm.Feeder)
	_, dueStore := l.Store.(itsm.DueStore)
	for _, lack := range []struct {
		need need
		has  bool
		why  string
	}{
		{several, !l.SingleRevision, "the store takes one revision a commit"},
		{single, l.SingleRevision, "the store takes several revisions a commit"},
		{uniqueIDs, !l.TrustsEventIDs, "the store takes it from its callers that the id of an event is unique"},
		{lists, lister, "the store is no itsm.Lister"},
		{feeds, feeder, "the store is no itsm.Feeder"},
		{wakes, dueStore, "the store is no itsm.DueStore"},
		{otherHandle, l.Other != nil, "the backend has no Other handle"},
		{otherTenant, l.Wall != nil, "the backend has no Wall, the store of another tenant"},
	} {
		if n&lack.need != 0 && !lack.has {
			return lack.why
		}
	}
	return ""
}

// epoch is when the samples are made.
var epoch = time.Date(2026, 3, 2, 9, 30, 0, 123456000, time.UTC)

// record returns the i-th sample as it is at a version.
func (l *lab[R]) record(i int, v itsm.Version) R {
	r := l.Record(i)
	m := itsm.MetaOf(&r)
	if m.ID == "" {
		m.ID = itsm.ID(fmt.Sprintf("smp_%d", i))
	}
	if m.Created.IsZero() {
		m.Created = epoch.Add(time.Duration(i) * time.Minute)
	}
	if len(m.Links) == 0 {
		m.Links = []itsm.Link{
			{Rel: "caused_by", To: itsm.Ref{Kind: "problem", ID: "prb_1"}},
			{Rel: "about", To: itsm.Ref{Kind: "ci", ID: itsm.ID(fmt.Sprint("ci_", i))}},
		}
	}
	if len(m.Fields) == 0 {
		m.Fields = itsm.Fields{
			"floor": json.RawMessage(`3`), "tags": json.RawMessage(`["a","ä","한글"]`),
			"seat": json.RawMessage(`{"row":[1,2],"at":1.0}`), // which some databases put in another order
		}
	}
	for k := itsm.Version(2); k <= v; k++ {
		l.Change(&r, int(k))
	}
	m.Version = v
	m.Changed = m.Created.Add(time.Duration(v-1) * time.Second)
	m.Due = time.Time{}
	if l.due != nil {
		m.Due = l.due(i, v)
	}
	return r
}

func (l *lab[R]) meta(i int, v itsm.Version) itsm.Meta {
	r := l.record(i, v)
	return *itsm.MetaOf(&r)
}

func (l *lab[R]) id(i int) itsm.ID { return l.meta(i, 1).ID }

// event returns the event that led to a version of a sample.
func (l *lab[R]) event(i int, v itsm.Version) itsm.Event {
	m := l.meta(i, v)
	e := itsm.Event{
		ID:       eventID(m.ID, v),
		Practice: "sample",
		Record:   m.ID,
		Version:  v,
		Action:   "open",
		To:       m.State,
		At:       m.Changed,
		Actor:    itsm.Actor{ID: "jin", Name: "Jin Kim"},
		Data:     json.RawMessage(fmt.Sprintf(`{"version":%[2]d,"sample":%[1]d,"note":{"text":"what was done","at":1.0}}`, i, v)),
	}
	if v > 1 {
		e.Action, e.From, e.Cause = "edit", l.meta(i, v-1).State, eventID(m.ID, v-1)
	}
	return e
}

func eventID(record itsm.ID, v itsm.Version) itsm.ID {
	return itsm.ID(fmt.Sprintf("evt_%s_%d", record, v))
}

// rev returns the revision that leads to a version by one event.
func (l *lab[R]) rev(i int, v itsm.Version) itsm.Revision[R] { return l.span(i, v, v) }

// span returns a revision of several events, with these versions.
func (l *lab[R]) span(i int, from, to itsm.Version) itsm.Revision[R] {
	rev := itsm.Revision[R]{Base: from - 1, Record: l.record(i, to)}
	for v := from; v <= to; v++ {
		rev.Events = append(rev.Events, l.event(i, v))
	}
	return rev
}

// by returns a revision whose events have ids of their own.
func by[R any](who string, rev itsm.Revision[R]) itsm.Revision[R] {
	for i := range rev.Events {
		rev.Events[i].ID += itsm.ID("_" + who)
	}
	return rev
}

// commit commits, and sends again what may or may not have been written. It
// waits a random while in between, or writers could keep step with one another
// and with a store that knows every now and then.
func (l *lab[R]) commit(ctx context.Context, s itsm.Store[R], revs ...itsm.Revision[R]) error {
	for range 100 {
		if err := s.Commit(ctx, revs...); !errors.Is(err, itsm.ErrUnknown) {
			return err
		}
		time.Sleep(rand.N(200 * time.Microsecond))
	}
	return s.Commit(ctx, revs...)
}

// write commits what must be accepted, one after the other.
func (l *lab[R]) write(ctx context.Context, revs ...itsm.Revision[R]) error {
	for _, rev := range revs {
		if err := l.commit(ctx, l.Store, rev); err != nil {
			return fmt.Errorf("commit of %s: %w", describe(rev), err)
		}
	}
	return nil
}

// fill creates the first n samples.
func (l *lab[R]) fill(ctx context.Context, n int) error {
	for i := range n {
		if err := l.write(ctx, l.rev(i, 1)); err != nil {
			return err
		}
	}
	return nil
}

func describe[R any](revs ...itsm.Revision[R]) string {
	var parts []string
	for i := range revs {
		m := itsm.MetaOf(&revs[i].Record)
		parts = append(parts, fmt.Sprintf("%s from version %d to %d", m.ID, revs[i].Base, m.Version))
	}
	return strings.Join(parts, " and ")
}

// refused commits what must be refused, and checks that nothing was written: of
// the first n samples, and of anything that the store lists or delivers.
func (l *lab[R]) refused(ctx context.Context, n int, want error, revs ...itsm.Revision[R]) error {
	return l.writesNothing(ctx, n, func() error {
		if err := l.commit(ctx, l.Store, revs...); !errors.Is(err, want) {
			return fmt.Errorf("commit of %s answers %v, not %q", describe(revs...), quoted(err), want)
		}
		return nil
	})
}

func (l *lab[R]) writesNothing(ctx context.Context, n int, do func() error) error {
	before := l.snapshot(ctx, n)
	if err := do(); err != nil {
		return err
	}
	after := l.snapshot(ctx, n)
	for i := range before {
		if before[i] != after[i] {
			return fmt.Errorf("something was written: %q was before, %q is after", before[i], after[i])
		}
	}
	return nil
}

func quoted(err error) string {
	if err == nil {
		return "no error"
	}
	return fmt.Sprintf("%q", err)
}

// snapshot describes everything that can be seen of the first n samples. That
// something cannot be seen is part of the description: it is for other rules to
// say whether it should.
func (l *lab[R]) snapshot(ctx context.Context, n int) []string {
	var seen []string
	see := func(what string, err error, is any) {
		if err != nil {
			is = err
		}
		seen = append(seen, fmt.Sprintf("%s: %v", what, is))
	}
	events := 0
	for i := range n {
		text, err := l.text(ctx, l.Store, i)
		see("record "+string(l.id(i)), err, text)
		history, err := l.history(ctx, l.Store, i, 0)
		see("history of "+string(l.id(i)), err, eventIDs(history))
		events += len(history)
	}
	if _, ok := l.Store.(itsm.Lister[R]); ok {
		found, err := l.list(ctx, l.Store, itsm.Query{})
		var listed []string
		for id, r := range found {
			listed = append(listed, fmt.Sprintf("%s@%d", id, itsm.MetaOf(&r).Version))
		}
		slices.Sort(listed)
		see("list", err, listed)
	}
	if s, ok := l.Store.(itsm.Feeder); ok {
		feed, err := l.feed(ctx, s, "", events)
		ids := feedIDs(feed)
		slices.Sort(ids)
		see("feed", err, ids)
	}
	if s, ok := l.Store.(itsm.DueStore); ok {
		// Asking for what is due might take it from those who ask later.
		var times []time.Time
		at, err := s.NextDue(ctx, time.Time{})
		for err == nil && (len(times) == 0 || at.After(times[len(times)-1])) {
			times = append(times, at)
			at, err = s.NextDue(ctx, at)
		}
		see("due times", err, times)
	}
	return seen
}

// text returns all of a record as a store has it.
func (l *lab[R]) text(ctx context.Context, s itsm.Store[R], i int) (string, error) {
	r, err := s.Load(ctx, l.id(i))
	if err != nil {
		return "", fmt.Errorf("Load: %w", err)
	}
	data, err := json.Marshal(r)
	return string(data), err
}

// holds checks that a store has a version of a sample, whole.
func (l *lab[R]) holds(ctx context.Context, s itsm.Store[R], i int, v itsm.Version) error {
	got, err := s.Load(ctx, l.id(i))
	if err != nil {
		return fmt.Errorf("Load: %w", err)
	}
	if d := difference(l.record(i, v), got); d != "" {
		return fmt.Errorf("Load of %s, committed at version %d: %s", l.id(i), v, d)
	}
	return nil
}

// is checks that a store has a version of a sample, without a closer look.
func (l *lab[R]) is(ctx context.Context, s itsm.Store[R], i int, want itsm.Version) error {
	v, err := l.version(ctx, s, i)
	if err == nil && v != want {
		err = fmt.Errorf("%s, committed at version %d, is at version %d", l.id(i), want, v)
	}
	return err
}

// version loads a sample and returns its version.
func (l *lab[R]) version(ctx context.Context, s itsm.Store[R], i int) (itsm.Version, error) {
	r, err := s.Load(ctx, l.id(i))
	if err != nil {
		return 0, fmt.Errorf("Load: %w", err)
	}
	return itsm.MetaOf(&r).Version, nil
}

func (l *lab[R]) history(ctx context.Context, s itsm.Store[R], i int, after itsm.Version) ([]itsm.Event, error) {
	var events []itsm.Event
	for e, err := range s.Events(ctx, l.id(i), after) {
		if err != nil {
			return nil, fmt.Errorf("Events: %w", err)
		}
		events = append(events, e)
	}
	return events, nil
}

func eventIDs(events []itsm.Event) string {
	var ids []string
	for _, e := range events {
		ids = append(ids, string(e.ID))
	}
	return strings.Join(ids, " ")
}

func versions(events []itsm.Event) []itsm.Version {
	var vs []itsm.Version
	for _, e := range events {
		vs = append(vs, e.Version)
	}
	return vs
}

// feed reads a feed, and reads it again for a while if it has less events than
// are to be expected.
func (l *lab[R]) feed(ctx context.Context, s itsm.Feeder, after itsm.Cursor, want int) ([]itsm.Delivery, error) {
	for deadline := time.Now().Add(l.Patience); ; time.Sleep(time.Millisecond) {
		feed, err := readFeed(ctx, s, after)
		if err != nil || len(feed) >= want || time.Now().After(deadline) {
			return feed, err
		}
	}
}

func readFeed(ctx context.Context, s itsm.Feeder, after itsm.Cursor) ([]itsm.Delivery, error) {
	var feed []itsm.Delivery
	for d, err := range s.Feed(ctx, after) {
		if err != nil {
			return nil, fmt.Errorf("Feed: %w", err)
		}
		feed = append(feed, d)
	}
	return feed, nil
}

func feedIDs(feed []itsm.Delivery) []itsm.ID {
	ids := []itsm.ID{}
	for _, d := range feed {
		ids = append(ids, d.Event.ID)
	}
	return ids
}

// list returns the records of one large page by their ids.
func (l *lab[R]) list(ctx context.Context, s itsm.Store[R], q itsm.Query) (map[itsm.ID]R, error) {
	q.Limit = 1000
	page, err := s.(itsm.Lister[R]).List(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("List: %w", err)
	}
	found := map[itsm.ID]R{}
	for _, r := range page.Records {
		found[itsm.MetaOf(&r).ID] = r
	}
	return found, nil
}

// woken returns what is due.
func woken(ctx context.Context, s itsm.DueStore, now time.Time) ([]itsm.Wake, error) {
	var all []itsm.Wake
	for w, err := range s.Due(ctx, now) {
		if err != nil {
			return nil, fmt.Errorf("Due: %w", err)
		}
		all = append(all, w)
	}
	return all, nil
}

// within runs what must not take for ever.
func (l *lab[R]) within(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- l.guarded(f) }()
	select {
	case err := <-done:
		return err
	case <-time.After(l.Patience):
		return fmt.Errorf("a call has not returned after %v", l.Patience)
	}
}

// together runs functions at the same time and returns what they return.
func (l *lab[R]) together(fs ...func() error) error {
	errs := make(chan error)
	for _, f := range fs {
		go func() { errs <- l.guarded(f) }()
	}
	var all error
	for range fs {
		all = errors.Join(all, <-errs)
	}
	return all
}

// difference says where a record or event is not what it should be, or "". It
// looks at exported fields. Times are compared as moments, and nil is as good as
// empty: a store need not keep such differences. JSON it keeps as json.Marshal
// writes it, or a record would not be what its history leads to.
func difference(want, got any) string {
	return differs("", reflect.ValueOf(want), reflect.ValueOf(got))
}

func differs(path string, want, got reflect.Value) string {
	unequal := func(want, got any) string {
		return fmt.Sprintf("%s is %v, not %v", strings.TrimPrefix(path, "."), got, want)
	}
	switch want.Type() {
	case reflect.TypeFor[time.Time]():
		if w, g := want.Interface().(time.Time), got.Interface().(time.Time); !w.Equal(g) {
			return unequal(w, g)
		}
		return ""
	case reflect.TypeFor[json.RawMessage]():
		if !kept(want.Bytes(), got.Bytes()) {
			return unequal(string(want.Bytes()), string(got.Bytes()))
		}
		return ""
	}
	switch want.Kind() {
	case reflect.Struct:
		for i := range want.NumField() {
			if f := want.Type().Field(i); f.IsExported() || f.Anonymous {
				if d := differs(path+"."+f.Name, want.Field(i), got.Field(i)); d != "" {
					return d
				}
			}
		}
	case reflect.Slice, reflect.Array:
		if want.Len() != got.Len() {
			return fmt.Sprintf("%s has %d elements, not %d", strings.TrimPrefix(path, "."), got.Len(), want.Len())
		}
		for i := range want.Len() {
			if d := differs(fmt.Sprintf("%s[%d]", path, i), want.Index(i), got.Index(i)); d != "" {
				return d
			}
		}
	case reflect.Map:
		if want.Len() != got.Len() {
			return fmt.Sprintf("%s has %d entries, not %d", strings.TrimPrefix(path, "."), got.Len(), want.Len())
		}
		for it := want.MapRange(); it.Next(); {
			sub, value := fmt.Sprintf("%s[%v]", path, it.Key()), got.MapIndex(it.Key())
			if !value.IsValid() {
				return strings.TrimPrefix(sub, ".") + " is missing"
			}
			if d := differs(sub, it.Value(), value); d != "" {
				return d
			}
		}
	case reflect.Pointer, reflect.Interface:
		if want.IsNil() || got.IsNil() {
			if want.IsNil() != got.IsNil() {
				return unequal(want, got)
			}
			return ""
		}
		if want.Elem().Type() != got.Elem().Type() {
			return unequal(want.Elem().Type(), got.Elem().Type())
		}
		return differs(path, want.Elem(), got.Elem())
	default:
		if want.Comparable() && !want.Equal(got) {
			return unequal(want, got)
		}
	}
	return ""
}

// kept reports whether JSON is as it was, or as json.Marshal writes that.
func kept(want, got []byte) bool {
	written, err := json.Marshal(json.RawMessage(want))
	return bytes.Equal(want, got) || err == nil && bytes.Equal(written, got)
}

// scramble destroys everything that a caller can reach through a record or
// event, spare capacity included.
func scramble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				scramble(v.Field(i))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
		for i := range v.Cap() {
			if e := v.Slice(0, v.Cap()).Index(i); e.CanSet() {
				e.SetZero()
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			scramble(v.MapIndex(key))
			v.SetMapIndex(key, reflect.Value{})
		}
	case reflect.Pointer:
		if !v.IsNil() && v.Elem().CanSet() {
			scramble(v.Elem())
			v.Elem().SetZero()
		}
	}
}

// empties lists the exported fields that are not filled.
func empties(path string, v reflect.Value) []string {
	if v.IsZero() {
		return []string{strings.TrimPrefix(path, ".")}
	}
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return nil
	}
	var all []string
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() {
			all = append(all, empties(path+"."+f.Name, v.Field(i))...)
		}
	}
	return all
}
