package sla

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"golang.org/x/exp/stats"
)

// A Dimension is something by which a report tells results apart.
type Dimension string

// The dimensions of a report.
const (
	ByAgreement Dimension = "agreement"
	ByVersion   Dimension = "version"
	ByMetric    Dimension = "metric"
	ByService   Dimension = "service"
	ByPriority  Dimension = "priority"
)

// Dimensions lists the dimensions.
func Dimensions() []Dimension {
	return []Dimension{ByAgreement, ByVersion, ByMetric, ByService, ByPriority}
}

// A Basis says in which period a result counts. Whatever the basis, one that is
// still going on within its goal counts in none, and one that was cancelled is
// counted apart, in the period in which that happened.
type Basis string

const (
	// OnOutcome counts a result in the period in which its outcome was certain:
	// what was met when it stopped, what was not at its breach, whether it is
	// still going on or was finished long after. So each counts in one period
	// only, and the figures of a period that is over stay what they were. It is
	// the default.
	OnOutcome Basis = "outcome"
	// OnStop counts what has ended in the period in which it did. One that is
	// past its goal and still going on counts at its breach until it ends, and
	// may then move to a later period.
	OnStop Basis = "stop"
)

// ReportOptions say what a report shows. The zero value is a total of everything.
type ReportOptions struct {
	// By says which results share a row; none means that there is only the
	// total.
	By []Dimension
	// Basis says in which period a result counts; empty is OnOutcome.
	Basis Basis
	// Every divides the period for a series; empty means that there is none.
	Every Interval
	// Location is whose midnights divide it, and where its times are shown; nil
	// is UTC.
	Location *time.Location
}

// A Report says how goals were kept in a period. It is a plain value: JSON brings
// it back as it was, but for the names of the locations of its times.
type Report struct {
	Period Period `json:"period"`
	Basis  Basis  `json:"basis"`
	// Zone names the location of [ReportOptions].
	Zone string      `json:"zone"`
	By   []Dimension `json:"by,omitempty"`
	// Rows are in the order of their keys.
	Rows  []Row `json:"rows,omitempty"`
	Total Row   `json:"total"`
	// Every is what Parts, the parts of the period, are. Each row has a series
	// with a value for each of them.
	Every Interval `json:"every,omitempty"`
	Parts []Period `json:"parts,omitempty"`
}

// A Row is the results that agree in the dimensions of the report.
type Row struct {
	// Key has a value for each of the report's dimensions; a total has none.
	Key []string `json:"key,omitempty"`
	// Met and Missed have ended; Breached is past its goal and has not.
	Met      int64 `json:"met"`
	Missed   int64 `json:"missed"`
	Breached int64 `json:"breached"`
	// Cancelled ended without a result and does not count. CancelledLate are
	// those of them that were past their goal: many of them make a green report
	// a doubtful one.
	Cancelled     int64 `json:"cancelled"`
	CancelledLate int64 `json:"cancelled_late"`
	// Open began before the end of the period and has neither ended nor passed
	// its goal. It does not count either.
	Open  int64 `json:"open"`
	Times Times `json:"times"`
	// Series is compliance in each part of the period.
	Series []Fraction `json:"series,omitempty"`
}

// Counted returns how many results count.
func (r Row) Counted() int64 { return r.Met + r.Missed + r.Breached }

// Compliance returns how many of those that count were met. It is undefined
// where none counts.
func (r Row) Compliance() Fraction { return Fraction{r.Met, r.Counted()} }

// Times are about the elapsed time of those results of a row that were met or
// missed: of what still goes on, it is not known. All are rounded to the
// millisecond, and are nanoseconds in JSON.
type Times struct {
	// Of is how many there are; where there is none, the others are 0 and mean
	// nothing.
	Of int64 `json:"of"`
	// Mean is computed from an exact sum.
	Mean time.Duration `json:"mean"`
	// Median and percentiles interpolate between the two nearest values: the
	// inclusive method, R-7 of Hyndman and Fan, "Sample quantiles in statistical
	// packages" (1996), as in golang.org/x/exp/stats and in spreadsheets.
	Median time.Duration `json:"median"`
	P90    time.Duration `json:"p90"`
	P95    time.Duration `json:"p95"`
}

// rowKey is what results of one row have in common.
type rowKey struct {
	agreement, metric, service, priority string
	version                              int
}

// rowDraft is a row that results are added to.
type rowDraft struct {
	Row
	sum     Total
	elapsed []float64
}

// An outcome is how a result counts.
type outcome uint8

const (
	stillOpen outcome = iota
	wasMet
	wasMissed
	isBreached
	wasCancelled
)

// outcome returns how a result counts, and when.
func (b Basis) outcome(r *Result) (outcome, time.Time) {
	switch {
	case r.State == Met:
		return wasMet, r.Stop
	case r.State == Cancelled:
		return wasCancelled, r.Stop
	case r.State == Missed && b == OnStop:
		return wasMissed, r.Stop
	case r.State == Missed:
		return wasMissed, r.Breach
	case !r.Breach.IsZero(): // also where it is paused after its breach
		return isBreached, r.Breach
	}
	return stillOpen, r.Start
}

// maxWrong bounds how many wrong results a report lists.
const maxWrong = 100

// NewReport reports on a period. Results may come in any order and from any time;
// what is not of the period does not count. It reads them once and keeps of each
// that counts eight bytes for the total and eight for its row.
//
// It returns an [ErrInvalid] with everything that is wrong with the period, the
// options and the first hundred wrong results: a report that leaves out what it
// cannot read would be a wrong one.
func NewReport(period Period, results iter.Seq[Result], o ReportOptions) (Report, error) {
	var f findings
	f.period("period", period)
	for i, d := range o.By {
		field := fmt.Sprintf("by[%d]", i)
		f.check(slices.Contains(Dimensions(), d), field, fmt.Sprintf("must be one of %v, is %q", Dimensions(), d))
		f.check(!slices.Contains(o.By[:i], d), field, "is there twice")
	}
	f.check(results != nil, "results", "must not be nil")
	o.Basis = cmp.Or(o.Basis, OnOutcome)
	f.check(o.Basis == OnOutcome || o.Basis == OnStop, "basis", fmt.Sprintf("must be outcome or stop, is %q", o.Basis))
	if o.Location == nil {
		o.Location = time.UTC
	}
	period = Period{period.From.In(o.Location), period.To.In(o.Location)}
	rep := Report{Period: period, Basis: o.Basis, Zone: o.Location.String(), By: slices.Clone(o.By), Every: o.Every}
	if o.Every != "" {
		parts, err := period.Divide(o.Every, o.Location)
		if field := Findings(err); len(field) > 0 && field[0].Field == "every" {
			f.add("", err) // what is wrong with the period was found above
		}
		rep.Parts = parts
	}
	if err := f.err(); err != nil {
		return Report{}, err
	}

	total := rowDraft{Row: Row{Series: make([]Fraction, len(rep.Parts))}}
	rows := map[rowKey]*rowDraft{}
	n, wrong := 0, 0
	for r := range results {
		if err := r.Validate(); err != nil {
			f.add(fmt.Sprintf("results[%d]", n), err)
			if wrong++; wrong == maxWrong {
				break
			}
		}
		n++
		if wrong > 0 {
			continue
		}
		what, when := rep.Basis.outcome(&r)
		if what == stillOpen && !when.Before(period.To) || what != stillOpen && !period.Contains(when) {
			continue
		}
		part := rep.part(when)
		total.count(&r, what, part)
		if len(o.By) == 0 {
			continue
		}
		key := keyOf(&r, o.By)
		row := rows[key]
		if row == nil {
			row = &rowDraft{Row: Row{Series: make([]Fraction, len(rep.Parts))}}
			rows[key] = row
		}
		row.count(&r, what, part)
	}
	if err := f.err(); err != nil {
		return Report{}, err
	}

	keys := make([]rowKey, 0, len(rows))
	for key := range rows {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b rowKey) int { return compareKeys(a, b, o.By) })
	for _, key := range keys {
		row := rows[key].finish()
		row.Key = make([]string, len(o.By))
		for i, d := range o.By {
			row.Key[i] = key.value(d)
		}
		rep.Rows = append(rep.Rows, row)
	}
	rep.Total = total.finish()
	return rep, nil
}

// part returns the index of the part of the period that an instant of the period
// is in, or -1 if the period is not divided.
func (r *Report) part(t time.Time) int {
	i, found := slices.BinarySearchFunc(r.Parts, t, func(p Period, t time.Time) int { return p.From.Compare(t) })
	if found {
		return i
	}
	return i - 1
}

func (d *rowDraft) count(r *Result, what outcome, part int) {
	switch what {
	case stillOpen:
		d.Open++
		return
	case wasCancelled:
		d.Cancelled++
		if !r.Breach.IsZero() {
			d.CancelledLate++
		}
		return
	case isBreached:
		d.Breached++
	case wasMissed:
		d.Missed++
	case wasMet:
		d.Met++
	}
	if what != isBreached {
		d.sum.Add(r.Elapsed)
		d.elapsed = append(d.elapsed, float64(r.Elapsed))
	}
	if part >= 0 {
		d.Series[part].Of++
		if what == wasMet {
			d.Series[part].Part++
		}
	}
}

func (d *rowDraft) finish() Row {
	if len(d.Series) == 0 {
		d.Series = nil
	}
	if d.sum.n > 0 {
		slices.Sort(d.elapsed) // in place, so that stats makes no copy
		q := stats.Quantiles(d.elapsed, 0.5, 0.9, 0.95)
		d.Times = Times{d.sum.n, d.sum.mean(), nearest(q[0]), nearest(q[1]), nearest(q[2])}
	}
	return d.Row
}

// nearest turns what was computed in floating point into a duration. Whole
// milliseconds hide what is lost there: below 285 years less than a microsecond.
func nearest(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(ns)).Round(time.Millisecond)
}

func keyOf(r *Result, by []Dimension) rowKey {
	var k rowKey
	for _, d := range by {
		switch d {
		case ByAgreement:
			k.agreement = r.Agreement
		case ByVersion:
			k.version = r.Version
		case ByMetric:
			k.metric = r.Metric
		case ByService:
			k.service = r.Service
		case ByPriority:
			k.priority = r.Priority
		}
	}
	return k
}

func (k rowKey) value(d Dimension) string {
	switch d {
	case ByAgreement:
		return k.agreement
	case ByVersion:
		return fmt.Sprint(k.version)
	case ByMetric:
		return k.metric
	case ByService:
		return k.service
	case ByPriority:
		return k.priority
	}
	return ""
}

func compareKeys(a, b rowKey, by []Dimension) int {
	for _, d := range by {
		c := cmp.Compare(a.value(d), b.value(d))
		if d == ByVersion {
			c = cmp.Compare(a.version, b.version)
		}
		if c != 0 {
			return c
		}
	}
	return 0
}
