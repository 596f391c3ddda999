package incident_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
)

type action = itsm.Action[incident.Incident]

func list(a ...action) []action { return a }

// Short forms of what many tests begin with.
var (
	assign  = incident.Assign{Group: "messaging", Person: "mia"}
	start   = incident.Start{}
	hold    = incident.PutOnHold{Reason: incident.AwaitingCaller, Note: "asked for the error text"}
	resolve = incident.Resolve{Code: incident.Fixed, Note: "restarted"}
	closing = incident.Close{}
	reopen  = incident.Reopen{Reason: "down again"}
	accept  = incident.AcceptMajor{Reason: "all sites", Commander: "kim"}
)

// An effect is all that an action changes in a record, and the state and the due
// time after it. Whatever it does not name must be as it was.
type effect struct {
	name   string
	cfg    incident.Config
	before []action
	do     action
	state  itsm.State // empty: as it was
	change func(r *incident.Incident, now time.Time)
	due    func(r incident.Incident) time.Time // nil: as it was
}

func never(incident.Incident) time.Time { return time.Time{} }

func effects() []effect {
	longer := incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace}}
	autoClose := incident.Config{AutoClose: incident.After(72 * time.Hour)}
	reinstating := incident.Config{}
	reinstating.Lifecycle, _ = incident.DefaultLifecycle().With(incident.AllowReinstate)
	link := itsm.Link{Rel: incident.CausedBy, To: itsm.Ref{Kind: "change", ID: "chg-7"}}
	return []effect{
		{name: "Describe", do: incident.Describe{Title: "No mail at all", Description: "since eight"},
			change: func(r *incident.Incident, _ time.Time) { r.Title, r.Description = "No mail at all", "since eight" }},
		{name: "Classify", do: incident.Classify{CI: "mx1", Category: "outage"},
			change: func(r *incident.Incident, _ time.Time) { r.Service, r.CI, r.Category = "", "mx1", "outage" }},
		{name: "Assess", do: incident.Assess{Impact: 1, Urgency: 2, Priority: 5},
			change: func(r *incident.Incident, _ time.Time) { r.Impact, r.Urgency, r.Priority = 1, 2, 2 }},
		{name: "OverridePriority", before: list(incident.Assess{Impact: 3, Urgency: 3}), do: incident.OverridePriority{Priority: 1, Reason: "the board meets"},
			change: func(r *incident.Incident, _ time.Time) { r.Priority, r.PriorityReason = 1, "the board meets" }},
		{name: "AssessUndoesOverride", before: list(incident.OverridePriority{Priority: 1, Reason: "the board meets"}), do: incident.Assess{Impact: 3, Urgency: 3},
			change: func(r *incident.Incident, _ time.Time) {
				r.Impact, r.Urgency, r.Priority, r.PriorityReason = 3, 3, 5, ""
			}},

		{name: "Assign", do: assign, state: incident.Assigned,
			change: func(r *incident.Incident, now time.Time) {
				r.Assignment = incident.Assignment{Group: "messaging", Person: "mia"}
				r.Milestones.Acknowledged = now
			}},
		{name: "AssignAgain", before: list(assign), do: incident.Assign{Group: "network"},
			change: func(r *incident.Incident, _ time.Time) {
				r.Assignment = incident.Assignment{Group: "network"}
				r.Reassignments = 1
			}},
		{name: "AssignToPersonInGroup", before: list(incident.Assign{Group: "network"}), do: incident.Assign{Group: "network", Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) { r.Assignment.Person = "lee" }},
		{name: "AssignBackToGroup", before: list(assign), do: incident.Assign{Group: "messaging"},
			change: func(r *incident.Incident, _ time.Time) { r.Assignment.Person, r.Reassignments = "", 1 }},
		{name: "AssignToAnotherInGroup", before: list(assign), do: incident.Assign{Group: "messaging", Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) { r.Assignment.Person, r.Reassignments = "lee", 1 }},
		{name: "AssignFromGroupToPerson", before: list(incident.Assign{Group: "network"}), do: incident.Assign{Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) {
				r.Assignment, r.Reassignments = incident.Assignment{Person: "lee"}, 1
			}},
		{name: "AssignWhatIsInProgress", before: list(assign, start), do: assign, state: incident.Assigned,
			change: func(*incident.Incident, time.Time) {}},
		{name: "AssignWhatIsOnHold", before: list(assign, hold), do: incident.Assign{Person: "lee"}, state: incident.Assigned,
			change: func(r *incident.Incident, _ time.Time) {
				r.Assignment, r.Reassignments, r.Hold = incident.Assignment{Person: "lee"}, 1, incident.Hold{}
			}},
		{name: "Unassign", before: list(assign), do: incident.Unassign{Reason: "ill"}, state: incident.New,
			change: func(r *incident.Incident, _ time.Time) { r.Assignment = incident.Assignment{} }},
		{name: "AssignAfterUnassign", before: list(assign, incident.Unassign{}), do: incident.Assign{Person: "lee"}, state: incident.Assigned,
			change: func(r *incident.Incident, _ time.Time) { r.Assignment.Person = "lee" }},
		{name: "Start", do: start, state: incident.InProgress,
			change: func(r *incident.Incident, now time.Time) {
				r.Assignment.Person, r.Milestones.Acknowledged = "mia", now
			}},
		{name: "StartWhatIsSomebodyElses", before: list(incident.Assign{Person: "lee"}), do: start, state: incident.InProgress,
			change: func(*incident.Incident, time.Time) {}},
		{name: "StartInGroup", before: list(incident.Assign{Group: "network"}), do: start, state: incident.InProgress,
			change: func(r *incident.Incident, _ time.Time) { r.Assignment.Person = "mia" }},
		{name: "EscalateFunctional", before: list(assign, start), do: incident.EscalateFunctional{Group: "vendors", Reason: "firmware"}, state: incident.Assigned,
			change: func(r *incident.Incident, _ time.Time) {
				r.Assignment, r.Reassignments = incident.Assignment{Group: "vendors"}, 1
				r.Escalation.Functional = 1
			}},
		{name: "EscalateFunctionalFromHold", before: list(hold), do: incident.EscalateFunctional{Person: "lee", Reason: "skills"}, state: incident.Assigned,
			change: func(r *incident.Incident, now time.Time) {
				r.Assignment.Person, r.Hold = "lee", incident.Hold{}
				r.Escalation.Functional, r.Milestones.Acknowledged = 1, now
			}},
		{name: "EscalateHierarchical", before: list(assign, incident.EscalateHierarchical{To: "kim", Reason: "slow"}),
			do:     incident.EscalateHierarchical{To: "cio", Reason: "still slow"},
			change: func(r *incident.Incident, _ time.Time) { r.Escalation.Hierarchical, r.Escalation.To = 2, "cio" }},
		{name: "Join", before: list(incident.Join{Person: "lee"}), do: incident.Join{Person: "kim", Skill: "dns"},
			change: func(r *incident.Incident, now time.Time) {
				r.Collaborators = append(r.Collaborators, incident.Collaborator{Person: "kim", Skill: "dns", Joined: now})
			}},
		{name: "Leave", before: list(incident.Join{Person: "lee"}, incident.Join{Person: "kim"}), do: incident.Leave{Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) { r.Collaborators = r.Collaborators[1:] }},
		{name: "LastLeaves", before: list(incident.Join{Person: "lee"}), do: incident.Leave{Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) { r.Collaborators = nil }},

		{name: "Hold", before: list(start), do: hold, state: incident.OnHold,
			change: func(r *incident.Incident, now time.Time) {
				r.Hold = incident.Hold{Reason: incident.AwaitingCaller, Note: "asked for the error text", Since: now, Rule: incident.ResumeOnReply}
			}},
		{name: "HoldUntil", do: incident.PutOnHold{Reason: incident.AwaitingParts, Until: morning.Add(24 * time.Hour)}, state: incident.OnHold,
			change: func(r *incident.Incident, now time.Time) {
				r.Hold = incident.Hold{Reason: incident.AwaitingParts, Since: now, Until: morning.Add(24 * time.Hour), Rule: incident.ResumeByHand}
			},
			due: func(incident.Incident) time.Time { return morning.Add(24 * time.Hour) }},
		{name: "HoldOtherwise", before: list(hold), do: incident.PutOnHold{Reason: "weather", Rule: incident.ResumeOnReply},
			change: func(r *incident.Incident, _ time.Time) {
				r.Hold = incident.Hold{Reason: "weather", Since: r.Hold.Since, Rule: incident.ResumeOnReply}
			}},
		{name: "HoldByHand", before: list(start), do: incident.PutOnHold{Reason: incident.AwaitingCaller, Rule: incident.ResumeByHand}, state: incident.OnHold,
			change: func(r *incident.Incident, now time.Time) {
				r.Hold = incident.Hold{Reason: incident.AwaitingCaller, Since: now, Rule: incident.ResumeByHand}
			}},
		{name: "Resume", before: list(assign, incident.PutOnHold{Reason: "weather", Until: morning.Add(time.Hour)}), do: incident.Resume{}, state: incident.InProgress,
			change: func(r *incident.Incident, _ time.Time) { r.Hold = incident.Hold{} }, due: never},
		{name: "ResumeWhatNobodyHas", before: list(hold), do: incident.Resume{}, state: incident.InProgress,
			change: func(r *incident.Incident, now time.Time) {
				r.Hold, r.Assignment.Person, r.Milestones.Acknowledged = incident.Hold{}, "mia", now
			}},

		{name: "NoteInternal", do: incident.Note{Text: "looks like DNS"},
			change: func(r *incident.Incident, _ time.Time) { r.InternalNotes = 1 }},
		{name: "NotePublic", do: incident.Note{Text: "we are on it", Public: true},
			change: func(r *incident.Incident, now time.Time) { r.PublicNotes, r.Milestones.FirstResponse = 1, now }},
		{name: "NotePublicAgain", before: list(incident.Note{Text: "we are on it", Public: true}), do: incident.Note{Text: "nearly", Public: true},
			change: func(r *incident.Incident, _ time.Time) { r.PublicNotes = 2 }},
		{name: "LogTime", before: list(incident.LogTime{Spent: time.Hour}), do: incident.LogTime{Spent: 24 * time.Hour, Note: "all day"},
			change: func(r *incident.Incident, _ time.Time) { r.TimeSpent = 25 * time.Hour }},
		{name: "Mark", do: incident.Mark{Milestone: incident.MilestoneMitigated},
			change: func(r *incident.Incident, now time.Time) { r.Milestones.Mitigated = now }},
		{name: "MarkThen", do: incident.Mark{Milestone: incident.MilestoneStarted, At: morning.Add(-time.Hour)},
			change: func(r *incident.Incident, _ time.Time) { r.Milestones.Started = morning.Add(-time.Hour) }},

		{name: "ProposeMajor", do: incident.ProposeMajor{Reason: "many"},
			change: func(r *incident.Incident, _ time.Time) {
				r.Major.Status, r.Major.Reason = incident.MajorProposed, "many"
			}},
		{name: "AcceptMajor", before: list(incident.ProposeMajor{Reason: "many"}), do: accept,
			change: func(r *incident.Incident, now time.Time) {
				r.Major = incident.Major{Status: incident.MajorAccepted, Reason: "all sites",
					Roles:   map[incident.MajorRole]string{incident.RoleCommander: "kim"},
					Cadence: 30 * time.Minute, UpdateDue: now.Add(30 * time.Minute)}
			},
			due: func(r incident.Incident) time.Time { return r.Changed.Add(30 * time.Minute) }},
		{name: "AcceptMajorAfterResolution", before: list(resolve), do: accept,
			change: func(r *incident.Incident, _ time.Time) {
				r.Major = incident.Major{Status: incident.MajorAccepted, Reason: "all sites",
					Roles: map[incident.MajorRole]string{incident.RoleCommander: "kim"}, Cadence: 30 * time.Minute}
			}},
		{name: "RejectMajor", before: list(incident.ProposeMajor{Reason: "many"}), do: incident.RejectMajor{Reason: "few"},
			change: func(r *incident.Incident, _ time.Time) {
				r.Major.Status, r.Major.Reason = incident.MajorRejected, "few"
			}},
		{name: "DemoteMajor", before: list(accept), do: incident.DemoteMajor{Reason: "contained"},
			change: func(r *incident.Incident, _ time.Time) {
				r.Major.Status, r.Major.Reason, r.Major.UpdateDue = incident.MajorDemoted, "contained", time.Time{}
			},
			due: never},
		{name: "AssignRole", before: list(accept), do: incident.AssignRole{Role: incident.RoleScribe, Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) { r.Major.Roles[incident.RoleScribe] = "lee" }},
		{name: "AssignRoleAnew", before: list(accept), do: incident.AssignRole{Role: incident.RoleCommander, Person: "lee"},
			change: func(r *incident.Incident, _ time.Time) { r.Major.Roles[incident.RoleCommander] = "lee" }},
		{name: "AssignRoleToNobody", before: list(accept, incident.AssignRole{Role: "driver", Person: "lee"}), do: incident.AssignRole{Role: "driver"},
			change: func(r *incident.Incident, _ time.Time) { delete(r.Major.Roles, "driver") }},
		{name: "PostUpdate", do: incident.PostUpdate{Text: "working on it"},
			change: func(r *incident.Incident, now time.Time) { r.Major.Updates, r.Milestones.FirstResponse = 1, now }},
		{name: "PostUpdateOfMajor", before: list(accept), do: incident.PostUpdate{Text: "working on it"},
			change: func(r *incident.Incident, now time.Time) {
				r.Major.Updates, r.Milestones.FirstResponse = 1, now
				r.Major.UpdateDue = now.Add(30 * time.Minute)
			},
			due: func(r incident.Incident) time.Time { return r.Changed.Add(30 * time.Minute) }},
		{name: "PostUpdateAfterResolution", before: list(accept, resolve), do: incident.PostUpdate{Text: "it is over"},
			change: func(r *incident.Incident, _ time.Time) { r.Major.Updates = 1 }},

		{name: "Link", do: incident.Link{Link: link},
			change: func(r *incident.Incident, _ time.Time) { r.Links = []itsm.Link{link} }},
		{name: "Unlink", before: list(incident.Link{Link: link}), do: incident.Unlink{Link: link},
			change: func(r *incident.Incident, _ time.Time) { r.Links = nil }},
		{name: "SetFields", before: list(incident.SetFields{Fields: itsm.Fields{"seat": []byte(`"4B"`)}}),
			do: incident.SetFields{Fields: itsm.Fields{"seat": []byte("null"), "vip": []byte("true")}},
			change: func(r *incident.Incident, _ time.Time) {
				r.Fields = itsm.Fields{"vip": json.RawMessage("true")}
			}},

		{name: "Resolve", cfg: autoClose, before: list(start, hold), do: incident.Resolve{Code: incident.Workaround, Note: "second server", ClosureCategory: "hardware"},
			state: incident.Resolved,
			change: func(r *incident.Incident, now time.Time) {
				r.Hold, r.ClosureCategory = incident.Hold{}, "hardware"
				r.Resolution = incident.Resolution{Code: incident.Workaround, Note: "second server", By: "mia", At: now}
				r.CloseAt = now.Add(72 * time.Hour)
				r.Milestones.FirstResponse, r.Milestones.Restored, r.Milestones.Resolved = now, now, now
			},
			due: func(r incident.Incident) time.Time { return r.Changed.Add(72 * time.Hour) }},
		{name: "ResolveAfterResponseAndRestoration",
			before: list(incident.Note{Text: "we are on it", Public: true}, incident.Mark{Milestone: incident.MilestoneRestored}),
			do:     resolve, state: incident.Resolved,
			change: func(r *incident.Incident, now time.Time) {
				r.Resolution = incident.Resolution{Code: incident.Fixed, Note: "restarted", By: "mia", At: now}
				r.Milestones.Resolved = now
			}},
		{name: "ResolveMajor", before: list(accept), do: resolve, state: incident.Resolved,
			change: func(r *incident.Incident, now time.Time) {
				r.Resolution = incident.Resolution{Code: incident.Fixed, Note: "restarted", By: "mia", At: now}
				r.Milestones.FirstResponse, r.Milestones.Restored, r.Milestones.Resolved = now, now, now
				r.Major.UpdateDue = time.Time{}
			},
			due: never},
		{name: "Close", cfg: autoClose, before: list(incident.Resolve{Code: "fixed", Note: "n", ClosureCategory: "hardware"}), do: closing, state: incident.Closed,
			change: func(r *incident.Incident, now time.Time) { r.CloseAt, r.Milestones.Closed = time.Time{}, now },
			due:    never},
		{name: "CloseWithCategory", before: list(incident.Resolve{Code: "fixed", Note: "n", ClosureCategory: "hardware"}),
			do: incident.Close{ClosureCategory: "software", Note: "after all"}, state: incident.Closed,
			change: func(r *incident.Incident, now time.Time) {
				r.ClosureCategory, r.Milestones.Closed = "software", now
			}},
		{name: "Reopen", cfg: autoClose, before: list(assign, resolve), do: reopen, state: incident.InProgress,
			change: func(r *incident.Incident, _ time.Time) {
				r.Reopens, r.Resolution, r.CloseAt = 1, incident.Resolution{}, time.Time{}
				r.Milestones.Restored, r.Milestones.Resolved = time.Time{}, time.Time{}
			},
			due: never},
		{name: "ReopenMajor", before: list(assign, accept, resolve), do: reopen, state: incident.InProgress,
			change: func(r *incident.Incident, now time.Time) {
				r.Reopens, r.Resolution = 1, incident.Resolution{}
				r.Milestones.Restored, r.Milestones.Resolved = time.Time{}, time.Time{}
				r.Major.UpdateDue = now.Add(30 * time.Minute)
			},
			due: func(r incident.Incident) time.Time { return r.Changed.Add(30 * time.Minute) }},
		{name: "ReopenClosed", cfg: longer, before: list(resolve, closing, incident.StartReview{Lead: "kim"}, incident.CompleteReview{Summary: "s"}),
			do: reopen, state: incident.InProgress,
			change: func(r *incident.Incident, now time.Time) {
				r.Reopens, r.Resolution = 1, incident.Resolution{}
				r.Assignment.Person, r.Milestones.Acknowledged = "mia", r.Milestones.FirstResponse
				r.Milestones.Restored, r.Milestones.Resolved = time.Time{}, time.Time{}
				r.Milestones.Closed, r.Milestones.Reviewed = time.Time{}, time.Time{}
				r.Review.Completed = time.Time{}
			}},
		{name: "RejectResolution", before: list(assign, resolve), do: incident.RejectResolution{Reason: "no"}, state: incident.Assigned,
			change: func(r *incident.Incident, _ time.Time) {
				r.Reopens, r.Resolution = 1, incident.Resolution{}
				r.Milestones.Restored, r.Milestones.Resolved = time.Time{}, time.Time{}
			}},
		{name: "RejectResolutionToOthers", cfg: longer, before: list(assign, resolve, closing), do: incident.RejectResolution{Reason: "no", Group: "network"}, state: incident.Assigned,
			change: func(r *incident.Incident, _ time.Time) {
				r.Reopens, r.Resolution = 1, incident.Resolution{}
				r.Milestones.Restored, r.Milestones.Resolved, r.Milestones.Closed = time.Time{}, time.Time{}, time.Time{}
				r.Assignment, r.Reassignments = incident.Assignment{Group: "network"}, 1
			}},
		{name: "Cancel", before: list(accept, hold), do: incident.Cancel{Reason: "a drill"}, state: incident.Cancelled,
			change: func(r *incident.Incident, _ time.Time) {
				r.Hold, r.Major.UpdateDue = incident.Hold{}, time.Time{}
			},
			due: never},
		{name: "CancelResolved", cfg: autoClose, before: list(resolve), do: incident.Cancel{Reason: "a drill"}, state: incident.Cancelled,
			change: func(r *incident.Incident, _ time.Time) { r.CloseAt = time.Time{} }, due: never},
		{name: "Reinstate", cfg: reinstating, before: list(accept, assign, resolve, incident.Cancel{Reason: "a drill"}),
			do: incident.Reinstate{Reason: "it was none"}, state: incident.New,
			change: func(r *incident.Incident, now time.Time) {
				r.Assignment, r.Resolution = incident.Assignment{}, incident.Resolution{}
				r.Milestones.Restored, r.Milestones.Resolved = time.Time{}, time.Time{}
				r.Major.UpdateDue = now.Add(30 * time.Minute)
			},
			due: func(r incident.Incident) time.Time { return r.Changed.Add(30 * time.Minute) }},

		{name: "Rate", before: list(resolve, incident.Rate{Score: 1, Comment: "slow"}), do: incident.Rate{Score: 5},
			change: func(r *incident.Incident, now time.Time) {
				r.Satisfaction = &incident.Satisfaction{Score: 5, At: now}
			}},
		{name: "StartReview", before: list(resolve), do: incident.StartReview{Lead: "kim"},
			change: func(r *incident.Incident, now time.Time) {
				r.Review = &incident.Review{Review: itsm.Review{Lead: "kim", Started: now}}
			}},
		{name: "AddActionItem", before: list(resolve, incident.StartReview{Lead: "kim"}, incident.AddActionItem{Title: "alert", Owner: "lee"}),
			do: incident.AddActionItem{Title: "spare", Owner: "kim", Due: morning.Add(720 * time.Hour)},
			change: func(r *incident.Incident, _ time.Time) {
				r.Review.Actions = append(r.Review.Actions, itsm.ActionItem{Number: 2, Title: "spare", Owner: "kim", Due: morning.Add(720 * time.Hour)})
			}},
		{name: "CompleteActionItem", before: list(resolve, incident.StartReview{Lead: "kim"}, incident.AddActionItem{Title: "alert", Owner: "lee"},
			incident.AddActionItem{Title: "spare", Owner: "kim"}), do: incident.CompleteActionItem{Number: 2, Note: "bought"},
			change: func(r *incident.Incident, now time.Time) { r.Review.Actions[1].Done = now }},
		{name: "CompleteReview", before: list(resolve, incident.StartReview{Lead: "kim"}, closing), do: incident.CompleteReview{Summary: "old disk", Lessons: "spares"},
			change: func(r *incident.Incident, now time.Time) {
				r.Review.Summary, r.Review.Lessons, r.Review.Completed = "old disk", "spares", now
				r.Milestones.Reviewed = now
			}},
	}
}

func TestActionsChangeExactly(t *testing.T) {
	for _, c := range effects() {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, c.cfg)
			inc := d.open(c.before...)
			want := d.Record(inc.ID)
			checked := d.Time.Now().Add(time.Minute)
			would, err := func() (incident.Incident, error) { // a dry run says the same, a minute earlier
				d.Time.Advance(time.Minute)
				defer d.Time.Advance(-time.Minute)
				return d.Check(mia, inc.ID, c.do)
			}()
			require.NoError(t, err)

			got := d.Did(mia, inc.ID, c.do)
			require.Equal(t, got, would)
			now := d.Time.Now()
			require.Equal(t, checked, now)
			c.change(&want, now)
			want.Version++
			want.Changed = now
			if c.state != "" {
				want.State = c.state
			}
			if c.due != nil {
				want.Due = c.due(want)
			}
			require.Equal(t, want, got)
		})
	}
}

// Findings about input, each with every finding at once.
func TestActionsRefuseInput(t *testing.T) {
	long := strings.Repeat("ö", 40_000)
	const most = "must have at most 200 characters, has 40000"
	const mostNote = "must have at most 32000 characters, has 40000"
	for _, c := range []struct {
		name     string
		before   []action
		do       action
		findings []string
	}{
		{"Describe", nil, incident.Describe{Description: long}, []string{"title must not be empty", "description " + mostNote}},
		{"Classify", nil, incident.Classify{long, long, long}, []string{"service " + most, "ci " + most, "category " + most}},
		{"Assess", nil, incident.Assess{}, []string{"impact must be 1 to 3, is 0", "urgency must be 1 to 3, is 0"}},
		{"AssessHigh", nil, incident.Assess{Impact: 4, Urgency: 255}, []string{"impact must be 1 to 3, is 4", "urgency must be 1 to 3, is 255"}},
		{"OverridePriority", nil, incident.OverridePriority{}, []string{"priority must be 1 or more", "reason must not be empty"}},
		{"OverridePriorityLow", nil, incident.OverridePriority{Priority: 6}, []string{"reason must not be empty", "priority must be at most 5"}},
		{"Match", nil, incident.Match{}, []string{"there is no matcher"}},
		{"Assign", nil, incident.Assign{}, []string{"group or person must be given"}},
		{"AssignLong", nil, incident.Assign{long, long}, []string{"group " + most, "person " + most}},
		{"AssignSame", list(assign), assign, []string{"it is assigned so already"}},
		{"Unassign", list(assign), incident.Unassign{long}, []string{"reason " + mostNote}},
		{"EscalateFunctional", nil, incident.EscalateFunctional{}, []string{"group or person must be given", "reason must not be empty"}},
		{"EscalateFunctionalSame", list(assign), incident.EscalateFunctional{"messaging", "mia", "r"}, []string{"it is theirs already"}},
		{"EscalateHierarchical", nil, incident.EscalateHierarchical{}, []string{"to must not be empty", "reason must not be empty"}},
		{"Join", nil, incident.Join{Skill: long}, []string{"person must not be empty", "skill " + most}},
		{"JoinTwice", list(incident.Join{Person: "lee"}), incident.Join{Person: "lee"}, []string{"lee is helping already"}},
		{"Leave", nil, incident.Leave{}, []string{"person must not be empty", "nobody is helping"}},
		{"LeaveOther", list(incident.Join{Person: "lee"}), incident.Leave{"kim"}, []string{`"kim" is not helping`}},
		{"Hold", nil, incident.PutOnHold{Note: long, Rule: "x"}, []string{"reason must not be empty", "note " + mostNote, `rule must be reply, hand or empty, is "x"`}},
		{"HoldUntilNow", nil, incident.PutOnHold{Reason: "x", Until: morning}, []string{"until must be after now"}},
		{"Note", nil, incident.Note{}, []string{"text must not be empty"}},
		{"NoteLong", nil, incident.Note{Text: long}, []string{"text " + mostNote}},
		{"NoteNUL", nil, incident.Note{Text: "a\x00b"}, []string{"text must not contain NUL"}},
		{"NoteNotUTF8", nil, incident.Note{Text: "a\xff"}, []string{"text must be valid UTF-8"}},
		{"LogTime", nil, incident.LogTime{Note: long}, []string{"spent must be positive and at most 24 hours", "note " + mostNote}},
		{"LogTimeNegative", nil, incident.LogTime{Spent: -1}, []string{"spent must be positive and at most 24 hours"}},
		{"LogTimeLong", nil, incident.LogTime{Spent: 24*time.Hour + 1}, []string{"spent must be positive and at most 24 hours"}},
		{"Mark", nil, incident.Mark{}, []string{`milestone is unknown: ""`}},
		{"MarkResolved", nil, incident.Mark{Milestone: incident.MilestoneResolved}, []string{"milestone is set by the action of its name"}},
		{"MarkClosed", nil, incident.Mark{Milestone: incident.MilestoneClosed}, []string{"milestone is set by the action of its name"}},
		{"MarkReviewed", nil, incident.Mark{Milestone: incident.MilestoneReviewed}, []string{"milestone is set by the action of its name"}},
		{"MarkFuture", nil, incident.Mark{Milestone: incident.MilestoneMitigated, At: morning.Add(time.Hour)}, []string{"at must not be after now"}},
		{"MarkTooEarly", nil, incident.Mark{Milestone: incident.MilestoneMitigated, At: morning.Add(-time.Hour)},
			[]string{"at must not be before detected, 2026-03-02T08:00:00Z"}},
		{"MarkTooLate", list(incident.Mark{Milestone: incident.MilestoneIdentified, At: morning}), incident.Mark{Milestone: incident.MilestoneFirstResponse},
			[]string{"at must not be after identified, 2026-03-02T08:00:00Z"}},
		{"ProposeMajor", nil, incident.ProposeMajor{}, []string{"reason must not be empty"}},
		{"AcceptMajor", nil, incident.AcceptMajor{Cadence: -1}, []string{"reason must not be empty", "commander must not be empty",
			"cadence must not be negative", "cadence must be a minute or more"}},
		{"AcceptMajorHectic", nil, incident.AcceptMajor{"r", "kim", time.Second}, []string{"cadence must be a minute or more"}},
		{"RejectMajor", nil, incident.RejectMajor{}, []string{"reason must not be empty", "it is no major incident: cannot reject it"}},
		{"DemoteMajor", list(incident.ProposeMajor{Reason: "r"}), incident.DemoteMajor{}, []string{"reason must not be empty", "it is proposed: cannot demote it"}},
		{"AssignRole", list(accept), incident.AssignRole{Person: long}, []string{"role must not be empty", "person " + most}},
		{"AssignRoleNoCommander", list(accept), incident.AssignRole{Role: incident.RoleCommander}, []string{"person must not be empty: there is always a commander"}},
		{"AssignRoleOrdinary", nil, incident.AssignRole{}, []string{"role must not be empty", "it is no major incident: cannot assign a role"}},
		{"PostUpdate", nil, incident.PostUpdate{}, []string{"text must not be empty"}},
		{"SetParent", nil, incident.SetParent{}, []string{"parent must not be empty"}},
		{"SetParentSelf", nil, incident.SetParent{"inc-1"}, []string{"parent must be another incident"}},
		{"SetParentMissing", nil, incident.SetParent{"inc-9"}, []string{"parent there is no incident inc-9"}},
		{"ClearParent", nil, incident.ClearParent{}, []string{"it has no parent"}},
		{"Merge", nil, incident.Merge{}, []string{"into must not be empty"}},
		{"MergeSelf", list(resolve), incident.Merge{"inc-1"}, []string{"into must be another incident"}},
		{"MergeMissing", nil, incident.Merge{"inc-9"}, []string{"into there is no incident inc-9"}},
		{"Link", nil, incident.Link{}, []string{"rel must not be empty", "to.kind must not be empty", "to.id must not be empty"}},
		{"LinkOwn", nil, incident.Link{Link: itsm.Link{Rel: incident.ContinuedBy, To: itsm.Ref{Kind: "incident", ID: "inc-9"}}},
			[]string{"rel must not be continued_by, which only merging and reopening set"}},
		{"UnlinkOwn", []itsm.Action[incident.Incident]{incident.Link{Link: itsm.Link{Rel: "a", To: itsm.Ref{Kind: "b", ID: "c"}}}},
			incident.Unlink{Link: itsm.Link{Rel: incident.MergedFrom, To: itsm.Ref{Kind: "b", ID: "c"}}},
			[]string{"rel must not be merged_from, which only merging and reopening set"}},
		{"UnlinkMissing", nil, incident.Unlink{Link: itsm.Link{Rel: "a", To: itsm.Ref{Kind: "b", ID: "c"}}}, []string{"there is no link"}},
		{"SetFields", nil, incident.SetFields{}, []string{"fields must not be empty"}},
		{"Resolve", nil, incident.Resolve{ClosureCategory: long}, []string{"code must not be empty", "note must not be empty", "closure_category " + most}},
		{"Close", list(resolve), incident.Close{long, long}, []string{"closure_category " + most, "note " + mostNote}},
		{"Reopen", list(resolve), incident.Reopen{}, []string{"reason must not be empty"}},
		{"RejectResolution", list(resolve), incident.RejectResolution{Group: long, Person: long}, []string{"reason must not be empty", "group " + most, "person " + most}},
		{"RejectResolutionToNobody", list(resolve), incident.RejectResolution{Reason: "no"}, []string{"group or person must be given: nobody had it before"}},
		{"Cancel", nil, incident.Cancel{}, []string{"reason must not be empty"}},
		{"Rate", list(resolve), incident.Rate{Comment: long}, []string{"score must be 1 to 5", "comment " + mostNote}},
		{"RateHigh", list(resolve), incident.Rate{Score: 6}, []string{"score must be 1 to 5"}},
		{"StartReview", list(resolve), incident.StartReview{}, []string{"lead must not be empty"}},
		{"StartReviewTwice", list(resolve, incident.StartReview{"kim"}), incident.StartReview{"kim"}, []string{"its review was started already"}},
		{"AddActionItem", list(resolve), incident.AddActionItem{}, []string{"title must not be empty", "owner must not be empty", "its review was not started"}},
		{"CompleteActionItem", list(resolve), incident.CompleteActionItem{Note: long}, []string{"number must be 1 or more", "note " + mostNote,
			"its review has no action item that is open"}},
		{"CompleteActionItemUnknown", list(resolve, incident.StartReview{"kim"}, incident.AddActionItem{Title: "t", Owner: "o"}),
			incident.CompleteActionItem{Number: 2}, []string{"number is not that of an action item"}},
		{"CompleteActionItemTwice", list(resolve, incident.StartReview{"kim"}, incident.AddActionItem{Title: "t", Owner: "o"},
			incident.AddActionItem{Title: "t", Owner: "o"}, incident.CompleteActionItem{Number: 1}),
			incident.CompleteActionItem{Number: 1}, []string{"action item 1 is done already"}},
		{"CompleteReview", list(resolve, closing), incident.CompleteReview{Lessons: long},
			[]string{"summary must not be empty", "lessons " + mostNote, "its review was not started"}},
		{"CompleteReviewTwice", list(resolve, incident.StartReview{"kim"}, closing, incident.CompleteReview{Summary: "s"}),
			incident.CompleteReview{Summary: "s"}, []string{"its review is completed"}},
		{"AddActionItemAfterReview", list(resolve, incident.StartReview{"kim"}, closing, incident.CompleteReview{Summary: "s"}),
			incident.AddActionItem{Title: "t", Owner: "o"}, []string{"its review is completed"}},
		{"State", list(resolve, closing), incident.Note{}, []string{"text must not be empty"}},
		{"StateAndInput", nil, incident.Close{ClosureCategory: long}, []string{
			`action "close" is not permitted in state "new", from which lead on: assign, cancel, escalate_functional, hold, merge, resolve, start`,
			"closure_category " + most}},
		{"Report", nil, incident.Report{Title: "again"}, []string{
			`action "report" is not permitted in state "new", from which lead on: assign, cancel, escalate_functional, hold, merge, resolve, start`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, incident.Config{})
			inc := d.open(c.before...)
			err := d.Refuse(mia, inc.ID, c.do, c.findings...)
			require.True(t, errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed))
		})
	}
}

// What only the practice itself does cannot be asked for.
func TestDerivedActionsAreRefused(t *testing.T) {
	for _, a := range list(incident.AutoResume{By: "time"}, incident.AutoClose{}, incident.MissUpdate{}, incident.Continue{},
		incident.Absorb{}, incident.Adopt{}, incident.Release{}, incident.FollowChild{}) {
		d := newDesk(t, incident.Config{})
		inc := d.open()
		_, err := d.Do(mia, inc.ID, a)
		require.ErrorIs(t, err, itsm.ErrNotAllowed, a.Action())
		require.Contains(t, err.Error(), "happens by itself")
		_, err = d.Decode([]byte(`{"action":"` + a.Action() + `"}`))
		require.ErrorIs(t, err, itsm.ErrInvalid)
	}
}

func TestReport(t *testing.T) {
	full := incident.Report{
		Title: "No mail", Description: "nothing comes in", Caller: "jin", Channel: "phone", Service: "mail", CI: "mx1", Category: "outage",
		Impact: 1, Urgency: 2, Started: morning.Add(-time.Hour), Detected: morning.Add(-time.Minute),
		Fields: itsm.Fields{"seat": json.RawMessage(`"4B"`)},
	}
	t.Run("OK", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc, err := d.Open(mia, full)
		require.NoError(t, err)
		require.Equal(t, incident.Incident{
			Meta: itsm.Meta{ID: "inc-1", Version: 1, State: incident.New, Created: morning, Changed: morning,
				Fields: itsm.Fields{"seat": json.RawMessage(`"4B"`)}},
			Title: "No mail", Description: "nothing comes in", Caller: "jin", Channel: "phone", Service: "mail", CI: "mx1", Category: "outage",
			Impact: 1, Urgency: 2, Priority: 2,
			Milestones: incident.Milestones{Started: morning.Add(-time.Hour), Detected: morning.Add(-time.Minute)},
		}, inc)
		d.Replays(inc.ID)
	})
	t.Run("Least", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc, err := d.Open(jin, incident.Report{Title: "No mail"})
		require.NoError(t, err)
		require.Equal(t, incident.Incident{
			Meta:  itsm.Meta{ID: "inc-1", Version: 1, State: incident.New, Created: morning, Changed: morning},
			Title: "No mail", Caller: "jin", Milestones: incident.Milestones{Detected: morning},
		}, inc)
	})
	t.Run("WhatThePracticeSetsIsNotGiven", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		inc, err := d.Open(mia, incident.Report{Title: "t", Priority: 1, MatchError: "x", Continues: "inc-0",
			Proposals: []incident.Proposal{{Score: 1}}})
		require.NoError(t, err)
		require.Zero(t, inc.Priority)
		require.Empty(t, inc.Proposals)
		require.Empty(t, inc.Links)
	})
	long := strings.Repeat("x", 301)
	for _, c := range []struct {
		name     string
		report   incident.Report
		findings []string
	}{
		{"Empty", incident.Report{}, []string{"title must not be empty"}},
		{"Long", incident.Report{Title: long, Description: strings.Repeat("x", 32_001), Caller: long, Channel: long, Service: long, CI: long, Category: long}, []string{
			"title must have at most 300 characters, has 301", "description must have at most 32000 characters, has 32001",
			"caller must have at most 200 characters, has 301", "channel must have at most 200 characters, has 301",
			"service must have at most 200 characters, has 301", "ci must have at most 200 characters, has 301",
			"category must have at most 200 characters, has 301"}},
		{"ImpactAlone", incident.Report{Title: "t", Impact: 1}, []string{"urgency and impact must be judged together"}},
		{"UrgencyAlone", incident.Report{Title: "t", Urgency: 1}, []string{"urgency and impact must be judged together"}},
		{"MatrixHasNone", incident.Report{Impact: 4, Urgency: 1}, []string{"title must not be empty", "impact must be 1 to 3, is 4"}},
		{"Backwards", incident.Report{Title: "t", Started: morning, Detected: morning.Add(-1 * time.Second)}, []string{"started must not be after detected"}},
		{"Future", incident.Report{Title: "t", Started: morning.Add(time.Second), Detected: morning.Add(time.Second)}, []string{
			"started must not be after now", "detected must not be after now"}},
		{"Fields", incident.Report{Title: "t", Fields: itsm.Fields{"": []byte("1")}}, []string{"fields. must not be empty"}},
		{"FieldsNoJSON", incident.Report{Title: "t", Fields: itsm.Fields{"a": []byte("{")}}, []string{"fields.a must be JSON"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, incident.Config{})
			_, err := d.Open(mia, c.report)
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Equal(t, c.findings, practicetest.Said(err))
		})
	}
	t.Run("NoActor", func(t *testing.T) {
		_, err := newDesk(t, incident.Config{}).Open(t.Context(), full)
		require.ErrorIs(t, err, itsm.ErrNoActor)
	})
	t.Run("IDTaken", func(t *testing.T) {
		cfg := incident.Config{}
		events := practicetest.Serial()
		cfg.NewID = func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
			if prefix == "inc" {
				return "INC0001", nil
			}
			return events(ctx, prefix, at)
		}
		d := newDesk(t, cfg)
		_, err := d.Open(mia, full)
		require.NoError(t, err)
		_, err = d.Open(mia, full)
		require.ErrorIs(t, err, itsm.ErrExists)
	})
}

// A priority comes from the host's matrix, whatever its size.
func TestPriorityOfTheHost(t *testing.T) {
	m, err := itsm.NewMatrix([][]itsm.Priority{{1, 1, 2, 4}, {1, 2, 3, 4}, {2, 3, 3, 4}})
	require.NoError(t, err)
	d := newDesk(t, incident.Config{Matrix: m})
	inc := d.open(incident.Assess{Impact: 3, Urgency: 4})
	require.EqualValues(t, 4, inc.Priority)
	d.Refuse(mia, inc.ID, incident.OverridePriority{Priority: 5, Reason: "r"}, "priority must be at most 4")
	d.Refuse(mia, inc.ID, incident.Assess{Impact: 4, Urgency: 5}, "impact must be 1 to 3, is 4", "urgency must be 1 to 4, is 5")
	inc, err = d.Open(mia, incident.Report{Title: "t", Impact: 1, Urgency: 3})
	require.NoError(t, err)
	require.EqualValues(t, 2, inc.Priority)
}

// A record cannot grow without bound.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  []action
		add     func(i int) action
		most    int
		finding string
	}{
		{"Collaborators", nil, func(i int) action { return incident.Join{Person: name(i)} }, 100, "100 are helping already"},
		{"Roles", list(accept), func(i int) action { return incident.AssignRole{Role: incident.MajorRole(name(i)), Person: "lee"} }, 49,
			"a major incident has at most 50 roles"},
		{"ActionItems", list(resolve, incident.StartReview{Lead: "kim"}), func(int) action { return incident.AddActionItem{Title: "t", Owner: "o"} }, 200,
			"its review has 200 action items already"},
		{"Links", nil, func(i int) action {
			return incident.Link{Link: itsm.Link{Rel: "a", To: itsm.Ref{Kind: "b", ID: itsm.ID(name(i))}}}
		}, 1000, "a record has at most 1000 links"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, incident.Config{})
			inc := d.open(c.before...)
			for i := range c.most {
				_, err := d.Do(mia, inc.ID, c.add(i))
				require.NoError(t, err)
			}
			d.Refuse(mia, inc.ID, c.add(c.most), c.finding)
			d.Replays(inc.ID)
		})
	}
	t.Run("Children", func(t *testing.T) {
		d := newDesk(t, incident.Config{})
		parent := d.open().ID
		for range 1000 {
			inc, err := d.Open(mia, incident.Report{Title: "t"})
			require.NoError(t, err)
			_, err = d.Do(mia, inc.ID, incident.SetParent{Parent: parent})
			require.NoError(t, err)
		}
		d.Refuse(mia, d.open().ID, incident.SetParent{Parent: parent}, "it has 1000 child incidents already")
	})
}

// The journal has what was said, and for the caller only what is public.
func TestJournal(t *testing.T) {
	d := newDesk(t, incident.Config{})
	inc := d.open(incident.Note{Text: "looks like DNS"}, incident.Note{Text: "we are on it", Public: true}, assign,
		incident.PostUpdate{Text: "half of it is back"})
	_, err := d.Do(jin, inc.ID, incident.Note{Text: "thanks", Public: true})
	require.NoError(t, err)

	at := func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
	all := []incident.Entry{
		{At: at(1), Actor: itsm.Actor{ID: "mia"}, Text: "looks like DNS"},
		{At: at(2), Actor: itsm.Actor{ID: "mia"}, Text: "we are on it", Public: true},
		{At: at(4), Actor: itsm.Actor{ID: "mia"}, Text: "half of it is back", Public: true},
		{At: at(4), Actor: itsm.Actor{ID: "jin"}, Text: "thanks", Public: true},
	}
	read := func(public bool) (got []incident.Entry) {
		for e, err := range d.Journal(mia, inc.ID, public) {
			require.NoError(t, err)
			got = append(got, e)
		}
		return got
	}
	require.Equal(t, all, read(false))
	require.Equal(t, all[1:], read(true))
	for range d.Journal(mia, inc.ID, false) {
		break // whoever has read enough may stop
	}
	for range d.Journal(mia, "inc-9", false) {
		t.Fatal("nobody has said anything")
	}
	ctx, cancel := context.WithCancel(mia)
	cancel()
	for _, err := range d.Journal(ctx, inc.ID, false) {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Equal(t, 1, d.Record(inc.ID).InternalNotes)
	require.Equal(t, 2, d.Record(inc.ID).PublicNotes)
}

// Incidents are found by their keys, which follow what is done to them.
func TestKeys(t *testing.T) {
	d := newDesk(t, incident.Config{})
	inc := d.open(assign, incident.Assess{Impact: 1, Urgency: 1}, accept)
	child := d.open(incident.SetParent{Parent: inc.ID})
	find := func(field, value string) (ids []itsm.ID) {
		for r, err := range d.All(mia, itsm.Query{Where: []itsm.Key{{Field: field, Value: value}}}) {
			require.NoError(t, err)
			ids = append(ids, r.ID)
		}
		return ids
	}
	for field, value := range map[string]string{"assignee": "mia", "group": "messaging", "priority": "1", "major": "accepted"} {
		require.Equal(t, []itsm.ID{inc.ID}, find(field, value), field)
	}
	require.Equal(t, []itsm.ID{inc.ID, child.ID}, find("service", "mail"))
	require.Equal(t, []itsm.ID{inc.ID, child.ID}, find("caller", "jin"))
	require.Equal(t, []itsm.ID{child.ID}, find("parent", string(inc.ID)))
	d.Did(mia, inc.ID, incident.Assign{Person: "lee"})
	require.Empty(t, find("assignee", "mia"))
}

// WhyNot tells what can be done, what it needs, and what speaks against it.
func TestWhyNot(t *testing.T) {
	d := newDesk(t, incident.Config{Matcher: matcher(func(incident.Incident) ([]incident.Proposal, error) { return nil, errDown })})
	inc := d.open(incident.Join{Person: "lee"})
	options := func(id itsm.ID) map[string]itsm.Option {
		all, err := d.WhyNot(mia, id)
		require.NoError(t, err)
		byName := map[string]itsm.Option{}
		for _, o := range all {
			byName[o.Action] = o
		}
		return byName
	}
	o := options(inc.ID)
	require.True(t, o["start"].Permitted)
	require.Equal(t, incident.InProgress, o["start"].To)
	require.True(t, o["leave"].Permitted, "somebody is helping")
	require.Equal(t, "person must not be empty", o["leave"].Needs[0].Error())
	require.False(t, o["close"].Permitted)
	require.False(t, o["clear_parent"].Permitted)
	require.True(t, o["match"].Permitted, "the matcher is not asked in a dry run")
	_, err := d.Do(mia, inc.ID, incident.Match{})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	require.ErrorIs(t, err, errDown)
	require.True(t, o["merge"].Permitted)
	require.False(t, o["reinstate"].Permitted)
	d.open(incident.SetParent{Parent: inc.ID})
	o = options(inc.ID)
	require.Equal(t, []string{"it has child incidents"}, practicetest.Said(o["merge"].Refused[0]))
	d.Did(mia, inc.ID, incident.Leave{Person: "lee"})
	require.False(t, options(inc.ID)["leave"].Permitted)
}

// Every action goes out as JSON and comes in again as it was.
func TestEncodeDecode(t *testing.T) {
	d := newDesk(t, incident.Config{})
	for _, c := range effects() {
		data, err := d.Encode(c.do)
		require.NoError(t, err, c.name)
		again, err := d.Decode(data)
		require.NoError(t, err, c.name)
		require.Equal(t, c.do, again, c.name)
	}
	a, err := d.Decode([]byte(`{"action":"log_time","data":{"spent":"1h30m"}}`))
	require.NoError(t, err)
	require.Equal(t, incident.LogTime{Spent: 90 * time.Minute}, a)
	_, err = d.Decode([]byte(`{"action":"resolve","data":{"code":7,"colour":"red"}}`))
	require.Equal(t, []string{"code must be text", "colour is not known", "note must not be empty"}, practicetest.Said(err))
}

func name(i int) string { return fmt.Sprintf("n%d", i) }

// matcher is a [incident.Matcher] made of a function.
type matcher func(incident.Incident) ([]incident.Proposal, error)

func (m matcher) Match(_ context.Context, inc incident.Incident) ([]incident.Proposal, error) {
	return m(inc)
}
