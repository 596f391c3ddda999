package sla_test

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// reportGolden compares with a file in testdata, or writes it if the environment
// variable UPDATE_REPORTS is set.
func reportGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_REPORTS") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(got, "\r\n", "\n")), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	// Git may change the ends of lines.
	lines := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	require.Equal(t, lines(string(want)), lines(got), "%s differs; if that is meant, set UPDATE_REPORTS", path)
}

var year26 = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// monthOf26 is a month of 2026 in UTC.
func monthOf26(m int) sla.Period {
	return sla.Period{From: year26.AddDate(0, m-1, 0), To: year26.AddDate(0, m, 0)}
}

// randomResults are results of all kinds around a period.
func randomResults(rnd *rand.Rand, p sla.Period, n int) []sla.Result {
	span := int64(p.To.Sub(p.From))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	all := make([]sla.Result, n)
	for i := range all {
		r := sla.Result{
			Record: fmt.Sprint(i), Agreement: pick("gold", "silver"), Version: 1 + rnd.IntN(12), Metric: pick("response", "resolution"),
			Service: pick("mail", "shop", ""), Priority: pick("P1", "P2", "P3"),
			State: sla.States()[rnd.IntN(len(sla.States()))],
			Start: p.From.Add(time.Duration(rnd.Int64N(2*span) - span/2).Truncate(time.Minute)),
			Goal:  4 * time.Hour, Elapsed: time.Duration(rnd.Int64N(int64(9 * time.Hour))).Truncate(time.Second),
		}
		later := func(t time.Time) time.Time { return t.Add(time.Duration(rnd.Int64N(span / 2))).Truncate(time.Minute) }
		switch r.State {
		case sla.Pending:
			r.Start, r.Elapsed = time.Time{}, 0
		case sla.Met:
			r.Stop = later(r.Start)
		case sla.Missed:
			r.Breach = later(r.Start)
			r.Stop = later(r.Breach)
		case sla.Breached:
			r.Breach = later(r.Start)
		case sla.Cancelled:
			r.Stop = later(r.Start)
			if rnd.IntN(3) == 0 {
				r.Breach = r.Start
			}
		case sla.Paused:
			if rnd.IntN(3) == 0 {
				r.Breach = later(r.Start)
			}
		case sla.Running:
		}
		all[i] = r
	}
	return all
}

// exactQuantile is R-7 in exact arithmetic: at position (n-1)q among n values in
// order, between neighbours in proportion.
func exactQuantile(values []time.Duration, num, den int64) *big.Rat {
	sorted := slices.Sorted(slices.Values(values))
	at := big.NewRat(int64(len(sorted)-1)*num, den)
	whole := new(big.Int).Quo(at.Num(), at.Denom()).Int64()
	low := new(big.Rat).SetInt64(int64(sorted[whole]))
	if whole+1 == int64(len(sorted)) {
		return low
	}
	step := new(big.Rat).SetInt64(int64(sorted[whole+1] - sorted[whole]))
	part := at.Sub(at, new(big.Rat).SetInt64(whole))
	return low.Add(low, step.Mul(step, part))
}

// nearly requires a duration to be that number of nanoseconds, to the millisecond.
func nearly(t *testing.T, want *big.Rat, got time.Duration) {
	t.Helper()
	off := new(big.Rat).Sub(want, new(big.Rat).SetInt64(int64(got)))
	require.LessOrEqual(t, off.Abs(off).Cmp(big.NewRat(int64(time.Millisecond/2)+1, 1)), 0, "want %s ns, got %s", want.FloatString(3), got)
}

// A row says what a plain reading of the rules says about the results in it.
func TestReportAgainstItsDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	period := monthOf26(3)
	for _, by := range [][]sla.Dimension{nil, {sla.ByAgreement}, {sla.ByPriority, sla.ByService}, {sla.ByVersion}, sla.Dimensions()} {
		for _, basis := range []sla.Basis{"", sla.OnOutcome, sla.OnStop} {
			results := randomResults(rnd, period, 250)
			rep, err := sla.NewReport(period, slices.Values(results), sla.ReportOptions{By: by, Basis: basis, Every: sla.Weekly})
			require.NoError(t, err)
			keyOf := func(r sla.Result) string {
				var key []string
				for _, d := range by {
					key = append(key, map[sla.Dimension]string{sla.ByAgreement: r.Agreement, sla.ByVersion: fmt.Sprint(r.Version),
						sla.ByMetric: r.Metric, sla.ByService: r.Service, sla.ByPriority: r.Priority}[d])
				}
				return fmt.Sprintf("%q", key)
			}
			checkRow(t, rep, rep.Total, basis, results)
			sums, rows := sla.Row{}, map[string]bool{}
			for _, row := range rep.Rows {
				mine := slices.DeleteFunc(slices.Clone(results), func(r sla.Result) bool { return keyOf(r) != fmt.Sprintf("%q", row.Key) })
				checkRow(t, rep, row, basis, mine)
				require.False(t, rows[fmt.Sprint(row.Key)], "rows differ in their keys")
				rows[fmt.Sprint(row.Key)] = true
				sums.Met, sums.Missed, sums.Breached = sums.Met+row.Met, sums.Missed+row.Missed, sums.Breached+row.Breached
				sums.Open, sums.Cancelled, sums.CancelledLate = sums.Open+row.Open, sums.Cancelled+row.Cancelled, sums.CancelledLate+row.CancelledLate
			}
			if len(by) > 0 {
				all := rep.Total
				all.Times, all.Series = sla.Times{}, nil
				require.Equal(t, all, sums)
			}
			for i, row := range rep.Rows[min(1, len(rep.Rows)):] {
				if by[0] == sla.ByVersion {
					require.Negative(t, cmp.Or(cmp.Compare(len(rep.Rows[i].Key[0]), len(row.Key[0])), cmp.Compare(rep.Rows[i].Key[0], row.Key[0])), "2 is before 12")
				} else if !slices.Contains(by, sla.ByVersion) {
					require.Negative(t, slices.Compare(rep.Rows[i].Key, row.Key))
				}
			}
		}
	}
}

func checkRow(t *testing.T, rep sla.Report, row sla.Row, basis sla.Basis, results []sla.Result) {
	t.Helper()
	p := rep.Period
	in := func(x time.Time) bool { return !x.Before(p.From) && x.Before(p.To) }
	var want sla.Row
	var elapsed []time.Duration
	sum := new(big.Int)
	series := make([]sla.Fraction, len(rep.Parts))
	for _, r := range results {
		at := r.Breach
		switch {
		case r.State == sla.Met:
			at = r.Stop
		case r.State == sla.Missed && basis == sla.OnStop:
			at = r.Stop
		case r.State == sla.Cancelled:
			if in(r.Stop) {
				want.Cancelled++
				if !r.Breach.IsZero() {
					want.CancelledLate++
				}
			}
			continue
		case r.Breach.IsZero():
			if r.Start.Before(p.To) {
				want.Open++
			}
			continue
		}
		if !in(at) {
			continue
		}
		for i, part := range rep.Parts {
			if part.Contains(at) {
				series[i].Of++
				if r.State == sla.Met {
					series[i].Part++
				}
			}
		}
		switch r.State {
		case sla.Met:
			want.Met++
		case sla.Missed:
			want.Missed++
		default:
			want.Breached++
			continue
		}
		elapsed = append(elapsed, r.Elapsed)
		sum.Add(sum, big.NewInt(int64(r.Elapsed)))
	}
	require.Equal(t, series, row.Series)
	require.Equal(t, sla.Fraction{Part: want.Met, Of: want.Met + want.Missed + want.Breached}, row.Compliance())
	if n := int64(len(elapsed)); n > 0 {
		nearly(t, new(big.Rat).SetFrac(sum, big.NewInt(n)), row.Times.Mean)
		nearly(t, exactQuantile(elapsed, 1, 2), row.Times.Median)
		nearly(t, exactQuantile(elapsed, 9, 10), row.Times.P90)
		nearly(t, exactQuantile(elapsed, 95, 100), row.Times.P95)
		require.Equal(t, n, row.Times.Of)
	} else {
		require.Zero(t, row.Times)
	}
	got := row
	got.Key, got.Series, got.Times = nil, nil, sla.Times{}
	require.Equal(t, want, got)
}

// What happens at the instant at which a part begins is of that part.
func TestInstantsBetweenParts(t *testing.T) {
	var results []sla.Result
	for _, at := range []time.Time{monthOf26(1).From, monthOf26(2).From.Add(-1), monthOf26(2).From, monthOf26(3).From.Add(-1), monthOf26(3).From} {
		results = append(results, sla.Result{State: sla.Met, Start: at, Stop: at})
	}
	rep, err := sla.NewReport(sla.Period{From: year26, To: monthOf26(2).To}, slices.Values(results), sla.ReportOptions{Every: sla.Monthly})
	require.NoError(t, err)
	require.Equal(t, []sla.Fraction{{Part: 2, Of: 2}, {Part: 2, Of: 2}}, rep.Total.Series)
}

// Spreadsheets say so too: PERCENTILE.INC of 1 to 10 is 9.1 at 90 %.
func TestPercentilesAsPublished(t *testing.T) {
	var results []sla.Result
	for h := range 10 {
		results = append(results, sla.Result{State: sla.Met, Start: year26, Stop: year26.Add(time.Hour), Elapsed: time.Duration(h+1) * time.Hour})
	}
	rep, err := sla.NewReport(monthOf26(1), slices.Values(results), sla.ReportOptions{})
	require.NoError(t, err)
	require.Equal(t, sla.Times{Of: 10, Mean: 330 * time.Minute, Median: 330 * time.Minute, P90: 546 * time.Minute, P95: 573 * time.Minute}, rep.Total.Times)
}

func TestWhichResultsCount(t *testing.T) {
	at := func(month, day int) time.Time { return time.Date(2026, time.Month(month), day, 0, 0, 0, 0, time.UTC) }
	result := func(s sla.State, breach, stop time.Time) sla.Result {
		return sla.Result{State: s, Start: at(1, 10), Breach: breach, Stop: stop, Goal: time.Hour}
	}
	var never time.Time
	for _, tt := range []struct {
		name            string
		result          sla.Result
		outcome, onStop [3]string // in January, February, March
	}{
		{"met in February", result(sla.Met, never, at(2, 5)), [3]string{"", "met", ""}, [3]string{"", "met", ""}},
		{"met at the first instant of February", result(sla.Met, never, at(2, 1)), [3]string{"", "met", ""}, [3]string{"", "met", ""}},
		{"past its goal in January and still going on", result(sla.Breached, at(1, 20), never), [3]string{"breached", "", ""}, [3]string{"breached", "", ""}},
		{"the same, paused", result(sla.Paused, at(1, 20), never), [3]string{"breached", "", ""}, [3]string{"breached", "", ""}},
		{"the same, finished in March", result(sla.Missed, at(1, 20), at(3, 3)), [3]string{"missed", "", ""}, [3]string{"", "", "missed"}},
		{"cancelled in February, past its goal", result(sla.Cancelled, at(1, 20), at(2, 2)), [3]string{"", "late", ""}, [3]string{"", "late", ""}},
		{"cancelled in February", result(sla.Cancelled, never, at(2, 2)), [3]string{"", "cancelled", ""}, [3]string{"", "cancelled", ""}},
		{"running", result(sla.Running, never, never), [3]string{"open", "open", "open"}, [3]string{"open", "open", "open"}},
	} {
		for _, basis := range []sla.Basis{sla.OnOutcome, sla.OnStop} {
			want := tt.outcome
			if basis == sla.OnStop {
				want = tt.onStop
			}
			for m := range 3 {
				rep, err := sla.NewReport(monthOf26(m+1), slices.Values([]sla.Result{tt.result}), sla.ReportOptions{Basis: basis})
				require.NoError(t, err)
				row := rep.Total
				row.Times = sla.Times{}
				require.Equal(t, map[string]sla.Row{"": {}, "met": {Met: 1}, "missed": {Missed: 1}, "breached": {Breached: 1}, "open": {Open: 1},
					"cancelled": {Cancelled: 1}, "late": {Cancelled: 1, CancelledLate: 1}}[want[m]], row, "%s, %s, month %d", tt.name, basis, m+1)
			}
		}
	}
}

// By outcome, what is settled counts in one period only, and finishing later what
// was missed already changes no figure of the past.
func TestEachResultCountsOnce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	results := randomResults(rnd, sla.Period{From: year26, To: year26.AddDate(1, 0, 0)}, 2000)
	report := func(p sla.Period) sla.Row {
		rep, err := sla.NewReport(p, slices.Values(results), sla.ReportOptions{Basis: sla.OnOutcome})
		require.NoError(t, err)
		return rep.Total
	}
	whole := report(sla.Period{From: year26.AddDate(-2, 0, 0), To: year26.AddDate(3, 0, 0)})
	var counted, cancelled int64
	for m := -23; m <= 36; m++ {
		row := report(monthOf26(m))
		counted, cancelled = counted+row.Counted(), cancelled+row.Cancelled
	}
	require.Equal(t, whole.Counted(), counted)
	require.Equal(t, whole.Cancelled, cancelled)

	before := report(monthOf26(3))
	for i := range results {
		if r := &results[i]; r.State == sla.Breached {
			r.State, r.Stop = sla.Missed, r.Breach.AddDate(0, 3, 0)
		}
	}
	require.Equal(t, before.Compliance(), report(monthOf26(3)).Compliance())
}

func TestNothingCountedIsUndefined(t *testing.T) {
	rep, err := sla.NewReport(monthOf26(1), slices.Values([]sla.Result(nil)), sla.ReportOptions{Every: sla.Monthly})
	require.NoError(t, err)
	require.False(t, rep.Total.Compliance().Defined())
	require.Contains(t, rep.Text(), "undefined")
	require.NotContains(t, rep.Text(), "0 %")
	require.Equal(t, "scope,counted,met,missed,breached,compliance_percent,timed,mean_seconds,median_seconds,p90_seconds,p95_seconds,cancelled,cancelled_late,open\r\n"+
		"total,0,0,0,0,,0,,,,,0,0,0\r\n", rep.CSV())
	require.Equal(t, "from,to,scope,met,counted,compliance_percent\r\n2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,total,0,0,\r\n", rep.SeriesCSV())
}

// A total over unequal parts is not the mean of their percentages.
func TestPercentagesAreNotAveraged(t *testing.T) {
	var results []sla.Result
	add := func(n int, month int, s sla.State) {
		for range n {
			at := time.Date(2026, time.Month(month), 10, 0, 0, 0, 0, time.UTC)
			r := sla.Result{State: s, Start: at, Stop: at}
			if s == sla.Missed {
				r.Breach = at
			}
			results = append(results, r)
		}
	}
	add(1, 1, sla.Missed)
	add(99, 2, sla.Met)
	rep, err := sla.NewReport(sla.Period{From: year26, To: year26.AddDate(0, 2, 0)}, slices.Values(results), sla.ReportOptions{Every: sla.Monthly})
	require.NoError(t, err)
	require.Equal(t, []sla.Fraction{{Part: 0, Of: 1}, {Part: 99, Of: 99}}, rep.Total.Series)
	require.Equal(t, "99.00", rep.Total.Compliance().Percent(2)) // and not 50
}

func TestSumsOfTimeDoNotOverflow(t *testing.T) {
	for _, tt := range []struct {
		n       int
		elapsed time.Duration
	}{{1_000_000, 3 * time.Hour}, {3, math.MaxInt64}, {1, math.MaxInt64}} {
		rep, err := sla.NewReport(monthOf26(1), func(yield func(sla.Result) bool) {
			for range tt.n {
				if !yield(sla.Result{State: sla.Met, Start: year26, Stop: year26, Elapsed: tt.elapsed}) {
					return
				}
			}
		}, sla.ReportOptions{})
		require.NoError(t, err)
		require.Equal(t, sla.Times{Of: int64(tt.n), Mean: tt.elapsed, Median: tt.elapsed, P90: tt.elapsed, P95: tt.elapsed}, rep.Total.Times)
	}
}

func TestReportRefusesWithEverything(t *testing.T) {
	endless := func(yield func(sla.Result) bool) {
		for yield(sla.Result{State: "done", Start: year26}) {
		}
	}
	_, err := sla.NewReport(sla.Period{}, endless, sla.ReportOptions{By: []sla.Dimension{"colour", sla.ByMetric, sla.ByMetric}, Basis: "start", Every: "hour"})
	require.Equal(t, []string{
		"period.from must be given", "period.to must be after from",
		`by[0] must be one of [agreement version metric service priority], is "colour"`, "by[2] is there twice",
		`basis must be outcome or stop, is "start"`,
	}, wrongs(t, err), "the interval is asked about when there is a period")
	_, err = sla.NewReport(monthOf26(1), endless, sla.ReportOptions{Every: "hour"})
	require.Equal(t, []string{`every must be one of [day week month], is "hour"`}, wrongs(t, err))
	_, err = sla.NewReport(monthOf26(1), endless, sla.ReportOptions{})
	require.Len(t, wrongs(t, err), 100, "it stops after the first hundred")
	require.Equal(t, `results[7].state must be one of [pending running paused breached met missed cancelled], is "done"`, wrongs(t, err)[7])
	_, err = sla.NewReport(monthOf26(1), nil, sla.ReportOptions{})
	require.Equal(t, []string{"results must not be nil"}, wrongs(t, err))
	_, err = sla.NewReport(sla.Period{From: year26, To: year26.AddDate(201, 0, 0)}, endless, sla.ReportOptions{})
	require.Equal(t, []string{"period.to must be at most 200 years after from"}, wrongs(t, err))
	_, err = sla.NewReport(sla.Period{From: year26, To: year26.Add(200 * 366 * 24 * time.Hour)}, slices.Values([]sla.Result(nil)), sla.ReportOptions{})
	require.NoError(t, err)
}

func TestResultsThatContradictThemselves(t *testing.T) {
	at, later := year26, year26.Add(time.Hour)
	for _, tt := range []struct {
		result sla.Result
		want   []string
	}{
		{sla.Result{State: sla.Met, Start: later, Stop: at, Breach: at, Elapsed: -1, Goal: -1}, []string{
			"elapsed must not be negative", "goal must not be negative", "stop must not be before start", "breach must not be before start",
			"breach must not be given for what was met"}},
		{sla.Result{State: sla.Met, Start: at}, []string{"stop must be given for what was met"}},
		{sla.Result{State: sla.Running, Stop: at}, []string{"start must be given unless it is pending", "stop must not be given for what goes on"}},
		{sla.Result{State: sla.Missed, Start: at}, []string{"stop must be given for what was missed", "breach must be given for what was missed"}},
		{sla.Result{State: sla.Breached, Start: at, Stop: at}, []string{"stop must not be given for what goes on", "breach must be given for what is breached"}},
		{sla.Result{State: sla.Pending, Start: at, Breach: at, Stop: at}, []string{"start must be given unless it is pending",
			"stop must not be given for what goes on", "breach must not be given before the start"}},
		{sla.Result{State: sla.Cancelled, Start: at}, []string{"stop must be given for what was cancelled"}},
		{sla.Result{}, []string{"start must be given unless it is pending", `state must be one of [pending running paused breached met missed cancelled], is ""`}},
	} {
		require.Equal(t, tt.want, wrongs(t, tt.result.Validate()))
	}
	require.NoError(t, (&sla.Result{State: sla.Cancelled, Stop: at}).Validate(), "what never started may be cancelled")
	roundTrip(t, sla.Result{Record: "inc_1", Agreement: "gold", Version: 3, Metric: "resolution", Service: "mail", Priority: "P1",
		State: sla.Missed, Start: at, Stop: later, Breach: later, Elapsed: 1, Goal: 1})
}

func wallOf(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Skipf("no time zone database: %v", err)
	}
	return loc
}

// Parts follow each other, and a new one begins with the first minute at which the
// wall shows another day, week or month.
func TestDivideAgainstTheWall(t *testing.T) {
	for _, tt := range []struct {
		zone     string
		from, to time.Time
	}{
		{"UTC", year26, year26.AddDate(0, 3, 3)},
		{"Europe/Berlin", time.Date(2026, 3, 20, 5, 30, 0, 0, time.UTC), time.Date(2026, 4, 10, 0, 0, 0, 0, time.UTC)},
		{"Europe/Berlin", time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)},
		{"America/Santiago", time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 9, 12, 0, 0, 0, 0, time.UTC)}, // no midnight on the 6th
		{"America/Santiago", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 12, 0, 0, 0, 0, time.UTC)},
		{"America/Havana", time.Date(2026, 10, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC)}, // two midnights on the 1st
		{"Atlantic/Azores", time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC)},
		{"Pacific/Apia", time.Date(2011, 12, 25, 0, 0, 0, 0, time.UTC), time.Date(2012, 1, 5, 0, 0, 0, 0, time.UTC)}, // no 30 December
		{"Pacific/Kiritimati", time.Date(1994, 12, 28, 0, 0, 0, 0, time.UTC), time.Date(1995, 1, 4, 0, 0, 0, 0, time.UTC)},
		{"Asia/Seoul", time.Date(2026, 12, 20, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 12, 0, 0, 0, 0, time.UTC)},
	} {
		in := wallOf(t, tt.zone)
		for _, every := range sla.Intervals() {
			name := func(at time.Time) string {
				at = at.In(in)
				switch y, w := at.ISOWeek(); every {
				case sla.Weekly:
					return fmt.Sprintf("%d-%02d", y, w)
				case sla.Monthly:
					return at.Format("2006-01")
				default:
					return at.Format(time.DateOnly)
				}
			}
			var want []time.Time
			latest := ""
			for at := tt.from; at.Before(tt.to); at = at.Add(time.Minute) {
				if name(at) > latest {
					latest = name(at)
					want = append(want, at)
				}
			}
			parts, err := sla.Period{From: tt.from, To: tt.to}.Divide(every, in)
			require.NoError(t, err)
			require.Len(t, parts, len(want), "%s by %s", tt.zone, every)
			for i, p := range parts {
				require.True(t, p.From.Equal(want[i]), "%s by %s: part %d begins %s, not %s", tt.zone, every, i, p.From, want[i].In(in))
				require.Equal(t, in, p.From.Location())
				if i > 0 {
					require.Equal(t, parts[i-1].To, p.From)
				}
			}
			require.True(t, parts[len(parts)-1].To.Equal(tt.to))
		}
	}
	_, err := sla.Period{From: year26, To: year26.AddDate(6, 0, 0)}.Divide(sla.Daily, nil)
	require.Equal(t, []string{"every makes more than 2000 parts of the period"}, wrongs(t, err))
	_, err = sla.Period{From: year26, To: year26}.Divide("", nil)
	require.Len(t, wrongs(t, err), 2)
}

// A report that shows every kind of figure, with texts that mean harm.
func hostileReport(t *testing.T) sla.Report {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 5))
	results := randomResults(rnd, monthOf26(1), 200)
	names := []string{"=1+2", "메일", "a,\"b\"\nc", "-5", "\xff"}
	for i := range results {
		results[i].Service = names[i%len(names)]
	}
	rep, err := sla.NewReport(monthOf26(1), slices.Values(results), sla.ReportOptions{By: []sla.Dimension{sla.ByService}, Every: sla.Weekly})
	require.NoError(t, err)
	return rep
}

func TestTextStaysOnItsLine(t *testing.T) {
	text := hostileReport(t).Text()
	reportGolden(t, "report.txt", text)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	require.Len(t, lines, 1+1+5+1)
	rep := hostileReport(t)
	rep.Rows[0].Key[0] = "a\x1b[31m\u202e\u2028\x00\tb"
	require.Contains(t, rep.Text(), "a\ufffd[31m\ufffd\ufffd\ufffd\ufffdb")
}

func TestCSVIsSafeForSpreadsheets(t *testing.T) {
	rep := hostileReport(t)
	reportGolden(t, "report.csv", rep.CSV())
	reportGolden(t, "series.csv", rep.SeriesCSV())
	for _, text := range []string{rep.CSV(), rep.SeriesCSV()} {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll() // which requires rows of the same length
		require.NoError(t, err)
		for _, row := range rows {
			for _, cell := range row {
				require.False(t, cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])), "%q", cell)
			}
		}
	}
	rows, err := csv.NewReader(strings.NewReader(rep.CSV())).ReadAll()
	require.NoError(t, err)
	for i, row := range rep.Rows {
		require.Equal(t, fmt.Sprint(row.Counted()), rows[i+1][2])
		require.Equal(t, strconv.FormatFloat(row.Times.Mean.Seconds(), 'f', -1, 64), rows[i+1][8])
	}
	require.Equal(t, "total", rows[len(rows)-1][0])
	for _, first := range []string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"} {
		rep.Rows[0].Key = []string{first + "x"}
		rows, err := csv.NewReader(strings.NewReader(rep.CSV())).ReadAll()
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(rows[1][1], "'"), "%q", rows[1][1])
	}
}

func TestReportAsJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 9))
	rep, err := sla.NewReport(monthOf26(2), slices.Values(randomResults(rnd, monthOf26(2), 50)),
		sla.ReportOptions{By: []sla.Dimension{sla.ByMetric, sla.ByVersion}, Every: sla.Weekly})
	require.NoError(t, err)
	roundTrip(t, rep)
	text, err := json.Marshal(rep)
	require.NoError(t, err)
	var back sla.Report
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, rep.Text(), back.Text())
	require.Equal(t, rep.CSV(), back.CSV())
	require.Equal(t, rep.SeriesCSV(), back.SeriesCSV())

	// What somebody else wrote may be cut short, but is shown.
	cut := sla.Report{By: []sla.Dimension{"=a", "b"}, Rows: []sla.Row{{}, {Key: []string{"1", "2", "3"}, Series: make([]sla.Fraction, 9)}}, Parts: make([]sla.Period, 3)}
	require.NotPanics(t, func() { _ = cut.Text() + cut.CSV() + cut.SeriesCSV() })
}

// millionResults are as many, one at a time.
func millionResults() iter.Seq[sla.Result] {
	return func(yield func(sla.Result) bool) {
		services, priorities := []string{"mail", "shop", "erp", "vpn", "print"}, []string{"P1", "P2", "P3", "P4"}
		rnd := rand.New(rand.NewPCG(1, 1))
		for i := range 1_000_000 {
			start := year26.Add(time.Duration(i) * 30 * time.Second)
			r := sla.Result{Record: "inc", Agreement: "gold", Version: 1, Metric: "resolution", Service: services[i%5], Priority: priorities[i%4],
				State: sla.Met, Start: start, Stop: start.Add(time.Hour), Elapsed: time.Duration(rnd.Int64N(int64(8 * time.Hour))), Goal: 8 * time.Hour}
			if i%20 == 0 {
				r.State, r.Breach = sla.Missed, r.Stop
			}
			if !yield(r) {
				return
			}
		}
	}
}

func BenchmarkReport(b *testing.B) {
	period := sla.Period{From: year26, To: year26.AddDate(1, 0, 0)}
	for _, o := range []struct {
		name    string
		options sla.ReportOptions
	}{
		{"total", sla.ReportOptions{}},
		{"service×priority by month", sla.ReportOptions{By: []sla.Dimension{sla.ByService, sla.ByPriority}, Every: sla.Monthly}},
	} {
		b.Run(o.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rep, err := sla.NewReport(period, millionResults(), o.options)
				if err != nil || rep.Total.Counted() < 990_000 {
					b.Fatal(err, rep.Total)
				}
			}
		})
	}
}
