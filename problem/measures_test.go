package problem_test

import (
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
)

func occurrences(all ...problem.Occurrence) iter.Seq[problem.Occurrence] { return slices.Values(all) }

var (
	march    = problem.Period{Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
	february = march.Start.Add(-day)
	mid      = march.Start.Add(10 * day)
)

// past is a problem as it is now.
func past(created, ended time.Time, code problem.ResolutionCode) problem.Problem {
	r := problem.Problem{Meta: itsm.Meta{Created: created, State: problem.Investigating}}
	if code != "" {
		r.State, r.Resolution = problem.Closed, problem.Resolution{Code: code, At: ended}
		r.ControlEnded = ended.Add(-time.Hour)
	}
	return r
}

// The guide's own example: N=5, R=20, O=30, C=25 is 25 of 55.
func TestProblemPerformanceIndex(t *testing.T) {
	var all []problem.Problem
	add := func(n int, r problem.Problem) {
		for range n {
			all = append(all, r)
		}
	}
	add(5, past(mid, time.Time{}, ""))                                  // registered in March, and open
	add(25, past(february, time.Time{}, ""))                            // older, and open
	add(20, past(february, mid, problem.FixApplied))                    // resolved in March
	add(5, past(mid, mid.Add(day), problem.RiskAccepted))               // brought to an end in another way
	add(3, past(february, february.Add(time.Hour), problem.FixApplied)) // ended before
	add(2, past(march.End, time.Time{}, ""))                            // registered after
	merged := past(mid, mid, problem.Duplicate)
	merged.MergedInto = "prb-1"
	add(4, merged) // not counted
	m, err := problem.Measure(sequence(all, nil), sequence[problem.KnownError](nil, nil), occurrences(), march)
	require.NoError(t, err)
	require.Equal(t, sla.Fraction{Part: 25, Of: 55}, m.PPI)
	require.Equal(t, "25 of 55 (45.45 %)", m.PPI.String())
	require.Equal(t, 10, m.Registered)
	require.Equal(t, map[problem.Phase]int{problem.ProblemControl: 30}, m.Open)

	// What ended after the period was open at its end.
	m, err = problem.Measure(sequence([]problem.Problem{past(mid, march.End, problem.FixApplied)}, nil), sequence[problem.KnownError](nil, nil), occurrences(), march)
	require.NoError(t, err)
	require.Equal(t, sla.Fraction{Part: 1, Of: 1}, m.PPI)

	// Of nothing there is none.
	m, err = problem.Measure(sequence[problem.Problem](nil, nil), sequence[problem.KnownError](nil, nil), occurrences(), march)
	require.NoError(t, err)
	require.False(t, m.PPI.Defined())
	require.Equal(t, "undefined", m.PPI.String())
	require.Equal(t, problem.Ages{}, m.Ages)
	require.Zero(t, m.RepeatsPerKnownError)
	require.Equal(t, "there are none", m.Control.Undefined)
}

// Whatever the problems are, the index is a share of them.
func TestTheIndexIsAShare(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		var all []problem.Problem
		for range rnd.IntN(20) {
			created := march.Start.Add(time.Duration(rnd.IntN(60)-20) * day)
			r := past(created, created.Add(time.Duration(rnd.IntN(40))*day), practicetest.Pick(rnd, "", "", problem.FixApplied, problem.NoLongerRelevant, problem.NoProblem))
			r.Returns = rnd.IntN(3)
			all = append(all, r)
		}
		m, err := problem.Measure(sequence(all, nil), sequence[problem.KnownError](nil, nil), occurrences(), march)
		require.NoError(t, err)
		require.True(t, m.PPI.Part >= 0 && m.PPI.Part <= m.PPI.Of)
		require.LessOrEqual(t, m.NotFixed.Part, m.NotFixed.Of)
	}
}

func TestMeasures(t *testing.T) {
	open := past(mid, time.Time{}, "")
	open.ID, open.Origin = "prb-2", problem.Proactive
	held := past(february, time.Time{}, "")
	held.ID, held.State, held.Acceptance.Lapsed = "prb-1", problem.OnHold, true
	same := past(february, time.Time{}, "")
	same.ID, same.State = "prb-0", problem.New
	solved := past(mid, mid.Add(2*day), problem.FixApplied)
	solved.Returns = 1
	solved.ControlEnded = mid.Add(day)
	known := problem.KnownError{Meta: itsm.Meta{ID: "ke-1", State: problem.Published}, Title: "t", Workarounds: []problem.Workaround{{Effects: []problem.Effect{{Worked: 3, Failed: 1}, {Worked: 1}}}}}
	quiet := problem.KnownError{Meta: itsm.Meta{ID: "ke-0", State: problem.WithVendor}}
	gone := problem.KnownError{Meta: itsm.Meta{ID: "ke-2", State: problem.Corrected}}
	m, err := problem.Measure(sequence([]problem.Problem{open, held, same, solved}, nil), sequence([]problem.KnownError{quiet, known, gone}, nil), occurrences(
		problem.Occurrence{Began: mid, KnownError: "ke-1", Workaround: problem.Helped}, problem.Occurrence{Began: mid, KnownError: "ke-1"}, problem.Occurrence{Began: mid},
		problem.Occurrence{Began: mid, Void: true}, problem.Occurrence{Began: march.End, KnownError: "ke-1"}, problem.Occurrence{Began: mid, Problem: "prb-1"},
	), march)
	require.NoError(t, err)
	require.Equal(t, map[problem.Phase]int{problem.ProblemControl: 1, problem.Identification: 1, problem.ErrorControl: 1}, m.Open)
	require.Equal(t, problem.Ages{Mean: 29 * day, Median: 33*day - day, P90: 32 * day, Max: 32 * day}, problem.Ages{Mean: 29 * day, Median: m.Ages.Median, P90: m.Ages.P90, Max: m.Ages.Max})
	require.EqualValues(t, "prb-0", m.OldestOpen)
	require.Equal(t, []itsm.ID{"prb-1"}, m.AcceptanceLapsed)
	require.Equal(t, sla.Fraction{Part: 1, Of: 2}, m.ProactiveShare)
	require.Equal(t, sla.Mean{Value: day, Of: 1}, m.Control)
	require.Equal(t, sla.Mean{Value: day, Of: 1}, m.Resolution)
	require.Equal(t, sla.Fraction{Part: 1, Of: 2}, m.NotFixed)
	require.Equal(t, sla.Fraction{Part: 1, Of: 4}, m.Unexplained)
	require.Equal(t, sla.Fraction{Part: 1, Of: 4}, m.SolvedByWorkaround)
	require.Equal(t, []problem.KnownErrorFigures{{KnownError: "ke-1", Title: "t", Incidents: 2, Workaround: sla.Fraction{Part: 4, Of: 5}}, {KnownError: "ke-0"}}, m.Known)
	require.Equal(t, 1.0, m.RepeatsPerKnownError)

	_, err = problem.Measure(sequence([]problem.Problem{open}, errDown), sequence[problem.KnownError](nil, nil), occurrences(), march)
	require.ErrorIs(t, err, errDown)
	_, err = problem.Measure(sequence[problem.Problem](nil, nil), sequence[problem.KnownError](nil, errDown), occurrences(), march)
	require.ErrorIs(t, err, errDown)
	_, err = problem.Measure(sequence[problem.Problem](nil, nil), sequence[problem.KnownError](nil, nil), occurrences(), problem.Period{Start: mid, End: mid})
	require.Equal(t, []string{"period.end must be after period.start"}, practicetest.Said(err))
}

func TestAges(t *testing.T) {
	require.Equal(t, problem.Ages{Mean: 3 * day, Median: 3 * day, P90: 5 * day, Max: 5 * day}, problem.AgesOf([]time.Duration{5 * day, day, 3 * day}))
	require.Equal(t, problem.Ages{Mean: 2 * day, Median: 2 * day, P90: 3 * day, Max: 3 * day}, problem.AgesOf([]time.Duration{3 * day, day}))
	var ten []time.Duration
	for i := range 10 {
		ten = append(ten, time.Duration(i+1)*day)
	}
	require.Equal(t, problem.Ages{Mean: 5*day + 12*time.Hour, Median: 5*day + 12*time.Hour, P90: 9 * day, Max: 10 * day}, problem.AgesOf(ten))
}

func TestRepeatRate(t *testing.T) {
	fixed := past(february, mid, problem.FixApplied)
	fixed.ID, fixed.Services, fixed.Symptom = "prb-1", []string{"mail"}, "down"
	like := func(at time.Time) problem.Occurrence {
		return problem.Occurrence{Began: at, Service: "mail", Symptom: "down"}
	}
	all := []problem.Occurrence{like(mid.Add(-day)), like(mid.Add(-2 * day)), like(mid.Add(-5 * day)), like(mid.Add(-5*day - 1)), like(mid), like(mid.Add(5*day - 1)), like(mid.Add(5 * day)),
		{Began: mid.Add(-day), Problem: "prb-1"}, {Began: mid.Add(-day), KnownError: "ke-1"}, {Began: mid.Add(-day), KnownError: "ke-2"}, {Began: mid.Add(-day), Service: "erp", Symptom: "down"}, {Began: mid.Add(-day)}}
	all = append(all, problem.Occurrence{Began: mid, Service: "mail", Symptom: "down", Void: true})
	r, err := problem.RepeatRate(fixed, []itsm.ID{"ke-1"}, occurrences(all...), 30*day, mid.Add(5*day))
	require.NoError(t, err)
	require.Equal(t, problem.Repeats{Fixed: mid, Span: 5 * day, Before: 5, After: 2}, r)
	require.Equal(t, 3, r.Prevented())
	require.Equal(t, "5 in the 5 days before, 2 in the 5 days after", r.String())
	r, err = problem.RepeatRate(fixed, nil, occurrences(all...), time.Hour, mid.Add(5*day))
	require.NoError(t, err)
	require.Equal(t, "0 in the 1h0m0s before, 1 in the 1h0m0s after", r.String())
	_, err = problem.RepeatRate(fixed, nil, occurrences(), day, mid)
	require.Equal(t, []string{"there has been no time since it was fixed"}, practicetest.Said(err))
	_, err = problem.RepeatRate(past(mid, mid, problem.RiskAccepted), nil, occurrences(), day, march.End)
	require.Equal(t, []string{"it is not fixed"}, practicetest.Said(err))
	_, err = problem.RepeatRate(past(mid, mid, ""), nil, occurrences(), day, march.End)
	require.Equal(t, []string{"it is not fixed"}, practicetest.Said(err))
}

func TestWaiting(t *testing.T) {
	all := occurrences(problem.Occurrence{Incident: "a", Problem: "prb-1"}, problem.Occurrence{Incident: "b", KnownError: "ke-1"}, problem.Occurrence{Incident: "c", Problem: "prb-2"},
		problem.Occurrence{Incident: "d"}, problem.Occurrence{Incident: "e", Problem: "prb-1", Void: true}, problem.Occurrence{Incident: "f", Problem: "prb-1", Restored: mid})
	require.Equal(t, []itsm.ID{"a", "b"}, problem.Waiting("prb-1", []itsm.ID{"ke-1"}, all))
	require.Empty(t, problem.Waiting("", []itsm.ID{""}, all))
}
