package knowledge

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
)

// A Licence is what somebody has shown that they can do with knowledge. It is earned, and
// has nothing to do with the tier of support.
type Licence string

const (
	// NoLicence may use, flag and rate what they see.
	NoLicence Licence = ""
	// Candidate captures articles and improves their own, and hands them in to be
	// reviewed; they do not publish.
	Candidate Licence = "candidate"
	// Contributor validates and improves what anybody wrote, and publishes it to one's
	// own people.
	Contributor Licence = "contributor"
	// Publisher publishes to others, and changes what others see.
	Publisher Licence = "publisher"
	// Coach also says what has to comply, samples links and scores articles.
	Coach Licence = "coach"
)

// Licences lists them; each may do what those before it may.
func Licences() []Licence {
	return []Licence{NoLicence, Candidate, Contributor, Publisher, Coach}
}

// AtLeast reports whether a licence is the other or more.
func (l Licence) AtLeast(other Licence) bool {
	return slices.Index(Licences(), l) >= slices.Index(Licences(), other)
}

// Licensing is the rule who may do what by licence. Its Authorize is what itsm.Config
// takes:
//
//	cfg.Authorize = knowledge.Licensing{Of: licences}.Authorize
type Licensing struct {
	// Of says what licence an actor has.
	Of func(ctx context.Context, actor itsm.Actor) (Licence, error)
	// Needs is what actions need, by name, where that is not what [Licensing.Needed]
	// says by itself; for those of the host's own, which otherwise need a [Publisher].
	Needs map[string]Licence
}

// Authorize refuses with an [itsm.ErrDenied] what an actor has no licence for. What is
// asked of other practices it leaves alone. An error of Of is returned as it is, and
// refuses, too.
func (l Licensing) Authorize(ctx context.Context, attempt itsm.Attempt) error {
	if attempt.Practice != Kind {
		return nil
	}
	has, err := l.Of(ctx, attempt.Actor)
	if err != nil {
		return err
	}
	if need := l.Needed(attempt); !has.AtLeast(need) {
		if has == NoLicence {
			has = "nobody with a licence"
		}
		return fmt.Errorf("%w: that takes a %s, and %s is %s", itsm.ErrDenied, need, attempt.Actor.ID, has)
	}
	return nil
}

// Needed says which licence an attempt takes:
//
//   - none to record a use, flag and rate, to delegate, and to vote about what has to
//     comply or is to be retired, which is for those whom the host's rules ask;
//   - a candidate to capture an article, and to change, submit, withdraw, discard or
//     retire one that they captured and that was never published;
//   - a contributor to do that to any article that only one's own people see, to
//     validate and to publish it, or to vote for that, to deal with flags and to review;
//   - a publisher for all of that where others see the article, or will, and to make it
//     so;
//   - a coach to say what has to comply, to restore, to sample links and to score.
func (l Licensing) Needed(attempt itsm.Attempt) Licence {
	if need, ok := l.Needs[attempt.Action]; ok {
		return need
	}
	var r Article
	if record, ok := attempt.Record.(Article); ok {
		r = record
	}
	external := r.Audience.Reach.External() || r.Live != nil && r.Live.Audience.Reach.External()
	change := Contributor
	switch {
	case external && r.Live != nil:
		change = Publisher
	case r.Author == attempt.Actor.ID && r.Published.IsZero():
		change = Candidate
	}
	publish := Contributor
	if external {
		publish = Publisher
	}
	switch a := attempt.Data.(type) {
	case RecordUse, Flag, Rate, Delegate:
		return NoLicence
	case Vote:
		// Or a candidate would have somebody approve who may not publish either.
		if r.Governance == Experience && r.Approval.Of == ForPublication {
			return publish
		}
		return NoLicence
	case Capture:
		switch {
		case a.Governance == Compliance:
			return Coach
		case a.Audience.Reach.External():
			return Publisher
		}
		return Candidate
	case SetAudience:
		if a.Reach.External() {
			return Publisher
		}
		return change
	case Improve, Revert, Classify, Submit, Withdraw, Discard, Revise, Retire, Plan, AssignOwner, Note, Link, Unlink, SetFields:
		return change
	case ResolveFlag, Validate, Invalidate, ProposeRetirement, Keep, CompleteReview:
		if change == Candidate {
			return Contributor
		}
		return change
	case Publish, Schedule:
		return publish
	case SetGovernance, Restore, SampleLink, ScoreChecklist:
		return Coach
	}
	return Publisher
}
