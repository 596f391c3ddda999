package approval

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm/internal/short"
)

// A Ballot is what somebody voted, when, and why. A later one for the same person
// takes the place of the one before.
type Ballot struct {
	// By is who cast it.
	By string `json:"by"`
	// For is in whose place; empty means in their own.
	For  string    `json:"for,omitempty"`
	Vote Vote      `json:"vote"`
	At   time.Time `json:"at"`
	// Comment says why.
	Comment string `json:"comment,omitempty"`
}

// String returns the ballot as a line: "bob for ann: reject at …".
func (b Ballot) String() string {
	text := b.By
	if b.For != "" && b.For != b.By {
		text += " for " + b.For
	}
	return text + ": " + string(b.Vote) + b.when()
}

// when says when and why.
func (b *Ballot) when() string {
	text := " at " + stamp(b.At)
	if b.Comment != "" {
		text += fmt.Sprintf(", %q", b.Comment)
	}
	return text
}

// seat returns whose vote it is.
func (b *Ballot) seat() string {
	if b.For == "" {
		return b.By
	}
	return b.For
}

// Validate returns an [ErrInvalid] with every finding if the ballot is wrong in
// itself. Whether it counts, [Admit] says.
func (b Ballot) Validate() error {
	var f findings
	b.validate(&f, &path{})
	return f.err()
}

func (b *Ballot) validate(f *findings, at *path) {
	f.name(b.By, at.field("by"))
	f.text(b.For, at.field("for"), maxName)
	if !slices.Contains(Votes(), b.Vote) {
		f.add(at.field("vote"), "must be approve, reject, abstain or withdraw, is %q", short.Text(b.Vote))
	}
	f.check(!b.At.IsZero(), at.field("at"), "must be given")
	f.text(b.Comment, at.field("comment"), maxComment)
}

// A Code says why a ballot does not count.
type Code string

const (
	// Late came after the decision, or after the deadline. It is shown beside
	// the decision: one early acceptance hides no later refusal.
	Late Code = "late"
	// Early came before the opening, before its turn, or, for [StandWith], before a
	// ballot that is there.
	Early Code = "early"
	// Excluded was cast by somebody whom separation of duties keeps from it.
	Excluded Code = "excluded"
	// NoVote was cast by somebody who has no vote there, or not at that time.
	NoVote Code = "no_vote"
	// Overruled was cast in the place of somebody who has voted in person.
	Overruled Code = "overruled"
	// NoComment does not say why, as the policy asks.
	NoComment Code = "no_comment"
)

// Codes lists them.
func Codes() []Code { return []Code{Late, Early, Excluded, NoVote, Overruled, NoComment} }

// A Refusal says why a ballot does not count. It is an [ErrRefused].
type Refusal struct {
	Code Code `json:"code"`
	// Reason is a sentence: "mia is excluded as author".
	Reason string `json:"reason"`
}

func (r *Refusal) Error() string { return r.Reason }

// Refusal returns the reason, for those who gather refusals of several packages.
func (r *Refusal) Refusal() string { return r.Reason }

// Is reports that a refusal is an [ErrRefused].
func (r *Refusal) Is(target error) bool { return target == ErrRefused }
