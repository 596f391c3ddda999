package sla_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm/sla"
)

// march is the month of the examples.
func march() sla.Period {
	return sla.Period{From: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
}

// marchResults are a few results of incidents: the clocks of a practice say the
// same of its records.
func marchResults() []sla.Result {
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	result := func(record, priority string, start time.Time, took time.Duration) sla.Result {
		r := sla.Result{Record: record, Agreement: "gold", Version: 2, Metric: "resolution", Service: "mail", Priority: priority,
			State: sla.Met, Start: start, Stop: start.Add(took), Elapsed: took, Goal: 4 * time.Hour}
		if took > r.Goal {
			r.State, r.Breach = sla.Missed, start.Add(r.Goal)
		}
		return r
	}
	open := result("inc_5", "P2", at(31, 9), 0)
	open.State, open.Stop, open.Breach, open.Elapsed = sla.Breached, time.Time{}, at(31, 13), 8*time.Hour
	return []sla.Result{
		result("inc_1", "P1", at(2, 9), time.Hour), result("inc_2", "P1", at(9, 14), 3*time.Hour),
		result("inc_3", "P2", at(10, 8), 6*time.Hour), result("inc_4", "P2", at(20, 10), 2*time.Hour), open,
	}
}

// How goals were kept in a month, for each priority. What is past its goal counts
// although it still goes on.
func ExampleNewReport() {
	report, err := sla.NewReport(march(), slices.Values(marchResults()), sla.ReportOptions{By: []sla.Dimension{sla.ByPriority}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(report.Text())
	fmt.Println("P2:", report.Rows[1].Compliance())
	// Output:
	// 2026-03-01 00:00 +00:00 to 2026-04-01 00:00 +00:00 (UTC), counted by outcome
	// priority  counted  met  missed  breached  compliance  mean  median    p90    p95  cancelled  open
	// P1              2    2       0         0    100.00 %    2h      2h  2h48m  2h54m          0     0
	// P2              3    1       1         1     33.33 %    4h      4h  5h36m  5h48m          0     0
	// total           5    3       1         1     60.00 %    3h   2h30m   5h6m  5h33m          0     0
	// P2: 1 of 3 (33.33 %)
}

// The same report, for other programs and for the eye.
func ExampleComplianceChart() {
	report, err := sla.NewReport(march(), slices.Values(marchResults()), sla.ReportOptions{Every: sla.Weekly})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(strings.ReplaceAll(report.SeriesCSV(), "\r\n", "\n"))
	svg, err := sla.ComplianceChart(report, sla.ChartOptions{Title: "Gold in March", Target: "90"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, _ = os.Stdout.WriteString(svg[:strings.Index(svg, "<style>")])
	// Output:
	// from,to,scope,met,counted,compliance_percent
	// 2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,total,0,0,
	// 2026-03-02T00:00:00Z,2026-03-09T00:00:00Z,total,1,1,100.000
	// 2026-03-09T00:00:00Z,2026-03-16T00:00:00Z,total,1,2,50.000
	// 2026-03-16T00:00:00Z,2026-03-23T00:00:00Z,total,1,1,100.000
	// 2026-03-23T00:00:00Z,2026-03-30T00:00:00Z,total,0,0,
	// 2026-03-30T00:00:00Z,2026-04-01T00:00:00Z,total,0,1,0.000
	// <svg xmlns="http://www.w3.org/2000/svg" class="sla-chart" viewBox="0 0 720 364" width="720" height="364" role="img" aria-labelledby="sla-compliance-title sla-compliance-desc">
	// <title id="sla-compliance-title">Gold in March</title>
	// <desc id="sla-compliance-desc">Share of goals met in each week from 2026-03-01 to 2026-04-01: 3 of 5 (60.00 %) in all.</desc>
}

// One clock, from its start until two hours past its goal.
func ExampleBurnDown_SVG() {
	at := func(hour int) time.Time { return time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC) }
	svg, err := sla.BurnDown{
		Title: "inc_7: resolution",
		Goal:  4 * time.Hour,
		Points: []sla.BurnPoint{{At: at(9), Remaining: 4 * time.Hour}, {At: at(11), Remaining: 2 * time.Hour},
			{At: at(12), Remaining: 2 * time.Hour}, {At: at(16), Remaining: -2 * time.Hour}},
		Paused: []sla.Period{{From: at(11), To: at(12)}},
	}.SVG(time.UTC)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, rest, _ := strings.Cut(svg, "<desc id=\"sla-burndown-desc\">")
	description, _, _ := strings.Cut(rest, "</desc>")
	fmt.Println(description)
	// Output:
	// 2h past the goal of 4h at 2026-03-02 16:00 +00:00, counted from 2026-03-02 09:00 +00:00.
}

// A month of 30 days with two outages, three hours together. With agreed hours,
// hand over Hours.Between as Agreed.
func ExampleAvailabilityTerms_Measure() {
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	at := func(hours float64) time.Time { return from.Add(time.Duration(hours * float64(time.Hour))) }
	availability, err := sla.AvailabilityTerms{Period: sla.Period{From: from, To: at(720)}}.Measure([]sla.Outage{
		{Record: "inc_1", Start: at(100), Acknowledged: at(100.25), Restored: at(101)},
		{Record: "inc_2", Start: at(400), Acknowledged: at(400.25), Restored: at(402)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(availability.Text())
	// Output:
	// 2026-06-01 00:00 +00:00 to 2026-07-01 00:00 +00:00, means over the whole period
	// availability  99.583 %        down 3h of 720h agreed
	// weighted      99.583 %        by users and busy times
	// outages       2               merged where they overlap
	// MTTA          15m (of 2)      start to acknowledgement
	// MTRS          1h30m (of 2)    failure to normal service
	// MTTF          358h30m (of 2)  recovery to next failure
	// MTBF          358h30m (of 2)  recovery to next failure, as MTTF
	// MTBSI         360h (of 2)     failure to failure
}

// A shop is up while its network, two of its three web servers and one of its two
// databases are.
func ExamplePart_Explain() {
	shop := sla.Series("shop",
		sla.Single("network", "99.9"),
		sla.KOfN("web", 2, sla.Single("web 1", "99"), sla.Single("web 2", "99"), sla.Single("web 3", "99")),
		sla.Parallel("database", sla.Single("first", "99.5"), sla.Single("second", "99.5")),
	)
	text, err := shop.Explain()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(text)
	// Output:
	// shop: 99.867733 %, down 57m8s in 30 days, all needed
	//   network: 99.900000 %, down 43m12s in 30 days
	//   web: 99.970200 %, down 12m52s in 30 days, 2 of 3 needed
	//     web 1: 99.000000 %, down 7h12m in 30 days
	//     web 2: 99.000000 %, down 7h12m in 30 days
	//     web 3: 99.000000 %, down 7h12m in 30 days
	//   database: 99.997500 %, down 1m5s in 30 days, one needed
	//     first: 99.500000 %, down 3h36m in 30 days
	//     second: 99.500000 %, down 3h36m in 30 days
}

func ExampleObjective_Budget() {
	slo := sla.Objective{Name: "checkout", Target: "99.9", Period: 30 * 24 * time.Hour}
	budget, err := slo.Budget(sla.Counts{Good: 1_999_400, Valid: 2_000_000})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d of %s bad ones used, %s left, burn rate %s\n", budget.Bad, budget.Allowed, budget.Remaining, budget.Burn)
	down, _ := slo.Downtime()
	fmt.Println("or", down, "of downtime in all")
	// Output:
	// 600 of 2000 bad ones used, 1400 left, burn rate 0.300000
	// or 43m12s of downtime in all
}

// A burst that is over pages nobody: the short window does not burn any more.
func ExampleObjective_Evaluate() {
	slo := sla.Objective{Target: "99.9", Period: 30 * 24 * time.Hour}
	burning, err := slo.Evaluate(sla.BurnAlerts(), map[time.Duration]sla.Counts{
		time.Hour: {Good: 9_800, Valid: 10_000}, 5 * time.Minute: {Good: 800, Valid: 800},
		6 * time.Hour: {Good: 59_600, Valid: 60_000}, 30 * time.Minute: {Good: 4_960, Valid: 5_000},
		72 * time.Hour: {Good: 719_600, Valid: 720_000},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range burning {
		used, _ := slo.Used(b.BurnAlert)
		fmt.Printf("%-6s %6s at %s %% of the budget: burns %s and %s, raised: %t\n", b.Severity, b.Long, used, b.LongBurn, b.ShortBurn, b.Raised)
	}
	// Output:
	// page   1h0m0s at 2.00 % of the budget: burns 20.000000 and 0.000000, raised: false
	// page   6h0m0s at 5.00 % of the budget: burns 6.666667 and 8.000000, raised: true
	// ticket 72h0m0s at 10.00 % of the budget: burns 0.555556 and 6.666667, raised: false
}

// Bands as they are published, with a cap for the year. Asking again credits
// nothing.
func ExampleCreditTerms_Credits() {
	terms := sla.CreditTerms{
		Bands:   []sla.CreditBand{{Below: "99.9", Credit: "10"}, {Below: "99", Credit: "25"}, {Below: "95", Credit: "100"}},
		YearCap: "300", Places: 2,
	}
	reached := []sla.Reached{
		{Agreement: "gold", Metric: "availability", Period: march(), Level: sla.Fraction{Part: 989, Of: 1000}, Fee: "1000.10"},
		{Agreement: "gold", Metric: "resolution", Period: march(), Level: sla.Fraction{Part: 199, Of: 200}, Fee: "1000.10"},
	}
	given, err := terms.Credits(reached, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range given {
		fmt.Printf("%s: %s is below %s, credit %s of %s (capped by %q)\n", c.Metric, c.Level, c.Below, c.Amount, c.Full, c.CappedBy)
	}
	again, err := terms.Credits(reached, given)
	fmt.Println(len(again), err)
	// Output:
	// availability: 989 of 1000 (98.90 %) is below 99, credit 250.03 of 250.03 (capped by "")
	// resolution: 199 of 200 (99.50 %) is below 99.9, credit 49.97 of 100.01 (capped by "year")
	// 0 <nil>
}

// The same consumption in two languages. Charged by IT element, mail costs what
// its machines and licences cost, which the customer can neither foresee nor
// influence. Charged by service level, it costs what was agreed, and bronze is
// cheaper than gold.
func ExampleTariff_Charge() {
	tariff := sla.Tariff{
		Model:    sla.FixedPrice,
		Elements: map[string]sla.Decimal{"cpu_hour": "0.035", "licence": "12", "gigabyte": "0.08"},
		Levels:   map[string]sla.LevelPrice{"gold": {PerService: "200", PerUser: "18"}, "bronze": {PerUser: "11"}},
		Places:   2,
	}
	charges, err := tariff.Charge([]sla.Consumption{
		{Service: "mail", Elements: map[string]sla.Decimal{"cpu_hour": "1441", "licence": "50", "gigabyte": "900.5"}, Level: "bronze", Users: 50},
		{Service: "shop", Elements: map[string]sla.Decimal{"cpu_hour": "8640", "gigabyte": "1200"}, Level: "gold", Users: 12},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(charges.Text())
	// Output:
	// service  by element  by level  difference
	// mail         722.48    550.00     -172.48
	// shop         398.40    416.00       17.60
	// total       1120.88    966.00     -154.88
}

// A bill of 100 for three, to the cent.
func ExampleSplit() {
	parts, err := sla.Split("100", 2, "1", "1", "1")
	fmt.Println(parts, err)
	// Output:
	// [33.34 33.33 33.33] <nil>
}

func ExampleCSAT() {
	var csat sla.CSAT
	csat.Sent = 20
	for _, answer := range []int{5, 4, 2, 5} {
		if err := csat.Add(answer); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(csat)
	fmt.Println(csat.Add(7))
	// Output:
	// CSAT 75.0 % (n = 4, response rate 20.0 %)
	// answer must be 1 to 5, is 7
}

func ExampleNPS() {
	nps := sla.NPS{Sent: 50, Answers: [11]int64{6: 2, 7: 1, 8: 2, 9: 3, 10: 2}}
	fmt.Println(nps)
	// Output:
	// NPS 30.0 (n = 10, response rate 20.0 %)
}

// Every target is kept, but the forty minutes of downtime were on payday.
func ExampleCheckWatermelon() {
	payday := sla.Period{From: time.Date(2026, 3, 25, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 3, 26, 0, 0, 0, 0, time.UTC)}
	availability, err := sla.AvailabilityTerms{
		Period: march(),
		Busy:   []sla.BusyTime{{Name: "payday", Period: payday, Weight: 50}},
	}.Measure([]sla.Outage{{Start: payday.From.Add(9 * time.Hour), Restored: payday.From.Add(9*time.Hour + 40*time.Minute)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	csat := sla.CSAT{Sent: 100, Answers: [5]int64{6, 5, 4, 6, 4}}
	verdict, err := sla.CheckWatermelon(
		[]sla.Indicator{{Name: "availability", Level: availability.Fraction, AtLeast: "99.9"}},
		[]sla.Indicator{
			{Name: "availability weighted by busy times", Level: availability.Weighted, AtLeast: "99.9"},
			{Name: "satisfaction", Level: csat.Score(), AtLeast: "80"},
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(verdict.Text())
	// Output:
	// watermelon: targets green, outcomes red
	// - outcome availability weighted by busy times is 98.3 % (283 of 288) and should be at least 99.9 %
	// - outcome satisfaction is 40.0 % (10 of 25) and should be at least 80 %
	// - all targets are kept although outcomes are not as they should be: the targets do not ask for what people need
}

// Days by the calendar on the wall: the day on which clocks go forward has 23
// hours.
func ExamplePeriod_Divide() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	weekend := sla.Period{From: time.Date(2026, 3, 28, 0, 0, 0, 0, berlin), To: time.Date(2026, 3, 31, 0, 0, 0, 0, berlin)}
	days, err := weekend.Divide(sla.Daily, berlin)
	for _, d := range days {
		fmt.Println(d.From.Format("Mon 2 Jan"), d.To.Sub(d.From))
	}
	fmt.Println(err)
	// Output:
	// Sat 28 Mar 24h0m0s
	// Sun 29 Mar 23h0m0s
	// Mon 30 Mar 24h0m0s
	// <nil>
}
