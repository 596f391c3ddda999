package sla_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// thirtyDays are 720 hours.
func thirtyDays() sla.Period { return sla.Period{From: year26, To: year26.AddDate(0, 0, 30)} }

func atHour(hour float64) time.Time { return year26.Add(time.Duration(hour * float64(time.Hour))) }

func meanOf(hours float64, n int64) sla.Mean {
	return sla.Mean{Value: time.Duration(hours * float64(time.Hour)), Of: n}
}

func measured(t *testing.T, terms sla.AvailabilityTerms, outages ...sla.Outage) sla.Availability {
	t.Helper()
	a, err := terms.Measure(outages)
	require.NoError(t, err)
	roundTrip(t, a)
	return a
}

// The example that textbooks give: 720 hours, two outages of three hours in all.
func TestTextbookOutages(t *testing.T) {
	outages := []sla.Outage{
		{Start: atHour(100), Acknowledged: atHour(100.1), Restored: atHour(101)},
		{Start: atHour(400), Acknowledged: atHour(400.3), Restored: atHour(402)},
	}
	a := measured(t, sla.AvailabilityTerms{Period: thirtyDays()}, outages...)
	require.Equal(t, meanOf(358.5, 2), a.MTBF)
	require.Equal(t, meanOf(1.5, 2), a.MTRS)
	require.Equal(t, meanOf(360, 2), a.MTBSI)
	require.Equal(t, meanOf(0.2, 2), a.MTTA)
	require.Equal(t, "99.583", a.Fraction.Percent(3))
	require.Equal(t, sla.Fraction{Part: 239, Of: 240}, a.Weighted)
	require.Equal(t, a.MTBSI.Value, a.MTBF.Value+a.MTRS.Value)

	// Elsewhere MTBF is what ITIL calls MTBSI.
	b := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Convention: sla.MTBFCycle}, outages...)
	require.Equal(t, meanOf(360, 2), b.MTBF)
	require.Equal(t, meanOf(358.5, 2), b.MTTF)
	require.Equal(t, a.MTTF, b.MTTF)

	// What was observed in full: one time between the two, and two repairs.
	c := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Method: sla.BetweenOutages}, outages...)
	require.Equal(t, meanOf(299, 1), c.MTBF)
	require.Equal(t, meanOf(300, 1), c.MTBSI)
	require.Equal(t, meanOf(1.5, 2), c.MTRS)
	require.Equal(t, a.Fraction, c.Fraction)
}

func TestMeansThatAreUndefined(t *testing.T) {
	for _, method := range []sla.Method{sla.OverPeriod, sla.BetweenOutages} {
		a := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Method: method})
		for _, m := range []sla.Mean{a.MTTA, a.MTRS, a.MTTF, a.MTBF, a.MTBSI} {
			require.False(t, m.Defined())
			require.NotEmpty(t, m.Undefined)
			require.Zero(t, m.Value)
		}
		require.Equal(t, "100.000", a.Fraction.Percent(3))
	}
	one := sla.Outage{Start: atHour(10), Restored: atHour(11)}
	a := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Method: sla.BetweenOutages}, one)
	require.Equal(t, meanOf(1, 1), a.MTRS)
	require.Equal(t, sla.Mean{Undefined: "there were fewer than two outages"}, a.MTBF)
	require.Equal(t, sla.Mean{Undefined: "fewer than two outages began in the period"}, a.MTBSI)
	require.Equal(t, int64(1), a.Unacknowledged)
	// Over the period one is enough.
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays()}, one)
	require.Equal(t, meanOf(719, 1), a.MTBF)
	// No agreed time, no availability.
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Agreed: func(_, _ time.Time) time.Duration { return -time.Hour }}, one)
	require.False(t, a.Fraction.Defined())
	require.False(t, a.Weighted.Defined())
	require.Zero(t, a.Outages)
	require.Contains(t, a.Text(), "undefined")
}

func TestOutagesAreMergedAndCut(t *testing.T) {
	terms := sla.AvailabilityTerms{Period: thirtyDays(), Method: sla.BetweenOutages}
	a := measured(t, terms,
		sla.Outage{Start: atHour(-5), Restored: atHour(2)},    // began before
		sla.Outage{Start: atHour(10), Restored: atHour(12)},   // three in one:
		sla.Outage{Start: atHour(11), Restored: atHour(13)},   // they overlap,
		sla.Outage{Start: atHour(13), Restored: atHour(14)},   // and touch
		sla.Outage{Start: atHour(-9), Restored: atHour(-8)},   // long over
		sla.Outage{Start: atHour(800), Restored: atHour(801)}, // not yet
		sla.Outage{Start: atHour(50), Restored: atHour(50)},   // no time at all
		sla.Outage{Start: atHour(719), Restored: atHour(725)}, // goes on
		sla.Outage{Start: atHour(30), Acknowledged: atHour(31), Restored: atHour(32)})
	require.Equal(t, int64(4), a.Outages)
	require.Equal(t, 2*time.Hour+4*time.Hour+2*time.Hour+time.Hour, a.Down)
	require.True(t, a.Open)
	require.Equal(t, meanOf(3, 2), a.MTRS)             // of 4 and 2; the others were not seen from beginning to end
	require.Equal(t, meanOf((8.+16+687)/3, 3), a.MTTF) // 2→10, 14→30, 32→719
	require.Equal(t, meanOf((20.+689)/2, 2), a.MTBSI)  // 10→30, 30→719
	require.Equal(t, meanOf(1, 1), a.MTTA)             // the only one that was
	require.Equal(t, int64(5), a.Unacknowledged)       // began in the period
	require.Equal(t, sla.Fraction{Part: int64(711 * time.Hour), Of: int64(720 * time.Hour)}, a.Fraction)

	// Restored with the period's end is restored.
	a = measured(t, terms, sla.Outage{Start: atHour(719), Restored: atHour(720)})
	require.False(t, a.Open)
	require.Equal(t, meanOf(1, 1), a.MTRS)
	a = measured(t, terms, sla.Outage{Start: atHour(719)})
	require.True(t, a.Open)
	require.False(t, a.MTRS.Defined())
	require.Contains(t, a.Text(), "goes on")
	// One that ends with the period's begin makes one with what begins there.
	a = measured(t, terms, sla.Outage{Start: atHour(-1), Restored: atHour(0)}, sla.Outage{Start: atHour(0), Restored: atHour(1)})
	require.False(t, a.MTRS.Defined())
	a = measured(t, terms, sla.Outage{Start: atHour(0), Restored: atHour(1)})
	require.True(t, a.MTRS.Defined())
}

func TestPlannedDowntimeIsExcludedOnlyIfAgreed(t *testing.T) {
	outages := []sla.Outage{{Start: atHour(10), Restored: atHour(14), Planned: true}, {Start: atHour(13), Restored: atHour(15)}}
	a := measured(t, sla.AvailabilityTerms{Period: thirtyDays()}, outages...)
	require.Equal(t, 5*time.Hour, a.Down)
	require.Equal(t, 720*time.Hour, a.Agreed)
	require.Zero(t, a.Planned)
	require.NotContains(t, a.Text(), "agreed not to count")
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays(), ExcludePlanned: true}, outages...)
	require.Equal(t, time.Hour, a.Down)
	require.Equal(t, 716*time.Hour, a.Agreed)
	require.Equal(t, 4*time.Hour, a.Planned)
	require.Equal(t, int64(1), a.Outages)
	require.Contains(t, a.Text(), "agreed not to count")
	// A planned stop in the middle of an outage does not make two of it.
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays(), ExcludePlanned: true},
		sla.Outage{Start: atHour(10), Restored: atHour(20)}, sla.Outage{Start: atHour(12), Restored: atHour(13), Planned: true})
	require.Equal(t, int64(1), a.Outages)
	require.Equal(t, 9*time.Hour, a.Down)
}

func TestWeightsOfUsersAndBusyTimes(t *testing.T) {
	// A tenth of the users, for ten hours, is one hour of all.
	a := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Users: 1000}, sla.Outage{Start: atHour(10), Restored: atHour(20), Affected: 100})
	require.Equal(t, sla.Fraction{Part: 719, Of: 720}, a.Weighted)
	require.Equal(t, sla.Fraction{Part: int64(710 * time.Hour), Of: int64(720 * time.Hour)}, a.Fraction)
	// Two groups at a time are added up, to no more than there are.
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Users: 10},
		sla.Outage{Start: atHour(0), Restored: atHour(72), Affected: 4}, sla.Outage{Start: atHour(0), Restored: atHour(72), Affected: 5})
	require.Equal(t, sla.Fraction{Part: 91, Of: 100}, a.Weighted)
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Users: 10},
		sla.Outage{Start: atHour(0), Restored: atHour(72)}, sla.Outage{Start: atHour(0), Restored: atHour(72), Affected: 5})
	require.Equal(t, sla.Fraction{Part: 90, Of: 100}, sla.Fraction{Part: a.Weighted.Part * 10, Of: a.Weighted.Of * 10})
	// An hour on a payday of weight 30: 30 of 696 + 24×30.
	payday := []sla.BusyTime{{Name: "payday", Period: sla.Period{From: atHour(240), To: atHour(264)}, Weight: 30}}
	a = measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Busy: payday}, sla.Outage{Start: atHour(250), Restored: atHour(251)})
	require.Equal(t, "99.861", a.Fraction.Percent(3))
	require.Zero(t, big.NewRat(a.Weighted.Part, a.Weighted.Of).Cmp(big.NewRat(696+720-30, 696+720)))
}

// Availability and means are what walking through the period minute by minute
// says.
func TestMeasureAgainstWalking(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 11))
	const minutes = 3 * 24 * 60
	period := sla.Period{From: year26, To: year26.Add(minutes * time.Minute)}
	minute := func(m int) time.Time { return year26.Add(time.Duration(m) * time.Minute) }
	open := func(t time.Time) bool { return t.Hour() >= 7 && t.Hour() < 19 }
	agreed := func(a, b time.Time) time.Duration {
		var d time.Duration
		for ; a.Before(b); a = a.Add(time.Minute) {
			if open(a) {
				d += time.Minute
			}
		}
		return d
	}
	for round := range 120 {
		terms := sla.AvailabilityTerms{Period: period, Users: 50, ExcludePlanned: round%2 == 0, Method: sla.OverPeriod,
			Busy: []sla.BusyTime{{Name: "sale", Period: sla.Period{From: minute(1000), To: minute(1900)}, Weight: 7}}}
		if round%3 > 0 {
			terms.Agreed = agreed
		}
		if round%5 > 2 {
			terms.Method = sla.BetweenOutages
		}
		outages := make([]sla.Outage, rnd.IntN(9))
		for i := range outages {
			from := rnd.IntN(minutes+800) - 400
			outages[i] = sla.Outage{Start: minute(from), Restored: minute(from + rnd.IntN(400)), Planned: rnd.IntN(4) == 0, Affected: rnd.Int64N(51)}
			if rnd.IntN(20) == 0 {
				outages[i].Restored = time.Time{}
			}
		}
		type stop struct {
			down, after  time.Duration
			whole, ended bool
		}
		var stops []stop
		var agreedTime, down, planned time.Duration
		good, all := new(big.Int), new(big.Int)
		was := false
		before := func(m int) bool { // was it down just before?
			for _, o := range outages {
				if !(o.Planned && terms.ExcludePlanned) && o.Start.Before(minute(m)) && (o.Restored.IsZero() || !o.Restored.Before(minute(m))) {
					return true
				}
			}
			return false
		}
		for m := range minutes {
			isDown, aside, users := false, false, int64(0)
			for _, o := range outages {
				if minute(m).Before(o.Start) || !o.Restored.IsZero() && !minute(m).Before(o.Restored) {
					continue
				}
				if o.Planned && terms.ExcludePlanned {
					aside = true
					continue
				}
				isDown = true
				if o.Affected == 0 {
					users += 50
				}
				users += o.Affected
			}
			if isDown && !was {
				stops = append(stops, stop{whole: m > 0 || !before(0)})
			}
			if !isDown && was {
				stops[len(stops)-1].ended = true
			}
			was = isDown
			switch {
			case terms.Agreed != nil && !open(minute(m)):
				continue
			case aside:
				planned += time.Minute
				continue
			}
			agreedTime += time.Minute
			weight := int64(1)
			if m >= 1000 && m < 1900 {
				weight = 7
			}
			all.Add(all, big.NewInt(weight*50))
			good.Add(good, big.NewInt(weight*(50-min(users, 50))))
			if isDown {
				down += time.Minute
				stops[len(stops)-1].down += time.Minute
			} else if len(stops) > 0 {
				stops[len(stops)-1].after += time.Minute
			}
		}
		if was {
			goesOn := false
			for _, o := range outages {
				if !(o.Planned && terms.ExcludePlanned) && o.Start.Before(period.To) && (o.Restored.IsZero() || o.Restored.After(period.To)) {
					goesOn = true
				}
			}
			stops[len(stops)-1].ended = !goesOn
		}
		a := measured(t, terms, outages...)
		require.Equal(t, agreedTime, a.Agreed)
		require.Equal(t, down, a.Down)
		require.Equal(t, planned, a.Planned)
		require.Zero(t, new(big.Rat).SetFrac(good, all).Cmp(big.NewRat(a.Weighted.Part, a.Weighted.Of)))
		// Put time between outages that were only outside of agreed time to the one before.
		var kept []stop
		for _, s := range stops {
			if s.down > 0 {
				kept = append(kept, s)
			} else if len(kept) > 0 {
				kept[len(kept)-1].after += s.after
			}
		}
		require.Equal(t, int64(len(kept)), a.Outages)
		var repair, up, cycle []time.Duration
		for i, s := range kept {
			if terms.Method == sla.OverPeriod {
				repair, up, cycle = append(repair, s.down), append(up, 0), append(cycle, 0)
				up[0] = agreedTime - down
				cycle[0] = agreedTime
				continue
			}
			if s.whole && s.ended {
				repair = append(repair, s.down)
			}
			if i+1 < len(kept) {
				up = append(up, s.after)
				if s.whole {
					cycle = append(cycle, s.down+s.after)
				}
			}
		}
		for name, pair := range map[string]struct {
			want []time.Duration
			got  sla.Mean
		}{"MTRS": {repair, a.MTRS}, "MTTF": {up, a.MTTF}, "MTBSI": {cycle, a.MTBSI}} {
			require.Equal(t, int64(len(pair.want)), pair.got.Of, "%s in round %d", name, round)
			if n := len(pair.want); n > 0 {
				sum := new(big.Int)
				for _, d := range pair.want {
					sum.Add(sum, big.NewInt(int64(d)))
				}
				nearly(t, new(big.Rat).SetFrac(sum, big.NewInt(int64(n))), pair.got.Value)
			}
		}
	}
}

func TestMeasureRefusesWithEverything(t *testing.T) {
	terms := sla.AvailabilityTerms{Period: sla.Period{From: atHour(1), To: atHour(1)}, Users: -1, Convention: "mine", Method: "guess",
		Busy: []sla.BusyTime{{Period: thirtyDays(), Weight: 1}, {Period: thirtyDays(), Weight: 2}}}
	_, err := terms.Measure([]sla.Outage{{}, {Start: atHour(2), Restored: atHour(1), Acknowledged: atHour(1), Affected: -1}, {Start: atHour(2), Affected: 7}})
	require.Equal(t, []string{
		"period.to must be after from", "users must be 0 to a million millions",
		`convention must be recovery_to_failure or failure_to_failure, is "mine"`, `method must be period or intervals, is "guess"`,
		"busy[0].weight must be 2 to 1000", "busy[1].period overlaps busy[0]",
		"outages[0].start must be given", "outages[1].restored must not be before start", "outages[1].acknowledged must not be before start",
		"outages[1].affected must be 0 to the number of users", "outages[2].affected must be 0 to the number of users",
	}, wrongs(t, err))
	_, err = sla.AvailabilityTerms{Period: thirtyDays()}.Measure([]sla.Outage{{Start: atHour(2), Affected: 7}})
	require.Equal(t, []string{"outages[0].affected needs the number of users in the terms"}, wrongs(t, err))

	// The largest weights that there may be.
	a := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Users: 1_000_000_000_000,
		Busy: []sla.BusyTime{{Name: "all of it", Period: thirtyDays(), Weight: 1000}}}, sla.Outage{Start: atHour(0), Restored: atHour(72), Affected: 500_000_000_000})
	require.Equal(t, sla.Fraction{Part: 19, Of: 20}, a.Weighted)

	// Numbers that do not fit are refused, not rounded or wrapped.
	long := sla.Period{From: year26, To: year26.AddDate(199, 0, 0).Add(1)}
	_, err = sla.AvailabilityTerms{Period: long, Users: 999_999_999_989}.Measure([]sla.Outage{{Start: atHour(1), Restored: atHour(2).Add(1), Affected: 7}})
	require.Equal(t, []string{"busy weights of users and busy times are too large together"}, wrongs(t, err))
}

func TestAvailabilityText(t *testing.T) {
	a := measured(t, sla.AvailabilityTerms{Period: thirtyDays(), Convention: sla.MTBFCycle, Method: sla.BetweenOutages},
		sla.Outage{Start: atHour(1), Restored: atHour(2)})
	require.Contains(t, a.Text(), "failure to failure, as MTBSI")
	require.Contains(t, a.Text(), "means of what was observed between outages")
	require.Contains(t, fmt.Sprint(a.MTBF), "undefined: ")
}
