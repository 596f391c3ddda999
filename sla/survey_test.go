package sla_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

func TestScoresAgainstTheirDefinitions(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 9))
	for range 200 {
		var c sla.CSAT
		var s sla.NPS
		var satisfied, n, promoters, detractors int64
		for range rnd.IntN(50) {
			a, b := 1+rnd.IntN(5), rnd.IntN(11)
			require.NoError(t, c.Add(a))
			require.NoError(t, s.Add(b))
			n++
			if a == 4 || a == 5 {
				satisfied++
			}
			switch {
			case b >= 9:
				promoters++
			case b <= 6:
				detractors++
			}
		}
		c.Sent, s.Sent = 100, 100
		require.NoError(t, c.Validate())
		require.NoError(t, s.Validate())
		require.Equal(t, sla.Fraction{Part: satisfied, Of: n}, c.Score())
		require.Equal(t, sla.Fraction{Part: promoters - detractors, Of: n}, s.Score())
		require.Equal(t, n, s.Promoters()+s.Passives()+s.Detractors())
		require.Equal(t, sla.Fraction{Part: n, Of: 100}, c.Rate())
		require.Equal(t, sla.Fraction{Part: n, Of: 100}, s.Rate())
		roundTrip(t, c)
		roundTrip(t, s)
	}
}

func TestScoresSayN(t *testing.T) {
	require.Equal(t, "CSAT 80.0 % (n = 10, response rate 25.0 %)", sla.CSAT{Sent: 40, Answers: [5]int64{1, 0, 1, 3, 5}}.String())
	require.Equal(t, "NPS 30.0 (n = 10, response rate undefined)", sla.NPS{Answers: [11]int64{0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 2}}.String())
	require.Equal(t, "CSAT undefined (n = 0, response rate undefined)", sla.CSAT{}.String())
	require.Equal(t, "NPS undefined (n = 0, response rate 0.0 %)", sla.NPS{Sent: 3}.String())
	require.Equal(t, "-100", sla.NPS{Answers: [11]int64{5}}.Score().Percent(0))
}

func TestAnswersThatAreNone(t *testing.T) {
	var c sla.CSAT
	var s sla.NPS
	for _, answer := range []int{0, 6, -1} {
		require.ErrorIs(t, c.Add(answer), sla.ErrInvalid)
	}
	for _, answer := range []int{-1, 11} {
		require.ErrorIs(t, s.Add(answer), sla.ErrInvalid)
	}
	require.Zero(t, c)
	require.Zero(t, s)
	require.Equal(t, []string{"answers[0] must be 0 to 1000000000000000", "answers[4] must be 0 to 1000000000000000", "sent must be 0 to 1000000000000000"},
		wrongs(t, sla.CSAT{Sent: -1, Answers: [5]int64{-1, 0, 0, 0, 1 << 60}}.Validate()))
	require.Equal(t, []string{"sent must be at least the 3 who answered"}, wrongs(t, sla.NPS{Sent: 2, Answers: [11]int64{3}}.Validate()))
}
