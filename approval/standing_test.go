package approval_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
)

// How a vote stands is what Decide says of it, at a moment that does not lie before what
// was voted.
func TestStand(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.All, Of: []approval.Member{
		{Person: "cho", Substitutes: []approval.Substitute{{Person: "bob", After: time.Hour}, {Person: "ann"}}}, {Person: "ann"},
	}})
	e.Deadline = at(300)
	s, err := approval.Stand(e, nil, at(0))
	require.NoError(t, err)
	require.Equal(t, approval.Standing{Outcome: approval.Open, Next: at(60), Asked: []string{"ann", "cho"}}, s, "each once, and in order")
	early, err := approval.Stand(e, nil, at(-100))
	require.NoError(t, err)
	require.Equal(t, s, early)

	votes := cast("cho approve", "ann approve")
	s, err = approval.Stand(e, votes[:1], at(60))
	require.NoError(t, err)
	require.Equal(t, approval.Standing{Outcome: approval.Open, Next: at(300), Asked: []string{"ann"}}, s)
	with, err := approval.StandWith(e, votes[:1:1], votes[1])
	require.NoError(t, err)
	require.Equal(t, approval.Standing{Outcome: approval.Approved, At: at(2)}, with)
	s, err = approval.Stand(e, votes, at(1))
	require.NoError(t, err)
	require.Equal(t, with, s, "a clock that went back undoes nothing")
	s, err = approval.Stand(e, votes[:1], at(300))
	require.NoError(t, err)
	require.Equal(t, approval.Standing{Outcome: approval.Expired, At: at(300)}, s)

	_, err = approval.StandWith(e, votes, cast("dan approve")[0])
	require.ErrorIs(t, err, approval.ErrRefused)
	_, err = approval.Stand(approval.Electorate{}, nil, at(0))
	require.ErrorIs(t, err, approval.ErrInvalid)
}

// A ballot that StandWith takes is the last one: it counts, and is the one that counts for
// its person. Every ballot of two people after every two that were cast, at every time.
func TestStandWithTakesWhatCounts(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.All, Of: approval.Persons("ann", "bob", "cho")})
	var all []approval.Ballot
	for _, by := range []string{"ann", "bob"} {
		for _, vote := range approval.Votes() {
			for minute := -1; minute <= 2; minute++ {
				all = append(all, approval.Ballot{By: by, Vote: vote, At: at(minute)})
			}
		}
	}
	taken, refused := 0, 0
	for _, first := range all {
		for _, second := range all {
			for _, b := range all {
				ballots := []approval.Ballot{first, second}
				s, err := approval.StandWith(e, ballots, b)
				ballots = append(ballots, b)
				if err != nil {
					refused++
					require.ErrorIs(t, err, approval.ErrRefused)
					continue
				}
				taken++
				// As told by a clock that is right.
				d := decide(t, e, ballots, at(3))
				require.Equal(t, d.Outcome, s.Outcome)
				require.NotContains(t, codes(d), 2, "%v", ballots)
				seat := d.Why.Of[slices.Index(names(2), b.By)]
				if b.Vote == approval.Withdraw {
					require.Nil(t, seat.Ballot, "%v", ballots)
				} else {
					require.Equal(t, &b, seat.Ballot, "%v", ballots)
				}
			}
		}
	}
	require.Positive(t, taken)
	require.Positive(t, refused)

	votes := []approval.Ballot{{By: "ann", Vote: approval.Approve, At: at(30)}}
	back := approval.Ballot{By: "ann", Vote: approval.Withdraw, At: at(29)}
	require.NoError(t, approval.Admit(e, votes, back), "as things stood then")
	_, err := approval.StandWith(e, votes, back)
	require.Equal(t, &approval.Refusal{Code: approval.Early, Reason: "another vote was cast after it"}, err)
	back.At = e.Moment(votes, back.At)
	s, err := approval.StandWith(e, votes, back)
	require.NoError(t, err)
	require.Equal(t, names(3), s.Asked)
}

// StandWith leaves the caller's ballots alone.
func TestStandWithCopies(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.All, Of: approval.Persons("ann", "bob")})
	votes := cast("ann approve", "bob reject")
	_, err := approval.StandWith(e, votes[:1], cast("x", "bob approve")[1])
	require.NoError(t, err)
	require.Equal(t, cast("ann approve", "bob reject"), votes)
}

func TestMoment(t *testing.T) {
	e := electorate(approval.Rule{Need: approval.Any, Of: approval.Persons("ann")})
	votes := []approval.Ballot{{At: at(5)}, {At: at(9)}, {At: at(7)}}
	require.Equal(t, at(0), e.Moment(nil, at(-1)))
	require.Equal(t, at(3), e.Moment(nil, at(3)))
	require.Equal(t, at(9), e.Moment(votes, at(3)))
	require.Equal(t, at(10), e.Moment(votes, at(10)))
}
