package problem

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A Period is the time from Start on and before End.
type Period struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

func (p Period) has(t time.Time) bool { return !t.Before(p.Start) && t.Before(p.End) }

// Measures are the figures of a period. Shares are exact fractions, and of nothing there
// is none.
type Measures struct {
	Period Period `json:"period"`

	// Identifying: Registered counts the problems that were registered in the period,
	// ProactiveShare those of them that no incident led to, and Unexplained the
	// incidents in the period that neither a problem nor a known error explains.
	Registered     int          `json:"registered"`
	ProactiveShare sla.Fraction `json:"proactive_share"`
	Unexplained    sla.Fraction `json:"unexplained"`

	// PPI is the problem performance index, (N+R) of (O+C): N problems were registered
	// in the period and are still open at its end, R were resolved in it, O are open at
	// its end, C were brought to an end in it in any way, R among them. What was merged
	// into another problem is not counted. The nearer to 1 the better; where there were
	// no problems there is none.
	PPI sla.Fraction `json:"ppi"`

	// Open counts the problems that are open at the end, by phase, and Ages are how old
	// they are then. OldestOpen is the oldest, empty if there is none.
	Open       map[Phase]int `json:"open"`
	Ages       Ages          `json:"ages"`
	OldestOpen itsm.ID       `json:"oldest_open,omitempty"`
	// AcceptanceLapsed are those open for whose risk nobody answers any more.
	AcceptanceLapsed []itsm.ID `json:"acceptance_lapsed,omitempty"`

	// Control is the mean time from the registration to the end of problem control, of
	// the problems whose control ended in the period, and Resolution that from there to
	// the resolution, of those resolved in it with a fix.
	Control    sla.Mean `json:"control"`
	Resolution sla.Mean `json:"resolution"`
	// NotFixed counts the fixes that did not hold, of all problems registered before the
	// end, among those and those that hold.
	NotFixed sla.Fraction `json:"not_fixed"`

	// Known are the known errors that are published, with how often they showed in the
	// period, the most frequent first; RepeatsPerKnownError is the mean of that.
	Known                []KnownErrorFigures `json:"known,omitempty"`
	RepeatsPerKnownError float64             `json:"repeats_per_known_error"`
	// SolvedByWorkaround is the share of the incidents in the period that a known
	// error's workaround helped: what problem management gave incident management.
	SolvedByWorkaround sla.Fraction `json:"solved_by_workaround"`
}

// Ages are how old open problems are. Of none, all are 0.
type Ages struct {
	Mean   time.Duration `json:"mean"`
	Median time.Duration `json:"median"`
	// P90 is the age that nine of ten do not exceed: the value at rank ⌈0.9 n⌉.
	P90 time.Duration `json:"p90"`
	Max time.Duration `json:"max"`
}

// AgesOf returns the figures of ages. The median of an even number of them is the mean
// of the two in the middle.
func AgesOf(ages []time.Duration) Ages {
	n := len(ages)
	if n == 0 {
		return Ages{}
	}
	ages = slices.Sorted(slices.Values(ages))
	var a Ages
	for _, age := range ages {
		a.Mean += age / time.Duration(n)
	}
	a.Median = ages[n/2]
	if n%2 == 0 {
		a.Median = ages[n/2-1] + (ages[n/2]-ages[n/2-1])/2
	}
	a.P90, a.Max = ages[(9*n+9)/10-1], ages[n-1]
	return a
}

// KnownErrorFigures say how often a known error showed.
type KnownErrorFigures struct {
	KnownError itsm.ID `json:"known_error"`
	Title      string  `json:"title"`
	Incidents  int     `json:"incidents"`
	// Workaround is how often its workarounds helped, of all that was said about them to
	// date.
	Workaround sla.Fraction `json:"workaround"`
}

// Measure computes the measures of a period from records as they are now and from
// occurrences ([Detector.Occurrences]). It is pure. An error of the sequences is
// returned as it is; a period that ends before it starts is an [itsm.ErrInvalid]. The
// state at the end of the period is told by when records were created, resolved and
// closed, so that the end should not be long ago: what was reopened since is taken to
// have been open.
func Measure(problems iter.Seq2[Problem, error], known iter.Seq2[KnownError, error], occurrences iter.Seq[Occurrence], period Period) (Measures, error) {
	m := Measures{Period: period, Open: map[Phase]int{}}
	if !period.Start.Before(period.End) {
		return m, &itsm.FieldError{Field: "period.end", Reason: "must be after period.start"}
	}
	var control, resolution sla.Total
	var ages []time.Duration
	var oldest time.Time
	for r, err := range problems {
		if err != nil {
			return Measures{}, err
		}
		if !r.Created.Before(period.End) || r.MergedInto != "" {
			continue
		}
		registered := period.has(r.Created)
		if registered {
			m.Registered++
			m.ProactiveShare.Count(r.Origin == Proactive)
		}
		ended := r.Resolution.At
		switch {
		case ended.IsZero() || !ended.Before(period.End): // open at the end
			m.PPI.Of++
			if registered {
				m.PPI.Part++
			}
			m.Open[cmp.Or(r.Phase(), ErrorControl)]++
			ages = append(ages, period.End.Sub(r.Created))
			if m.OldestOpen == "" || r.Created.Before(oldest) || r.Created.Equal(oldest) && r.ID < m.OldestOpen {
				m.OldestOpen, oldest = r.ID, r.Created
			}
			if r.Acceptance.Lapsed {
				m.AcceptanceLapsed = append(m.AcceptanceLapsed, r.ID)
			}
		case period.has(ended):
			m.PPI.Of++
			if r.Resolution.Code.Fixes() {
				m.PPI.Part++
				resolution.Add(ended.Sub(r.ControlEnded))
			}
		}
		if period.has(r.ControlEnded) {
			control.Add(r.ControlEnded.Sub(r.Created))
		}
		m.NotFixed.Part += int64(r.Returns)
		m.NotFixed.Of += int64(r.Returns)
		if r.Resolution.Code.Fixes() {
			m.NotFixed.Of++
		}
	}
	m.Control, m.Resolution, m.Ages = control.Mean(""), resolution.Mean(""), AgesOf(ages)
	shown := map[itsm.ID]int{}
	for o := range occurrences {
		if o.Void || !period.has(o.Began) {
			continue
		}
		m.Unexplained.Count(!o.Explained())
		m.SolvedByWorkaround.Count(o.Workaround == Helped)
		if o.KnownError != "" {
			shown[o.KnownError]++
		}
	}
	repeats := 0
	for k, err := range known {
		if err != nil {
			return Measures{}, err
		}
		if !k.Public() {
			continue
		}
		m.Known = append(m.Known, KnownErrorFigures{k.ID, k.Title, shown[k.ID], k.Effectiveness()})
		repeats += shown[k.ID]
	}
	if n := len(m.Known); n > 0 {
		m.RepeatsPerKnownError = float64(repeats) / float64(n)
	}
	slices.SortFunc(m.Known, func(a, b KnownErrorFigures) int {
		return cmp.Or(cmp.Compare(b.Incidents, a.Incidents), cmp.Compare(a.KnownError, b.KnownError))
	})
	return m, nil
}

// Repeats compare how often something came before and after it was fixed.
type Repeats struct {
	// Fixed is when, and Span how long before and after it is counted: as long as there
	// has been a time after it, and no longer than was asked for.
	Fixed time.Time     `json:"fixed"`
	Span  time.Duration `json:"span"`
	// Before and After count the incidents. What began at the moment of the fix counts
	// as after.
	Before int `json:"before"`
	After  int `json:"after"`
}

// Prevented is how many incidents fewer there were: what the fix was good for. It may be
// negative.
func (r Repeats) Prevented() int { return r.Before - r.After }

// String is the comparison in a line.
func (r Repeats) String() string {
	return fmt.Sprintf("%d in the %s before, %d in the %s after", r.Before, span(r.Span), r.After, span(r.Span))
}

// RepeatRate counts the incidents of a problem before and after it was fixed, over the
// same length of time, at most as long as asked for: those that are linked to it or to
// one of the known errors given, and those of its services with its symptom. It is pure.
// It returns an [itsm.ErrNotAllowed] for a problem that is not fixed, or was only now.
func RepeatRate(p Problem, known []itsm.ID, occurrences iter.Seq[Occurrence], within time.Duration, now time.Time) (Repeats, error) {
	fixed := p.Resolution.At
	if !p.Resolution.Code.Fixes() {
		return Repeats{}, itsm.Refuse("it is not fixed")
	}
	r := Repeats{Fixed: fixed, Span: min(within, now.Sub(fixed))}
	if r.Span <= 0 {
		return r, itsm.Refuse("there has been no time since it was fixed")
	}
	for o := range occurrences {
		same := p.Symptom != "" && o.Symptom == p.Symptom && slices.Contains(p.Services, o.Service)
		if o.Void || o.Problem != p.ID && !same && (o.KnownError == "" || !slices.Contains(known, o.KnownError)) {
			continue
		}
		switch since := o.Began.Sub(fixed); {
		case since >= 0 && since < r.Span:
			r.After++
		case since < 0 && -since <= r.Span:
			r.Before++
		}
	}
	return r, nil
}

// Waiting lists the incidents that last and that a problem, or one of the known errors
// given, explains, in the order of the occurrences: whom there is something to tell when a
// workaround is published or a fix applied. An empty problem is none. It is pure.
func Waiting(problem itsm.ID, known []itsm.ID, occurrences iter.Seq[Occurrence]) []itsm.ID {
	var all []itsm.ID
	for o := range occurrences {
		explained := o.Problem != "" && o.Problem == problem || o.KnownError != "" && slices.Contains(known, o.KnownError)
		if explained && !o.Void && o.Restored.IsZero() {
			all = append(all, o.Incident)
		}
	}
	return all
}
