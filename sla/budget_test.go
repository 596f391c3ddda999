package sla_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

const wholeDay = 24 * time.Hour

func sloOf(target sla.Decimal) sla.Objective {
	return sla.Objective{Target: target, Period: 30 * wholeDay}
}

// 99.9 % allow 43.2 minutes in 30 days and 8.76 hours in a year.
func TestAllowedDowntime(t *testing.T) {
	for _, tt := range []struct {
		target sla.Decimal
		period time.Duration
		want   time.Duration
	}{
		{"99.9", 30 * wholeDay, 43*time.Minute + 12*time.Second},
		{"99.9", 365 * wholeDay, 8*time.Hour + 45*time.Minute + 36*time.Second},
		{"99.99", 30 * wholeDay, 4*time.Minute + 19*time.Second + 200*time.Millisecond},
		{"99.999999999999", time.Second, 0},
		{"1", math.MaxInt64, time.Duration(math.MaxInt64/100*99 + 7*99/100)},
	} {
		got, err := sla.Objective{Target: tt.target, Period: tt.period}.Downtime()
		require.NoError(t, err)
		require.Equal(t, tt.want, got, tt.target)
	}
	_, err := sloOf("100").Downtime()
	require.ErrorIs(t, err, sla.ErrInvalid)
}

func TestErrorBudget(t *testing.T) {
	for _, tt := range []struct {
		target      sla.Decimal
		good, valid int64
		want        sla.Budget
		kept        bool
	}{
		{"99.9", 999_500, 1_000_000, sla.Budget{Bad: 500, Allowed: "1000", Remaining: "500", Consumed: "50.000000", Burn: "0.500000"}, true},
		{"99.9", 999_000, 1_000_000, sla.Budget{Bad: 1000, Allowed: "1000", Remaining: "0", Consumed: "100.000000", Burn: "1.000000"}, true},
		{"99.9", 998_999, 1_000_000, sla.Budget{Bad: 1001, Allowed: "1000", Remaining: "-1", Consumed: "100.100000", Burn: "1.001000"}, false},
		{"99.95", 12_345, 12_345, sla.Budget{Allowed: "6.1725", Remaining: "6.1725", Consumed: "0.000000", Burn: "0.000000"}, true},
		{"99", 0, 0, sla.Budget{Allowed: "0", Remaining: "0"}, true},
		{"99.999999999999", 0, math.MaxInt64, sla.Budget{Bad: math.MaxInt64, Allowed: "92233.72036854775807", Remaining: "-9223372036854683573.27963145224193",
			Consumed: "10000000000000000.000000", Burn: "100000000000000.000000"}, false},
	} {
		got, err := sloOf(tt.target).Budget(sla.Counts{Good: tt.good, Valid: tt.valid})
		require.NoError(t, err)
		tt.want.Counts = sla.Counts{Good: tt.good, Valid: tt.valid}
		require.Equal(t, tt.want, got)
		require.Equal(t, tt.kept, got.Kept())
		roundTrip(t, got)
	}
	require.False(t, sla.Budget{}.Kept(), "what was not computed is not kept")
}

func TestBudgetRefusesWithEverything(t *testing.T) {
	_, err := sla.Objective{Target: "0.999"}.Budget(sla.Counts{Good: -1, Valid: -2})
	require.Equal(t, []string{`target must be in percent, from 1 to 100, is "0.999"`, "period must be more than 0",
		"valid must not be negative", "good must be 0 to valid"}, wrongs(t, err))
	_, err = sloOf("100.0").Budget(sla.Counts{Good: 2, Valid: 1})
	require.Equal(t, []string{"target must be less than 100, which leaves no budget", "good must be 0 to valid"}, wrongs(t, err))
	require.Equal(t, []string{`target must be in percent, from 1 to 100, is ""`}, wrongs(t, sloOf("").Validate()))
	require.Equal(t, []string{"target must have at most 12 places"}, wrongs(t, sloOf("99.9999999999999").Validate()))
	require.NoError(t, sloOf("99.9").Validate())
}

// Table 5-8 of the Workbook, and the row that its text adds.
func TestBurnAlertsAsPublished(t *testing.T) {
	table := append(sla.BurnAlerts(), sla.DayAlert())
	used := []sla.Decimal{"2.00", "5.00", "10.00", "10.00"}
	at28 := []sla.Decimal{"2.14", "5.36", "10.71", "10.71"}
	for i, a := range table {
		require.Equal(t, a.Long, 12*a.Short)
		got, err := sloOf("99.9").Used(a)
		require.NoError(t, err)
		require.Equal(t, used[i], got)
		got, err = sla.Objective{Target: "99.9", Period: 28 * wholeDay}.Used(a)
		require.NoError(t, err)
		require.Equal(t, at28[i], got)
	}
	require.Equal(t, []sla.BurnAlert{
		{Severity: "page", Long: time.Hour, Short: 5 * time.Minute, Burn: "14.4"},
		{Severity: "page", Long: 6 * time.Hour, Short: 30 * time.Minute, Burn: "6"},
		{Severity: "ticket", Long: 3 * wholeDay, Short: 6 * time.Hour, Burn: "1"},
		{Severity: "ticket", Long: wholeDay, Short: 2 * time.Hour, Burn: "3"},
	}, table)
	require.NoError(t, sloOf("99.9").CheckAlerts(table))
	_, err := sloOf("99.9").Used(sla.BurnAlert{Burn: "-1"})
	require.Len(t, wrongs(t, err), 2)
}

// A burn rate of 14.4 is more than everything failing below a target of 93.0556 %.
func TestAlertsThatCanNeverBeRaised(t *testing.T) {
	for target, reachable := range map[sla.Decimal]bool{"99.9": true, "95": true, "93.06": true, "93.05": false, "90": false} {
		err := sloOf(target).CheckAlerts(sla.BurnAlerts())
		if reachable {
			require.NoError(t, err, target)
			continue
		}
		require.Len(t, wrongs(t, err), 1, target)
	}
	require.Equal(t, []string{"alerts[0].burn can never be exceeded: with a target of 90 % nothing burns faster than 10.0000, even if everything fails"},
		wrongs(t, sloOf("90").CheckAlerts(sla.BurnAlerts())))
	// Without a budget there is nothing to divide by.
	for _, target := range []sla.Decimal{"100", "100.0", "200", "x"} {
		require.Len(t, wrongs(t, sloOf(target).CheckAlerts(sla.BurnAlerts())), 1, target)
		_, err := sloOf(target).Evaluate(nil, nil)
		require.ErrorIs(t, err, sla.ErrInvalid)
		_, err = sloOf(target).Used(sla.DayAlert())
		require.ErrorIs(t, err, sla.ErrInvalid)
		_, err = sloOf(target).Budget(sla.Counts{Good: 1, Valid: 2})
		require.ErrorIs(t, err, sla.ErrInvalid)
	}
	// Exactly as fast as everything failing is not faster.
	require.Error(t, sloOf("95").CheckAlerts([]sla.BurnAlert{{Severity: sla.Page, Long: 2, Short: 1, Burn: "20"}}))

	err := sla.Objective{}.CheckAlerts([]sla.BurnAlert{{Severity: "shout", Burn: "x"}, {Severity: sla.Page, Long: time.Hour, Short: time.Hour, Burn: "1"}})
	require.Equal(t, []string{`target must be in percent, from 1 to 100, is ""`, "period must be more than 0",
		`alerts[0].severity must be page or ticket, is "shout"`, "alerts[0].short must be more than 0", "alerts[0].short must be less than long",
		`alerts[0].burn must be a decimal number such as "12.50", with up to 40 digits before and behind the point`, "alerts[0].burn must be more than 0",
		"alerts[1].short must be less than long"}, wrongs(t, err))
	require.Equal(t, []string{"alerts[0].long must be at most the period"},
		wrongs(t, sla.Objective{Target: "99", Period: wholeDay}.CheckAlerts([]sla.BurnAlert{{Severity: sla.Page, Long: 2 * wholeDay, Short: 1, Burn: "1"}})))
}

// An alert is raised when both windows burn faster, and not at the rate itself.
func TestBothWindowsMustExceed(t *testing.T) {
	at := func(bad int64) sla.Counts { return sla.Counts{Good: 100_000 - bad, Valid: 100_000} }
	alerts := sla.BurnAlerts()[:1]
	for _, tt := range []struct {
		long, short sla.Counts
		want        bool
	}{
		{at(1441), at(1441), true}, {at(1440), at(1441), false}, {at(1441), at(1440), false}, {at(1440), at(1440), false},
		{at(5000), sla.Counts{}, false}, {at(0), at(100_000), false},
	} {
		got, err := sloOf("99.9").Evaluate(alerts, map[time.Duration]sla.Counts{time.Hour: tt.long, 5 * time.Minute: tt.short})
		require.NoError(t, err)
		require.Equal(t, tt.want, got[0].Raised)
	}
	got, err := sloOf("99.9").Evaluate(alerts, map[time.Duration]sla.Counts{time.Hour: at(1441), 5 * time.Minute: {}})
	require.NoError(t, err)
	require.Equal(t, []sla.Burning{{BurnAlert: alerts[0], LongBurn: "14.410000"}}, got)
	_, err = sloOf("90").Evaluate(alerts, map[time.Duration]sla.Counts{time.Hour: {Good: 2, Valid: 1}})
	require.Equal(t, []string{"alerts[0].burn can never be exceeded: with a target of 90 % nothing burns faster than 10.0000, even if everything fails",
		"counted[1h].good must be 0 to valid", "alerts[0] has no counts for its window of 5m"}, wrongs(t, err))
}

// Whether an alert is raised does not hang on rounding.
func TestEvaluateIsExact(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	limit := big.NewRat(144, 10000) // 14.4 × 0.1 %
	for range 2000 {
		valid := 1 + rnd.Int64N(1_000_000)
		bad := min(valid, valid*144/10000+rnd.Int64N(3))
		c := sla.Counts{Good: valid - bad, Valid: valid}
		got, err := sloOf("99.9").Evaluate(sla.BurnAlerts()[:1], map[time.Duration]sla.Counts{time.Hour: c, 5 * time.Minute: c})
		require.NoError(t, err)
		require.Equal(t, big.NewRat(bad, valid).Cmp(limit) > 0, got[0].Raised)
		roundTrip(t, got)
	}
}
