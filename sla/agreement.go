package sla

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Facts is what an agreement may ask about a record: its state, its priority,
// its service, by the names that the practice gives them. What a record does not
// have is empty.
type Facts interface {
	Fact(name string) string
}

// A FactMap is facts as a map.
type FactMap map[string]string

// Fact returns the fact of a name.
func (m FactMap) Fact(name string) string { return m[name] }

// Yes, Number and Instant spell facts that are no texts. Yes is "yes", or "" if it is
// not so.
func Yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

// Number is "3", and "" for 0.
func Number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// Instant is a time in RFC 3339, as [GoalRule].By reads it, and "" for the zero time.
func Instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// A Condition is a question to a record as data: every fact that it names must
// have one of the values listed. Among them "*" is any value but none, "" is
// none, and "!vendor" any but this one; where all are of that last kind, all of
// them must hold. The empty condition always holds.
//
//	{"state": ["on_hold"], "hold": ["caller", "parts"]}
type Condition map[string][]string

// Holds reports whether a record meets the condition.
func (c Condition) Holds(f Facts) bool {
	for name, values := range c {
		if !anyOf(values, f.Fact(name)) {
			return false
		}
	}
	return true
}

func anyOf(values []string, fact string) bool {
	positive := false
	for _, v := range values {
		if not, ok := strings.CutPrefix(v, "!"); ok {
			if not == fact {
				return false
			}
			continue
		}
		positive = true
		if v == fact || v == "*" && fact != "" {
			return true
		}
	}
	return !positive && len(values) > 0
}

// String returns the condition as text, in the order of the names.
func (c Condition) String() string {
	parts := make([]string, 0, len(c))
	for _, name := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, name+" "+strings.Join(c[name], " or "))
	}
	return strings.Join(parts, " and ")
}

// seen returns the facts that the condition asks for, as a reason for people.
func (c Condition) seen(f Facts) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if fact := f.Fact(name); fact != "" {
			parts = append(parts, fact)
		}
	}
	const most = 100 // a fact may be as long as a host's field
	runes := []rune(strings.ReplaceAll(strings.ToValidUTF8(strings.Join(parts, ", "), ""), "\x00", ""))
	return string(runes[:min(len(runes), most)])
}

func (c Condition) validate(f *findings, field string) {
	for _, name := range slices.Sorted(maps.Keys(c)) {
		f.check(name != "", field, "must not ask for a fact without a name")
		f.check(len(c[name]) > 0, join(field, name), "must list a value: nothing is among none")
	}
}

// Conditions hold when any of them does; none at all never holds.
type Conditions []Condition

// find returns the first condition that holds.
func (cs Conditions) find(f Facts) (Condition, bool) {
	for _, c := range cs {
		if c.Holds(f) {
			return c, true
		}
	}
	return nil, false
}

// holdOr is find for conditions of which none means something else.
func (cs Conditions) holdOr(f Facts, none bool) bool {
	if len(cs) == 0 {
		return none
	}
	_, ok := cs.find(f)
	return ok
}

func (cs Conditions) validate(f *findings, field string) {
	for i, c := range cs {
		c.validate(f, fmt.Sprintf("%s[%d]", field, i))
	}
}

// A Kind is who agrees with whom.
type Kind string

const (
	// ServiceLevel is an SLA: the provider and the customer.
	ServiceLevel Kind = "sla"
	// OperationalLevel is an OLA: parts of the provider's own organization.
	OperationalLevel Kind = "ola"
	// UnderpinningContract is one with a supplier.
	UnderpinningContract Kind = "uc"
)

// Kinds lists the kinds of agreements.
func Kinds() []Kind { return []Kind{ServiceLevel, OperationalLevel, UnderpinningContract} }

// An Agreement is what was agreed about a service, as a value that can be stored
// and has versions: a record is measured by the version that was in force when it
// was opened, whatever is agreed afterwards.
//
// A good agreement is about a defined service, says what its users get from it,
// and is short; [Book.Lint] says where it is not.
type Agreement struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Kind    Kind   `json:"kind"`
	// Service is the service of the catalogue that it is about; Customer with
	// whom, and Outcome what they get from it.
	Service  string `json:"service,omitempty"`
	Customer string `json:"customer,omitempty"`
	Outcome  string `json:"outcome,omitempty"`
	// Supports names the SLA that an OLA or contract underpins.
	Supports string `json:"supports,omitempty"`
	// From and Until say for which records it is in force: those opened in
	// [From, Until). Zero means that there is no such limit.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Applies says to which records; none means to all.
	Applies Conditions `json:"applies,omitempty"`
	// Metrics are what is measured.
	Metrics []Metric `json:"metrics"`
}

// Ref names an agreement's version: "gold@3".
func (a Agreement) Ref() string { return ref(a.Name, a.Version) }

// ref names a version of something.
func ref(name string, version int) string { return fmt.Sprintf("%s@%d", name, version) }

// A Metric is one thing that is measured by a clock of its own: time to respond,
// to resolve, between updates. Metrics do not overrule each other.
type Metric struct {
	Name string `json:"name"`
	// Calendar is that of its goals, by name; a goal may have another. With a
	// version, "berlin@2", it is that one for ever; without, the newest that
	// there is when the clock starts.
	Calendar string `json:"calendar"`
	// Start says when the clock starts; none means as soon as the agreement
	// applies. It then counts from From.
	Start Conditions `json:"start,omitempty"`
	From  Origin     `json:"from,omitempty"`
	// Pause says while what the clock does not count. A metric without it has
	// a deadline that no pause moves.
	Pause Conditions `json:"pause,omitempty"`
	// Stop says when the metric is met or missed, Cancel when there is nothing
	// to be measured any more.
	Stop   Conditions `json:"stop,omitempty"`
	Cancel Conditions `json:"cancel,omitempty"`
	// Reset says what ends the cycle and begins the next one at once, as an
	// update does where updates are promised every few hours.
	Reset Conditions `json:"reset,omitempty"`
	// Reopen says what happens when Stop holds no longer.
	Reopen Reopen `json:"reopen,omitempty"`
	// Base says from where on another goal or calendar counts, as after a
	// change of priority.
	Base Base `json:"base,omitempty"`
	// Goals are tried in order; the first whose condition holds applies. Where
	// none does, nothing is promised and nothing measured.
	Goals []GoalRule `json:"goals"`
	// Thresholds are what is to be done on the way.
	Thresholds []Threshold `json:"thresholds,omitempty"`
}

// An Origin says from when on a metric counts.
type Origin string

const (
	// FromOpening is the default: from when the record was opened, however
	// late its clock is started.
	FromOpening Origin = ""
	// FromCondition counts from when Start was first met, such as the
	// assignment to a group.
	FromCondition Origin = "condition"
)

// A Reopen says what happens to a clock that has stopped when the record is
// taken up again.
type Reopen string

const (
	// ReopenResume is the default: it goes on where it stopped. The time since
	// does not count.
	ReopenResume Reopen = ""
	// ReopenCount goes on as if it had not stopped: service was not restored
	// after all.
	ReopenCount Reopen = "count"
	// ReopenRestart begins a new cycle when Start holds.
	ReopenRestart Reopen = "restart"
	// ReopenNever leaves the result as it is, as for a first response.
	ReopenNever Reopen = "never"
)

// A GoalRule is a goal and to which records it applies.
type GoalRule struct {
	When Condition `json:"when,omitempty"`
	// Within is the open time that it may take. JSON: nanoseconds, or text
	// like "4h".
	Within time.Duration `json:"within,omitempty"`
	// By names a fact that holds a promised date, in RFC 3339; it is a goal
	// that nothing moves. The rule does not apply to a record without it.
	By string `json:"by,omitempty"`
	// Calendar is the goal's own; empty means the metric's.
	Calendar string `json:"calendar,omitempty"`
}

// goal returns the goal that the rule sets for a record, if it does.
func (g GoalRule) goal(f Facts) (Goal, bool) {
	if !g.When.Holds(f) {
		return Goal{}, false
	}
	if g.By == "" {
		return Goal{Within: g.Within}, true
	}
	by, err := time.Parse(time.RFC3339Nano, f.Fact(g.By))
	return Goal{By: by.UTC().Truncate(tick)}, err == nil
}

// A Threshold is something to be done when a part of the goal is used up, or when
// it is past by so much; it is done once in each cycle.
type Threshold struct {
	// Name names it within its metric; empty means that Percent or After does.
	Name string `json:"name,omitempty"`
	// Percent is the part of the goal: 50, 75, 100.
	Percent int `json:"percent,omitempty"`
	// After is how much open time after the deadline instead, or before it if
	// negative. JSON: nanoseconds, or text like "-30m".
	After time.Duration `json:"after,omitempty"`
	// Every repeats it after that, until it was done Times.
	Every time.Duration `json:"every,omitempty"`
	Times int           `json:"times,omitempty"`
	// Do is what is to be done; nothing means that its being reached is noted.
	Do []Escalation `json:"do,omitempty"`
}

// maxTimes bounds how often a threshold repeats.
const maxTimes = 100

// ThresholdBreach names the threshold that every clock has: its goal is past.
const ThresholdBreach = "breach"

func (t Threshold) name() string {
	switch {
	case t.Name != "":
		return t.Name
	case t.Percent > 0:
		return fmt.Sprintf("%d%%", t.Percent)
	}
	return fmt.Sprintf("%+dm", t.After/time.Minute)
}

// An Escalation is what is to be done at a threshold.
type Escalation struct {
	Do Means `json:"do"`
	// To is whom: a group, a person, an address, in the host's terms.
	To string `json:"to"`
}

// Means is how something is escalated.
type Means string

const (
	// Notify tells somebody: it stands in the history and the feed, and the
	// host sends it.
	Notify Means = "notify"
	// EscalateFunctional hands the record over to people with other skills.
	EscalateFunctional Means = "functional"
	// EscalateHierarchical tells people with more authority.
	EscalateHierarchical Means = "hierarchical"
)

// AllMeans lists the means of escalation.
func AllMeans() []Means { return []Means{Notify, EscalateFunctional, EscalateHierarchical} }

// ParseAgreement reads an agreement's JSON form, such as
//
//	{
//	  "name": "gold", "version": 3, "kind": "sla", "service": "mail",
//	  "outcome": "people reach each other",
//	  "applies": [{"service": ["mail"]}],
//	  "metrics": [{
//	    "name": "resolution", "calendar": "berlin",
//	    "pause": [{"state": ["on_hold"], "hold": ["caller"]}],
//	    "stop": [{"state": ["resolved", "closed"]}],
//	    "goals": [
//	      {"when": {"priority": ["1"]}, "within": "4h", "calendar": "always"},
//	      {"within": "40h"}
//	    ],
//	    "thresholds": [{"percent": 75, "do": [{"do": "hierarchical", "to": "head of operations"}]}]
//	  }]
//	}
//
// Lengths of time are text such as "1h30m", or nanoseconds, as they are written.
// At most 1 MiB of valid UTF-8 is read. It returns an [ErrInvalid] with everything
// that is wrong: names that are not known or there twice, values of the wrong
// type, and what [Agreement.Validate] finds.
func ParseAgreement(data []byte) (Agreement, error) { return parse(data, Agreement.Validate) }

// Validate returns an [ErrInvalid] with every finding if the agreement is wrong
// in itself. Whether the calendars that it names are there, [NewBook] says.
func (a Agreement) Validate() error {
	var f findings
	f.name(a.Name, "name")
	f.check(a.Version >= 0, "version", "must not be negative")
	f.check(slices.Contains(Kinds(), a.Kind), "kind", fmt.Sprintf("must be sla, ola or uc, is %q", a.Kind))
	f.check(a.Supports == "" || a.Kind != ServiceLevel, "supports", "must be empty: an SLA supports none")
	f.check(a.From.IsZero() || a.Until.IsZero() || a.From.Before(a.Until), "until", "must be after from")
	a.Applies.validate(&f, "applies")
	f.check(len(a.Metrics) > 0, "metrics", "must not be empty")
	names := map[string]bool{}
	for i, m := range a.Metrics {
		field := fmt.Sprintf("metrics[%d]", i)
		f.check(!names[m.Name], join(field, "name"), fmt.Sprintf("is there twice: %q", m.Name))
		names[m.Name] = true
		m.validate(&f, field)
	}
	return f.err()
}

// maxName is the most characters of a name, which keeps it short enough for every
// practice.
const maxName = 200

// name checks a name that stands in references.
func (f *findings) name(name, field string) {
	f.text(name, field)
	f.check(!strings.ContainsAny(name, "@/"), field, "must not contain @ or /")
}

// text checks a text that records keep.
func (f *findings) text(text, field string) {
	f.check(text != "", field, "must not be empty")
	f.check(utf8.ValidString(text) && !strings.Contains(text, "\x00"), field, "must be valid UTF-8 without NUL")
	f.check(utf8.RuneCountInString(text) <= maxName, field, fmt.Sprintf("must have at most %d characters", maxName))
}

func (m Metric) validate(f *findings, field string) {
	f.name(m.Name, join(field, "name"))
	for _, cs := range []struct {
		name string
		cs   Conditions
	}{{"start", m.Start}, {"pause", m.Pause}, {"stop", m.Stop}, {"cancel", m.Cancel}, {"reset", m.Reset}} {
		cs.cs.validate(f, join(field, cs.name))
	}
	f.check(slices.Contains([]Origin{FromOpening, FromCondition}, m.From), join(field, "from"), fmt.Sprintf("must be condition or empty, is %q", m.From))
	f.check(slices.Contains([]Reopen{ReopenResume, ReopenCount, ReopenRestart, ReopenNever}, m.Reopen), join(field, "reopen"),
		fmt.Sprintf("must be count, restart, never or empty, is %q", m.Reopen))
	f.check(m.Base == FromStart || m.Base == FromNow, join(field, "base"), fmt.Sprintf("must be now or empty, is %q", m.Base))
	f.check(len(m.Goals) > 0, join(field, "goals"), "must not be empty")
	for i, g := range m.Goals {
		field := fmt.Sprintf("%s[%d]", join(field, "goals"), i)
		g.When.validate(f, join(field, "when"))
		f.check(g.Within >= 0, join(field, "within"), "must not be negative")
		f.check(g.Within == 0 || g.By == "", join(field, "by"), "and within must not be given together")
		f.check(g.Calendar != "" || m.Calendar != "", join(field, "calendar"), "must be given here or for the metric")
	}
	names := map[string]bool{ThresholdBreach: true}
	for i, t := range m.Thresholds {
		field := fmt.Sprintf("%s[%d]", join(field, "thresholds"), i)
		f.text(t.name(), join(field, "name"))
		f.check(!strings.Contains(t.Name, "#"), join(field, "name"), "must not contain #, which numbers repetitions")
		f.check(!names[t.name()], join(field, "name"), fmt.Sprintf("is there twice: %q", t.name()))
		names[t.name()] = true
		f.check(t.Percent >= 0, join(field, "percent"), "must not be negative")
		f.check(t.Percent == 0 || t.After == 0, join(field, "after"), "and percent must not be given together")
		f.check(t.Every >= 0, join(field, "every"), "must not be negative")
		f.check((t.Every > 0) == (t.Times > 1), join(field, "times"), "must be 2 or more with every, and 0 or 1 without")
		f.check(t.Times <= maxTimes, join(field, "times"), fmt.Sprintf("must be at most %d", maxTimes))
		f.check(t.Times >= 0, join(field, "times"), "must not be negative")
		for j, d := range t.Do {
			field := fmt.Sprintf("%s[%d]", join(field, "do"), j)
			f.check(slices.Contains(AllMeans(), d.Do), join(field, "do"), fmt.Sprintf("must be notify, functional or hierarchical, is %q", d.Do))
			f.text(d.To, join(field, "to"))
		}
	}
}

// clone returns a copy that shares nothing with the agreement.
func (a Agreement) clone() Agreement {
	a.Applies = a.Applies.clone()
	a.Metrics = slices.Clone(a.Metrics)
	for i := range a.Metrics {
		m := &a.Metrics[i]
		for _, cs := range []*Conditions{&m.Start, &m.Pause, &m.Stop, &m.Cancel, &m.Reset} {
			*cs = cs.clone()
		}
		m.Goals = slices.Clone(m.Goals)
		for j := range m.Goals {
			m.Goals[j].When = m.Goals[j].When.clone()
		}
		m.Thresholds = slices.Clone(m.Thresholds)
		for j := range m.Thresholds {
			m.Thresholds[j].Do = slices.Clone(m.Thresholds[j].Do)
		}
	}
	return a
}

func (cs Conditions) clone() Conditions {
	cs = slices.Clone(cs)
	for i := range cs {
		cs[i] = cs[i].clone()
	}
	return cs
}

func (c Condition) clone() Condition {
	c = maps.Clone(c)
	for name := range c {
		c[name] = slices.Clone(c[name])
	}
	return c
}
