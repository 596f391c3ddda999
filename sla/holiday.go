package sla

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// A Holiday is a date, or a rule for a date of every year, on which a calendar
// is closed. It cancels the windows that start on that date; what is left of a
// window that started the day before goes on.
//
// Its JSON form is the text of On alone, or {"on":"12-25","name":"Christmas Day"}.
type Holiday struct {
	// On is one of
	//
	//	2026-12-25          that date, once
	//	12-25               every year; 02-29 only in leap years
	//	last mon of may     first, second, third, fourth or last weekday of a month
	//	easter              Western Easter Sunday
	//	easter+1, easter-2  days after and before it
	//
	// A rule for every year may move off the weekend to a substitute day. Then
	// its own date is open as usual; list it a second time without the addition
	// to close both.
	//
	//	12-25 or next weekday      if on a Saturday or Sunday, the next Monday to
	//	                           Friday that is no holiday of its own and no
	//	                           substitute of a holiday listed before this one
	//	12-25 or nearest weekday   if on a Saturday, the Friday before; if on a
	//	                           Sunday, the Monday after
	On string
	// Name is for people, such as "Christmas Day". It may be empty.
	Name string
}

// Dates makes a holiday of each date of a sequence, for holidays that follow no
// rule in [Holiday].On or come from elsewhere: a file, a table, a package of
// holidays. The host decides which years they cover.
func Dates(name string, seq iter.Seq[Date]) []Holiday {
	var holidays []Holiday
	for d := range seq {
		holidays = append(holidays, Holiday{On: d.String(), Name: name})
	}
	return holidays
}

type holidayJSON struct {
	On   string `json:"on"`
	Name string `json:"name"`
}

// MarshalJSON returns the text of On if there is no name, otherwise an object.
func (h Holiday) MarshalJSON() ([]byte, error) {
	if h.Name == "" {
		return json.Marshal(h.On)
	}
	return json.Marshal(holidayJSON(h))
}

// UnmarshalJSON reads a text or an object. It returns an [ErrInvalid] with
// everything that is wrong, except with what On says: [Calendar.Compile] and
// [ParseCalendar] check that.
func (h *Holiday) UnmarshalJSON(data []byte) error {
	var form holidayJSON
	var target any = &form
	switch data = bytes.TrimSpace(data); {
	case isNull(data):
		return nil
	case len(data) > 0 && data[0] == '"':
		target = &form.On
	case len(data) == 0 || data[0] != '{':
		return &Finding{Reason: `must be a text, such as "12-25", or an object, such as {"on":"12-25","name":"Christmas Day"}`}
	}
	f, _ := read(data, target)
	*h = Holiday(form) // what could be read is judged all the same
	return f.err()
}

// The words of rules.
const (
	orNextWeekday    = " or next weekday"
	orNearestWeekday = " or nearest weekday"
	notOn            = `must be a date (2026-12-25), or a day of every year (12-25, last mon of may, easter, easter+1) that may move (12-25 or next weekday, 12-25 or nearest weekday)`
	// How far from Easter a rule may be, so that it stays in the year: Easter
	// lies between 22 March and 25 April.
	minEaster, maxEaster = -80, 249
)

type ruleKind int

const (
	onDate    ruleKind = iota // once
	onFixed                   // month and day
	onNth                     // nth weekday of a month
	onEaster                  // offset from Easter Sunday
	onNothing                 // not understood
)

type ruleMove int

const (
	stays ruleMove = iota
	toNextWeekday
	toNearestWeekday
)

// A rule is a holiday, read.
type rule struct {
	kind    ruleKind
	move    ruleMove
	date    Date // onDate; month and day of onFixed
	nth     int  // 0 to 4 for first to last
	weekday time.Weekday
	offset  int
	name    string
}

// parseRule returns the reason if it cannot.
func parseRule(h Holiday) (rule, string) {
	r := rule{kind: onNothing, name: h.Name}
	text := h.On
	if cut, ok := strings.CutSuffix(text, orNextWeekday); ok {
		text, r.move = cut, toNextWeekday
	} else if cut, ok := strings.CutSuffix(text, orNearestWeekday); ok {
		text, r.move = cut, toNearestWeekday
	}
	switch words := strings.Split(text, " "); {
	case len(words) == 4 && words[2] == "of":
		r.nth = slices.Index(ordinalNames[:], words[0])
		r.weekday = time.Weekday(slices.Index(weekdayNames[:], words[1]))
		month := slices.Index(monthNames[:], words[3])
		r.date.Month = time.Month(month + 1)
		if r.nth >= 0 && r.weekday >= 0 && month >= 0 {
			r.kind = onNth
		}
	case strings.HasPrefix(text, "easter"):
		return easterRule(r, strings.TrimPrefix(text, "easter"))
	case len(text) == len("12-25") && text[2] == '-':
		month, ok1 := digits(text[:2])
		dayOfMonth, ok2 := digits(text[3:])
		// 2000 was a leap year, so that 02-29 passes.
		r.date = Date{Year: 2000, Month: time.Month(month), Day: dayOfMonth}
		if ok1 && ok2 && r.date.valid() {
			r.kind = onFixed
		}
	default:
		if date, ok := parseDate(text); ok {
			if r.move != stays {
				return r, "must not move: only a day of every year does"
			}
			r.kind, r.date = onDate, date
		}
	}
	if r.kind == onNothing {
		return r, notOn
	}
	return r, ""
}

func easterRule(r rule, offset string) (rule, string) {
	if offset != "" {
		days, ok := digits(offset[1:])
		if !ok || len(offset) > 4 || offset[0] != '+' && offset[0] != '-' {
			return r, notOn
		}
		if r.offset = days; offset[0] == '-' {
			r.offset = -days
		}
		if r.offset < minEaster || r.offset > maxEaster {
			return r, fmt.Sprintf("must be from easter%d to easter+%d, so that it stays in its year", minEaster, maxEaster)
		}
	}
	r.kind = onEaster
	return r, ""
}

// unmoved returns the rule's date in a year, before it moves off the weekend.
func (r *rule) unmoved(year int) (day, bool) {
	switch r.kind {
	case onDate:
		return r.date.day(), r.date.Year == year
	case onFixed:
		return dayOf(year, r.date.Month, r.date.Day), r.date.Day <= daysIn(year, r.date.Month)
	case onNth:
		if r.nth == 4 {
			last := dayOf(year, r.date.Month, daysIn(year, r.date.Month))
			return last - day(floorMod(int64(last.weekday()-r.weekday), 7)), true
		}
		first := dayOf(year, r.date.Month, 1)
		return first + day(floorMod(int64(r.weekday-first.weekday()), 7)) + day(7*r.nth), true
	case onEaster:
		return easter(year) + day(r.offset), true
	case onNothing:
	}
	return 0, false
}

// easter returns Western Easter Sunday, for every year by the Gregorian rules:
// the Sunday after the full moon of the tables on or after 21 March.
func easter(year int) day {
	century := year / 100
	// epact is the age of the moon of the tables on 1 January, with the
	// corrections of the solar and the lunar equation.
	golden := year % 19
	epact := (19*golden + century - century/4 - (century-(century+8)/25+1)/3 + 15) % 30
	// The two exceptions keep the full moon from falling on the same date twice
	// in a cycle, and from being later than 18 April.
	if epact == 29 || epact == 28 && golden > 10 {
		epact--
	}
	full := dayOf(year, time.March, 21) + day(epact)
	return full + 7 - day(full.weekday())
}

// A named day is a holiday in a year.
type namedDay struct {
	day  day
	name string
}

func (n namedDay) compare(d day) int { return cmp.Compare(n.day, d) }

// holidays are the rules of one version of a calendar.
type holidays struct {
	once   []namedDay // sorted by day
	yearly []rule
	moves  bool // whether any yearly rule moves
}

func newHolidays(list []Holiday) holidays {
	var h holidays
	for _, one := range list {
		r, _ := parseRule(one)
		switch {
		case r.kind == onNothing:
		case r.kind == onDate:
			h.once = append(h.once, namedDay{r.date.day(), r.name})
		default:
			h.yearly = append(h.yearly, r)
			h.moves = h.moves || r.move != stays
		}
	}
	slices.SortStableFunc(h.once, func(a, b namedDay) int { return a.compare(b.day) })
	return h
}

// inYear appends the days of yearly rules that fall into a year: those of the
// year itself, and those that moved into it from the years beside it. ofYear is
// the function below, or one that keeps what that returned.
func (h *holidays) inYear(days []namedDay, year int, ofYear func(year int) []namedDay) []namedDay {
	if !h.moves {
		return append(days, ofYear(year)...)
	}
	first, end := dayOf(year, time.January, 1), dayOf(year+1, time.January, 1)
	for y := year - 1; y <= year+1; y++ {
		for _, d := range ofYear(y) {
			if d.day >= first && d.day < end {
				days = append(days, d)
			}
		}
	}
	return days
}

// ofYear returns the days that the yearly rules make of one year. With moves,
// some may lie just outside it.
func (h *holidays) ofYear(year int) []namedDay {
	days := make([]namedDay, 0, len(h.yearly))
	var moving []int
	taken := marks{first: dayOf(year, time.January, 1)}
	for i := range h.yearly {
		d, ok := h.yearly[i].unmoved(year)
		switch {
		case !ok:
		case h.yearly[i].move != stays && d.weekend():
			moving = append(moving, i)
		default:
			taken.add(d)
			days = append(days, namedDay{d, h.yearly[i].name})
		}
	}
	if len(moving) == 0 {
		return days
	}
	// The last days of a year may move to the first free ones of the next.
	const spill = 60
	for i := range h.yearly {
		if d, ok := h.yearly[i].unmoved(year + 1); ok && !d.weekend() && d < dayOf(year+1, time.January, 1)+spill {
			taken.add(d)
		}
	}
	from, _ := slices.BinarySearchFunc(h.once, taken.first, namedDay.compare)
	for _, one := range h.once[from:] {
		if one.day >= dayOf(year+1, time.January, 1)+spill {
			break
		}
		taken.add(one.day)
	}
	// In the order of the list, each substitute takes its day from those after it.
	for _, i := range moving {
		d, _ := h.yearly[i].unmoved(year)
		switch {
		case h.yearly[i].move == toNextWeekday:
			d = taken.free(d)
		case d.weekday() == time.Saturday:
			d--
		default:
			d++
		}
		taken.add(d)
		days = append(days, namedDay{d, h.yearly[i].name})
	}
	return days
}

// marks are days of a year and of the beginning of the next.
type marks struct {
	first day
	bits  [7]uint64
}

func (m *marks) add(d day) {
	if n := d - m.first; n >= 0 && int(n) < 64*len(m.bits) {
		m.bits[n/64] |= 1 << (n % 64)
	}
}

func (m *marks) has(d day) bool {
	n := d - m.first
	return n >= 0 && int(n) < 64*len(m.bits) && m.bits[n/64]&(1<<(n%64)) != 0
}

// free returns the first weekday after a day that is not marked. A calendar that
// has none within a month has none to give away, and the day stays.
func (m *marks) free(d day) day {
	const most = 31
	for next := d + 1; next <= d+most; next++ {
		if !next.weekend() && !m.has(next) {
			return next
		}
	}
	return d
}

// name returns the name of the holiday on a day, and whether there is one.
func (h *holidays) name(d day) (string, bool) {
	if i, ok := slices.BinarySearchFunc(h.once, d, namedDay.compare); ok {
		return h.once[i].name, true
	}
	for _, one := range h.inYear(nil, d.date().Year, h.ofYear) {
		if one.day == d {
			return one.name, true
		}
	}
	return "", false
}
