package sla_test

import (
	"archive/zip"
	"go/build"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// An oracle says whether a calendar is open by asking, for each instant anew,
// what package time shows on the wall there, and by looking that up in the
// windows of that date and of the one before. It walks from instant to instant
// and never sees a transition: where an hour is not an hour on the wall, it goes
// second by second. It shares nothing with the code that it judges.
type oracle struct {
	c     sla.Calendar
	loc   *time.Location
	of    []*oracle
	dates map[sla.Date][]sla.Window
	years map[[2]int]yearOff
}

func newOracle(t testing.TB, c sla.Calendar) *oracle {
	o := &oracle{c: c, dates: map[sla.Date][]sla.Window{}, years: map[[2]int]yearOff{}}
	if c.Op == "" {
		var err error
		o.loc, err = time.LoadLocation(c.Zone)
		require.NoError(t, err)
	}
	for _, one := range c.Of {
		o.of = append(o.of, newOracle(t, one))
	}
	return o
}

var (
	yearOne     = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	yearTenThou = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
)

// wall returns what the wall shows, as if the wall were UTC.
func (o *oracle) wall(sec int64) int64 {
	t := time.Unix(sec, 0).In(o.loc)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC).Unix()
}

func (o *oracle) open(sec int64) bool {
	if sec < yearOne || sec >= yearTenThou {
		return false
	}
	switch o.c.Op {
	case sla.OpUnion:
		return slices.ContainsFunc(o.of, func(one *oracle) bool { return one.open(sec) })
	case sla.OpIntersection:
		return !slices.ContainsFunc(o.of, func(one *oracle) bool { return !one.open(sec) })
	case sla.OpDifference:
		return o.of[0].open(sec) && !slices.ContainsFunc(o.of[1:], func(one *oracle) bool { return one.open(sec) })
	}
	t := time.Unix(sec, 0).In(o.loc)
	since := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
	for _, w := range o.windows(t.Year(), t.Month(), t.Day()) {
		if overnight := w.Close <= w.Open; since >= w.Open && (overnight || since < w.Close) {
			return true
		}
	}
	for _, w := range o.windows(t.Year(), t.Month(), t.Day()-1) {
		if w.Close <= w.Open && since < w.Close {
			return true
		}
	}
	return false
}

// windows returns what starts on a date.
func (o *oracle) windows(year int, month time.Month, dayOfMonth int) []sla.Window {
	noon := time.Date(year, month, dayOfMonth, 12, 0, 0, 0, time.UTC)
	d := sla.Date{Year: noon.Year(), Month: noon.Month(), Day: noon.Day()}
	if windows, ok := o.dates[d]; ok {
		return windows
	}
	rules, edition := o.c.Rules, 0
	for i, change := range o.c.Editions {
		if d.String() >= change.From.String() {
			rules, edition = change.Rules, i+1
		}
	}
	windows, ok := rules.Exceptions[d]
	if !ok && !o.isHoliday(edition, rules.Holidays, noon) {
		windows = rules.Weekly[noon.Weekday()]
	}
	o.dates[d] = windows
	return windows
}

// cuts appends the instants in an hour at which a window begins or ends, and
// says whether that hour is one on the wall.
func (o *oracle) cuts(list []int64, sec int64) ([]int64, bool) {
	for _, one := range o.of {
		var even bool
		if list, even = one.cuts(list, sec); !even {
			return list, false
		}
	}
	if o.loc == nil {
		return list, true
	}
	wall := o.wall(sec)
	if o.wall(sec+hour) != wall+hour {
		return list, false
	}
	at := time.Unix(wall, 0).UTC()
	for days := -1; days <= 1; days++ {
		midnight := time.Date(at.Year(), at.Month(), at.Day()+days, 0, 0, 0, 0, time.UTC).Unix()
		for _, w := range o.windows(at.Year(), at.Month(), at.Day()+days) {
			for _, edge := range []time.Duration{w.Open, w.Close, w.Close + 24*time.Hour, 0} {
				if x := midnight + int64(edge/time.Second) - wall; x > 0 && x < hour {
					list = append(list, sec+x)
				}
			}
		}
	}
	return list, true
}

const hour = 3600

// hourFrom returns the open seconds of an hour.
func (o *oracle) hourFrom(sec int64) []sla.Opening {
	list, even := o.cuts([]int64{sec, sec + hour}, sec)
	if !even {
		for s := sec; s < sec+hour; s++ {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	var openings []sla.Opening
	for i := range list[:len(list)-1] {
		if list[i] < list[i+1] && o.open(list[i]) {
			openings = append(openings, sla.Opening{Open: time.Unix(list[i], 0).UTC(), Close: time.Unix(list[i+1], 0).UTC()})
		}
	}
	return openings
}

// openings returns the openings from a to b, merged.
func (o *oracle) openings(a, b time.Time) []sla.Opening {
	var merged []sla.Opening
	for sec := a.Unix(); sec <= b.Unix(); sec += hour {
		for _, one := range o.hourFrom(sec) {
			if one.Open.Before(a) {
				one.Open = a
			}
			if one.Close.After(b) {
				one.Close = b
			}
			if n := len(merged); n > 0 && merged[n-1].Close.Equal(one.Open) {
				merged[n-1].Close = one.Close
			} else if one.Open.Before(one.Close) {
				merged = append(merged, one)
			}
		}
	}
	return merged
}

func (o *oracle) between(a, b time.Time) time.Duration {
	var sum time.Duration
	for _, one := range o.openings(a, b) {
		sum += one.Close.Sub(one.Open)
	}
	return sum
}

// A yearOff is what one edition of the rules says about a year, by itself.
type yearOff struct {
	marked  map[time.Time]bool // noons of holidays
	movings []moving           // what falls on a weekend and moves off it
}

type moving struct {
	day     time.Time
	nearest bool
}

// yearOff counts through the days of a year.
func (o *oracle) yearOff(edition, year int, list []sla.Holiday) yearOff {
	key := [2]int{edition, year}
	if y, ok := o.years[key]; ok {
		return y
	}
	y := yearOff{marked: map[time.Time]bool{}}
	for _, h := range list {
		on, next := strings.CutSuffix(h.On, " or next weekday")
		on, nearest := strings.CutSuffix(on, " or nearest weekday")
		is := matcher(on, year)
		for day := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() == year; day = day.Add(24 * time.Hour) {
			switch {
			case !is(day):
			case weekend(day) && (next || nearest):
				y.movings = append(y.movings, moving{day, nearest})
			default:
				y.marked[day] = true
			}
		}
	}
	o.years[key] = y
	return y
}

// isHoliday looks at the year of a date, and near its ends at the neighbour too.
func (o *oracle) isHoliday(edition int, list []sla.Holiday, noon time.Time) bool {
	marked := func(day time.Time) bool { return o.yearOff(edition, day.Year(), list).marked[day] }
	holiday := marked(noon)
	for year := noon.AddDate(0, 0, -40).Year(); year <= noon.AddDate(0, 0, 40).Year(); year++ {
		given := map[time.Time]bool{}
		for _, m := range o.yearOff(edition, year, list).movings {
			day := m.day.AddDate(0, 0, 1)
			switch {
			case m.nearest && m.day.Weekday() == time.Saturday:
				day = m.day.AddDate(0, 0, -1)
			case m.nearest:
			default:
				for weekend(day) || marked(day) || given[day] {
					day = day.AddDate(0, 0, 1)
				}
			}
			given[day] = true
			holiday = holiday || day.Equal(noon)
		}
	}
	return holiday
}

func weekend(day time.Time) bool {
	return day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
}

// matcher recognizes the days of a year that a rule without moves is about.
func matcher(on string, year int) func(day time.Time) bool {
	if rest, ok := strings.CutPrefix(on, "easter"); ok {
		offset, _ := strconv.Atoi(rest)
		month, dayOfMonth := butcher(year)
		sunday := time.Date(year, month, dayOfMonth, 12, 0, 0, 0, time.UTC)
		return func(day time.Time) bool { return day.Equal(sunday.AddDate(0, 0, offset)) }
	}
	words := strings.Fields(on)
	if len(words) != 4 {
		once, err := time.Parse("2006-01-02", on)
		if err != nil {
			once, _ = time.Parse("2006-01-02", "2000-"+on)
		}
		return func(day time.Time) bool {
			return day.Day() == once.Day() && day.Month() == once.Month() && (err != nil || once.Year() == year)
		}
	}
	first, _ := time.Parse("Jan", words[3])
	return func(day time.Time) bool {
		switch {
		case day.Month() != first.Month() || !strings.EqualFold(day.Weekday().String()[:3], words[1]):
			return false
		case words[0] == "last":
			return day.AddDate(0, 0, 7).Month() != day.Month()
		default:
			return words[0] == []string{"first", "second", "third", "fourth", "fifth"}[(day.Day()-1)/7]
		}
	}
}

// butcher computes Easter in the way that Butcher's Ecclesiastical Calendar
// printed in 1876.
func butcher(year int) (time.Month, int) {
	a, b, c := year%19, year/100, year%100
	d, e, f := b/4, b%4, (b+8)/25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	return time.Month((h + l - 7*m + 114) / 31), (h+l-7*m+114)%31 + 1
}

// zones lists every zone of the IANA database on this machine.
func zones(t testing.TB) []string {
	var names []string
	add := func(name string) {
		// The folders posix and right hold the same zones once more.
		if strings.HasPrefix(name, "posix/") || strings.HasPrefix(name, "right/") || name == "localtime" {
			return
		}
		if _, err := time.LoadLocation(name); err == nil {
			names = append(names, name)
		}
	}
	for _, folder := range []string{"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && filepath.Ext(path) == "" {
				if name, err := filepath.Rel(folder, path); err == nil {
					add(filepath.ToSlash(name))
				}
			}
			return err
		})
		if err == nil && len(names) > 0 {
			return names
		}
	}
	archive, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("this machine has no zones: %v", err)
	}
	defer func() { _ = archive.Close() }()
	for _, file := range archive.File {
		add(file.Name)
	}
	return names
}

// long reports whether tests should take minutes: ITSM_LONG=1.
func long() bool { return os.Getenv("ITSM_LONG") != "" }

// A maker makes random calendars and instants.
type maker struct{ *rand.Rand }

func newMaker(seed uint64) maker { return maker{rand.New(rand.NewPCG(seed, 20260329))} }

func (m maker) clock() time.Duration {
	d := time.Duration(m.IntN(24)) * time.Hour
	switch m.IntN(4) {
	case 0:
		d += time.Duration(m.IntN(60)) * time.Minute
	case 1:
		d += time.Duration(m.IntN(3600)) * time.Second
	}
	return d
}

func (m maker) windows() []sla.Window {
	var list []sla.Window
	for range m.IntN(4) {
		w := sla.Window{Open: m.clock(), Close: m.clock()}
		switch m.IntN(8) {
		case 0:
			w.Close = 24 * time.Hour
		case 1:
			w.Open = 0
		case 2:
			w.Close = w.Open
		case 3:
			w.Close = 0
		}
		list = append(list, w)
	}
	return list
}

func (m maker) date() sla.Date { return sla.DateOf(time.Unix(m.IntRange(0, 4_133_980_800), 0).UTC()) }

func (m maker) IntRange(from, to int64) int64 { return from + m.Int64N(to-from) }

func (m maker) pick(list ...string) string { return list[m.IntN(len(list))] }

func (m maker) holiday() sla.Holiday {
	var on string
	switch m.IntN(4) {
	case 0:
		return sla.Holiday{On: m.date().String(), Name: "once"}
	case 1:
		on = m.date().String()[5:]
	case 2:
		on = m.pick("first", "second", "third", "fourth", "last") + " " +
			m.pick("mon", "tue", "wed", "thu", "fri", "sat", "sun") + " of " +
			m.pick("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
	default:
		on = m.pick("easter", "easter-2", "easter+1", "easter+39", "easter-80", "easter+249")
	}
	return sla.Holiday{On: on + m.pick("", " or next weekday", " or nearest weekday"), Name: m.pick("", "yearly")}
}

func (m maker) rules() sla.Rules {
	var r sla.Rules
	switch m.IntN(3) {
	case 0:
		r.Weekly = sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})
	case 1:
		r.Weekly = sla.EveryDay(m.windows()...)
	default:
		for i := range r.Weekly {
			r.Weekly[i] = m.windows()
		}
	}
	for range m.IntN(12) {
		r.Holidays = append(r.Holidays, m.holiday())
	}
	for range m.IntN(6) {
		if r.Exceptions == nil {
			r.Exceptions = map[sla.Date][]sla.Window{}
		}
		r.Exceptions[m.date()] = m.windows()
	}
	return r
}

func (m maker) calendar(zone string) sla.Calendar {
	c := sla.Calendar{Name: "random", Version: m.IntN(9), Zone: zone, Rules: m.rules()}
	if m.IntN(3) == 0 {
		dates := []sla.Date{m.date(), m.date()}
		slices.SortFunc(dates, func(a, b sla.Date) int { return strings.Compare(a.String(), b.String()) })
		for _, from := range slices.Compact(dates) {
			c.Editions = append(c.Editions, sla.Edition{From: from, Rules: m.rules()})
		}
	}
	return c
}

// instant returns one from 1970 to 2100, often near where something happens: a
// transition of the zone, a change, an exception, the turn of a year.
func (m maker) instant(c sla.Calendar, loc *time.Location) time.Time {
	t := time.Unix(m.IntRange(0, 4_133_980_800), 0).In(loc)
	near := func(to time.Time) time.Time {
		return to.Add(time.Duration(m.IntRange(-200_000, 200_000)) * time.Second)
	}
	switch m.IntN(6) {
	case 0:
		if _, end := t.ZoneBounds(); end.After(t) && end.Year() < 2101 {
			t = near(end)
		}
	case 1:
		t = near(time.Date(t.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC))
	case 2:
		dates := slices.SortedFunc(maps.Keys(c.Exceptions), func(a, b sla.Date) int { return strings.Compare(a.String(), b.String()) })
		if len(dates) > 0 {
			d := dates[m.IntN(len(dates))]
			t = near(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC))
		}
	case 3:
		if len(c.Editions) > 0 {
			d := c.Editions[0].From
			t = near(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC))
		}
	}
	if m.IntN(2) == 0 {
		t = t.Add(time.Duration(m.Int64N(1e9)))
	}
	return t
}
