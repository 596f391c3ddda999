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
}

// A civilSpan is a window in seconds since midnight of the date it starts on.
// Its end is at most 48 hours.
type civilSpan struct{ open, close int64 }

func newRota(c *Calendar, loc *time.Location) *rota {
	r := &rota{loc: loc, versions: []version{newVersion(beginning, &c.Rules)}}
	for i := range c.Changes {
		r.versions = append(r.versions, newVersion(c.Changes[i].From.day(), &c.Changes[i].Rules))
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
	for _, one := range v.holidays.once {
		v.dates = append(v.dates, one.day)
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
	i := sort.Search(len(r.versions), func(i int) bool { return r.versions[i].from > d })
	if i == len(r.versions) {
		return &r.versions[i-1], never
	}
	return &r.versions[i-1], r.versions[i].from
}

// windows returns the windows that start on a day, and whether these are those
// of its weekday.
func (v *version) windows(d day, yearly []day) (spans []civilSpan, usual bool) {
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
	// yearly are the days, sorted, of the yearly rules of a version in a year.
	yearly  []day
	year    int
	version *version
	days    []namedDay // scratch

	// The week that was made last: its openings, and until where all weeks are
	// like it.
	made  []span
	start int64
	until int64
}

// week returns the openings in the week that begins at an instant, and one
// until which all weeks that follow have the same. The openings are valid until
// the next call.
func (w *rotaWalk) week(start int64) (openings []span, until int64) {
	if start >= w.start && start+secondsPerWeek <= w.until {
		return w.made, w.until
	}
	w.start, w.made = start, w.made[:0]
	end := start + secondsPerWeek
	w.until = forever
	sorted := true
	for t := start; t < end; {
		if t < w.stretch.start || t >= w.stretch.end {
			w.stretch = stretchAt(w.loc, t)
		}
		s := w.stretch
		if s.end < end {
			w.until = end // the next week begins with another offset
		}
		// On the wall the stretch shows civil seconds from here to there.
		from, to := t+s.offset, min(s.end, end)+s.offset
		// A window may have begun on the day before. It is at most 48 hours
		// long, and begins on its own day.
		for d := day(floorDiv(from, secondsPerDay)) - 1; d.second() < to; d++ {
			v, changes := w.at(d)
			windows, usual := v.windows(d, w.yearlyOf(v, d))
			for _, one := range windows {
				opens, closes := max(d.second()+one.open, from), min(d.second()+one.close, to)
				if opens < closes {
					o := span{open: int32(opens - s.offset - start), close: int32(closes - s.offset - start)}
					sorted = sorted && (len(w.made) == 0 || w.made[len(w.made)-1].close < o.open)
					w.made = append(w.made, o)
				}
			}
			if !usual {
				w.until = end
			}
			if changes.second() < to {
				w.until = end
			}
		}
		t = min(s.end, end)
	}
	if !sorted {
		w.made = merge(w.made)
	}
	w.until = w.steady(end)
	return w.made, w.until
}

// steady returns the instant until which all weeks are like the one that was
// just made, which ends at end.
func (w *rotaWalk) steady(end int64) int64 {
	if w.until == end {
		return end
	}
	// The first day whose windows have not been looked at.
	offset := w.stretch.offset
	d := day(floorDiv(end+offset-1, secondsPerDay)) + 1
	v, next := w.at(d - 1)
	if i, _ := slices.BinarySearch(v.dates, d); i < len(v.dates) {
		next = min(next, v.dates[i])
	}
	if len(v.holidays.yearly) > 0 {
		yearly := w.yearlyOf(v, d)
		if i, _ := slices.BinarySearch(yearly, d); i < len(yearly) {
			next = min(next, yearly[i])
		}
		next = min(next, dayOf(d.date().Year+1, time.January, 1))
	}
	return max(end, min(w.stretch.end, next.second()-offset))
}

// yearlyOf returns the days of a version's yearly rules in the year of a day.
func (w *rotaWalk) yearlyOf(v *version, d day) []day {
	if len(v.holidays.yearly) == 0 {
		return nil
	}
	year := d.date().Year
	if w.version != v || w.year != year {
		w.version, w.year = v, year
		w.days = v.holidays.inYear(w.days[:0], year)
		w.yearly = w.yearly[:0]
		for _, one := range w.days {
			w.yearly = append(w.yearly, one.day)
		}
		slices.Sort(w.yearly)
	}
	return w.yearly
}
