package approval

import (
	"slices"
	"time"
)

// A Standing is how a vote stands, as far as a record keeps it beside the electorate
// and the ballots: with those, [Decide] says why.
type Standing struct {
	Outcome Outcome `json:"outcome"`
	// At is since when it is so; zero while it is open.
	At time.Time `json:"at,omitzero"`
	// Next is when things change without a vote, and Asked who may vote now.
	Next  time.Time `json:"next,omitzero"`
	Asked []string  `json:"asked,omitempty"`
}

// Stand counts the ballots as [Decide] does, but not before the [Electorate.Moment] of
// them, and says how the vote stands. A moment at which things change lies ahead, or it
// would never be past.
func Stand(e Electorate, ballots []Ballot, now time.Time) (Standing, error) {
	now = e.Moment(ballots, now)
	d, err := Decide(e, ballots, now)
	if err != nil {
		return Standing{}, err
	}
	s := Standing{Outcome: d.Outcome, At: d.At}
	if d.Next.After(now) {
		s.Next = d.Next
	}
	for _, turn := range d.Needed.May {
		s.Asked = append(s.Asked, turn.By...)
	}
	slices.Sort(s.Asked)
	s.Asked = slices.Compact(s.Asked)
	return s, nil
}

// StandWith says how a vote stands with one more ballot, or, as [Admit] does, why it would
// not count. The ballot is cast after those that are there: one that lies before their
// [Electorate.Moment], at which the host should have it cast and keep it, is refused as
// [Early]. It would be counted among them, where a later one of somebody's undoes it.
func StandWith(e Electorate, ballots []Ballot, b Ballot) (Standing, error) {
	if err := Admit(e, ballots, b); err != nil {
		return Standing{}, err
	}
	if b.At.Before(e.Moment(ballots, b.At)) {
		return Standing{}, &Refusal{Early, "another vote was cast after it"}
	}
	return Stand(e, append(slices.Clip(ballots), b), b.At)
}

// Moment is when a ballot is cast: now, but not before the vote was opened and its last
// ballot was cast. A clock that went back, or another host's, neither undoes an earlier
// ballot nor makes it the last of somebody's.
func (e Electorate) Moment(ballots []Ballot, now time.Time) time.Time {
	if e.Opened.After(now) {
		now = e.Opened
	}
	for _, b := range ballots {
		if b.At.After(now) {
			now = b.At
		}
	}
	return now
}
