package sla

import (
	"slices"
	"sort"
	"time"
)

// A rota is a calendar with rules of its own, made ready to be walked through.
// It does not change.
type rota struct {
	loc      *time.Location
	versions []version // in order; the first holds from the beginning
}

// A version is an edition of the rules.
type version struct {
	from       day
	weekly     [7][]civilSpan
	holidays   holidays
	exceptions map[day][]civilSpan
	// dates are the days of single holidays and of exceptions, sorted: on all
	// others that no yearly rule names, the week is as usual.
	dates []day
	// idle says that there are only exceptions. Holidays have nothing to cancel
	// then.
	idle bool
}

// A civilSpan is a window in seconds since midnight of the date it starts on.
// Its end is at most 48 hours.
type civilSpan struct{ open, close int64 }

func newRota(c *Calendar, loc *time.Location) *rota {
	r := &rota{loc: loc, versions: []version{newVersion(beginning, &c.Rules)}}
	for i := range c.Editions {
		r.versions = append(r.versions, newVersion(c.Editions[i].From.day(), &c.Editions[i].Rules))
	}
	return r
}

// beginning and never are before and after every day that is asked for.
const (
	beginning = day(-1 << 40)
	never     = day(1 << 40)
)

func newVersion(from day, rules *Rules) version {
	v := version{from: from, holidays: newHolidays(rules.Holidays), exceptions: map[day][]civilSpan{}}
	for i, windows := range rules.Weekly {
		v.weekly[i] = civilSpans(windows)
	}
	for d, windows := range rules.Exceptions {
		v.exceptions[d.day()] = civilSpans(windows)
		v.dates = append(v.dates, d.day())
	}
	if v.idle = rules.Weekly.IsZero(); !v.idle {
		for _, one := range v.holidays.once {
			v.dates = append(v.dates, one.day)
		}
	}
	slices.Sort(v.dates)
	v.dates = slices.Compact(v.dates)
	return v
}

func civilSpans(windows []Window) []civilSpan {
	var spans []civilSpan
	for _, w := range windows {
		s := civilSpan{int64(w.Open / time.Second), int64(w.Close / time.Second)}
		if s.close <= s.open {
			s.close += secondsPerDay
		}
		spans = append(spans, s)
	}
	slices.SortFunc(spans, func(a, b civilSpan) int { return int(a.open - b.open) })
	return spans
}

// at returns the version that holds for the windows that start on a day, and
// the day from which another one does.
func (r *rota) at(d day) (v *version, until day) {
	if len(r.versions) == 1 {
		return &r.versions[0], never
	}
	i := sort.Search(len(r.versions), func(i int) bool { return r.versions[i].from > d })
	if i == len(r.versions) {
		return &r.versions[i-1], never
	}
	return &r.versions[i-1], r.versions[i].from
}

// windows returns the windows that start on a day, and whether these are those
// of its weekday.
func (v *version) windows(d day, yearly []day) (spans []civilSpan, usual bool) {
	if v.idle && len(v.dates) == 0 {
		return nil, true
	}
	if _, ok := slices.BinarySearch(v.dates, d); ok {
		return v.exceptions[d], false // none if it is a holiday
	}
	if _, ok := slices.BinarySearch(yearly, d); ok {
		return nil, false
	}
	return v.weekly[d.weekday()], true
}

// A rotaWalk makes the openings of a rota, week by week. What it keeps is there
// to save work when weeks are asked for in order.
type rotaWalk struct {
	*rota
	stretch stretch
	// yearly are the days, sorted, of the yearly rules of a version in the year
	// that goes from one day until just before another.
	yearly    []day
	from, end day
	version   *version
	days      []namedDay // scratch
	// years keeps what yearly rules make of a year and of its neighbours.
	years [3]struct {
		version *version
		year    int
		days    []namedDay
	}
}

// week appends the openings in the week that begins at an instant, and returns
// one until which all weeks that follow have the same.
func (w *rotaWalk) week(to []span, start int64) (openings []span, until int64) {
	end := start + secondsPerWeek
	sorted, usual, idle := true, true, true
	var edition *version
	for t := start; t < end; {
		if t < w.stretch.start || t >= w.stretch.end {
			w.stretch = stretchAt(w.loc, t)
		}
		s := w.stretch
		// On the wall the stretch shows civil seconds from first to last.
		first, last := t+s.offset, min(s.end, end)+s.offset
		// A window runs into the next civil day at most, so that one of the day
		// before may still go on.
		d := day(floorDiv(first, secondsPerDay)) - 1
		v, changes := w.at(d)
		for ; d.second() < last; d++ {
			if d >= changes {
				v, changes = w.at(d)
			}
			if edition == nil {
				edition = v
			}
			usual = usual && v == edition
			windows, asAlways := v.windows(d, w.yearlyOf(v, d))
			usual, idle = usual && asAlways, idle && v.idle
			for _, one := range windows {
				opens, closes := max(d.second()+one.open, first), min(d.second()+one.close, last)
				if opens >= closes {
					continue
				}
				o := span{open: int32(opens - s.offset - start), close: int32(closes - s.offset - start)}
				sorted = sorted && (len(to) == 0 || to[len(to)-1].close < o.open)
				to = append(to, o)
			}
		}
		t = min(s.end, end)
		usual = usual && (t == end || idle)
	}
	if !sorted {
		to = merge(to)
	}
	if usual {
		return to, w.steady(end)
	}
	return to, end
}

// steady returns the instant until which all weeks are like one that ends at
// end, if on each of its days the calendar was as on all such weekdays, and the
// offset the same throughout if that matters.
func (w *rotaWalk) steady(end int64) int64 {
	offset := w.stretch.offset
	// The first day whose windows have not been looked at.
	d := day(floorDiv(end+offset-1, secondsPerDay)) + 1
	v, next := w.at(d - 1)
	if i, _ := slices.BinarySearch(v.dates, d); i < len(v.dates) {
		next = min(next, v.dates[i])
	}
	if v.idle && offset < maxOffset {
		// Until the next exception it does not matter what the clock shows, as
		// long as it does not show that date.
		return max(end, next.second()-maxOffset)
	}
	if len(v.holidays.yearly) > 0 {
		yearly := w.yearlyOf(v, d)
		if i, _ := slices.BinarySearch(yearly, d); i < len(yearly) {
			next = min(next, yearly[i])
		}
		next = min(next, w.end) // the next year's days have not been looked at
	}
	return max(end, min(w.stretch.end, next.second()-offset))
}

// maxOffset is more than any zone is ahead of UTC. RFC 9636 has them keep below
// 26 hours.
const maxOffset = 2 * secondsPerDay

// yearlyOf returns the days of a version's yearly rules in the year of a day.
func (w *rotaWalk) yearlyOf(v *version, d day) []day {
	if len(v.holidays.yearly) == 0 || v.idle {
		return nil
	}
	if w.version != v || d < w.from || d >= w.end {
		year := d.date().Year
		w.version, w.from, w.end = v, dayOf(year, time.January, 1), dayOf(year+1, time.January, 1)
		w.days = v.holidays.inYear(w.days[:0], year, func(y int) []namedDay { return w.ofYear(v, y) })
		w.yearly = w.yearly[:0]
		for _, one := range w.days {
			w.yearly = append(w.yearly, one.day)
		}
		slices.Sort(w.yearly)
	}
	return w.yearly
}

func (w *rotaWalk) ofYear(v *version, year int) []namedDay {
	kept := &w.years[floorMod(int64(year), int64(len(w.years)))]
	if kept.version != v || kept.year != year {
		kept.version, kept.year, kept.days = v, year, v.holidays.ofYear(year)
	}
	return kept.days
}
