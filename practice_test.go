package itsm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestCreateAndDo(t *testing.T) {
	clock := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clock.Now, NewID: numbered()})
	ctx := itsm.WithActor(t.Context(), itsm.Actor{ID: "jin", Name: "Jin"})
	made, err := p.Create(ctx, File{Title: "No mail", Tags: []string{"mail"}})
	require.NoError(t, err)
	want := Ticket{
		Meta:  itsm.Meta{ID: "tkt_000001", Version: 1, State: stateOpen, Created: monday, Changed: monday},
		Title: "No mail", Tags: []string{"mail"}, Rank: 10,
	}
	require.Equal(t, want, made)

	clock.Advance(90 * time.Second)
	until := monday.Add(time.Hour)
	done, err := p.Do(itsm.As(ctx, "mia"), made.ID, Wait{Until: until})
	require.NoError(t, err)
	want.Version, want.State, want.Changed, want.Due, want.Until = 2, stateWaiting, monday.Add(90*time.Second), until, until
	require.Equal(t, want, done)
	stored, err := p.Get(context.Background(), made.ID)
	require.NoError(t, err, "reading needs no actor")
	require.Equal(t, want, stored)

	require.Equal(t, []itsm.Event{
		{
			ID: "evt_000001", Practice: "ticket", Record: made.ID, Version: 1, Action: "file", To: stateOpen,
			At: monday, Actor: itsm.Actor{ID: "jin", Name: "Jin"}, Data: []byte(`{"title":"No mail","tags":["mail"],"rank":10}`),
		},
		{
			ID: "evt_000002", Practice: "ticket", Record: made.ID, Version: 2, Action: "wait", From: stateOpen, To: stateWaiting,
			At: monday.Add(90 * time.Second), Actor: itsm.Actor{ID: "mia"}, Data: []byte(`{"until":"2026-03-02T10:00:00Z"}`),
		},
	}, events(t, p, made.ID))

	// What the caller was given is the caller's.
	made.Tags[0], done.Tags[0], stored.Tags[0] = "x", "x", "x"
	stored, err = p.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, want, stored)
}

func TestClock(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	before := time.Now().UTC().Truncate(time.Microsecond)
	r := file(t, p, "x")
	require.False(t, r.Created.Before(before))
	require.WithinDuration(t, before, r.Created, time.Minute)
	require.Equal(t, time.UTC, r.Created.Location())
	require.Zero(t, r.Created.Nanosecond()%1000)

	odd := newToy(t, memory.New[Ticket](), itsm.Config{Now: func() time.Time {
		return time.Date(2026, 3, 2, 18, 0, 0, 1999, time.FixedZone("KST", 9*3600))
	}})
	require.Equal(t, monday.Add(time.Microsecond), file(t, odd, "x").Created)
}

func TestNobody(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	r := file(t, p, "x")
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Create": func() error { _, err := p.Create(ctx, File{Title: "x"}); return err },
		"Do":     func() error { _, err := p.Do(ctx, r.ID, Add{}); return err },
		"Check":  func() error { _, err := p.Check(ctx, r.ID, Add{}); return err },
		"WhyNot": func() error { _, err := p.WhyNot(ctx, r.ID); return err },
		"Update": func() error {
			return p.Update(ctx, func(*itsm.Tx[Ticket]) error { t.Error("asked nevertheless"); return nil })
		},
	} {
		require.ErrorIs(t, call(), itsm.ErrNoActor, name)
	}
	require.Len(t, events(t, p, r.ID), 1)
}

func TestNotFound(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	ctx := as(t, "jin")
	for name, call := range map[string]func() error{
		"Get":       func() error { _, err := p.Get(ctx, "x"); return err },
		"Do":        func() error { _, err := p.Do(ctx, "x", Add{}); return err },
		"Check":     func() error { _, err := p.Check(ctx, "x", Add{}); return err },
		"WhyNot":    func() error { _, err := p.WhyNot(ctx, "x"); return err },
		"At":        func() error { _, err := p.At(ctx, "x", monday); return err },
		"AtVersion": func() error { _, err := p.AtVersion(ctx, "x", 1); return err },
		"Tx.Get": func() error {
			return p.Update(ctx, func(tx *itsm.Tx[Ticket]) error { _, err := tx.Get("x"); return err })
		},
		"Tx.Do": func() error {
			return p.Update(ctx, func(tx *itsm.Tx[Ticket]) error { _, err := tx.Do("x", Add{}); return err })
		},
	} {
		require.ErrorIs(t, call(), itsm.ErrNotFound, name)
	}
}

// Everything that speaks against an action comes at once, and nothing is
// written.
func TestRefusals(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now})
	r := file(t, p, "x")
	closed := file(t, p, "y")
	closed = do(t, p, closed.ID, Drop{})
	waiting := file(t, p, "z")
	waiting = do(t, p, waiting.ID, Wait{Until: monday.Add(time.Hour)})
	for _, tt := range []struct {
		name   string
		id     itsm.ID
		action itsm.Action[Ticket]
		is     []error
		want   []string
	}{
		{"input", r.ID, Score{}, []error{itsm.ErrInvalid}, []string{"points must be 1 to 1000"}},
		{"input and what is prepared", r.ID, Score{Points: 2000}, []error{itsm.ErrInvalid}, []string{"points must be 1 to 1000", "points rank above 5000"}},
		{"what is prepared", r.ID, Score{Points: 501}, []error{itsm.ErrInvalid}, []string{"points rank above 5000"}},
		{"input and guard", r.ID, Finish{}, []error{itsm.ErrInvalid, itsm.ErrNotAllowed}, []string{
			"note must not be empty", "it has no points", "it is nobody's"}},
		{"input in the light of the record", r.ID, Wait{Until: monday}, []error{itsm.ErrInvalid}, []string{"until must be in the future"}},
		{"transition and input, without the guard", closed.ID, Finish{}, []error{itsm.ErrInvalid, itsm.ErrNotAllowed}, []string{
			`action "finish" is not permitted in state "closed", from which nothing leads on`, "note must not be empty"}},
		{"transition", waiting.ID, Wait{Until: monday.Add(time.Hour)}, []error{itsm.ErrNotAllowed}, []string{
			`action "wait" is not permitted in state "waiting", from which lead on: drop, finish`}},
		{"derived", waiting.ID, Wake{}, []error{itsm.ErrNotAllowed}, []string{`"wake" happens by itself and cannot be asked for`}},
		{"creating again", r.ID, File{Title: "x"}, []error{itsm.ErrNotAllowed}, []string{
			`action "file" is not permitted in state "open", from which lead on: drop, finish, wait`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			history := events(t, p, tt.id)
			_, err := p.Check(as(t, "jin"), tt.id, tt.action)
			_, doing := p.Do(as(t, "jin"), tt.id, tt.action)
			for _, err := range []error{err, doing} {
				require.ElementsMatch(t, tt.want, messages(err))
				for _, s := range sentinels() {
					require.Equal(t, slices.Contains(tt.is, s), errors.Is(err, s), "%v", s)
				}
				require.True(t, strings.HasPrefix(err.Error(), "ticket "+string(tt.id)+": "), "it says where: %v", err)
				require.Equal(t, 1, strings.Count(err.Error(), string(tt.id)), "and only once")
			}
			require.Equal(t, history, events(t, p, tt.id))
		})
	}
	_, err := p.Do(as(t, "jin"), waiting.ID, Wait{})
	var refused *itsm.TransitionError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, &itsm.TransitionError{Action: "wait", State: stateWaiting, Instead: []string{"drop", "finish"}}, refused)

	_, err = p.Create(as(t, "jin"), Add{})
	require.ErrorAs(t, err, &refused)
	require.Equal(t, &itsm.TransitionError{Action: "add", Instead: []string{"file"}}, refused)
	_, err = p.Create(as(t, "jin"), File{Parent: "tkt_0"})
	require.ElementsMatch(t, []string{"title must not be empty", "parent is not there"}, messages(err))
}

func TestAuthorize(t *testing.T) {
	var asked []itsm.Attempt
	refuse := map[string]error{}
	clock := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clock.Now, Authorize: func(ctx context.Context, a itsm.Attempt) error {
		if _, err := itsm.ActorFrom(ctx); err != nil {
			t.Error(err)
		}
		asked = append(asked, a)
		return refuse[a.Action]
	}})
	parent := file(t, p, "parent")
	require.Equal(t, []itsm.Attempt{{
		Actor: itsm.Actor{ID: "jin"}, Practice: "ticket", Action: "file", Data: File{Title: "parent"},
	}}, asked, "as the actor said it: before anything is prepared, and without a record")

	// A kid and its consequences: asked about the first only.
	asked = nil
	kid, err := p.Create(as(t, "mia"), File{Title: "kid", Parent: parent.ID})
	require.NoError(t, err)
	kid = do(t, p, kid.ID, Wait{Until: monday.Add(time.Hour)}, Reply{Text: "x"})
	require.Equal(t, stateOpen, kid.State)
	var actions []string
	for _, a := range asked {
		actions = append(actions, a.Actor.ID+" "+a.Action)
	}
	require.Equal(t, []string{"mia file", "jin wait", "jin reply"}, actions)
	wait := asked[1]
	require.Equal(t, itsm.ID(kid.ID), wait.Meta.ID)
	require.Equal(t, stateOpen, wait.Meta.State)
	require.Equal(t, itsm.Version(1), wait.Meta.Version)
	record, ok := wait.Record.(Ticket)
	require.True(t, ok)
	require.Equal(t, wait.Meta, record.Meta)
	require.Equal(t, "kid", record.Title)

	// Nor about what time brings.
	do(t, p, kid.ID, Wait{Until: monday.Add(time.Hour)})
	clock.Advance(2 * time.Hour)
	asked = nil
	n, _, err := p.RunDue(itsm.WithActor(t.Context(), itsm.System()))
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Empty(t, asked)

	// A refusal is ErrDenied, whatever the host said, and keeps what it said.
	why := errors.New("not on Mondays")
	refuse["add"], refuse["own"] = why, fmt.Errorf("own: %w", itsm.ErrDenied)
	refuse["score"] = itsm.Refuse("four eyes")
	_, err = p.Do(as(t, "mia"), kid.ID, Add{})
	require.ErrorIs(t, err, itsm.ErrDenied)
	require.ErrorIs(t, err, why)
	require.ErrorContains(t, err, "mia may not add")
	_, err = p.Check(as(t, "mia"), kid.ID, Own{})
	require.ErrorIs(t, err, itsm.ErrDenied)
	_, err = p.Do(as(t, "mia"), kid.ID, Score{Points: 1})
	require.ErrorIs(t, err, itsm.ErrDenied)
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	refuse["file"] = why
	_, err = p.Create(as(t, "mia"), File{Title: "x"})
	require.ErrorIs(t, err, itsm.ErrDenied)
	require.Equal(t, 0, count(t, p, kid.ID, "add"))
}

func TestCheckWritesNothing(t *testing.T) {
	told := 0
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now, Notify: func(context.Context, []itsm.Event) { told++ }})
	parent := file(t, p, "parent")
	kid, err := p.Create(as(t, "jin"), File{Title: "kid", Parent: parent.ID})
	require.NoError(t, err)
	told = 0
	would, err := p.Check(as(t, "jin"), kid.ID, Drop{})
	require.NoError(t, err)
	require.Equal(t, stateClosed, would.State)
	require.Equal(t, itsm.Version(2), would.Version)
	stored, err := p.Get(t.Context(), kid.ID)
	require.NoError(t, err)
	require.Equal(t, kid, stored)
	require.Len(t, events(t, p, kid.ID), 1)
	require.Len(t, events(t, p, parent.ID), 2)
	require.Zero(t, told)
	done := do(t, p, kid.ID, Drop{})
	require.Equal(t, would, done, "it was told rightly")
}

func TestApplyCannotChangeTheHeader(t *testing.T) {
	clock := newClock()
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: clock.Now})
	r := file(t, p, "x")
	do(t, p, r.ID, Watch{Every: time.Hour, Times: 1})
	clock.Advance(time.Minute)
	got := do(t, p, r.ID, Meddle{})
	require.Equal(t, itsm.Meta{
		ID: r.ID, Version: 3, State: stateOpen, Created: monday, Changed: monday.Add(time.Minute), Due: monday.Add(time.Hour),
	}, got.Meta)
}

func TestUpdate(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now})
	a, b := file(t, p, "a"), file(t, p, "b")
	ctx := as(t, "jin")

	// All of it, seen by itself on the way.
	var c Ticket
	require.NoError(t, p.Update(ctx, func(tx *itsm.Tx[Ticket]) error {
		require.Equal(t, itsm.Moment{At: monday, Actor: itsm.Actor{ID: "jin"}}, tx.Moment())
		require.False(t, tx.Consequence())
		got, err := tx.Do(a.ID, Add{N: -3})
		require.NoError(t, err)
		require.Equal(t, -3, got.Points)
		_, err = tx.Do(b.ID, Add{N: 3})
		require.NoError(t, err)
		got, err = tx.Get(a.ID)
		require.NoError(t, err)
		require.Equal(t, -3, got.Points)
		outside, err := p.Get(ctx, a.ID)
		require.NoError(t, err)
		require.Zero(t, outside.Points, "nobody else sees it yet")
		c, err = tx.Create(File{Title: "c", Parent: a.ID})
		require.NoError(t, err)
		_, err = tx.Do(a.ID, Add{N: 1})
		require.Len(t, tx.Events(), 5)
		return err
	}))
	require.Equal(t, []string{"file", "add", "gain", "add"}, actionsOf(events(t, p, a.ID)))
	require.Equal(t, []string{"file", "add"}, actionsOf(events(t, p, b.ID)))
	require.Equal(t, []string{"file"}, actionsOf(events(t, p, c.ID)))
	stored, err := p.Get(ctx, a.ID)
	require.NoError(t, err)
	require.Equal(t, -2, stored.Points)
	require.Equal(t, itsm.Version(4), stored.Version)

	// Or nothing: the function's own error, a refusal that is passed on, a
	// refusal that is dropped, one deep in a cascade.
	mine := errors.New("changed my mind")
	count := len(events(t, p, a.ID))
	for name, tt := range map[string]struct {
		decide func(tx *itsm.Tx[Ticket]) error
		want   error
	}{
		"own error": {func(tx *itsm.Tx[Ticket]) error { _, _ = tx.Do(a.ID, Add{N: 9}); return mine }, mine},
		"refused": {func(tx *itsm.Tx[Ticket]) error {
			if _, err := tx.Do(a.ID, Add{N: 9}); err != nil {
				return err
			}
			_, err := tx.Do(b.ID, Finish{})
			return err
		}, itsm.ErrNotAllowed},
		"dropped": {func(tx *itsm.Tx[Ticket]) error {
			_, _ = tx.Do(a.ID, Score{})
			_, err := tx.Do(a.ID, Add{N: 9})
			return err
		}, itsm.ErrInvalid},
		"dropped, of a missing record": {func(tx *itsm.Tx[Ticket]) error {
			_, _ = tx.Do("tkt_0", Add{N: 9})
			_, err := tx.Do(a.ID, Add{N: 9})
			return err
		}, itsm.ErrNotFound},
		"dropped, of a new record": {func(tx *itsm.Tx[Ticket]) error {
			_, _ = tx.Create(File{})
			_, err := tx.Do(a.ID, Add{N: 9})
			return err
		}, itsm.ErrInvalid},
		"a new record and a refusal": {func(tx *itsm.Tx[Ticket]) error {
			if _, err := tx.Create(File{Title: "lost"}); err != nil {
				return err
			}
			_, err := tx.Do(a.ID, Chain{N: 100})
			return err
		}, itsm.ErrNotAllowed},
	} {
		require.ErrorIs(t, p.Update(ctx, tt.decide), tt.want, name)
		require.Len(t, events(t, p, a.ID), count, name)
	}
	all := 0
	for _, err := range p.All(ctx, itsm.Query{}) {
		require.NoError(t, err)
		all++
	}
	require.Equal(t, 3, all)

	// Reading only, or doing nothing, commits nothing.
	require.NoError(t, p.Update(ctx, func(tx *itsm.Tx[Ticket]) error { _, err := tx.Get(a.ID); return err }))
	require.NoError(t, p.Update(ctx, func(*itsm.Tx[Ticket]) error { return nil }))
	require.Len(t, events(t, p, a.ID), count)
}

// What Get and Do hand out inside an Update is the caller's.
func TestUpdateDoesNotAlias(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	r := file(t, p, "x")
	do(t, p, r.ID, Tag{Tags: []string{"a", "b"}})
	require.NoError(t, p.Update(as(t, "jin"), func(tx *itsm.Tx[Ticket]) error {
		got, err := tx.Get(r.ID)
		require.NoError(t, err)
		got.Tags[0], got.Title = "spoiled", "spoiled"
		got, err = tx.Do(r.ID, Tag{Tags: []string{"c"}})
		require.NoError(t, err)
		got.Tags[1] = "spoiled"
		return err
	}))
	stored, err := p.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, stored.Tags)
	require.Equal(t, "x", stored.Title)
}

func TestListAllFeed(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	ctx := as(t, "jin")
	var ids []itsm.ID
	for i := range 7 {
		r := file(t, p, fmt.Sprint(i))
		ids = append(ids, r.ID)
		if i%2 == 0 {
			do(t, p, r.ID, Own{Owner: "mia"})
		}
		if i%3 == 0 {
			do(t, p, r.ID, Drop{})
		}
	}
	list := func(q itsm.Query) (found []itsm.ID) {
		for r, err := range p.All(ctx, q) {
			require.NoError(t, err)
			found = append(found, r.ID)
		}
		return found
	}
	require.Equal(t, ids, list(itsm.Query{Limit: 2}), "page by page")
	require.Equal(t, ids, list(itsm.Query{}))
	mias := []itsm.Key{{Field: "owner", Value: "mia"}}
	require.Equal(t, []itsm.ID{ids[0], ids[2], ids[4], ids[6]}, list(itsm.Query{Where: mias, Limit: 1}))
	require.Equal(t, []itsm.ID{ids[2], ids[4]}, list(itsm.Query{Where: mias, States: []itsm.State{stateOpen}, Limit: 1}))
	page, err := p.List(ctx, itsm.Query{Limit: 3})
	require.NoError(t, err)
	require.Len(t, page.Records, 3)
	require.Equal(t, ids[3:], list(itsm.Query{After: page.Next}))
	for range p.All(ctx, itsm.Query{}) {
		break
	}
	for _, err := range p.All(ctx, itsm.Query{After: "nonsense"}) {
		require.ErrorIs(t, err, itsm.ErrInvalid)
	}

	var cursors []itsm.Cursor
	var heard []itsm.Event
	for d, err := range p.Feed(ctx, "") {
		require.NoError(t, err)
		cursors, heard = append(cursors, d.Cursor), append(heard, d.Event)
	}
	require.Len(t, heard, 7+4+3)
	for d, err := range p.Feed(ctx, cursors[4]) {
		require.NoError(t, err)
		require.Equal(t, heard[5], d.Event)
		break
	}

	poor := newToy(t, bare{memory.New[Ticket]()}, itsm.Config{})
	_, err = poor.List(ctx, itsm.Query{})
	require.ErrorIs(t, err, itsm.ErrUnsupported)
	n := 0
	for _, err := range poor.All(ctx, itsm.Query{}) {
		require.ErrorIs(t, err, itsm.ErrUnsupported)
		n++
	}
	for _, err := range poor.Feed(ctx, "") {
		require.ErrorIs(t, err, itsm.ErrUnsupported)
		n++
	}
	require.Equal(t, 2, n)
	_, _, err = poor.RunDue(ctx)
	require.ErrorIs(t, err, itsm.ErrUnsupported)
	require.ErrorIs(t, itsm.NewRunner(itsm.RunnerConfig{}, poor).Run(ctx), itsm.ErrUnsupported)
}

// N goroutines, M increments each, one record: as many events as increments, in
// versions without a gap, and none lost.
func TestConflictsAreDecidedAgain(t *testing.T) {
	const writers, times = 16, 25
	p := newToy(t, memory.New[Ticket](), itsm.Config{Attempts: 10_000})
	r := file(t, p, "x")
	ctx := as(t, "jin")
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range times {
				if _, err := p.Do(ctx, r.ID, Add{N: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := p.Get(ctx, r.ID)
	require.NoError(t, err)
	require.Equal(t, writers*times, got.Points)
	require.Equal(t, itsm.Version(writers*times+1), got.Version)
	history := events(t, p, r.ID)
	require.Len(t, history, writers*times+1)
	for i, e := range history {
		require.Equal(t, itsm.Version(i+1), e.Version)
	}
}

// Transfers between records that everybody wants: the sum stays what it is.
func TestConcurrentUpdatesOfSeveralRecords(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Attempts: 10_000})
	ctx := as(t, "jin")
	var ids []itsm.ID
	for range 4 {
		ids = append(ids, file(t, p, "x").ID)
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 20 {
				from, to := ids[(w+i)%4], ids[(w+i+1+i%3)%4]
				if err := p.Update(ctx, func(tx *itsm.Tx[Ticket]) error {
					if _, err := tx.Do(from, Add{N: -1}); err != nil {
						return err
					}
					_, err := tx.Do(to, Add{N: 1})
					return err
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	sum, n := 0, 0
	for _, id := range ids {
		r, err := p.Get(ctx, id)
		require.NoError(t, err)
		sum += r.Points
		n += len(events(t, p, id)) - 1
	}
	require.Zero(t, sum)
	require.Equal(t, 8*20*2, n)
}

func TestConflictIsGivenUp(t *testing.T) {
	commits, decisions := 0, 0
	store := &hooked{Store: memory.New[Ticket]()}
	p := newToy(t, store, itsm.Config{Attempts: 4})
	r := file(t, p, "x")
	store.before = func(call string) error {
		if call == "commit" {
			commits++
			return fmt.Errorf("too late: %w", itsm.ErrConflict)
		}
		return nil
	}
	_, err := p.Do(as(t, "jin"), r.ID, Add{N: 1})
	require.ErrorIs(t, err, itsm.ErrConflict)
	require.Equal(t, 4, commits)
	require.ErrorIs(t, p.Update(as(t, "jin"), func(tx *itsm.Tx[Ticket]) error {
		decisions++
		_, err := tx.Do(r.ID, Add{N: 1})
		return err
	}), itsm.ErrConflict)
	require.Equal(t, 4, decisions)
	require.Len(t, events(t, p, r.ID), 1)

	// 0 means 20.
	commits = 0
	p = newToy(t, store, itsm.Config{})
	_, err = p.Do(as(t, "jin"), r.ID, Add{N: 1})
	require.ErrorIs(t, err, itsm.ErrConflict)
	require.Equal(t, 20, commits)
}

// A decision that conflicted is made again from what is there now.
func TestConflictReloads(t *testing.T) {
	store := &hooked{Store: memory.New[Ticket]()}
	p := newToy(t, store, itsm.Config{})
	rival := newToy(t, store.Store, itsm.Config{})
	r := do(t, p, file(t, p, "x").ID, Score{Points: 1}, Own{})
	once := sync.OnceFunc(func() { do(t, rival, r.ID, Drop{}) })
	store.before = func(call string) error {
		if call == "commit" {
			once()
		}
		return nil
	}
	_, err := p.Do(as(t, "jin"), r.ID, Finish{Note: "x"})
	require.ErrorIs(t, err, itsm.ErrNotAllowed, "it is closed by now")
	require.Equal(t, []string{"file", "score", "own", "drop"}, actionsOf(events(t, p, r.ID)))
}

// The store says that it does not know, with and without having committed, in
// every order, with and without a rival in between: each action is in the
// history once.
func TestUnknownOutcome(t *testing.T) {
	const most = 4
	for n := 1; n <= most; n++ {
		for bits := range 1 << n {
			for _, rival := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d/%0*b/%v", n, n, bits, rival), func(t *testing.T) {
					store := &hooked{Store: memory.New[Ticket]()}
					p := newToy(t, store, itsm.Config{Attempts: most + 1})
					other := newToy(t, store.Store, itsm.Config{})
					a, b := file(t, p, "a"), file(t, p, "b")
					var answers []bool // does it commit before it does not know?
					unknown := fmt.Errorf("the line is dead: %w", itsm.ErrUnknown)
					store.before = func(call string) error {
						if call == "commit" && len(answers) > 0 && !answers[0] {
							answers = answers[1:]
							if rival {
								do(t, other, a.ID, Add{N: 100})
							}
							return unknown
						}
						return nil
					}
					store.after = func(call string, err error) error {
						if call == "commit" && len(answers) > 0 {
							answers = answers[1:]
							if rival {
								do(t, other, a.ID, Add{N: 100})
							}
							if err == nil {
								return unknown
							}
						}
						return err
					}
					script := func() {
						for i := range n {
							answers = append(answers, bits>>i&1 == 1)
						}
					}
					script()
					_, err := p.Do(as(t, "jin"), a.ID, Add{N: 1})
					require.NoError(t, err)
					script()
					require.NoError(t, p.Update(as(t, "jin"), func(tx *itsm.Tx[Ticket]) error {
						if _, err := tx.Do(a.ID, Add{N: 10}); err != nil {
							return err
						}
						_, err := tx.Do(b.ID, Add{N: 1})
						return err
					}))
					script()
					c, err := p.Create(as(t, "jin"), File{Title: "c", Parent: b.ID})
					require.NoError(t, err)
					answers = nil

					ra, err := p.Get(t.Context(), a.ID)
					require.NoError(t, err)
					require.Equal(t, 11, ra.Points%100)
					once, ten := 0, 0
					for _, e := range events(t, p, a.ID) {
						switch string(e.Data) {
						case `{"n":1}`:
							once++
						case `{"n":10}`:
							ten++
						}
					}
					require.Equal(t, []int{1, 1}, []int{once, ten})
					require.Equal(t, []string{"file", "add", "gain"}, actionsOf(events(t, p, b.ID)))
					require.Equal(t, []string{"file"}, actionsOf(events(t, p, c.ID)))
					all := 0
					for _, err := range p.All(t.Context(), itsm.Query{}) {
						require.NoError(t, err)
						all++
					}
					require.Equal(t, 3, all, "nothing was created twice")
				})
			}
		}
	}
}

func TestUnknownOutcomeIsGivenUp(t *testing.T) {
	for _, commits := range []bool{false, true} {
		store := &hooked{Store: memory.New[Ticket]()}
		told, sent := 0, 0
		p := newToy(t, store, itsm.Config{Attempts: 3, Notify: func(context.Context, []itsm.Event) { told++ }})
		r := file(t, p, "x")
		told = 0
		store.after = func(call string, err error) error {
			if call == "commit" {
				sent++
				return itsm.ErrUnknown
			}
			return err
		}
		if !commits {
			store.before = func(call string) error {
				if call == "commit" {
					sent++
					return itsm.ErrUnknown
				}
				return nil
			}
		}
		_, err := p.Do(as(t, "jin"), r.ID, Add{N: 1})
		require.ErrorIs(t, err, itsm.ErrUnknown)
		require.Equal(t, 3, sent)
		require.Zero(t, told)
		store.before, store.after = nil, nil
		want := 0
		if commits {
			want = 1
		}
		require.Equal(t, want, count(t, p, r.ID, "add"))
	}
}

// What fails when it is sent again may have been done before: that the store is
// gone now does not make it known.
func TestUnknownOutcomeStaysUnknown(t *testing.T) {
	for _, back := range []bool{false, true} { // the store comes back in time
		store := &hooked{Store: memory.New[Ticket]()}
		p := newToy(t, store, itsm.Config{Attempts: 3})
		r := file(t, p, "x")
		gone := errors.New("nobody answers")
		sent := 0
		store.before = func(call string) error {
			if call == "commit" {
				if sent++; sent == 2 || sent == 3 && !back {
					return gone
				}
			}
			return nil
		}
		store.after = func(call string, err error) error {
			if call == "commit" && sent == 1 {
				return itsm.ErrUnknown
			}
			return err
		}
		_, err := p.Do(as(t, "jin"), r.ID, Add{N: 1})
		require.Equal(t, 3, sent)
		if back {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, itsm.ErrUnknown)
			require.ErrorIs(t, err, gone)
		}
		store.before, store.after = nil, nil
		require.Equal(t, 1, count(t, p, r.ID, "add"))
	}
}

// one takes a single revision at a time.
type one struct{ *memory.Store[Ticket] }

func (s one) Commit(ctx context.Context, revs ...itsm.Revision[Ticket]) error {
	if len(revs) > 1 {
		return itsm.ErrSingleRevision
	}
	return s.Store.Commit(ctx, revs...)
}

func TestSingleRevision(t *testing.T) {
	p := newToy(t, one{memory.New[Ticket]()}, itsm.Config{Now: newClock().Now})
	a, b := file(t, p, "a"), file(t, p, "b")
	ctx := as(t, "jin")
	both := func(tx *itsm.Tx[Ticket]) error {
		_, err := tx.Get(a.ID)
		require.NoError(t, err)
		_, err = tx.Do(b.ID, Add{N: 1})
		return err
	}
	require.NoError(t, p.Update(ctx, both), "one is changed and one is read")
	require.ErrorIs(t, p.Update(ctx, func(tx *itsm.Tx[Ticket]) error {
		_, err := tx.Do(a.ID, Add{N: 1})
		require.NoError(t, err)
		return both(tx)
	}), itsm.ErrSingleRevision)
	_, err := p.Create(ctx, File{Title: "kid", Parent: a.ID})
	require.ErrorIs(t, err, itsm.ErrSingleRevision)
	require.Len(t, events(t, p, a.ID), 1)
	r := do(t, p, a.ID, Wait{Until: monday.Add(time.Hour)}, Reply{Text: "x"})
	require.Equal(t, itsm.Version(4), r.Version, "several events on one record are one revision")
}

func TestOver(t *testing.T) {
	told := 0
	cfg := itsm.Config{Now: newClock().Now, Notify: func(context.Context, []itsm.Event) { told++ }}
	here, there := memory.New[Ticket](), memory.New[Ticket]()
	p := newToy(t, here, cfg)
	over := p.Over(there)
	r := file(t, over, "x")
	require.Equal(t, monday, r.Created, "the same configuration")
	require.Equal(t, 10, r.Rank, "and definition")
	require.Equal(t, 1, told)
	_, err := p.Get(t.Context(), r.ID)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	_, err = there.Load(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, "ticket", over.Name())
	_, err = over.Do(as(t, "jin"), r.ID, Finish{})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
}

func TestNotify(t *testing.T) {
	var told [][]itsm.Event
	var p *itsm.Practice[Ticket]
	store := &hooked{Store: memory.New[Ticket]()}
	p = newToy(t, store, itsm.Config{Now: newClock().Now, Notify: func(ctx context.Context, all []itsm.Event) {
		for _, e := range all {
			history := events(t, p, e.Record)
			require.Equal(t, e, history[e.Version-1], "it has happened")
		}
		told = append(told, all)
	}})
	parent := file(t, p, "parent")
	kid, err := p.Create(as(t, "jin"), File{Title: "kid", Parent: parent.ID})
	require.NoError(t, err)
	do(t, p, kid.ID, Wait{Until: monday.Add(time.Hour)})
	do(t, p, kid.ID, Reply{})
	_, err = p.Do(as(t, "jin"), kid.ID, Finish{})
	require.Error(t, err)
	store.before = func(string) error { return errors.New("down") }
	_, err = p.Do(as(t, "jin"), kid.ID, Add{})
	require.EqualError(t, err, "down")
	store.before = nil

	var all []itsm.Event
	for _, batch := range told {
		all = append(all, batch...)
	}
	require.Len(t, told, 4, "a commit each; nothing for what was refused or failed")
	require.ElementsMatch(t, []string{"file", "file", "gain", "wait", "track", "reply", "wake", "track"}, actionsOf(all))
	version := map[itsm.ID]itsm.Version{}
	for _, e := range all {
		version[e.Record]++
		require.Equal(t, version[e.Record], e.Version, "each record's in order")
	}
	var fed []itsm.Event
	for d, err := range p.Feed(t.Context(), "") {
		require.NoError(t, err)
		fed = append(fed, d.Event)
	}
	require.Equal(t, fed, all, "the same events as in the feed")
}

// Consequences say what led to them: the follow-up names the action that it
// follows, and what happens to the parent names the follow-up.
func TestCause(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{Now: newClock().Now})
	parent := file(t, p, "parent")
	kid, err := p.Create(as(t, "mia"), File{Title: "kid", Parent: parent.ID})
	require.NoError(t, err)
	do(t, p, kid.ID, Wait{Until: monday.Add(time.Hour)}, Reply{Text: "x"})
	k, q := events(t, p, kid.ID), events(t, p, parent.ID)
	require.Equal(t, []string{"file", "wait", "reply", "wake"}, actionsOf(k))
	require.Equal(t, []string{"file", "gain", "track", "track"}, actionsOf(q))
	require.Equal(t, []itsm.ID{"", "", "", k[2].ID}, []itsm.ID{k[0].Cause, k[1].Cause, k[2].Cause, k[3].Cause})
	require.Equal(t, []itsm.ID{"", k[0].ID, k[1].ID, k[3].ID}, []itsm.ID{q[0].Cause, q[1].Cause, q[2].Cause, q[3].Cause})
	require.Equal(t, itsm.Actor{ID: "mia"}, q[1].Actor, "by whoever did the first")

	// Two in one Update are not each other's consequence.
	require.NoError(t, p.Update(as(t, "jin"), func(tx *itsm.Tx[Ticket]) error {
		_, _ = tx.Do(kid.ID, Drop{})
		_, err := tx.Do(parent.ID, Add{})
		return err
	}))
	k, q = events(t, p, kid.ID), events(t, p, parent.ID)
	require.Empty(t, k[4].Cause)
	require.Equal(t, k[4].ID, q[4].Cause)
	require.Empty(t, q[5].Cause)

	// A whole family is closed with its parent.
	do(t, p, parent.ID, Score{Points: 1}, Own{})
	kid, err = p.Create(as(t, "jin"), File{Title: "second", Parent: parent.ID})
	require.NoError(t, err)
	do(t, p, kid.ID, Score{Points: 1}, Own{}, Finish{Note: "x"})
	got := do(t, p, parent.ID, Finish{Note: "x"}, Close{})
	k, q = events(t, p, kid.ID), events(t, p, parent.ID)
	last := q[len(q)-2:]
	require.Equal(t, []string{"close", "track"}, actionsOf(last))
	require.Equal(t, "close", k[len(k)-1].Action)
	require.Equal(t, last[0].ID, k[len(k)-1].Cause)
	require.Equal(t, k[len(k)-1].ID, last[1].Cause)
	require.Equal(t, []Kid{{got.Kids[0].ID, stateClosed}, {kid.ID, stateClosed}}, got.Kids, "and Do returns what it came to")
}

func TestChainsEnd(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	r := file(t, p, "x")
	got := do(t, p, r.ID, Chain{N: 32})
	require.Equal(t, itsm.Version(33), got.Version)
	_, err := p.Do(as(t, "jin"), r.ID, Chain{N: 33})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	require.Equal(t, []string{"more than 32 actions follow from one another"}, messages(err))
	require.Len(t, events(t, p, r.ID), 33)
}

// A context that ends before any call to the store ends the work there; nothing
// is written unless the commit was the step that it ended after.
func TestContextEnds(t *testing.T) {
	for _, when := range []string{"before", "after"} {
		for step := range 4 {
			t.Run(fmt.Sprint(when, step), func(t *testing.T) {
				store := &hooked{Store: memory.New[Ticket]()}
				p := newToy(t, store, itsm.Config{})
				parent := file(t, p, "parent")
				kid, err := p.Create(as(t, "jin"), File{Title: "kid", Parent: parent.ID})
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(as(t, "jin"))
				defer cancel()
				n, committed := 0, false
				if step == 0 {
					cancel()
				}
				store.before = func(call string) error {
					if n++; n == step && when == "before" {
						cancel()
					}
					return nil
				}
				store.after = func(call string, err error) error {
					committed = committed || call == "commit" && err == nil
					if n == step && when == "after" {
						cancel()
					}
					return err
				}
				got, err := p.Do(ctx, kid.ID, Drop{}) // load kid, load parent, commit
				if committed {
					require.NoError(t, err)
					require.Equal(t, stateClosed, got.State)
				} else {
					require.ErrorIs(t, err, context.Canceled)
					require.Zero(t, got)
				}
				require.Equal(t, step == 3 && when == "after", committed)
				want := 1
				if committed {
					want = 2
				}
				store.before, store.after = nil, nil
				require.Len(t, events(t, p, kid.ID), want)
				require.Len(t, events(t, p, parent.ID), want+1)
			})
		}
	}

	// While it waits to try again.
	for _, failure := range []error{itsm.ErrConflict, itsm.ErrUnknown} {
		store := &hooked{Store: memory.New[Ticket]()}
		p := newToy(t, store, itsm.Config{})
		r := file(t, p, "x")
		ctx, cancel := context.WithCancel(as(t, "jin"))
		store.before = func(call string) error {
			if call == "commit" {
				cancel()
				return failure
			}
			return nil
		}
		_, err := p.Do(ctx, r.ID, Add{N: 1})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, failure == itsm.ErrUnknown, errors.Is(err, itsm.ErrUnknown), "it says if it does not know")
		require.Len(t, events(t, p, r.ID), 1)
	}
}

// What is neither the input's nor the record's fault comes through as it is.
func TestStoreErrors(t *testing.T) {
	down := errors.New("down")
	for _, call := range []string{"load", "commit"} {
		store := &hooked{Store: memory.New[Ticket]()}
		p := newToy(t, store, itsm.Config{})
		r := file(t, p, "x")
		calls := 0
		store.before = func(c string) error {
			if c == call {
				calls++
				return down
			}
			return nil
		}
		_, err := p.Do(as(t, "jin"), r.ID, Add{N: 1})
		require.Equal(t, down, err, "unwrapped")
		require.Equal(t, 1, calls, "and is not tried again")
	}
	// One on the way, in what is prepared.
	store := &hooked{Store: memory.New[Ticket]()}
	p := newToy(t, store, itsm.Config{})
	r := file(t, p, "x")
	store.before = func(string) error { return down }
	_, err := p.Create(as(t, "jin"), File{Parent: r.ID})
	require.Equal(t, []error{down}, itsm.Findings(err), "although the title is missing too")
}

// What names the actor or the record goes into the history, which keeps text.
func TestNamesAreText(t *testing.T) {
	for _, actor := range []itsm.Actor{{ID: "a\x00"}, {ID: "\xff"}, {ID: "jin", Name: "\xff"}} {
		_, err := lamps(t).Create(itsm.WithActor(t.Context(), actor), install{})
		require.ErrorIs(t, err, itsm.ErrInvalid)
	}
	for _, id := range []itsm.ID{"", "a\x00", "\xff"} {
		p := lampsWith(t, itsm.Config{NewID: func(context.Context, string, time.Time) (itsm.ID, error) { return id, nil }})
		_, err := p.Create(itsm.As(t.Context(), "jin"), install{})
		require.ErrorIs(t, err, itsm.ErrInvalid, "%q", id)
	}
}
