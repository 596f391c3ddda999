package valuechain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// feeder tells a run or a log what happens, with versions as a store would.
type feeder struct {
	add      func(itsm.Event)
	versions map[itsm.Ref]itsm.Version
	states   map[itsm.Ref]itsm.State
	n        int
	last     itsm.Event
}

func newFeeder(add func(itsm.Event)) *feeder {
	return &feeder{add: add, versions: map[itsm.Ref]itsm.Version{}, states: map[itsm.Ref]itsm.State{}}
}

// do tells an action of a record, "incident:i1", that leads to a state or stays.
func (f *feeder) do(minute int, record, action string, to itsm.State, data any) {
	ref := parseRef(record)
	f.n++
	f.versions[ref]++
	e := itsm.Event{
		ID: itsm.ID(fmt.Sprint("e", f.n)), Practice: ref.Kind, Record: ref.ID, Version: f.versions[ref], Action: action,
		From: f.states[ref], To: to, At: at(minute), Actor: itsm.Actor{ID: "ann"}, Data: json.RawMessage(`{}`),
	}
	if to == "" {
		e.To = e.From
	}
	if data != nil {
		e.Data, _ = json.Marshal(data)
	}
	f.states[ref] = e.To
	f.last = e
	f.add(e)
}

func (f *feeder) link(minute int, record, rel, to string) {
	f.do(minute, record, "link", "", itsm.Link{Rel: rel, To: parseRef(to)})
}

func parseRef(text string) itsm.Ref {
	for i := range text {
		if text[i] == ':' {
			return itsm.Ref{Kind: text[:i], ID: itsm.ID(text[i+1:])}
		}
	}
	return itsm.Ref{}
}

func newRun(t testing.TB, s valuechain.Stream, opts valuechain.Options) *valuechain.Run {
	t.Helper()
	r, err := valuechain.NewRun(s, opts)
	require.NoError(t, err)
	return r
}

// story tells the visits of an item in one line each.
func story(it valuechain.Item) []string {
	var out []string
	for _, v := range it.Visits {
		minute := func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return fmt.Sprint(int(t.Sub(day) / time.Minute))
		}
		line := fmt.Sprintf("%s %s-%s", v.Step, minute(v.Available), minute(v.Ended))
		for _, w := range v.Worked {
			line += fmt.Sprintf(" [%s-%s]", minute(w.From), minute(w.To))
		}
		for _, flag := range []struct {
			on   bool
			name string
		}{{v.Unplanned, "unplanned"}, {v.Abandoned, "abandoned"}, {v.Returned, "returned"}} {
			if flag.on {
				line += " " + flag.name
			}
		}
		out = append(out, line)
	}
	return out
}

// The classic restoration, in four ways: solved at first hand, by specialists with a
// fix that had to be taken back, cancelled, and reopened.
func TestARunOfTheRestoration(t *testing.T) {
	r := newRun(t, valuechain.RestorationStream(), valuechain.Options{})
	f := newFeeder(r.Add)

	f.do(0, "incident:i1", "report", "new", nil)
	f.do(10, "incident:i1", "start", "in_progress", nil)
	f.do(20, "incident:i1", "hold", "on_hold", nil)
	f.do(50, "incident:i1", "resume", "in_progress", nil)
	f.do(60, "incident:i1", "resolve", "resolved", nil)
	f.do(100, "incident:i1", "close", "closed", nil)

	f.do(5, "incident:i2", "report", "new", nil)
	f.do(15, "incident:i2", "start", "in_progress", nil)
	f.link(16, "incident:i2", "caused_by", "problem:p1")
	f.do(17, "problem:p1", "open", "new", nil)
	f.do(20, "problem:p1", "investigate", "investigating", nil)
	f.do(21, "incident:i2", "hold", "on_hold", nil)
	f.do(40, "problem:p1", "start_fix", "fix_in_progress", nil)
	f.link(41, "change:c1", "solves", "problem:p1")
	f.do(60, "change:c1", "start", "implement", nil)
	f.do(70, "change:c1", "complete_back_out", "review", nil) // the fix had to be taken back
	f.do(80, "problem:p1", "investigate", "investigating", nil)
	f.do(90, "problem:p1", "start_fix", "fix_in_progress", nil)
	f.link(91, "change:c2", "solves", "problem:p1")
	f.do(100, "change:c2", "start", "implement", nil)
	f.do(110, "change:c2", "complete", "review", nil)
	f.do(120, "incident:i2", "resume", "in_progress", nil)
	f.do(130, "incident:i2", "resolve", "resolved", nil)

	f.do(30, "incident:i3", "report", "new", nil)
	f.do(35, "incident:i3", "cancel", "cancelled", nil)
	f.do(36, "incident:i3", "note", "", nil)

	f.do(140, "incident:i1", "reopen", "in_progress", nil)
	f.do(150, "incident:i1", "resolve", "resolved", nil)

	items := slices.Collect(r.Items())
	require.Len(t, items, 3)
	require.Equal(t, []string{
		"register 0-0", "investigate 0-60 [10-20] [50-60] returned", "feedback 60-100", "learn 100-",
		"investigate 140-150 [140-150]", "feedback 150-",
	}, story(items[0]))
	require.Equal(t, at(150), items[0].Delivered)
	require.True(t, items[0].Rejected)
	require.Equal(t, []string{
		"register 5-5", "investigate 5-20 [15-20]", "fix 20-40 [20-40] returned", "deploy 40-70 [60-70]", "fix 70-90 [80-90]",
		"deploy 90-110 [100-110]", "verify 110-130 [120-130]", "feedback 130-",
	}, story(items[1]))
	require.Equal(t, at(130), items[1].Delivered)
	require.Equal(t, []string{"register 30-30", "investigate 30-35 abandoned"}, story(items[2]))
	require.Equal(t, at(35), items[2].Abandoned)
	require.Zero(t, items[2].Delivered)
	require.Equal(t, itsm.Ref{Kind: "incident", ID: "i3"}, items[2].Origin)

	require.Equal(t, items[1:2], r.ItemsOf(itsm.Ref{Kind: "change", ID: "c2"}))
	require.Empty(t, r.ItemsOf(itsm.Ref{Kind: "change", ID: "c9"}))
	require.Equal(t, "restoration", r.Stream().Name)
	for range r.Items() {
		break
	}

	rep := r.Report(day, at(200))
	require.Equal(t, 3, rep.Whole.Arrived)
	require.Equal(t, 2, rep.Whole.Finished)
	require.Equal(t, 1, rep.Whole.Abandoned)
	require.Equal(t, valuechain.Share{Good: 1, Of: 2}, rep.Whole.Usable)
	require.Equal(t, valuechain.Share{Good: 1, Of: 2}, rep.Steps[2].Usable)
	// Deploy finished twice, but handed over something to use once.
	require.Equal(t, 2, rep.Steps[3].Finished)
	require.Equal(t, valuechain.Share{Good: 1, Of: 1}, rep.Steps[3].Usable)
}

// What one event does, in the order of the rules.
func TestWhatAnEventDoes(t *testing.T) {
	restoration := valuechain.RestorationStream()
	for name, tt := range map[string]struct {
		tell func(f *feeder)
		want []string
	}{
		"resolved at once": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.do(3, "incident:i1", "resolve", "resolved", nil)
		}, []string{"register 0-0", "investigate 0-3", "feedback 3-"}},
		"resolved while specialists are at it": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.link(1, "incident:i1", "caused_by", "problem:p1")
			f.do(2, "problem:p1", "investigate", "investigating", nil)
			f.do(9, "incident:i1", "resolve", "resolved", nil)
		}, []string{"register 0-0", "investigate 0-2", "fix 2- [2-]", "verify 9-9 unplanned", "feedback 9-"}},
		"started where it is not": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.link(1, "incident:i1", "caused_by", "problem:p1")
			f.do(2, "problem:p1", "investigate", "investigating", nil)
			f.do(5, "incident:i1", "start", "in_progress", nil)
		}, []string{"register 0-0", "investigate 0-2", "fix 2- [2-]", "investigate 5- [5-] unplanned"}},
		"a clock that goes back": {func(f *feeder) {
			f.do(10, "incident:i1", "report", "new", nil)
			f.do(4, "incident:i1", "start", "in_progress", nil)
			f.do(12, "incident:i1", "resolve", "resolved", nil)
		}, []string{"register 10-10", "investigate 10-12 [10-12]", "feedback 12-"}},
		"told twice": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.add(f.last)
			f.do(3, "incident:i1", "resolve", "resolved", nil)
			f.add(f.last)
		}, []string{"register 0-0", "investigate 0-3", "feedback 3-"}},
		"cancelled, and its problem goes on without it": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.link(1, "incident:i1", "caused_by", "problem:p1")
			f.do(2, "incident:i1", "cancel", "cancelled", nil)
			f.do(3, "problem:p1", "investigate", "investigating", nil)
		}, []string{"register 0-0", "investigate 0-2 abandoned"}},
		"cancelled, and taken up again": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.do(2, "incident:i1", "cancel", "cancelled", nil)
			f.do(5, "incident:i1", "reopen", "in_progress", nil)
		}, []string{"register 0-0", "investigate 0-2 abandoned", "investigate 5- [5-]"}},
		"taken up again without having been delivered": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.link(1, "incident:i1", "caused_by", "problem:p1")
			f.do(2, "problem:p1", "investigate", "investigating", nil)
			f.do(5, "incident:i1", "reject_resolution", "assigned", nil)
		}, []string{"register 0-0", "investigate 0-2", "fix 2- [2-]", "investigate 5- unplanned"}},
		"a fix that did not help": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.link(1, "incident:i1", "caused_by", "problem:p1")
			f.do(2, "problem:p1", "investigate", "investigating", nil)
			f.do(3, "problem:p1", "start_fix", "fix_in_progress", nil)
			f.link(3, "change:c1", "solves", "incident:i1")
			f.do(4, "change:c1", "start", "implement", nil)
			f.do(5, "change:c1", "complete", "review", nil)
			f.do(7, "incident:i1", "escalate_functional", "assigned", nil)
		}, []string{"register 0-0", "investigate 0-2 returned", "fix 2-3 [2-3]", "deploy 3-5 [4-5]", "verify 5-7", "investigate 7-"}},
		"linked before the incident knew": {func(f *feeder) {
			f.link(0, "change:c1", "solves", "problem:p1")
			f.do(1, "incident:i1", "report", "new", nil)
			f.link(2, "incident:i1", "caused_by", "problem:p1")
			f.link(2, "incident:i1", "caused_by", "problem:p1") // says nothing new
			f.do(3, "change:c1", "start", "implement", nil)
		}, []string{"register 1-1", "investigate 1-", "deploy 3- [3-] unplanned"}},
		"linked with what does not matter": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.link(1, "incident:i1", "parent", "problem:p1")
			f.do(2, "incident:i1", "link", "", "no link")
			f.do(3, "incident:i1", "link", "", itsm.Link{Rel: "caused_by"})
			f.do(4, "problem:p1", "investigate", "investigating", nil)
		}, []string{"register 0-0", "investigate 0-"}},
		"started twice, paused twice": {func(f *feeder) {
			f.do(0, "incident:i1", "report", "new", nil)
			f.do(1, "incident:i1", "start", "in_progress", nil)
			f.do(2, "incident:i1", "assign", "assigned", nil)
			f.do(3, "incident:i1", "hold", "on_hold", nil)
			f.do(4, "incident:i1", "resume", "in_progress", nil)
		}, []string{"register 0-0", "investigate 0- [1-2] [4-]"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t, restoration, valuechain.Options{})
			tt.tell(newFeeder(r.Add))
			items := slices.Collect(r.Items())
			require.Len(t, items, 1)
			require.Equal(t, tt.want, story(items[0]))
		})
	}
}

// One problem behind several incidents moves them all; an incident does not become
// part of another one.
func TestARecordOfSeveralPiecesOfWork(t *testing.T) {
	s := valuechain.RestorationStream()
	s.Joins = append(s.Joins, valuechain.Join{From: "incident", Rel: "part_of", To: "incident"})
	r := newRun(t, s, valuechain.Options{})
	f := newFeeder(r.Add)
	for i := range 3 {
		id := fmt.Sprint("incident:i", i)
		f.do(i, id, "report", "new", nil)
		f.link(i, id, "caused_by", "problem:p1")
		f.link(i, id, "part_of", "incident:i0")
	}
	f.do(10, "problem:p1", "investigate", "investigating", nil)
	f.do(20, "incident:i0", "start", "in_progress", nil)
	items := r.ItemsOf(itsm.Ref{Kind: "problem", ID: "p1"})
	require.Len(t, items, 3)
	for i, it := range items {
		want := []string{fmt.Sprintf("register %d-%d", i, i), fmt.Sprintf("investigate %d-10", i), "fix 10- [10-]"}
		if i == 0 {
			want = append(want, "investigate 20- [20-] unplanned")
		}
		require.Equal(t, want, story(it))
	}
}

func TestARunThatNothingBegins(t *testing.T) {
	s := line()
	s.Steps[0].Watch = s.Steps[0].Watch[:0]
	_, err := valuechain.NewRun(s, valuechain.Options{})
	require.Equal(t, []string{"steps watch for nothing with which the demand comes in"}, findings(err))
	// A run keeps what it was given.
	s = line()
	r := newRun(t, s, valuechain.Options{})
	s.Steps[0].Watch[0].Action = "other"
	newFeeder(r.Add).do(0, "p:1", "open", "new", nil)
	require.Len(t, slices.Collect(r.Items()), 1)
}

// The example of the textbooks: three hours of work in a lead time of forty.
func TestThreeHoursOfForty(t *testing.T) {
	s := line()
	s.Steps[0].Watch = append(s.Steps[0].Watch, valuechain.Watch{Practice: "p", Action: "queue", Does: valuechain.Arrive}, valuechain.Watch{Practice: "p", Action: "wait", Does: valuechain.Pause})
	r := newRun(t, s, valuechain.Options{})
	f := newFeeder(r.Add)
	f.do(0, "p:1", "queue", "new", nil)
	f.do(10*60, "p:1", "open", "", nil)
	f.do(12*60, "p:1", "wait", "", nil)
	f.do(39*60, "p:1", "open", "", nil)
	f.do(40*60, "p:1", "done", "", nil)
	rep := r.Report(day, at(80*60))
	for _, flow := range []valuechain.Flow{rep.Whole, rep.Steps[0].Flow} {
		efficiency, ok := flow.Efficiency()
		require.True(t, ok)
		require.InEpsilon(t, 0.075, efficiency, 1e-12)
		require.Equal(t, 40*time.Hour, flow.Lead.Mean)
		require.Equal(t, 3*time.Hour, flow.Process.Median)
		require.Equal(t, 37*time.Hour, flow.Wait.Most)
		require.InEpsilon(t, 0.5, flow.WIP, 1e-12)
		require.InEpsilon(t, 37.0/80, flow.Queue, 1e-12)
	}
	require.Equal(t, "one", rep.Constraint.Step)
	require.Equal(t, `on average 0.46 wait in "one" on their way to value, which is 100 % of all that do; of 40:00 that a visit takes, nobody works on it for 37:00`, rep.Constraint.Reason)
}

// Ninety percent, eighty, ninety-five: rolled, 68.4.
func TestRolled(t *testing.T) {
	rep := valuechain.Report{Steps: []valuechain.StepFlow{
		{Flow: valuechain.Flow{Usable: valuechain.Share{Good: 90, Of: 100}}}, {Flow: valuechain.Flow{Usable: valuechain.Share{Good: 4, Of: 5}}}, {},
		{Flow: valuechain.Flow{Usable: valuechain.Share{Good: 19, Of: 20}}},
	}}
	rolled, ok := rep.Rolled()
	require.True(t, ok)
	require.InEpsilon(t, 0.684, rolled, 1e-12)
	_, ok = valuechain.Report{}.Rolled()
	require.False(t, ok)
}

// Four a day, six days each: by Little's law there are 24.
func TestLittle(t *testing.T) {
	r := newRun(t, line(), valuechain.Options{})
	f := newFeeder(r.Add)
	const day1, n = 24 * 60, 400
	type when struct{ minute, id, done int }
	var all []when
	for i := range n {
		all = append(all, when{i * day1 / 4, i, 0}, when{i*day1/4 + 6*day1, i, 1})
	}
	slices.SortStableFunc(all, func(a, b when) int { return a.minute - b.minute })
	for _, w := range all {
		f.do(w.minute, fmt.Sprint("p:", w.id), []string{"open", "done"}[w.done], "", nil)
	}
	rep := r.Report(at(20*day1), at(80*day1)) // where it is stable
	little, ok := rep.Whole.Little()
	require.True(t, ok)
	require.InEpsilon(t, 24, little, 1e-12)
	require.InEpsilon(t, 24, rep.Whole.WIP, 1e-12)
	perDay, ok := rep.Whole.Throughput(24 * time.Hour)
	require.True(t, ok)
	require.InEpsilon(t, 4, perDay, 1e-12)
	require.True(t, rep.Whole.Stable())
	require.Equal(t, 24, rep.Whole.Begin)
	require.Equal(t, 24, rep.Whole.End)

	early := r.Report(day, at(day1)) // where it fills up
	require.False(t, early.Whole.Stable())
	_, ok = early.Whole.Little()
	require.False(t, ok)
	none := r.Report(at(day1), at(day1))
	require.Zero(t, none.Whole.WIP)
	_, ok = none.Whole.Throughput(time.Hour)
	require.False(t, ok)
	_, ok = none.Whole.Little()
	require.False(t, ok)
	_, ok = none.Whole.Usable.Value()
	require.False(t, ok)
	_, ok = none.Whole.Efficiency()
	require.False(t, ok)
	require.False(t, none.Whole.Stable())
	require.Nil(t, none.Constraint)
}

// Service hours in place of real time.
func TestElapsed(t *testing.T) {
	hours := func(from, to time.Time) time.Duration { // 08:00 to 16:00, every day
		open := func(t time.Time) time.Duration {
			days := t.Sub(day) / (24 * time.Hour)
			return days*8*time.Hour + min(8*time.Hour, max(0, t.Sub(day)%(24*time.Hour)-8*time.Hour))
		}
		return open(to) - open(from)
	}
	r := newRun(t, line(), valuechain.Options{Elapsed: hours})
	f := newFeeder(r.Add)
	f.do(15*60, "p:1", "open", "", nil)
	f.do((24+9)*60, "p:1", "done", "", nil)
	rep := r.Report(day, at(48*60))
	require.Equal(t, 2*time.Hour, rep.Whole.Lead.Mean)
	require.Equal(t, 16*time.Hour, rep.Whole.Over)
	require.InEpsilon(t, 2.0/16, rep.Whole.WIP, 1e-12)
}

// What is said where the records do not tell when work began.
func TestEffort(t *testing.T) {
	s := line()
	s.Steps[0].Watch[0].Does = valuechain.Arrive
	tell := func(s valuechain.Stream) valuechain.Report {
		r := newRun(t, s, valuechain.Options{})
		f := newFeeder(r.Add)
		for i, lead := range []int{0, 10, 50} {
			id := fmt.Sprint("p:", i)
			f.do(100*i, id, "open", "", nil)
			f.do(100*i+lead, id, "done", "", nil)
		}
		return r.Report(day, at(1000))
	}
	unknown := tell(s)
	require.Equal(t, 3, unknown.Whole.Lead.N)
	require.Equal(t, 1, unknown.Whole.Process.N) // no time, no work
	_, ok := unknown.Whole.Efficiency()
	require.False(t, ok)
	s.Steps[0].Effort = 20 * time.Minute
	known := tell(s)
	require.Equal(t, 3, known.Whole.Process.N)
	require.Equal(t, 10*time.Minute, known.Steps[0].Process.Median) // not more than the lead time
	efficiency, ok := known.Whole.Efficiency()
	require.True(t, ok)
	require.InEpsilon(t, 0.5, efficiency, 1e-12)
}

func TestTheReportAsText(t *testing.T) {
	r := newRun(t, valuechain.RestorationStream(), valuechain.Options{})
	f := newFeeder(r.Add)
	f.do(0, "incident:i1", "report", "new", nil)
	f.do(30, "incident:i1", "start", "in_progress", nil)
	f.do(90, "incident:i1", "resolve", "resolved", nil)
	f.do(100, "incident:i2", "report", "new", nil)
	rep := r.Report(day, at(24*60))
	golden(t, "report.txt", rep.String())
	data, err := json.MarshalIndent(rep, "", "  ")
	require.NoError(t, err)
	golden(t, "report.json", string(data))
	empty := newRun(t, line(), valuechain.Options{}).Report(day, day)
	require.Contains(t, empty.String(), "rolled %C&A -\n")
}

// A feed is read from a cursor to its end, and an error says how far it was.
func TestReadFeed(t *testing.T) {
	var events []itsm.Event
	f := newFeeder(func(e itsm.Event) { events = append(events, e) })
	f.do(0, "p:1", "open", "", nil)
	f.do(5, "p:1", "done", "", nil)
	store := &tape{events: events}
	r := newRun(t, line(), valuechain.Options{})
	var b valuechain.LogBuilder
	cursor, err := valuechain.ReadFeed(t.Context(), store, "", r.Add, b.Add)
	require.NoError(t, err)
	require.Equal(t, itsm.Cursor("2"), cursor)
	require.Equal(t, 2, b.Log().Entries())
	require.Equal(t, []string{"one 0-5 [0-5]"}, story(slices.Collect(r.Items())[0]))
	cursor, err = valuechain.ReadFeed(t.Context(), store, cursor, r.Add)
	require.NoError(t, err)
	require.Equal(t, itsm.Cursor("2"), cursor)
	store.fails = errors.New("the line is dead")
	cursor, err = valuechain.ReadFeed(t.Context(), store, "1", r.Add)
	require.ErrorIs(t, err, store.fails)
	require.Equal(t, itsm.Cursor("2"), cursor)
}

// tape is a feed of given events.
type tape struct {
	events []itsm.Event
	fails  error
}

func (s *tape) Feed(_ context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return func(yield func(itsm.Delivery, error) bool) {
		for i, e := range s.events {
			if c := itsm.Cursor(fmt.Sprint(i + 1)); c > after && !yield(itsm.Delivery{Event: e, Cursor: c}, nil) {
				return
			}
		}
		if s.fails != nil {
			yield(itsm.Delivery{}, s.fails)
		}
	}
}
