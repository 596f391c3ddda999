package sla_test

import (
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// drawing checks that text is an SVG that stands alone and can be read aloud, and
// returns its elements.
func drawing(t *testing.T, svg string) []xml.StartElement {
	t.Helper()
	var all []xml.StartElement
	ids := map[string]bool{}
	dec := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			all = append(all, e.Copy())
			require.Contains(t, []string{"svg", "title", "desc", "style", "rect", "line", "path", "circle", "text"}, e.Name.Local)
			for _, a := range e.Attr {
				require.NotContains(t, []string{"href", "src", "style", "onload"}, a.Name.Local)
				if a.Name.Local == "id" {
					require.False(t, ids[a.Value])
					ids[a.Value] = true
				}
				if a.Name.Local == "x" || a.Name.Local == "x1" || a.Name.Local == "x2" || a.Name.Local == "cx" {
					x, err := strconv.ParseFloat(a.Value, 64)
					require.NoError(t, err)
					require.True(t, x >= 0 && x <= 720)
				}
			}
		}
	}
	require.Equal(t, "svg", all[0].Name.Local)
	attr := map[string]string{}
	for _, a := range all[0].Attr {
		attr[a.Name.Local] = a.Value
	}
	require.Equal(t, "img", attr["role"])
	for _, id := range strings.Fields(attr["aria-labelledby"]) {
		require.True(t, ids[id], id)
	}
	require.Len(t, strings.Fields(attr["aria-labelledby"]), 2)
	require.NotContains(t, svg, "NaN")
	require.NotContains(t, svg, "Inf")
	return all
}

// halfYear is a report with a gap: nothing of P1 in March.
func halfYear(t *testing.T) sla.Report {
	t.Helper()
	period := sla.Period{From: year26, To: year26.AddDate(0, 6, 0)}
	var results []sla.Result
	for _, r := range randomResults(rand.New(rand.NewPCG(12, 12)), period, 3000) {
		if r.State == sla.Missed && r.Record[0] > '1' || r.State == sla.Breached && r.Record[0] > '1' || r.Priority == "P1" && (r.Stop.Month() == time.March || r.Breach.Month() == time.March) {
			continue
		}
		r.Service = "메일 <mail> & \"more\""
		results = append(results, r)
	}
	rep, err := sla.NewReport(period, slices.Values(results), sla.ReportOptions{By: []sla.Dimension{sla.ByPriority, sla.ByService}, Every: sla.Monthly, Basis: sla.OnStop})
	require.NoError(t, err)
	return rep
}

func TestComplianceChart(t *testing.T) {
	rep := halfYear(t)
	options := sla.ChartOptions{Title: "Compliance in the first half of 2026", Target: "80", Rows: 3}
	svg, err := sla.ComplianceChart(rep, options)
	require.NoError(t, err)
	reportGolden(t, "compliance.svg", svg)
	drawing(t, svg)
	again, err := sla.ComplianceChart(rep, options)
	require.NoError(t, err)
	require.Equal(t, svg, again)

	// Each defined figure is a dot at its height, between 100 % and what the axis
	// says below.
	labels := regexp.MustCompile(`y="([0-9.]+)">([0-9.]+) %</text>`).FindAllStringSubmatch(svg, -1)
	number := func(s string) float64 { f, err := strconv.ParseFloat(s, 64); require.NoError(t, err); return f }
	top, bottom := labels[len(labels)-1], labels[0]
	dots := regexp.MustCompile(`cy="([0-9.]+)" r="3.5"><title>[^<]*: (\d+) of (\d+) `).FindAllStringSubmatch(svg, -1)
	defined := 0
	for _, row := range append(slices.Clone(rep.Rows[:3]), rep.Total) {
		for _, f := range row.Series {
			if f.Defined() {
				defined++
			}
		}
	}
	require.Len(t, dots, defined)
	require.Less(t, defined, 4*6, "there is a gap")
	for _, d := range dots {
		share := number(d[2]) / number(d[3])
		want := number(top[1]) - 4 + (1-share)*100/(number(top[2])-number(bottom[2]))*(number(bottom[1])-number(top[1]))
		require.InDelta(t, want, number(d[1]), 0.11)
	}
	require.Equal(t, 2, strings.Count(strings.Split(strings.Split(svg, `class="line l1`)[1], "/>")[0], "M"), "the gap divides the line")
}

func TestChartsOfLittle(t *testing.T) {
	empty, err := sla.NewReport(monthOf26(1), slices.Values([]sla.Result(nil)), sla.ReportOptions{Every: sla.Monthly})
	require.NoError(t, err)
	svg, err := sla.ComplianceChart(empty, sla.ChartOptions{})
	require.NoError(t, err)
	drawing(t, svg)
	require.Contains(t, svg, "undefined in all.")
	require.NotContains(t, svg, "<path")

	daily, err := sla.NewReport(sla.Period{From: year26, To: year26.AddDate(1, 0, 0)},
		slices.Values(randomResults(rand.New(rand.NewPCG(1, 2)), monthOf26(6), 500)), sla.ReportOptions{Every: sla.Daily, By: sla.Dimensions()})
	require.NoError(t, err)
	svg, err = sla.ComplianceChart(daily, sla.ChartOptions{Rows: 5, Target: "99.95", ID: "own"})
	require.NoError(t, err)
	drawing(t, svg)
	require.Contains(t, svg, `<title id="own-title">`)

	// Series that were cut short are shown as far as they go, and longer ones no further.
	cut := empty
	cut.Total.Series = nil
	cut.Rows = []sla.Row{{Series: make([]sla.Fraction, 9)}}
	svg, err = sla.ComplianceChart(cut, sla.ChartOptions{Rows: 5})
	require.NoError(t, err)
	drawing(t, svg)

	_, err = sla.ComplianceChart(sla.Report{}, sla.ChartOptions{Target: "0.9", Rows: 6, ID: "a b"})
	require.Equal(t, []string{`target must be in percent, from 1 to 100, is "0.9"`, "rows must be 0 to 5", "id must have letters, digits, - and _ only",
		"report has no series: see ReportOptions.Every"}, wrongs(t, err))
}

// The axis shows every level, in round steps.
func TestAxisOfPercentages(t *testing.T) {
	for _, level := range []sla.Fraction{{Part: 0, Of: 1}, {Part: 1, Of: 3}, {Part: 49, Of: 100}, {Part: 50, Of: 100}, {Part: 86, Of: 100}, {Part: 9995, Of: 10000},
		{Part: 99_999, Of: 100_000}, {Part: 1, Of: 1}} {
		rep := sla.Report{Parts: []sla.Period{monthOf26(1)}, Total: sla.Row{Series: []sla.Fraction{level}}}
		svg, err := sla.ComplianceChart(rep, sla.ChartOptions{})
		require.NoError(t, err)
		drawing(t, svg)
		cy := regexp.MustCompile(`cy="([0-9.]+)"`).FindStringSubmatch(svg)
		y, err := strconv.ParseFloat(cy[1], 64)
		require.NoError(t, err)
		require.True(t, y >= 52 && y <= 294, "%v is at %v", level, y)
		require.Contains(t, svg, ">100 %<")
	}
}

// friday42 is a clock of eight hours that began on a Friday, was paused, and is
// past its goal on Monday.
func friday42() sla.BurnDown {
	at := func(day, hour int) time.Time { return time.Date(2026, time.March, day, hour, 0, 0, 0, time.UTC) }
	return sla.BurnDown{
		Title: "INC-42: resolve within 8 hours",
		Goal:  8 * time.Hour,
		Points: []sla.BurnPoint{{At: at(27, 12), Remaining: 8 * time.Hour}, {At: at(27, 14), Remaining: 6 * time.Hour}, {At: at(27, 15), Remaining: 6 * time.Hour},
			{At: at(27, 17), Remaining: 4 * time.Hour}, {At: at(30, 8), Remaining: 4 * time.Hour}, {At: at(30, 14), Remaining: -2 * time.Hour}},
		Paused: []sla.Period{{From: at(27, 14), To: at(27, 15)}},
		Closed: []sla.Period{{From: at(27, 17), To: at(30, 8)}, {From: at(26, 1), To: at(26, 2)}},
	}
}

func TestBurnDown(t *testing.T) {
	svg, err := friday42().SVG(wallOf(t, "Europe/Berlin"))
	require.NoError(t, err)
	reportGolden(t, "burndown.svg", svg)
	drawing(t, svg)
	require.Contains(t, svg, "2h past the goal of 8h at 2026-03-30 16:00 +02:00, counted from 2026-03-27 13:00 +01:00.")
	require.Equal(t, 1, strings.Count(svg, `<rect class="closed" x="64`)+strings.Count(svg, `outside hours: `), "what is not in sight is not drawn")
	// It turns red where the time is used up: 72 of 74 hours after the start, at a
	// fifth of the height between -2 and 8 hours.
	require.Contains(t, svg, `<path class="line past" d="M663.4 245.6L680.0 294.0"/>`)
	roundTrip(t, friday42())
}

func TestBurnDownsOfAllKinds(t *testing.T) {
	at := year26
	for _, b := range []sla.BurnDown{
		{Goal: 0, Points: []sla.BurnPoint{{At: at}, {At: at.Add(1)}}},
		{Goal: 0, Points: []sla.BurnPoint{{At: at}, {At: at.Add(time.Second), Remaining: -time.Second}}},
		{Goal: time.Hour, Points: []sla.BurnPoint{{At: at, Remaining: time.Hour}, {At: at.Add(time.Second), Remaining: time.Hour - time.Second}}, Description: "own"},
		{Goal: time.Hour, Points: []sla.BurnPoint{{At: at, Remaining: -time.Hour}, {At: at.AddDate(0, 0, 1), Remaining: -time.Hour}}},
		{Goal: 100 * 366 * wholeDay, Points: []sla.BurnPoint{{At: at, Remaining: 100 * 366 * wholeDay}, {At: at.AddDate(199, 0, 0), Remaining: -100 * 366 * wholeDay}}},
		{Goal: 30 * wholeDay, Points: []sla.BurnPoint{{At: at, Remaining: 30 * wholeDay}, {At: at.AddDate(0, 0, 29), Remaining: wholeDay}}},
	} {
		svg, err := b.SVG(nil)
		require.NoError(t, err)
		drawing(t, svg)
		require.LessOrEqual(t, strings.Count(svg, `class="grid"`), 20)
		require.GreaterOrEqual(t, strings.Count(svg, `class="grid"`), 2)
	}
	at2 := func(d int) sla.BurnPoint { return sla.BurnPoint{At: at, Remaining: time.Duration(d)} }
	_, err := sla.BurnDown{Goal: 1, ID: "ä", Points: []sla.BurnPoint{at2(2), at2(3), {}}, Paused: []sla.Period{{}}, Closed: []sla.Period{{From: at, To: at}}}.SVG(nil)
	require.Equal(t, []string{"points[0].remaining must be at most the goal", "points[1].remaining must be at most the goal", "points[1].at must be after the point before",
		"points[1].remaining must not be more than at the point before", "points[2].at must be given", "points[2].at must be after the point before",
		"paused[0].from must be given", "paused[0].to must be after from", "closed[0].to must be after from", "id must have letters, digits, - and _ only"}, wrongs(t, err))
	_, err = sla.BurnDown{Goal: 280 * 366 * wholeDay, Points: []sla.BurnPoint{{At: at, Remaining: -250 * 366 * wholeDay}, {At: at.AddDate(250, 0, 0), Remaining: -251 * 366 * wholeDay}}}.SVG(nil)
	require.Equal(t, []string{"points[0].remaining must be at most 100 years past the goal", "points[1].remaining must be at most 100 years past the goal",
		"points must not span more than 200 years", "goal must be at most 100 years"}, wrongs(t, err))
	_, err = sla.BurnDown{Goal: -1}.SVG(nil)
	require.Equal(t, []string{"goal must not be negative", "points must have two points"}, wrongs(t, err))
}

// Text that means harm stays text.
func TestChartsDoNotRunWhatTheyAreGiven(t *testing.T) {
	b := friday42()
	b.Title = `</title><script>alert(1)</script>` + "\x00\x1b\xff" + strings.Repeat("긴 제목 ", 30)
	b.Description = `"><image href="http://example.org"/>`
	svg, err := b.SVG(nil)
	require.NoError(t, err)
	drawing(t, svg)
	require.NotContains(t, svg, "<script")
	require.NotContains(t, svg, "<image")
	require.Contains(t, svg, "…</text>")
}
