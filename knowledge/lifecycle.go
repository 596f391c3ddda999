package knowledge

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// The states of an article. Beside them stands its live edition: an article that is being
// revised is a draft again, and readers go on to see the edition that there is.
const (
	// Draft is being written, or written anew.
	Draft itsm.State = "draft"
	// InReview waits for those who have to approve it; its text stands still.
	InReview itsm.State = "in_review"
	// Scheduled is to be published when its time comes.
	Scheduled itsm.State = "scheduled"
	// Published has a live edition, and nothing else is being worked on.
	Published itsm.State = "published"
	// ReviewDue is published, and somebody has to look at it again.
	ReviewDue itsm.State = "review_due"
	// PendingRetirement is published until those have decided who have to approve that
	// it is taken away.
	PendingRetirement itsm.State = "pending_retirement"
	// Retired is archived: nobody finds it any more.
	Retired itsm.State = "retired"
)

// States lists the states in their usual order.
func States() []itsm.State {
	return []itsm.State{Draft, InReview, Scheduled, Published, ReviewDue, PendingRetirement, Retired}
}

// DefaultLifecycle returns the lifecycle that articles have unless the host gives another
// one ([Config].Lifecycle). It is the union of what common products permit, with a named
// action on every edge; governance says which of them an article may take.
func DefaultLifecycle() *itsm.Lifecycle {
	l, err := itsm.NewLifecycle(spec())
	if err != nil {
		panic("knowledge: the default lifecycle does not hold: " + err.Error()) // proved by the tests
	}
	return l
}

func spec() itsm.LifecycleSpec {
	standing := []itsm.State{Published, ReviewDue}
	working := []itsm.State{Draft, InReview, Scheduled}
	open := []itsm.State{Draft, InReview, Scheduled, Published, ReviewDue, PendingRetirement}
	s := itsm.LifecycleSpec{
		Name:    Kind,
		Create:  "capture",
		Initial: Draft,
		States:  States(),
		Ends:    []itsm.State{Retired},
		// Whatever is not needed can be archived.
		Cancel: "retire",
	}
	// What moves it.
	s.Allow("submit", InReview, Draft)
	s.Allow("withdraw", Draft, InReview, Scheduled)
	s.Allow("approve", Scheduled, InReview)
	s.Allow("send_back", Draft, InReview)
	s.Allow("schedule", Scheduled, Draft)
	s.Allow("publish", Published, Draft, Scheduled)
	s.Allow("release", Published, Scheduled)
	s.Allow("revise", Draft, standing...)
	s.Allow("discard", Published, Draft)
	s.Allow("fall_due", ReviewDue, Published)
	s.Allow("complete_review", Published, ReviewDue)
	s.Allow("expire", Retired, Published, ReviewDue, PendingRetirement)
	s.Allow("propose_retirement", PendingRetirement, standing...)
	s.Allow("approve_retirement", Retired, PendingRetirement)
	s.Allow("keep", Published, PendingRetirement)
	s.Allow("retire", Retired, open...)
	s.Allow("restore", Draft, Retired)
	// What leaves it where it is.
	s.Allow("schedule", "", Scheduled)
	s.Allow("expire", "", working...)
	s.Allow("complete_review", "", Published)
	for _, action := range []string{"improve", "revert", "set_audience", "set_governance"} {
		s.Allow(action, "", append([]itsm.State{Draft}, standing...)...)
	}
	for _, action := range []string{"vote", "delegate", "count_votes"} {
		s.Allow(action, "", InReview, PendingRetirement)
	}
	for _, action := range []string{
		"classify", "assign_owner", "plan", "validate", "invalidate",
		"record_use", "sample_link", "flag", "resolve_flag", "rate", "score_checklist",
	} {
		s.Allow(action, "", open...)
	}
	for _, action := range []string{"note", "link", "unlink", "set_fields", "adopt_translation", "release_translation", "follow_source"} {
		s.Allow(action, "", States()...)
	}
	return s
}

// AllowUsual is a change for [itsm.Lifecycle.With] that permits in states of the host's
// own what is permitted in one of ours and leads nowhere else: notes, links, flags and so
// on.
//
//	longer, err := knowledge.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
//		s.AddState("legal_check")
//		s.Allow("ask_legal", "legal_check", knowledge.Draft)
//		s.Allow("submit", knowledge.InReview, "legal_check")
//		s.Allow("retire", knowledge.Retired, "legal_check")
//	}, knowledge.AllowUsual(knowledge.InReview, "legal_check"))
func AllowUsual(like itsm.State, states ...itsm.State) func(*itsm.LifecycleSpec) {
	return itsm.AllowLike(like, states...)
}

// complete permits in states of the host's own what the practice does by itself in every
// state.
func complete(s *itsm.LifecycleSpec) {
	for _, state := range s.States {
		if !slices.Contains(States(), state) {
			for _, action := range []string{"adopt_translation", "release_translation", "follow_source", "expire"} {
				s.Stay(action, state)
			}
		}
	}
}
