package sla

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// A Calendar says when a service is open: the windows of each weekday in a time
// zone, and the dates on which something else holds. Or it combines other
// calendars: [Union], [Intersection], [Difference].
//
// It is plain data, which can be kept as JSON and read back by [ParseCalendar].
// [Calendar.Compile] checks it and makes it answer questions.
type Calendar struct {
	// Name is for people. It may be empty.
	Name string `json:"name,omitempty"`
	// Version counts the host's editions of this calendar, so that a clock can
	// say which one it was measured by. Nothing here reads it.
	Version int `json:"version,omitempty"`
	// Zone is the name of a time zone in the IANA database, such as
	// Europe/Berlin or UTC. A calendar that combines others has none.
	Zone string `json:"tz,omitempty"`
	// Rules hold until the first of Editions.
	Rules
	// Editions are later editions of the rules, in the order of their dates.
	Editions []Edition `json:"editions,omitempty"`
	// Op says how the calendars in Of are combined. It is empty for a calendar
	// that has rules of its own.
	Op Op `json:"op,omitempty"`
	// Of lists the calendars that are combined. Their zones may differ.
	Of []Calendar `json:"of,omitempty"`
}

// Rules are what opens and closes a calendar.
type Rules struct {
	// Weekly lists the windows of each weekday.
	Weekly Week `json:"weekly,omitzero"`
	// Holidays cancel the windows that start on their dates.
	Holidays []Holiday `json:"holidays,omitempty"`
	// Exceptions replace everything else about a date, holidays as well: the
	// windows that start on it are these. An empty list closes it.
	Exceptions map[Date][]Window `json:"exceptions,omitempty"`
}

// An Edition is a version of a calendar's rules with the date from which it
// holds. It replaces all rules for the windows that start on that date or later;
// a window that started the evening before runs to its end.
type Edition struct {
	From Date `json:"from"`
	Rules
}

// An Op is a way of combining calendars.
type Op string

// The ways of combining calendars. A calendar with rules of its own has the
// empty Op.
const (
	// OpUnion is open while at least one of the calendars is.
	OpUnion Op = "union"
	// OpIntersection is open while all of the calendars are.
	OpIntersection Op = "intersection"
	// OpDifference is open while the first of the calendars is and no other is.
	OpDifference Op = "difference"
)

// AlwaysOpen returns the calendar that is open at all times, in UTC.
func AlwaysOpen() Calendar {
	return Calendar{Name: "always open", Zone: "UTC", Rules: Rules{Weekly: EveryDay(Window{Close: dayLength})}}
}

// Union returns a calendar that is open while at least one of the given ones is:
// teams that follow the sun.
func Union(of ...Calendar) Calendar { return Calendar{Op: OpUnion, Of: slices.Clone(of)} }

// Intersection returns a calendar that is open while all of the given ones are:
// a service that needs two teams at once.
func Intersection(of ...Calendar) Calendar { return Calendar{Op: OpIntersection, Of: slices.Clone(of)} }

// Difference returns a calendar that is open while from is and without is not:
// service hours without a weekly maintenance.
func Difference(from, without Calendar) Calendar {
	return Calendar{Op: OpDifference, Of: []Calendar{from, without}}
}

// clone copies a calendar that has been checked, and so is nested finitely.
func (c Calendar) clone() Calendar {
	c.Rules = c.Rules.clone()
	c.Editions = cloneList(c.Editions)
	for i := range c.Editions {
		c.Editions[i].Rules = c.Editions[i].Rules.clone()
	}
	c.Of = cloneList(c.Of)
	for i := range c.Of {
		c.Of[i] = c.Of[i].clone()
	}
	return c
}

func (r Rules) clone() Rules {
	r.Weekly = r.Weekly.clone()
	r.Holidays = cloneList(r.Holidays)
	r.Exceptions = maps.Clone(r.Exceptions)
	for d, windows := range r.Exceptions {
		r.Exceptions[d] = cloneList(windows)
	}
	return r
}

// What a calendar may have at most. The limits keep the cost of walking through
// all years within some seconds whatever a calendar says, where a usual one
// takes a tenth of one.
const (
	maxNested    = 8       // calendars within calendars
	maxCalendars = 32      // calendars with rules of their own
	maxWindows   = 100     // windows of a date
	maxWeekly    = 500     // windows of a week, over all calendars
	maxYearly    = 500     // days of every year, over all calendars and editions
	maxDates     = 100_000 // dates, and as many exceptions, over all of them
	maxEditions  = 1_000   // over all of them
)

// checker finds what is wrong with a calendar, other than what needs the time
// zone database or a walk through its openings.
type checker struct {
	findings
	calendars, weekly, yearly, dates, exceptions, editions int
	// zones collects the zones, if location is set to find them by.
	zones    map[string]*time.Location
	location func(name string) (*time.Location, error)
}

// check returns an [ErrInvalid] with everything that is wrong with a calendar in
// itself.
func (c *Calendar) check(k *checker) error {
	k.calendar(c, "", 1)
	k.check(k.calendars <= maxCalendars, "", fmt.Sprintf("must combine at most %d calendars", maxCalendars))
	k.check(k.weekly <= maxWeekly, "", fmt.Sprintf("must have at most %d windows a week in all", maxWeekly))
	k.check(k.yearly <= maxYearly, "", fmt.Sprintf("must have at most %d holidays of every year in all", maxYearly))
	k.check(k.dates <= maxDates, "", fmt.Sprintf("must have at most %d holidays of one date in all", maxDates))
	k.check(k.exceptions <= maxDates, "", fmt.Sprintf("must have at most %d exceptions in all", maxDates))
	k.check(k.editions <= maxEditions, "", fmt.Sprintf("must have at most %d editions in all", maxEditions))
	return k.err()
}

func (k *checker) calendar(c *Calendar, path string, depth int) {
	k.check(utf8.ValidString(c.Name), join(path, "name"), "must be valid UTF-8")
	k.check(c.Version >= 0, join(path, "version"), "must not be negative")
	if c.Op == "" {
		if k.calendars++; k.calendars > maxCalendars {
			return // said once, for all of them
		}
		k.zone(c.Zone, join(path, "tz"))
		k.check(len(c.Of) == 0, join(path, "of"), "needs an op that says how to combine the calendars")
		k.rules(&c.Rules, path)
		k.editionsOf(c, path)
		weekly := c.Weekly.size()
		for i := range c.Editions {
			weekly = max(weekly, c.Editions[i].Weekly.size())
		}
		k.weekly += weekly
		return
	}
	switch c.Op {
	case OpUnion, OpIntersection:
		k.check(len(c.Of) >= 1, join(path, "of"), "must list at least one calendar")
	case OpDifference:
		k.check(len(c.Of) >= 2, join(path, "of"), "must list at least two calendars: one, and what is taken from it")
	default:
		k.check(false, join(path, "op"), "must be union, intersection, difference, or nothing")
	}
	const own = "must be empty where calendars are combined"
	k.check(c.Zone == "", join(path, "tz"), own)
	k.check(c.Weekly.IsZero(), join(path, "weekly"), own)
	k.check(len(c.Holidays) == 0, join(path, "holidays"), own)
	k.check(len(c.Exceptions) == 0, join(path, "exceptions"), own)
	k.check(len(c.Editions) == 0, join(path, "editions"), own)
	if depth > maxNested {
		k.check(false, join(path, "of"), fmt.Sprintf("must be nested at most %d deep", maxNested))
		return
	}
	for i := range c.Of {
		if k.calendars > maxCalendars {
			return
		}
		k.calendar(&c.Of[i], join(path, fmt.Sprintf("of[%d]", i)), depth+1)
	}
}

const notZone = `must name a time zone of the IANA database, such as "Europe/Berlin" or "UTC"`

// zone finds a zone. Local is refused: it means something else on every machine.
func (k *checker) zone(name, path string) {
	if name == "" || name == "Local" {
		k.check(false, path, notZone)
		return
	}
	if k.location == nil || k.zones[name] != nil {
		return
	}
	loc, err := k.location(name)
	if err == nil && loc == nil {
		err = errors.New("no location")
	}
	if err != nil {
		k.check(false, path, fmt.Sprintf("cannot be found: %v", err))
		return
	}
	k.zones[name] = loc
}

func (k *checker) editionsOf(c *Calendar, path string) {
	if k.editions += len(c.Editions); k.editions > maxEditions {
		return
	}
	for i := range c.Editions {
		at := join(path, fmt.Sprintf("editions[%d]", i))
		edition := &c.Editions[i]
		k.check(edition.From.valid(), join(at, "from"), notDate)
		k.check(i == 0 || !edition.From.valid() || edition.From.compare(c.Editions[i-1].From) > 0, join(at, "from"), "must be later than that of the edition before")
		k.rules(&edition.Rules, at)
	}
}

func (k *checker) rules(r *Rules, path string) {
	for _, d := range weekOrder {
		k.windows(r.Weekly[d], join(path, "weekly."+weekdayNames[d]))
	}
	for i, one := range r.Holidays {
		at := join(path, fmt.Sprintf("holidays[%d]", i))
		read, reason := parseRule(one)
		k.check(reason == "", join(at, "on"), reason)
		k.check(utf8.ValidString(one.Name), join(at, "name"), "must be valid UTF-8")
		switch read.kind {
		case onDate:
			k.dates++
		case onFixed, onNth, onEaster:
			k.yearly++
		case onNothing:
		}
	}
	k.exceptions += len(r.Exceptions)
	for _, d := range slices.SortedFunc(maps.Keys(r.Exceptions), Date.compare) {
		at := join(path, "exceptions."+d.String())
		k.check(d.valid(), at, notDate)
		k.windows(r.Exceptions[d], at)
	}
}

func (k *checker) windows(windows []Window, path string) {
	k.check(len(windows) <= maxWindows, path, fmt.Sprintf("must have at most %d windows", maxWindows))
	for i, w := range windows {
		w.check(&k.findings, fmt.Sprintf("%s[%d]", path, i))
	}
}

func (d Date) compare(other Date) int {
	return cmp.Or(cmp.Compare(d.Year, other.Year), cmp.Compare(d.Month, other.Month), cmp.Compare(d.Day, other.Day))
}

// A Horizon is the time over which a calendar is compiled. Questions within it
// are answered in constant time; beyond it they are answered just as exactly,
// but by a walk that costs time in proportion to its way. A compiled calendar
// takes some 12 bytes a week.
type Horizon struct {
	// From is the first date, To the first one after. The zero Date means
	// 1970-01-01 and 2101-01-01. They are read in UTC and rounded outwards to
	// whole weeks.
	From, To Date
	// Location finds a time zone by its name in the IANA database. Nil means
	// [time.LoadLocation], which reads files of the machine or, if the program
	// imports time/tzdata, of its own.
	Location func(name string) (*time.Location, error)
}

// resolve fills in what is zero, and checks.
func (h Horizon) resolve() (Horizon, error) {
	if h.From == (Date{}) {
		h.From = Date{Year: 1970, Month: time.January, Day: 1}
	}
	if h.To == (Date{}) {
		h.To = Date{Year: 2101, Month: time.January, Day: 1}
	}
	if h.Location == nil {
		h.Location = time.LoadLocation
	}
	var f findings
	f.check(h.From.valid(), "horizon.from", notDate)
	f.check(h.To.valid(), "horizon.to", notDate)
	f.check(h.From.compare(h.To) < 0, "horizon.to", "must be after horizon.from")
	return h, f.err()
}
