package sla

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// An Outage is a time in which a service did not do what it should: the life of
// an incident, as availability sees it.
type Outage struct {
	// Record is what it is known by.
	Record string `json:"record,omitempty"`
	// Start is when the service failed, or degraded.
	Start time.Time `json:"start"`
	// Acknowledged is when somebody took it on; zero if nobody has.
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	// Restored is when the service was back to normal; zero if it is not.
	Restored time.Time `json:"restored,omitzero"`
	// Planned says that it was announced maintenance.
	Planned bool `json:"planned,omitempty"`
	// Affected is how many users it hit; 0 is all of them.
	Affected int64 `json:"affected,omitempty"`
}

// A Convention says what MTBF means, as the word is used for two different
// things. MTRS, MTTF and MTBSI have one meaning only.
type Convention string

const (
	// MTBFUptime is ITIL's tradition: mean time between failures is the uptime
	// from recovery to the next failure, so that MTBSI = MTBF + MTRS and
	// availability = MTBF ÷ (MTBF + MTRS).
	MTBFUptime Convention = "recovery_to_failure"
	// MTBFCycle is usual elsewhere: it runs from failure to failure, so that
	// MTBF = MTTF + MTRS and availability = MTTF ÷ MTBF.
	MTBFCycle Convention = "failure_to_failure"
)

// A Method says how means are found.
type Method string

const (
	// OverPeriod divides the uptime, downtime and agreed service time of the
	// whole period by the number of outages in it. The means fit together with
	// the availability, and are defined from one outage on.
	OverPeriod Method = "period"
	// BetweenOutages takes the mean of what was observed from beginning to end
	// in the period: of n outages there are n-1 times between them, so that with
	// fewer than two it is undefined.
	BetweenOutages Method = "intervals"
)

// A BusyTime is a time that matters more to the business: payday, the day of the
// sale.
type BusyTime struct {
	Name   string `json:"name"`
	Period Period `json:"period"`
	// Weight is how much more, 2 to 1,000; all other time has 1.
	Weight int64 `json:"weight"`
}

// AvailabilityTerms are what was agreed on how availability is measured.
type AvailabilityTerms struct {
	Period Period `json:"period"`
	// Agreed says how much of the time from a to b is agreed service time;
	// [Hours.Between] does. Nil means that all of it is. It must be such that
	// the parts of a time add up to the whole.
	Agreed func(a, b time.Time) time.Duration `json:"-"`
	// ExcludePlanned says that planned downtime is agreed not to count: it is
	// then neither downtime nor agreed service time. Otherwise planned downtime
	// is downtime like any other.
	ExcludePlanned bool `json:"exclude_planned,omitempty"`
	// Users is how many the service has, for the weighted availability; 0 means
	// that every outage hits all of them.
	Users int64 `json:"users,omitempty"`
	// Busy times count with their weight in the weighted availability. They
	// must not overlap.
	Busy []BusyTime `json:"busy,omitempty"`
	// Convention is what MTBF means; empty is MTBFUptime.
	Convention Convention `json:"convention,omitempty"`
	// Method is how means are found; empty is OverPeriod.
	Method Method `json:"method,omitempty"`
}

// An Availability is what outages came to in a period. All durations are agreed
// service time, and nanoseconds in JSON.
type Availability struct {
	Period     Period     `json:"period"`
	Convention Convention `json:"convention"`
	Method     Method     `json:"method"`
	// Agreed is the agreed service time of the period, without what was Planned
	// and is agreed not to count.
	Agreed  time.Duration `json:"agreed"`
	Planned time.Duration `json:"planned"`
	// Down is when at least one outage went on.
	Down time.Duration `json:"down"`
	// Outages is how many there were in agreed service time. Those that overlap
	// or touch are one.
	Outages int64 `json:"outages"`
	// Open says that the last of them goes on at the end of the period.
	Open bool `json:"open,omitempty"`
	// Fraction is (Agreed - Down) of Agreed.
	Fraction Fraction `json:"fraction"`
	// Weighted is the same with each instant counted by the users who could
	// work, and by the weight of busy times, in lowest terms. Where outages
	// overlap, the users hit by them are added up, to no more than there are.
	Weighted Fraction `json:"weighted"`
	// MTTA is the mean time from start to acknowledgement of the outages that
	// began in the period and were acknowledged, each by itself; Unacknowledged
	// is how many were not.
	MTTA           Mean  `json:"mtta"`
	Unacknowledged int64 `json:"unacknowledged"`
	// MTRS is the mean time to restore service, from failure until everything
	// is normal: detection, diagnosis, repair and recovery together.
	MTRS Mean `json:"mtrs"`
	// MTTF is the mean time from recovery to the next failure.
	MTTF Mean `json:"mttf"`
	// MTBF is the mean time between failures: MTTF or MTBSI, as Convention says.
	MTBF Mean `json:"mtbf"`
	// MTBSI is the mean time between service incidents, from failure to failure.
	MTBSI Mean `json:"mtbsi"`
}

// edge is where something begins (+) or ends (-).
type edge struct {
	at                 time.Time
	down, users, aside int64
	weight             int64
}

// downtime is one outage, or several that overlap or touch.
type downtime struct {
	down  time.Duration // in agreed service time
	after time.Duration // agreed service time from its end to the next one
	whole bool          // began in the period
	ended bool          // and ended in it
}

// Measure measures the outages in the period, in any order; what is outside of it
// is cut off. An outage that only touches time that is not agreed is none.
//
// It returns an [ErrInvalid] with everything that is wrong with the terms and the
// outages, and where a weighted availability is too long for its numbers: with
// times in microseconds that takes a thousand years times weight.
func (t AvailabilityTerms) Measure(outages []Outage) (Availability, error) {
	t.Convention = cmp.Or(t.Convention, MTBFUptime)
	t.Method = cmp.Or(t.Method, OverPeriod)
	if err := t.validate(outages); err != nil {
		return Availability{}, err
	}
	agreed := func(a, b time.Time) time.Duration {
		if t.Agreed == nil {
			return b.Sub(a)
		}
		return min(max(t.Agreed(a, b), 0), b.Sub(a))
	}
	a := Availability{Period: t.Period, Convention: t.Convention, Method: t.Method}
	var acknowledged Total
	for i := range outages {
		o := &outages[i]
		if o.Planned || !t.Period.Contains(o.Start) {
			continue
		}
		if o.Acknowledged.IsZero() {
			a.Unacknowledged++
		} else {
			acknowledged.Add(agreed(o.Start, o.Acknowledged))
		}
	}
	a.MTTA = acknowledged.Mean("no outage of the period was acknowledged")

	all := max(t.Users, 1)
	var downs []downtime
	var now edge
	lost, total, weight, x := new(big.Int), new(big.Int), new(big.Int), new(big.Int)
	wasDown := false
	edges := t.edges(outages, all)
	for i, e := range edges {
		now.down, now.users, now.aside, now.weight = now.down+e.down, now.users+e.users, now.aside+e.aside, now.weight+e.weight
		if i+1 < len(edges) && edges[i+1].at.Equal(e.at) {
			continue
		}
		if isDown := now.down > 0; isDown != wasDown && e.at.Before(t.Period.To) {
			if isDown {
				before := e.at.Equal(t.Period.From) && t.goesOnAt(t.Period.From, outages)
				downs = append(downs, downtime{whole: !before})
			} else {
				downs[len(downs)-1].ended = true
			}
			wasDown = isDown
		}
		if i+1 == len(edges) { // the last one is the end of the period
			break
		}
		length := agreed(e.at, edges[i+1].at)
		if now.aside > 0 {
			a.Planned += length
			continue
		}
		a.Agreed += length
		weight.Mul(big.NewInt(int64(length)), big.NewInt(1+now.weight))
		total.Add(total, x.Mul(weight, big.NewInt(all)))
		lost.Add(lost, x.Mul(weight, big.NewInt(min(now.users, all))))
		switch {
		case now.down > 0:
			a.Down += length
			downs[len(downs)-1].down += length
		case len(downs) > 0:
			downs[len(downs)-1].after += length
		}
	}
	if wasDown {
		a.Open = t.goesOnAt(t.Period.To, outages)
		downs[len(downs)-1].ended = !a.Open
	}
	a.Fraction = Fraction{int64(a.Agreed - a.Down), int64(a.Agreed)}
	var ok bool
	if a.Weighted, ok = newFraction(lost.Sub(total, lost), total); !ok {
		return Availability{}, &Finding{Field: "busy", Reason: "weights of users and busy times are too large together"}
	}
	a.means(inAgreedTime(downs))
	return a, nil
}

// goesOnAt reports whether an outage that began before an instant was not over
// before it, or not at it where that is the end of the period.
func (t *AvailabilityTerms) goesOnAt(at time.Time, outages []Outage) bool {
	return slices.ContainsFunc(outages, func(o Outage) bool {
		if o.Planned && t.ExcludePlanned || !o.Start.Before(at) {
			return false
		}
		// One that ends when the period begins is one with what begins then.
		return o.Restored.IsZero() || o.Restored.After(at) || o.Restored.Equal(at) && at.Equal(t.Period.From)
	})
}

// edges returns where anything begins or ends, in order, cut to the period.
func (t *AvailabilityTerms) edges(outages []Outage, all int64) []edge {
	edges := []edge{{at: t.Period.From}, {at: t.Period.To}}
	add := func(p Period, e edge) {
		if p.From.Before(t.Period.From) {
			p.From = t.Period.From
		}
		if p.To.IsZero() || p.To.After(t.Period.To) {
			p.To = t.Period.To
		}
		if !p.From.Before(p.To) {
			return
		}
		e.at = p.From
		edges = append(edges, e, edge{p.To, -e.down, -e.users, -e.aside, -e.weight})
	}
	for _, o := range outages {
		e := edge{down: 1, users: cmp.Or(o.Affected, all)}
		if o.Planned && t.ExcludePlanned {
			e = edge{aside: 1}
		}
		add(Period{o.Start, o.Restored}, e)
	}
	for _, b := range t.Busy {
		add(b.Period, edge{weight: b.Weight - 1})
	}
	slices.SortStableFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
	return edges
}

// inAgreedTime leaves out what was down only when nothing is agreed.
func inAgreedTime(downs []downtime) []downtime {
	var kept []downtime
	for _, d := range downs {
		switch {
		case d.down > 0:
			kept = append(kept, d)
		case len(kept) > 0:
			kept[len(kept)-1].after += d.after
		}
	}
	return kept
}

func (a *Availability) means(downs []downtime) {
	a.Outages = int64(len(downs))
	switch a.Method {
	case OverPeriod:
		over := func(d time.Duration) Mean {
			if a.Outages == 0 {
				return Mean{Undefined: "there was no outage"}
			}
			s := Total{low: uint64(d), n: a.Outages}
			return s.Mean("")
		}
		a.MTRS, a.MTTF, a.MTBSI = over(a.Down), over(a.Agreed-a.Down), over(a.Agreed)
	case BetweenOutages:
		var restore, up, cycle Total
		for i, d := range downs {
			if d.whole && d.ended {
				restore.Add(d.down)
			}
			if i+1 < len(downs) {
				up.Add(d.after)
				if d.whole {
					cycle.Add(d.down + d.after)
				}
			}
		}
		a.MTRS = restore.Mean("no outage began and ended in the period")
		a.MTTF = up.Mean("there were fewer than two outages")
		a.MTBSI = cycle.Mean("fewer than two outages began in the period")
	}
	a.MTBF = a.MTTF
	if a.Convention == MTBFCycle {
		a.MTBF = a.MTBSI
	}
}

func (t *AvailabilityTerms) validate(outages []Outage) error {
	var f findings
	const most = 1_000_000_000_000
	f.period("period", t.Period)
	f.check(t.Users >= 0 && t.Users <= most, "users", "must be 0 to a million millions")
	f.check(t.Convention == MTBFUptime || t.Convention == MTBFCycle, "convention",
		fmt.Sprintf("must be %s or %s, is %q", MTBFUptime, MTBFCycle, t.Convention))
	f.check(t.Method == OverPeriod || t.Method == BetweenOutages, "method",
		fmt.Sprintf("must be %s or %s, is %q", OverPeriod, BetweenOutages, t.Method))
	for i, b := range t.Busy {
		field := fmt.Sprintf("busy[%d]", i)
		f.period(join(field, "period"), b.Period)
		f.check(b.Weight >= 2 && b.Weight <= 1000, join(field, "weight"), "must be 2 to 1000")
		for j, c := range t.Busy[:i] {
			f.check(!b.Period.overlaps(c.Period), join(field, "period"), fmt.Sprintf("overlaps busy[%d]", j))
		}
	}
	for i, o := range outages {
		field := fmt.Sprintf("outages[%d]", i)
		f.check(!o.Start.IsZero(), join(field, "start"), "must be given")
		f.check(o.Restored.IsZero() || !o.Restored.Before(o.Start), join(field, "restored"), "must not be before start")
		f.check(o.Acknowledged.IsZero() || !o.Acknowledged.Before(o.Start), join(field, "acknowledged"), "must not be before start")
		if t.Users == 0 {
			f.check(o.Affected == 0, join(field, "affected"), "needs the number of users in the terms")
		} else {
			f.check(o.Affected >= 0 && o.Affected <= max(t.Users, 0), join(field, "affected"), "must be 0 to the number of users")
		}
	}
	return f.err()
}

// Text returns the figures for people, each with what it means.
func (a Availability) Text() string {
	mtbf := "recovery to next failure, as MTTF"
	if a.Convention == MTBFCycle {
		mtbf = "failure to failure, as MTBSI"
	}
	open := ""
	if a.Open {
		open = ", the last one goes on"
	}
	rows := [][]string{
		{"availability", a.Fraction.withSign(3), fmt.Sprintf("down %s of %s agreed", short(a.Down), short(a.Agreed))},
		{"weighted", a.Weighted.withSign(3), "by users and busy times"},
		{"outages", fmt.Sprint(a.Outages), "merged where they overlap" + open},
		{"MTTA", a.MTTA.String(), "start to acknowledgement"},
		{"MTRS", a.MTRS.String(), "failure to normal service"},
		{"MTTF", a.MTTF.String(), "recovery to next failure"},
		{"MTBF", a.MTBF.String(), mtbf},
		{"MTBSI", a.MTBSI.String(), "failure to failure"},
	}
	if a.Planned > 0 {
		rows = append(rows, []string{"planned", short(a.Planned), "agreed not to count"})
	}
	how := "means over the whole period"
	if a.Method == BetweenOutages {
		how = "means of what was observed between outages"
	}
	return strings.Join([]string{a.Period.String() + ", " + how, columns(3, rows)}, "\n")
}
