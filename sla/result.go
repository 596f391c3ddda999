package sla

import (
	"fmt"
	"slices"
	"sort"
	"time"
)

// A Result is one cycle of one target of one record, ended or still going on: what
// a clock came to, as reports read it.
type Result struct {
	Record string `json:"record"`
	// Agreement, Version and Metric say what was measured.
	Agreement string `json:"agreement"`
	Version   int    `json:"version,omitempty"`
	Metric    string `json:"metric"`
	// Service and Priority are those of the record, for grouping.
	Service  string `json:"service,omitempty"`
	Priority string `json:"priority,omitempty"`
	// State is how it stands.
	State State `json:"state"`
	// Start is when the cycle began; zero while State is Pending. Stop is when
	// it was met, missed or cancelled; zero while it goes on.
	Start time.Time `json:"start,omitzero"`
	Stop  time.Time `json:"stop,omitzero"`
	// Breach is from when on it was past its goal; zero if it is not. A
	// cancelled cycle keeps it.
	Breach time.Time `json:"breach,omitzero"`
	// Elapsed is the time that counted, so far or at the end, and Goal what it
	// is measured against. JSON: nanoseconds.
	Elapsed time.Duration `json:"elapsed"`
	Goal    time.Duration `json:"goal"`
}

// Validate returns an [ErrInvalid] with everything that does not fit together: an
// unknown state, a met result with a breach or without an end, a missed one
// without a breach.
func (r *Result) Validate() error {
	var f findings
	f.check(r.Elapsed >= 0, "elapsed", "must not be negative")
	f.check(r.Goal >= 0, "goal", "must not be negative")
	f.check(r.Stop.IsZero() || !r.Stop.Before(r.Start), "stop", "must not be before start")
	f.check(r.Breach.IsZero() || !r.Breach.Before(r.Start), "breach", "must not be before start")
	f.check(r.Start.IsZero() == (r.State == Pending) || r.State == Cancelled, "start", "must be given unless it is pending")
	switch r.State {
	case Met:
		f.check(!r.Stop.IsZero(), "stop", "must be given for what was met")
		f.check(r.Breach.IsZero(), "breach", "must not be given for what was met")
	case Missed:
		f.check(!r.Stop.IsZero(), "stop", "must be given for what was missed")
		f.check(!r.Breach.IsZero(), "breach", "must be given for what was missed")
	case Cancelled:
		f.check(!r.Stop.IsZero(), "stop", "must be given for what was cancelled")
	case Breached:
		f.check(r.Stop.IsZero(), "stop", "must not be given for what goes on")
		f.check(!r.Breach.IsZero(), "breach", "must be given for what is breached")
	case Pending:
		f.check(r.Stop.IsZero(), "stop", "must not be given for what goes on")
		f.check(r.Breach.IsZero(), "breach", "must not be given before the start")
	case Running, Paused:
		f.check(r.Stop.IsZero(), "stop", "must not be given for what goes on")
	default:
		f.check(false, "state", fmt.Sprintf("must be one of %v, is %q", States(), r.State))
	}
	return f.err()
}

// A Period is a stretch of time, From included and To not.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Contains reports whether an instant is in the period.
func (p Period) Contains(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Equal reports whether two periods are the same stretch of time.
func (p Period) Equal(q Period) bool { return p.From.Equal(q.From) && p.To.Equal(q.To) }

// overlaps reports whether two periods have an instant in common.
func (p Period) overlaps(q Period) bool { return p.From.Before(q.To) && q.From.Before(p.To) }

// String returns the period in the locations of its instants.
func (p Period) String() string {
	const stamp = "2006-01-02 15:04 -07:00"
	return p.From.Format(stamp) + " to " + p.To.Format(stamp)
}

// longest is the longest period that is reported on: its nanoseconds can be
// counted.
const longest = 200 * 366 * 24 * time.Hour

// period checks a period.
func (f *findings) period(field string, p Period) {
	f.check(!p.From.IsZero(), join(field, "from"), "must be given")
	f.check(p.From.Before(p.To), join(field, "to"), "must be after from")
	f.check(p.To.Sub(p.From) <= longest, join(field, "to"), "must be at most 200 years after from")
}

// An Interval is what a period is divided into, by the calendar on the wall.
type Interval string

const (
	// Daily is from midnight to midnight, however long that is.
	Daily Interval = "day"
	// Weekly begins on Monday, as in ISO 8601.
	Weekly Interval = "week"
	// Monthly begins on the first day of a month.
	Monthly Interval = "month"
)

// Intervals lists the intervals.
func Intervals() []Interval { return []Interval{Daily, Weekly, Monthly} }

// maxSlices bounds the parts of a period.
const maxSlices = 2000

// Divide divides the period at the midnights with which days, weeks or months
// begin in a location; nil is UTC. The parts follow each other without a gap, and
// the first and last may be shorter. Where midnight does not exist, a day begins
// with the first instant that the calendar on the wall shows that day; a day that
// does not exist at all is no part. It returns an [ErrInvalid] with every finding,
// more than 2,000 parts among them.
func (p Period) Divide(by Interval, in *time.Location) ([]Period, error) {
	var f findings
	f.period("", p)
	f.check(slices.Contains(Intervals(), by), "every", fmt.Sprintf("must be one of %v, is %q", Intervals(), by))
	if err := f.err(); err != nil {
		return nil, err
	}
	if in == nil {
		in = time.UTC
	}
	var parts []Period
	from, at := p.From.In(in), civil(p.From.In(in))
	if by == Weekly {
		at = at.AddDate(0, 0, -(int(at.Weekday())+6)%7)
	}
	for from.Before(p.To) {
		switch by {
		case Daily:
			at = at.AddDate(0, 0, 1)
		case Weekly:
			at = at.AddDate(0, 0, 7)
		case Monthly:
			at = time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		}
		to := dawn(at, in)
		if !to.Before(p.To) {
			to = p.To.In(in)
		}
		if !to.After(from) {
			continue // a day that was skipped, or shown a second time
		}
		if len(parts) == maxSlices {
			return nil, &Finding{Field: "every", Reason: fmt.Sprintf("makes more than %d parts of the period", maxSlices)}
		}
		parts = append(parts, Period{from, to})
		from = to
	}
	return parts, nil
}

// civil returns the date on the wall as a midnight in UTC, where every day has
// 24 hours.
func civil(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// dawn returns the first instant at which the calendar on the wall shows a date
// or a later one. It looks for it by halves, as time.Date does not say what it
// makes of a midnight that does not exist.
func dawn(date time.Time, in *time.Location) time.Time {
	const far = 26 * 60 * 60 // no zone was ever farther from UTC
	earliest := date.Unix() - far
	n := sort.Search(2*far, func(n int) bool {
		at := earliest + int64(n)
		_, offset := time.Unix(at, 0).In(in).Zone()
		return at+int64(offset) >= date.Unix()
	})
	return time.Unix(earliest+int64(n), 0).In(in)
}
