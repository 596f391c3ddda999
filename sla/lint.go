package sla

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Lint lists what is legal in the book's agreements and most likely not meant:
//
//   - goals that take longer than a year of their calendar, or more than it ever
//     opens;
//   - thresholds that are never passed, or that come together;
//   - goals behind one that always applies;
//   - no defined service, or no outcome, where the agreement is an SLA;
//   - an agreement that supports an SLA that is not in the book.
//
// Goals are tried from a moment on that the caller chooses, such as now. The
// findings are no errors: the book works.
func (b *Book) Lint(from time.Time) []*Finding {
	var f findings
	for i := range b.agreements {
		a := &b.agreements[i]
		f.check(a.Kind != ServiceLevel || a.Service != "", join(a.Ref(), "service"), "is not given: an SLA is about a defined service")
		f.check(a.Kind != ServiceLevel || a.Outcome != "", join(a.Ref(), "outcome"), "is not given: what do its users get?")
		f.check(a.Supports == "" || len(b.versions(a.Supports)) > 0, join(a.Ref(), "supports"), fmt.Sprintf("is not in the book: %q", a.Supports))
		for j := range a.Metrics {
			m := &a.Metrics[j]
			b.lintGoals(&f, join(a.Ref(), m.Name), m, from)
			lintThresholds(&f, join(a.Ref(), m.Name), m)
		}
	}
	return f
}

func (b *Book) lintGoals(f *findings, field string, m *Metric, from time.Time) {
	for i, g := range m.Goals {
		field := fmt.Sprintf("%s.goals[%d]", field, i)
		for j := range i {
			earlier := m.Goals[j]
			f.check(len(earlier.When) > 0 || earlier.By != "", field, fmt.Sprintf("never applies: goals[%d] always does", j))
		}
		if g.By != "" {
			continue
		}
		h := b.calendars.newest(cmp.Or(g.Calendar, m.Calendar))
		switch end := h.Add(from, g.Within); {
		case end.IsZero():
			f.check(false, field, fmt.Sprintf("is longer than %s ever opens: %s", h.Ref(), g.Within))
		case end.After(from.AddDate(1, 0, 0)):
			f.check(false, field, fmt.Sprintf("takes until %s in %s: more than a year", end.Format(time.DateOnly), h.Ref()))
		}
	}
}

func lintThresholds(f *findings, field string, m *Metric) {
	for i, t := range m.Thresholds {
		field := fmt.Sprintf("%s.thresholds[%d]", field, i)
		f.check(t.Percent > 0 || t.After != 0, field, "is passed at the deadline, like 100 %: give percent or after")
		for _, g := range m.Goals {
			f.check(t.Percent > 0 || t.After >= 0 || g.By != "" || g.Within+t.After > 0, field,
				fmt.Sprintf("is passed as soon as a clock of %s starts", g.Within))
		}
		for j := range i {
			earlier := m.Thresholds[j]
			f.check(t.Percent != earlier.Percent || t.After != earlier.After, field, fmt.Sprintf("comes together with thresholds[%d]", j))
		}
	}
}

func (b *Book) versions(name string) []*Agreement {
	var all []*Agreement
	for i := range b.agreements {
		if b.agreements[i].Name == name {
			all = append(all, &b.agreements[i])
		}
	}
	return all
}

// A Misfit is a case in which what underpins an SLA takes longer than the SLA
// allows: the provider promises what nobody promised to it.
type Misfit struct {
	// Agreement is the SLA and Metric what it promises, for records with these
	// facts.
	Agreement string  `json:"agreement"`
	Metric    string  `json:"metric"`
	Facts     FactMap `json:"facts,omitempty"`
	// Start is when such a record would be opened; Deadline what is promised
	// then, and Chain when the agreements behind it are done, one after the
	// other, zero if one of them has no goal for it.
	Start    time.Time `json:"start"`
	Deadline time.Time `json:"deadline"`
	Chain    time.Time `json:"chain,omitzero"`
	Reason   string    `json:"reason"`
}

// Alignment checks whether the OLAs and contracts that support an SLA fit into
// it: for every goal of the SLA, what they promise for the same metric, one after
// the other in the order of their names, must be done by its deadline, whenever a
// record is opened in [from, to). It tries every whole hour and every moment at
// which one of the calendars opens or closes, and returns the worst case of each
// goal that does not fit. Metrics that nothing supports are left out, and so are
// promised dates. The newest version of each agreement counts.
func (b *Book) Alignment(from, to time.Time) []Misfit {
	var all []Misfit
	for i := range b.agreements {
		a := &b.agreements[i]
		if a.Kind != ServiceLevel || b.newestOf(a.Name) != a {
			continue
		}
		for j := range a.Metrics {
			m := &a.Metrics[j]
			for _, facts := range m.cases() {
				if misfit := b.align(a, m, facts, from, to); misfit != nil {
					all = append(all, *misfit)
				}
			}
		}
	}
	return all
}

func (b *Book) newestOf(name string) *Agreement {
	all := b.versions(name)
	return all[len(all)-1] // they are in the order of their versions
}

// maxCases bounds for how many kinds of records one metric is tried.
const maxCases = 1000

// cases lists the kinds of records for which a metric has goals: every
// combination of the values for which its goals ask.
func (m *Metric) cases() []FactMap {
	values := map[string][]string{}
	for _, g := range m.Goals {
		for name, vs := range g.When {
			for _, v := range vs {
				if v != "*" && !strings.HasPrefix(v, "!") && !slices.Contains(values[name], v) {
					values[name] = append(values[name], v)
				}
			}
		}
	}
	cases := []FactMap{{}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		var more []FactMap
		for _, facts := range cases {
			for _, v := range values[name] {
				if len(more) < maxCases {
					one := maps.Clone(facts)
					one[name] = v
					more = append(more, one)
				}
			}
		}
		cases = more
	}
	return cases
}

// leg is one goal of a chain in the hours of its calendar.
type leg struct {
	who    string
	within time.Duration
	hours  *Hours
}

func (b *Book) leg(a *Agreement, metric string, facts FactMap) (leg, bool) {
	// The service and whatever else the agreement asks for is taken as given.
	for i := range a.Metrics {
		m := &a.Metrics[i]
		if m.Name != metric {
			continue
		}
		for _, g := range m.Goals {
			if goal, ok := g.goal(facts); ok && goal.By.IsZero() {
				return leg{a.Ref(), goal.Within, b.calendars.newest(cmp.Or(g.Calendar, m.Calendar))}, true
			}
		}
	}
	return leg{}, false
}

func (m *Metric) measuredBy(a *Agreement) bool {
	return slices.ContainsFunc(a.Metrics, func(other Metric) bool { return other.Name == m.Name })
}

func (b *Book) align(a *Agreement, m *Metric, facts FactMap, from, to time.Time) *Misfit {
	promise, ok := b.leg(a, m.Name, facts)
	if !ok {
		return nil
	}
	misfit := &Misfit{Agreement: a.Ref(), Metric: m.Name, Facts: facts, Start: from}
	var chain []leg
	for i := range b.agreements {
		s := &b.agreements[i]
		if s.Supports != a.Name || b.newestOf(s.Name) != s || !m.measuredBy(s) {
			continue
		}
		l, ok := b.leg(s, m.Name, facts)
		if !ok {
			misfit.Deadline = promise.hours.Add(from, promise.within)
			misfit.Reason = fmt.Sprintf("%s has no goal for it", s.Ref())
			return misfit
		}
		chain = append(chain, l)
	}
	if len(chain) == 0 {
		return nil
	}
	var worst time.Duration
	for at := range starts(promise, chain, from, to) {
		deadline, done := promise.hours.Add(at, promise.within), at
		for _, l := range chain {
			if done = l.hours.Add(done, l.within); done.IsZero() {
				break
			}
		}
		if deadline.IsZero() || !done.IsZero() && !done.After(deadline) {
			continue
		}
		late := time.Duration(1<<63 - 1)
		if !done.IsZero() {
			late = done.Sub(deadline)
		}
		if late > worst {
			worst = late
			misfit.Start, misfit.Deadline, misfit.Chain = at, deadline, done
		}
	}
	if worst == 0 {
		return nil
	}
	who := make([]string, len(chain))
	for i, l := range chain {
		who[i] = l.who
	}
	misfit.Reason = strings.Join(who, ", then ") + " take longer than is promised"
	return misfit
}

// starts yields the moments at which a chain is tried.
func starts(promise leg, chain []leg, from, to time.Time) func(yield func(time.Time) bool) {
	return func(yield func(time.Time) bool) {
		for at := from; at.Before(to); at = at.Add(time.Hour) {
			if !yield(at) {
				return
			}
		}
		for _, l := range append([]leg{promise}, chain...) {
			for o := range l.hours.Openings(from, to) {
				if !yield(o.Open) || o.Close.Before(to) && !yield(o.Close) {
					return
				}
			}
		}
	}
}
