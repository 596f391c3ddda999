package incident

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// A Milestone is a point in the course of an incident from which times to
// detect, respond and restore are measured.
type Milestone string

// Milestones in the order in which they may not run backwards.
const (
	// MilestoneStarted is when service began to fail.
	MilestoneStarted Milestone = "started"
	// MilestoneDetected is when somebody or something noticed. It is set by
	// the report.
	MilestoneDetected Milestone = "detected"
	// MilestoneAcknowledged is when somebody took it on. It is set by the
	// first assignment or start of work.
	MilestoneAcknowledged Milestone = "acknowledged"
	// MilestoneFirstResponse is when the caller first heard from somebody. It
	// is set by the first public note of another, the first status update, or
	// the resolution.
	MilestoneFirstResponse Milestone = "first_response"
	// MilestoneIdentified is when it was known what is broken.
	MilestoneIdentified Milestone = "identified"
	// MilestoneMitigated is when it stopped hurting most users.
	MilestoneMitigated Milestone = "mitigated"
	// MilestoneRestored is when service was normal again. The resolution sets
	// it if it was not marked before.
	MilestoneRestored Milestone = "restored"
	// MilestoneResolved, MilestoneClosed and MilestoneReviewed are set by the
	// actions of these names.
	MilestoneResolved Milestone = "resolved"
	MilestoneClosed   Milestone = "closed"
	MilestoneReviewed Milestone = "reviewed"
)

// AllMilestones lists the milestones in their order.
func AllMilestones() []Milestone { return slices.Clone(milestones[:]) }

var milestones = [...]Milestone{MilestoneStarted, MilestoneDetected, MilestoneAcknowledged, MilestoneFirstResponse,
	MilestoneIdentified, MilestoneMitigated, MilestoneRestored, MilestoneResolved, MilestoneClosed, MilestoneReviewed}

// Milestones holds when each milestone was reached; zero if it was not. None
// is earlier than one before it in the order of the fields.
type Milestones struct {
	Started       time.Time `json:"started,omitzero"`
	Detected      time.Time `json:"detected,omitzero"`
	Acknowledged  time.Time `json:"acknowledged,omitzero"`
	FirstResponse time.Time `json:"first_response,omitzero"`
	Identified    time.Time `json:"identified,omitzero"`
	Mitigated     time.Time `json:"mitigated,omitzero"`
	Restored      time.Time `json:"restored,omitzero"`
	Resolved      time.Time `json:"resolved,omitzero"`
	Closed        time.Time `json:"closed,omitzero"`
	Reviewed      time.Time `json:"reviewed,omitzero"`
}

// Get returns when a milestone was reached, zero if it was not or is unknown.
func (m Milestones) Get(name Milestone) time.Time {
	if i, t := m.find(name); i >= 0 {
		return *t
	}
	return time.Time{}
}

// all lists the fields in their order.
func (m *Milestones) all() [10]*time.Time {
	return [10]*time.Time{&m.Started, &m.Detected, &m.Acknowledged, &m.FirstResponse, &m.Identified,
		&m.Mitigated, &m.Restored, &m.Resolved, &m.Closed, &m.Reviewed}
}

func (m *Milestones) find(name Milestone) (int, *time.Time) {
	for i := range milestones {
		if milestones[i] == name {
			return i, m.all()[i]
		}
	}
	return -1, nil
}

// bounds returns the latest milestone before the i-th and the earliest after
// it, zero where there is none.
func (m *Milestones) bounds(i int) (after, before time.Time, afterName, beforeName Milestone) {
	names, all := &milestones, m.all()
	for j := range i {
		if !all[j].IsZero() {
			after, afterName = *all[j], names[j]
		}
	}
	for j := len(all) - 1; j > i; j-- {
		if !all[j].IsZero() {
			before, beforeName = *all[j], names[j]
		}
	}
	return after, before, afterName, beforeName
}

// mark sets a milestone as somebody says that it was, and refuses what would
// run backwards.
func (m *Milestones) mark(name Milestone, t time.Time) error {
	i, field := m.find(name)
	if i < 0 {
		return &itsm.FieldError{Field: "milestone", Reason: fmt.Sprintf("is unknown: %q", name)}
	}
	after, before, afterName, beforeName := m.bounds(i)
	var v itsm.Validation
	v.Check(!t.Before(after), "at", fmt.Sprintf("must not be before %s, %s", afterName, after.Format(time.RFC3339)))
	v.Check(before.IsZero() || !t.After(before), "at", fmt.Sprintf("must not be after %s, %s", beforeName, before.Format(time.RFC3339)))
	*field = t
	return v.Err()
}

// reach sets a milestone that an action brings with it. Where the clock or what
// was marked by hand says otherwise, it is moved as little as keeps the order.
func (m *Milestones) reach(name Milestone, t time.Time) {
	i, field := m.find(name)
	after, before, _, _ := m.bounds(i)
	if !before.IsZero() && t.After(before) {
		t = before
	}
	if t.Before(after) {
		t = after
	}
	*field = t
}

// reachFirst is reach for what happens once.
func (m *Milestones) reachFirst(name Milestone, t time.Time) {
	if _, field := m.find(name); field.IsZero() {
		m.reach(name, t)
	}
}
