package change_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/internal/race"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/sla"
)

// graph is a topology as two maps; it may have circles.
type graph struct{ up, down map[itsm.Ref][]itsm.Ref }

func (g graph) Parents(item itsm.Ref) []itsm.Ref  { return g.up[item] }
func (g graph) Children(item itsm.Ref) []itsm.Ref { return g.down[item] }

// depends says what depends on what.
func depends(pairs ...[2]itsm.Ref) graph {
	g := graph{map[itsm.Ref][]itsm.Ref{}, map[itsm.Ref][]itsm.Ref{}}
	for _, p := range pairs {
		g.up[p[1]] = append(g.up[p[1]], p[0])
		g.down[p[0]] = append(g.down[p[0]], p[1])
	}
	return g
}

func span(startHour, endHour float64) change.Span {
	at := func(h float64) time.Time { return morning.Add(time.Duration(h * float64(time.Hour))) }
	return change.Span{Start: at(startHour), End: at(endHour)}
}

func nightly(t testing.TB) []*sla.Hours {
	return []*sla.Hours{
		hours(t, sla.Calendar{Name: "nights", Version: 2, Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 22 * time.Hour, Close: 4 * time.Hour})}}),
		hours(t, sla.Calendar{Name: "nights", Version: 1, Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 20 * time.Hour, Close: 21 * time.Hour})}}),
		hours(t, sla.Calendar{Name: "mornings", Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: 8 * time.Hour, Close: 10 * time.Hour})}}),
	}
}

// Each of the seven kinds, each explained.
func TestEveryKindOfConflict(t *testing.T) {
	mail, web, db, disk := change.Service("mail"), change.Service("web"), change.CI("db"), change.CI("disk")
	rules := change.Rules{
		Windows: []change.MaintenanceWindow{
			{Name: "nights", Calendar: "nights", Items: []itsm.Ref{db, web}},
			{Name: "mornings", Calendar: "mornings", Items: []itsm.Ref{db, disk}},
			{Name: "any night", Calendar: "nights"},
		},
		Freezes: []change.Freeze{
			{Name: "year end", From: morning, Until: morning.Add(48 * time.Hour), Except: change.Exceptions{Types: []change.Type{change.Standard}, Changes: []itsm.ID{"chg-9"}, Models: []string{"pipeline"}}},
			{Name: "payroll", Calendar: "mornings", Items: []itsm.Ref{db, mail}, Absolute: true},
		},
	}
	c, err := change.NewConstraints(nightly(t), rules, depends([2]itsm.Ref{web, db}, [2]itsm.Ref{mail, web}, [2]itsm.Ref{db, disk}, [2]itsm.Ref{disk, mail}))
	require.NoError(t, err)
	schedule := []change.Planned{
		{ID: "chg-1", Span: span(10, 13), Items: []itsm.Ref{db, disk}},
		{ID: "chg-2", Span: span(12, 13), Items: []itsm.Ref{mail}},
		{ID: "chg-3", Span: span(13, 14), Items: []itsm.Ref{db}}, // begins when the other ends
	}
	p := change.Planned{ID: "chg-7", Type: change.Normal, Span: span(11, 13), Items: []itsm.Ref{db, db}}
	var all []string
	for _, one := range c.Conflicts(p, schedule) {
		all = append(all, string(one.Kind)+": "+one.String())
	}
	require.Equal(t, []string{
		"in_freeze: changes are frozen from 2026-03-02 08:00 to 2026-03-04 08:00 UTC (year end); no exception is provided for",
		"already_scheduled: ci:db is touched by chg-1 from 2026-03-02 18:00 to 2026-03-02 21:00 UTC",
		"parent_scheduled: ci:disk, which depends on ci:db, is touched by chg-1 from 2026-03-02 18:00 to 2026-03-02 21:00 UTC",
		"parent_scheduled: service:mail, which depends on ci:db, is touched by chg-2 from 2026-03-02 20:00 to 2026-03-02 21:00 UTC",
		"outside_window: 2026-03-02 19:00 to 2026-03-02 21:00 UTC is not within nights or mornings of ci:db",
		"parent_outside_window: 2026-03-02 19:00 to 2026-03-02 21:00 UTC is not within mornings of ci:disk, which depends on ci:db",
		"parent_outside_window: 2026-03-02 19:00 to 2026-03-02 21:00 UTC is not within nights of service:web, which depends on ci:db",
	}, all)

	// One step of dependency only: what depends on db and what db depends on.
	rules.Depth = 1
	near, err := change.NewConstraints(nightly(t), rules, depends([2]itsm.Ref{web, db}, [2]itsm.Ref{mail, web}, [2]itsm.Ref{db, disk}))
	require.NoError(t, err)
	kinds := func(c *change.Constraints, p change.Planned) (all []change.ConflictKind) {
		for _, one := range c.Conflicts(p, schedule) {
			all = append(all, one.Kind)
			require.NotEmpty(t, one.String())
		}
		return all
	}
	require.Equal(t, []change.ConflictKind{change.InFreeze, change.AlreadyScheduled, change.ChildScheduled,
		change.OutsideWindow, change.ParentOutsideWindow, change.ChildOutsideWindow}, kinds(near, p))

	// A freeze has exceptions; what recurs follows the clock on the wall of Berlin.
	p.ID, p.Items, p.Span = "chg-9", []itsm.Ref{mail}, span(23, 25.5) // 08:00 to 10:30 in Berlin
	require.Equal(t, []change.ConflictKind{change.InFreeze, change.OutsideWindow, change.ChildOutsideWindow}, kinds(near, p))
	require.Contains(t, near.Conflicts(p, nil)[0].String(), "service:mail is frozen from 2026-03-03 07:00 to 2026-03-03 09:00 UTC (payroll)")
	p.Model, p.ID = "pipeline@3", "chg-10"
	require.Len(t, kinds(near, p), 3)
	p.Type, p.Model, p.Items, p.Span = change.Emergency, "", nil, span(14, 15) // 23:00 in Berlin
	require.Equal(t, []change.ConflictKind{change.InFreeze}, kinds(near, p))
	require.False(t, near.Conflicts(p, nil)[0].Final, "an emergency may go through, with a reason")
	p.Type = change.Standard
	require.Empty(t, kinds(near, p))
	p.Span = span(10, 11)
	require.Equal(t, []change.ConflictKind{change.OutsideWindow}, kinds(near, p))
	require.Equal(t, "2026-03-02 18:00 to 2026-03-02 19:00 UTC is not within any night", near.Conflicts(p, nil)[0].String())
	require.Empty(t, (*change.Constraints)(nil).Conflicts(p, schedule))
	require.Len(t, change.ConflictKinds(), 7)
}

func TestRulesAreRefusedWithEveryFinding(t *testing.T) {
	_, err := change.ParseRules([]byte(`{"windows":[{"name":"","calendar":"","items":[{"kind":"ci","id":""}]}],
		"freezes":[{"name":"a","from":"2026-03-02T00:00:00Z"},{"name":"a","from":"2026-03-02T00:00:00Z","until":"2026-03-01T00:00:00Z","except":{"types":["minor"]}},
		{"name":"b","calendar":"x","ends":"never"}],"depth":-1}`))
	require.Equal(t, []string{"freezes[2].ends is not known", "windows[0].name must not be empty", "windows[0].calendar must not be empty",
		"windows[0].items[0].id must not be empty", "freezes[0].until must be set: a freeze without end bars everything for ever",
		`freezes[1].name "a" is there twice`, "freezes[1].until must be after from", `freezes[1].except.types[0] is unknown: "minor"`,
		"depth must not be negative"}, practicetest.Said(err))
	always := sla.AlwaysOpen()
	always.Name = "always"
	_, err = change.NewConstraints([]*sla.Hours{nil, hours(t, always)}, change.Rules{
		Windows: []change.MaintenanceWindow{{Name: "w", Calendar: "nowhere"}},
		Freezes: []change.Freeze{{Name: "f", Calendar: "always"}, {Name: "g", Calendar: "always", Until: morning}},
	}, nil)
	require.Equal(t, []string{"hours[0] must not be nil", `windows[0].calendar "nowhere" is not among the calendars`,
		`freezes[0].calendar "always" never closes: the freeze has no end`}, practicetest.Said(err))
	rules, err := change.ParseRules([]byte(`{"freezes":[{"name":"a","calendar":"nights@1"}],"depth":2}`))
	require.NoError(t, err)
	_, err = change.NewConstraints(nightly(t), rules, nil)
	require.NoError(t, err)
}

// randomSchedule makes changes of a small world, so that much collides.
func randomSchedule(r *rand.Rand, n, items int) []change.Planned {
	types := append(change.Types(), "")
	var all []change.Planned
	for i := range n {
		p := change.Planned{ID: itsm.ID(fmt.Sprintf("chg-%d", i)), Type: types[r.IntN(4)], Model: []string{"", "normal@1", "x@2"}[r.IntN(3)]}
		start := float64(r.IntN(400)) / 2
		p.Span = span(start, start+float64(1+r.IntN(12))/2)
		for range r.IntN(4) {
			p.Items = append(p.Items, randomItem(r, items))
		}
		all = append(all, p)
	}
	return all
}

func randomItem(r *rand.Rand, items int) itsm.Ref {
	n := fmt.Sprint(r.IntN(items))
	if r.IntN(2) == 0 {
		return change.Service(n)
	}
	return change.CI(n)
}

func randomConstraints(t testing.TB, r *rand.Rand, cals []*sla.Hours, items int) *change.Constraints {
	var pairs [][2]itsm.Ref
	for range r.IntN(2 * items) {
		pairs = append(pairs, [2]itsm.Ref{randomItem(r, items), randomItem(r, items)})
	}
	some := func() (all []itsm.Ref) {
		for range r.IntN(4) {
			all = append(all, randomItem(r, items))
		}
		return all
	}
	rules := change.Rules{Depth: r.IntN(4)}
	for i := range r.IntN(3) {
		rules.Windows = append(rules.Windows, change.MaintenanceWindow{Name: fmt.Sprint("w", i), Calendar: []string{"nights", "mornings"}[r.IntN(2)], Items: some()})
	}
	for i := range r.IntN(3) {
		f := change.Freeze{Name: fmt.Sprint("f", i), Items: some(), Absolute: r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			f.Calendar = "mornings"
		} else {
			s := span(float64(r.IntN(100)), 100+float64(r.IntN(30)))
			f.From, f.Until = s.Start, s.End
		}
		if r.IntN(2) == 0 {
			f.Except.Types = []change.Type{change.Standard}
		}
		rules.Freezes = append(rules.Freezes, f)
	}
	c, err := change.NewConstraints(cals, rules, depends(pairs...))
	require.NoError(t, err)
	return c
}

// The calendar finds exactly what the definition finds, whatever was put in, moved
// and taken out; and the next free time is the first of all starts, a minute apart,
// at which the definition finds nothing.
func TestCalendarEqualsTheDefinition(t *testing.T) {
	rounds := 300
	if testing.Short() || race.Detector {
		rounds = 40
	}
	cals := nightly(t)
	compared, conflicts, free := 0, 0, 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 4))
		items := 2 + r.IntN(12)
		var c *change.Constraints
		if seed%5 > 0 {
			c = randomConstraints(t, r, cals, items)
		}
		cal := change.NewCalendar(c)
		schedule := map[itsm.ID]change.Planned{}
		for range 3 {
			for _, p := range randomSchedule(r, 60, items) {
				if r.IntN(3) == 0 {
					cal.Remove(p.ID)
					delete(schedule, p.ID)
					continue
				}
				require.NoError(t, cal.Set(p))
				schedule[p.ID] = p
			}
			var all []change.Planned
			for _, p := range schedule {
				all = append(all, p)
			}
			require.Len(t, cal.Between(span(-1, 1000)), len(all))
			for _, p := range randomSchedule(r, 20, items) {
				want := c.Conflicts(p, all)
				got, err := cal.Conflicts(context.Background(), p)
				require.NoError(t, err)
				require.Equal(t, want, got)
				compared++
				conflicts += len(want)
			}
		}
		if seed%10 > 1 {
			continue
		}
		var all []change.Planned
		for _, p := range schedule {
			all = append(all, p)
		}
		for _, p := range randomSchedule(r, 4, items) {
			from, until := p.Start.Add(-17*time.Minute), p.Start.Add(30*time.Hour)
			got, ok := cal.NextFree(p, from, until)
			var want change.Span
			found := false
			for t := from; t.Before(until) && !found; t = t.Add(time.Minute) {
				q := p
				q.Span = change.Span{Start: t, End: t.Add(p.Length())}
				if len(c.Conflicts(q, all)) == 0 {
					want, found = q.Span, true
				}
			}
			require.Equal(t, found, ok)
			require.Equal(t, want, got)
			if found {
				free++
			}
		}
	}
	t.Logf("%d comparisons, %d conflicts, %d free times, 0 differences", compared, conflicts, free)
	require.Greater(t, conflicts, compared/2)
}

// One item with many changes: short and long ones, many that begin in one instant, in
// whatever order they come, move and go, from before 1970 to a time far ahead.
func TestCalendarOfABusyItem(t *testing.T) {
	rounds := 30
	if testing.Short() || race.Detector {
		rounds = 6
	}
	db := []itsm.Ref{change.CI("db")}
	compared, found := 0, 0
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 8))
		instant := func() time.Time {
			switch r.IntN(8) {
			case 0:
				return morning // many at once
			case 1:
				return time.UnixMicro(r.Int64N(1e17) - 4e16)
			case 2:
				return morning.Add(time.Duration(r.IntN(100)) * time.Microsecond)
			}
			return morning.Add(time.Duration(r.IntN(1_000_000)) * time.Second)
		}
		cal, schedule := change.NewCalendar(nil), map[itsm.ID]change.Planned{}
		for n := range 3000 {
			p := change.Planned{ID: itsm.ID(fmt.Sprint("chg-", r.IntN(1500))), Items: db, Span: change.Span{Start: instant().UTC()}}
			p.End = p.Start.Add(time.Duration(1+r.IntN(1<<(1+r.IntN(40)))) * time.Microsecond)
			switch {
			case n > 2900 || r.IntN(4) == 0: // it empties in the end
				cal.Remove(p.ID)
				delete(schedule, p.ID)
			default:
				require.NoError(t, cal.Set(p))
				schedule[p.ID] = p
			}
			if n%100 > 0 {
				continue
			}
			all := slices.Collect(maps.Values(schedule))
			for range 20 {
				p.ID, p.Start = "chg-x", instant().UTC()
				p.End = p.Start.Add(time.Duration(1+r.IntN(1<<(1+r.IntN(40)))) * time.Nanosecond)
				want := (*change.Constraints)(nil).Conflicts(p, all)
				got, err := cal.Conflicts(context.Background(), p)
				require.NoError(t, err)
				require.Equal(t, want, got)
				require.Len(t, cal.Between(p.Span), len(want))
				compared++
				found += len(want)
			}
		}
		for id := range schedule {
			cal.Remove(id)
		}
		got, _ := cal.Conflicts(context.Background(), change.Planned{Items: db, Span: change.Span{Start: time.UnixMicro(-1e17), End: time.UnixMicro(1e17)}})
		require.Empty(t, got)
	}
	t.Logf("%d comparisons, %d conflicts, 0 differences", compared, found)
	require.Greater(t, found, compared)
}

func TestCalendarRefuses(t *testing.T) {
	cal := change.NewCalendar(nil)
	require.Equal(t, []string{"id must not be empty", "end must be after start"}, practicetest.Said(cal.Set(change.Planned{Span: span(2, 1)})))
	_, ok := cal.Planned("x")
	require.False(t, ok)
	_, ok = cal.NextFree(change.Planned{}, morning, morning.Add(time.Hour))
	require.False(t, ok)
}

// fleet is a topology of many configuration items, ten of them to a service.
type fleet struct{ cis, services []itsm.Ref }

func newFleet(cis int) (f fleet) {
	for i := range cis {
		f.cis = append(f.cis, change.CI(strconv.Itoa(i)))
	}
	for i := range cis / 10 {
		f.services = append(f.services, change.Service(strconv.Itoa(i)))
	}
	return f
}

func (f fleet) Parents(item itsm.Ref) []itsm.Ref {
	i, err := strconv.Atoi(string(item.ID))
	if err != nil || item.Kind != "ci" {
		return nil
	}
	return f.services[i/10 : i/10+1]
}

func (f fleet) Children(item itsm.Ref) []itsm.Ref {
	i, err := strconv.Atoi(string(item.ID))
	if err != nil || item.Kind != "service" {
		return nil
	}
	return f.cis[10*i : 10*i+10]
}

// big makes a schedule of n changes over so many days on so many configuration items.
func big(tb testing.TB, n, cis, days int) (*change.Calendar, func(i int) change.Planned) {
	c, err := change.NewConstraints(nightly(tb), change.Rules{
		Freezes: []change.Freeze{{Name: "payroll", Calendar: "mornings", Items: []itsm.Ref{change.Service("1")}}},
	}, newFleet(cis))
	require.NoError(tb, err)
	make := func(i int) change.Planned {
		r := rand.New(rand.NewPCG(uint64(i), 9))
		start := morning.Add(time.Duration(r.IntN(days*24*60)) * time.Minute)
		p := change.Planned{ID: itsm.ID(fmt.Sprint("chg-", i)), Span: change.Span{Start: start, End: start.Add(time.Duration(30+r.IntN(240)) * time.Minute)}}
		for range 1 + r.IntN(2) {
			p.Items = append(p.Items, change.CI(fmt.Sprint(r.IntN(cis))))
		}
		if r.IntN(10) == 0 {
			p.Items = append(p.Items, change.Service(fmt.Sprint(r.IntN(cis/10))))
		}
		return p
	}
	cal := change.NewCalendar(c)
	for i := range n {
		require.NoError(tb, cal.Set(make(i)))
	}
	return cal, make
}

// BenchmarkConflicts asks about one candidate among 100,000 changes on 10,000 items,
// and then among ten times as many: once on as many more items, and once on the
// same items in ten times the time.
func BenchmarkConflicts(b *testing.B) {
	run := func(name string, n, cis, days int) {
		b.Run(name, func(b *testing.B) {
			cal, candidate := big(b, n, cis, days)
			candidates := make([]change.Planned, 1024)
			for i := range candidates {
				candidates[i] = candidate(n + i)
			}
			runtime.GC() // of what the schedule was made with
			b.ReportAllocs()
			k := 0
			for i := 0; b.Loop(); i++ {
				all, _ := cal.Conflicts(context.Background(), candidates[i%len(candidates)])
				k += len(all)
			}
			b.ReportMetric(float64(k)/float64(b.N), "conflicts/op")
		})
	}
	run("100k changes on 10k items in a year", 100_000, 10_000, 365)
	run("1M changes on 100k items in a year", 1_000_000, 100_000, 365)
	run("1M changes on 10k items in ten years", 1_000_000, 10_000, 3650)
	run("1M changes on 10k items in a year", 1_000_000, 10_000, 365)
}

// What a question costs grows with the logarithm of the changes of one item, and not
// with the schedule: counted in what is looked at, which no other load of the machine
// changes.
func TestAQuestionCostsALogarithm(t *testing.T) {
	cost := func(n, cis, days int) float64 {
		cal, candidate := big(t, n, cis, days)
		looked := 0
		for i := range 2000 {
			stretches, entries := cal.Looked(candidate(n + i))
			looked += stretches + entries
		}
		return float64(looked) / 2000
	}
	n, cis := 10_000, 1_000
	if testing.Short() || race.Detector {
		n, cis = 2_000, 200
	}
	small := cost(n, cis, 365)
	items, time, density := cost(10*n, 10*cis, 365), cost(10*n, cis, 3650), cost(10*n, cis, 365)
	t.Logf("looked at for a question: %.1f; ten times the changes on ten times the items %.1f, in ten times the time %.1f, ten times as dense %.1f", small, items, time, density)
	require.Less(t, items, 1.2*small)
	require.Less(t, time, 2*small)
	require.Less(t, density, 2*small)
}

// What is found costs a little each, wherever it is: here every hundredth of 100,000
// changes of one item is still going on long after it began.
func TestWhatIsFoundCostsTheSameEverywhere(t *testing.T) {
	db := []itsm.Ref{change.CI("db")}
	cal := change.NewCalendar(nil)
	const n = 100_000
	for i := range n {
		start := morning.Add(time.Duration(i) * time.Hour)
		p := change.Planned{ID: itsm.ID(fmt.Sprint("chg-", i)), Items: db, Span: change.Span{Start: start, End: start.Add(30 * time.Minute)}}
		if i%100 == 0 {
			p.End = start.Add(2 * n * time.Hour)
		}
		require.NoError(t, cal.Set(p))
	}
	for _, at := range []int{10, n / 7, n / 3, n / 2, n - 10, n + 10} {
		p := change.Planned{Items: db, Span: change.Span{Start: morning.Add(time.Duration(at)*time.Hour + 45*time.Minute)}}
		p.End = p.Start.Add(10 * time.Minute)
		found, err := cal.Conflicts(context.Background(), p)
		require.NoError(t, err)
		require.Len(t, found, (min(at, n-1)+100)/100)
		stretches, entries := cal.Looked(p)
		t.Logf("hour %d: found %d, looked at %d entries in %d stretches", at, len(found), entries, stretches)
		require.LessOrEqual(t, entries+stretches, 4*len(found)+150)
	}
}
