package incident_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
)

// What users of service desks complain of where agreements are concerned, from
// public threads, each as a test. All times are UTC; the second of March 2026 is a
// Monday.

func on(day, hour, minute int) time.Time {
	return time.Date(2026, 3, day, hour, minute, 0, 0, time.UTC)
}

// office is Monday to Friday, 9 to 17, around is all the time.
func office(t testing.TB) []*sla.Hours {
	window := sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}
	around := sla.AlwaysOpen()
	around.Name, around.Version = "around", 1
	var all []*sla.Hours
	for _, c := range []sla.Calendar{
		{Name: "office", Version: 1, Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(window)}},
		around,
	} {
		h, err := c.Compile()
		require.NoError(t, err)
		all = append(all, h)
	}
	return all
}

func gold(metrics ...sla.Metric) sla.Agreement {
	return sla.Agreement{Name: "gold", Version: 1, Kind: sla.ServiceLevel, Service: "mail", Outcome: "people reach each other", Metrics: metrics}
}

// A promised desk is one with agreements.
type promised struct {
	*desk
	book *sla.Book
}

func newPromised(t testing.TB, cfg incident.Config, agreements ...sla.Agreement) *promised {
	return promise(t, cfg, office(t), agreements...)
}

func promise(t testing.TB, cfg incident.Config, hours []*sla.Hours, agreements ...sla.Agreement) *promised {
	book, err := sla.NewBook(hours, agreements)
	require.NoError(t, err)
	cfg.Agreements = book
	return &promised{newDesk(t, cfg), book}
}

// at does actions at a moment.
func (d *promised) at(t time.Time, id itsm.ID, actions ...itsm.Action[incident.Incident]) incident.Incident {
	d.T.Helper()
	d.Time.Set(t)
	for _, a := range actions {
		_, err := d.Do(mia, id, a)
		require.NoError(d.T, err)
	}
	d.Replays(id)
	return d.Record(id)
}

// reads a clock as it is now.
func (d *promised) reads(id itsm.ID, agreement, metric string) sla.Reading {
	d.T.Helper()
	target, ok := d.Record(id).Targets.Find(agreement, metric)
	require.True(d.T, ok, "%s/%s", agreement, metric)
	c, err := d.book.Clock(target)
	require.NoError(d.T, err)
	return c.At(d.Time.Now())
}

func (d *promised) report(t time.Time, service string) itsm.ID {
	d.T.Helper()
	d.Time.Set(t)
	inc, err := d.Open(mia, incident.Report{Title: "No mail", Caller: "jin", Service: service})
	require.NoError(d.T, err)
	return inc.ID
}

var waiting = incident.PutOnHold{Reason: incident.AwaitingCaller}

// glpi#6902, #15605
func TestComplaint01PausedTimeIsForgottenWhenTheAgreementChanges(t *testing.T) {
	two := gold(incident.ResolutionMetric("office", sla.GoalRule{Within: 8 * time.Hour}))
	two.Applies = sla.Conditions{{"service": {"mail"}}}
	other := gold(incident.ResolutionMetric("office", sla.GoalRule{Within: 4 * time.Hour}))
	other.Name, other.Applies = "platinum", sla.Conditions{{"service": {"checkout"}}}
	d := newPromised(t, incident.Config{}, two, other)
	id := d.report(on(2, 9, 0), "mail")
	d.at(on(2, 10, 0), id, waiting)
	d.at(on(2, 12, 0), id, incident.Resume{})
	inc := d.at(on(2, 13, 0), id, incident.Classify{Service: "checkout"})
	require.Equal(t, sla.Cancelled, inc.Targets[0].State)
	require.True(t, inc.Targets[0].Withdrawn)
	// Four hours, of which one before and one after the pause are used up.
	r := d.reads(id, "platinum", "resolution")
	require.Equal(t, 2*time.Hour, r.Elapsed)
	require.Equal(t, on(2, 15, 0), r.Deadline)
	// And back: it is as if it had been so from the beginning.
	d.at(on(2, 14, 0), id, incident.Classify{Service: "mail"})
	r = d.reads(id, "gold", "resolution")
	require.Equal(t, 3*time.Hour, r.Elapsed)
	require.Equal(t, on(3, 11, 0), r.Deadline)
}

// glpi#24481
func TestComplaint02AgreementIsViolatedWhilePendingWithAReason(t *testing.T) {
	d := newPromised(t, incident.Config{}, gold(incident.ResolutionMetric("office", sla.GoalRule{Within: 2 * time.Hour})))
	id := d.report(on(2, 9, 0), "mail")
	d.at(on(2, 10, 0), id, waiting)
	d.at(on(20, 10, 0), id, incident.Note{Text: "still waiting"})
	require.Zero(t, d.Due(0))
	r := d.reads(id, "gold", "resolution")
	require.Equal(t, sla.Paused, r.State)
	require.Equal(t, time.Hour, r.Remaining)
	require.Zero(t, r.Deadline)
	// Waiting for one's own supplier is not a reason to stop, unless it is agreed.
	d.at(on(20, 10, 0), id, incident.PutOnHold{Reason: incident.AwaitingVendor})
	require.Equal(t, on(20, 11, 0), d.reads(id, "gold", "resolution").Deadline)
}

// glpi#23359
func TestComplaint03TimeBetweenSolvedAndReopenedCountsAsPending(t *testing.T) {
	for reopen, want := range map[sla.Reopen]time.Duration{
		sla.ReopenResume:  2 * time.Hour,             // as agreed: the desk was not asked
		sla.ReopenCount:   5 * time.Hour,             // as agreed: service was not restored
		sla.ReopenRestart: time.Hour,                 // as agreed: a new promise
		sla.ReopenNever:   1*time.Hour + 0*time.Hour, // as agreed: a result is a result
	} {
		m := incident.ResolutionMetric("office", sla.GoalRule{Within: 8 * time.Hour})
		m.Reopen = reopen
		d := newPromised(t, incident.Config{}, gold(m))
		id := d.report(on(2, 9, 0), "mail")
		d.at(on(2, 10, 0), id, incident.Resolve{Code: incident.Fixed, Note: "done"})
		d.at(on(2, 13, 0), id, incident.Reopen{Reason: "no"})
		d.Time.Set(on(2, 14, 0))
		r := d.reads(id, "gold", "resolution")
		require.Equal(t, want, r.Elapsed, reopen)
		require.Zero(t, r.Held, reopen) // whatever counts, nobody paused it
	}
}

// glpi#10594, PR#14937, PR#15948
func TestComplaint04DaysAndCalendarDisagreeOverWeekends(t *testing.T) {
	d := newPromised(t, incident.Config{}, gold(
		incident.ResolutionMetric("office", sla.GoalRule{Within: 16 * time.Hour}), // two working days
		incident.ResponseMetric("around", sla.GoalRule{Within: 48 * time.Hour}),   // two days
	))
	id := d.report(on(6, 13, 0), "mail") // a Friday
	require.Equal(t, on(10, 13, 0), d.reads(id, "gold", "resolution").Deadline)
	require.Equal(t, on(8, 13, 0), d.reads(id, "gold", "response").Deadline)
	d.Time.Set(on(9, 13, 0)) // Monday
	require.InDelta(t, 50, d.reads(id, "gold", "resolution").Percent(), 0)
	require.InDelta(t, 150, d.reads(id, "gold", "response").Percent(), 0)
}

// glpi#17186
func TestComplaint05ADeadlineSetByHandMovesByThePendingTime(t *testing.T) {
	m := incident.ResolutionMetric("office", sla.GoalRule{By: "promised"})
	d := newPromised(t, incident.Config{}, gold(m))
	id := d.report(on(2, 9, 0), "mail")
	require.Empty(t, d.Record(id).Targets) // nothing was promised yet
	d.at(on(2, 10, 0), id, incident.SetFields{Fields: itsm.Fields{"promised": json.RawMessage(`"2026-03-04T12:00:00Z"`)}})
	d.at(on(2, 11, 0), id, waiting)
	d.at(on(3, 11, 0), id, incident.Resume{})
	r := d.reads(id, "gold", "resolution")
	require.Equal(t, on(4, 12, 0), r.Deadline)
	require.Equal(t, sla.Running, r.State)
	d.at(on(4, 11, 0), id, waiting)
	d.Time.Set(on(4, 12, 0))
	require.Equal(t, sla.Paused, d.reads(id, "gold", "resolution").State)
	d.Time.Set(on(4, 12, 1))
	require.Equal(t, sla.Breached, d.reads(id, "gold", "resolution").State)
	require.Equal(t, 1, d.Due(0)) // and that is noticed, pause or not
	require.True(t, d.Record(id).Targets[0].Breached())
}

// glpi#14148
func TestComplaint06GoingBackFromPendingExpiresTheAgreement(t *testing.T) {
	d := newPromised(t, incident.Config{}, gold(incident.ResolutionMetric("office", sla.GoalRule{Within: 4 * time.Hour})))
	id := d.report(on(2, 9, 0), "mail")
	d.at(on(2, 10, 0), id, waiting)
	d.at(on(5, 10, 0), id, incident.Assign{Group: "messaging"}, incident.Unassign{})
	require.Equal(t, incident.New, d.Record(id).State)
	r := d.reads(id, "gold", "resolution")
	require.Equal(t, sla.Running, r.State)
	require.Equal(t, on(5, 13, 0), r.Deadline)
}

// glpi#1911
func TestComplaint07TheBaseIsTheOpeningAndNotTheAssignment(t *testing.T) {
	opening := incident.ResolutionMetric("office", sla.GoalRule{Within: 4 * time.Hour})
	assigned := opening
	assigned.Name, assigned.From, assigned.Start = "team", sla.FromCondition, sla.Conditions{{"group": {"messaging"}}}
	late := opening
	late.Name, late.Start = "late", assigned.Start // starts with the assignment, and counts from the opening
	d := newPromised(t, incident.Config{}, gold(opening, assigned, late))
	id := d.report(on(2, 9, 0), "mail")
	d.at(on(2, 10, 0), id, waiting)
	require.Len(t, d.Record(id).Targets, 1)
	d.at(on(2, 12, 0), id, incident.Assign{Group: "messaging"})
	require.Equal(t, on(2, 15, 0), d.reads(id, "gold", "resolution").Deadline)
	require.Equal(t, on(2, 16, 0), d.reads(id, "gold", "team").Deadline)
	require.Equal(t, on(2, 15, 0), d.reads(id, "gold", "late").Deadline) // the pause before it started is known
}

// zammad#5177
func TestComplaint08TheUpdateOverrulesTheFirstResponse(t *testing.T) {
	d := newPromised(t, incident.Config{}, gold(
		incident.ResponseMetric("office", sla.GoalRule{Within: 4 * time.Hour}),
		incident.UpdateMetric("office", sla.GoalRule{Within: time.Hour}),
	))
	id := d.report(on(2, 9, 0), "mail")
	require.Equal(t, on(2, 13, 0), d.reads(id, "gold", "response").Deadline)
	require.Len(t, d.Record(id).Targets, 1) // nobody can update what was not answered
	d.at(on(2, 10, 0), id, incident.Note{Text: "we are looking", Public: true})
	require.Equal(t, sla.Met, d.reads(id, "gold", "response").State)
	require.Equal(t, on(2, 11, 0), d.reads(id, "gold", "update").Deadline)
	require.Equal(t, 1, d.Due(3*time.Hour)) // the update is late
	require.Equal(t, sla.Met, d.reads(id, "gold", "response").State)
	require.Equal(t, sla.Breached, d.reads(id, "gold", "update").State)
}

// zammad#3140
func TestComplaint09TheUpdateEscalatesAfterTheAgentHasAnswered(t *testing.T) {
	d := newPromised(t, incident.Config{}, gold(incident.ReplyMetric("office", sla.GoalRule{Within: 2 * time.Hour})))
	id := d.report(on(2, 9, 0), "mail")
	d.Time.Set(on(2, 10, 0))
	_, err := d.Do(jin, id, incident.Note{Text: "any news?", Public: true})
	require.NoError(t, err)
	require.Equal(t, on(2, 12, 0), d.reads(id, "gold", "reply").Deadline)
	d.at(on(2, 11, 0), id, incident.Note{Text: "not yet", Public: true})
	require.Zero(t, d.Due(1000*time.Hour)) // nobody owes an answer
	require.Equal(t, sla.Met, d.reads(id, "gold", "reply").State)
	d.Time.Set(on(3, 10, 0))
	_, err = d.Do(jin, id, incident.Note{Text: "and now?", Public: true})
	require.NoError(t, err)
	r := d.reads(id, "gold", "reply")
	require.Equal(t, on(3, 12, 0), r.Deadline)
	require.Equal(t, time.Duration(0), r.Elapsed)
}

// zammad#188, #2579, #4516
func TestComplaint10WrongEscalationAfterReopeningAndResultsThatAreNeverSet(t *testing.T) {
	m := incident.ResolutionMetric("office", sla.GoalRule{Within: 4 * time.Hour})
	m.Thresholds = []sla.Threshold{{Percent: 50}}
	d := newPromised(t, incident.Config{}, gold(m))
	id := d.report(on(2, 9, 0), "mail")
	inc := d.at(on(2, 10, 0), id, incident.Resolve{Code: incident.Fixed, Note: "done"})
	require.Equal(t, sla.Met, inc.Targets[0].State)
	require.Zero(t, d.Due(100*time.Hour))
	d.at(on(3, 9, 0), id, incident.Reopen{Reason: "no"})
	require.Zero(t, d.Due(59*time.Minute))
	require.Equal(t, 1, d.Due(time.Minute)) // an hour then and an hour now are half of it
	inc = d.at(on(3, 13, 0), id, incident.Resolve{Code: incident.Fixed, Note: "done"})
	require.Equal(t, sla.Missed, inc.Targets[0].State)
	require.Equal(t, time.Hour, -d.reads(id, "gold", "resolution").Remaining)
}

// osTicket#3034, #6524, #1168, #2131, #4166
func TestComplaint11AStateCannotPauseAndThereAreNoBusinessHours(t *testing.T) {
	m := incident.ResolutionMetric("office", sla.GoalRule{Within: 2 * time.Hour})
	m.Pause = sla.Conditions{{"state": {string(incident.OnHold)}, "hold": {"!vendor"}}}
	d := newPromised(t, incident.Config{}, gold(m))
	id := d.report(on(6, 16, 0), "mail")
	require.Equal(t, on(9, 10, 0), d.reads(id, "gold", "resolution").Deadline)
	d.at(on(6, 16, 30), id, incident.PutOnHold{Reason: "a reason of the host's own"})
	require.Equal(t, sla.Paused, d.reads(id, "gold", "resolution").State)
	d.at(on(6, 16, 45), id, incident.PutOnHold{Reason: incident.AwaitingVendor})
	require.Equal(t, sla.Running, d.reads(id, "gold", "resolution").State)
}

// frappe/helpdesk PR#2449, #1554, #1675, #2212
func TestComplaint12HoldTimeIsAddedToTheCreationTime(t *testing.T) {
	lunch := sla.Calendar{Name: "lunch", Version: 1, Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(
		sla.Window{Open: 9 * time.Hour, Close: 12 * time.Hour}, sla.Window{Open: 13 * time.Hour, Close: 17 * time.Hour})}}
	h, err := lunch.Compile()
	require.NoError(t, err)
	d := promise(t, incident.Config{}, []*sla.Hours{h}, gold(incident.ResolutionMetric("lunch", sla.GoalRule{Within: 4 * time.Hour})))
	id := d.report(on(6, 11, 0), "mail") // Friday
	require.Equal(t, on(6, 16, 0), d.reads(id, "gold", "resolution").Deadline)
	d.at(on(6, 16, 0), id, waiting)           // when it was due: nothing is left
	d.at(on(8, 10, 0), id, incident.Resume{}) // on Sunday
	require.Equal(t, sla.Running, d.reads(id, "gold", "resolution").State)
	id = d.report(on(6, 11, 0), "mail")
	d.at(on(6, 11, 30), id, waiting)
	d.at(on(8, 10, 0), id, incident.Resume{})
	require.Equal(t, on(9, 13, 30), d.reads(id, "gold", "resolution").Deadline) // 3½ hours of Monday, after lunch
}

// Znuny#855, #221, Znuny4OTRS-EscalationSuspend, OTOBO#505
func TestComplaint13PendingIsHardCodedAndEqualityFails(t *testing.T) {
	lifecycle, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("parked")
		s.Allow("park", "parked", incident.New, incident.InProgress)
		s.Allow("start", incident.InProgress, "parked")
		s.Allow("cancel", incident.Cancelled, "parked")
	}, incident.AllowUsual("parked"))
	require.NoError(t, err)
	m := incident.ResolutionMetric("office", sla.GoalRule{Within: time.Hour})
	m.Pause = sla.Conditions{{"state": {"parked"}}}
	d := newPromised(t, incident.Config{Lifecycle: lifecycle, Actions: []itsm.Action[incident.Incident]{park{}}}, gold(m))
	id := d.report(on(2, 9, 0), "mail")
	d.at(on(2, 9, 30), id, park{})
	require.Equal(t, sla.Paused, d.reads(id, "gold", "resolution").State)
	d.at(on(2, 12, 0), id, incident.Start{})
	// To the second: reached is not past.
	inc := d.at(on(2, 12, 30), id, incident.Resolve{Code: incident.Fixed, Note: "done"})
	require.Equal(t, sla.Met, inc.Targets[0].State)
	// What the clock says is what it says when it is computed anew.
	again, err := d.Replay(d.History(mia, id))
	require.NoError(t, err)
	require.Equal(t, inc.Targets, again.Targets)
}

type park struct{}

func (park) Action() string                              { return "park" }
func (park) Apply(*incident.Incident, itsm.Moment) error { return nil }

// Atlassian, "Resolve wrong or missing SLAs"
func TestComplaint14RepairAppliesTodaysGoalsToOldTickets(t *testing.T) {
	one := gold(incident.ResolutionMetric("office", sla.GoalRule{Within: 4 * time.Hour}))
	d := newPromised(t, incident.Config{}, one)
	id := d.report(on(2, 9, 0), "mail")
	// From the third on, something else is agreed. The desk restarts with both.
	two := gold(incident.ResolutionMetric("office", sla.GoalRule{Within: time.Hour}))
	two.Version, two.From = 2, on(3, 0, 0)
	book, err := sla.NewBook(office(t), []sla.Agreement{one, two})
	require.NoError(t, err)
	p, err := incident.NewPractice(d.Store, incident.Config{Config: itsm.Config{Now: d.Time.Now, NewID: serial2()}, Agreements: book})
	require.NoError(t, err)
	d.Practice, d.book = p, book
	inc := d.at(on(3, 12, 0), id, incident.Note{Text: "still at it"})
	require.Equal(t, 1, inc.Targets[0].Version)
	require.Equal(t, on(2, 13, 0), d.reads(id, "gold", "resolution").Deadline)
	later := d.report(on(3, 12, 0), "mail")
	require.Equal(t, on(3, 13, 0), d.reads(later, "gold", "resolution").Deadline)
}

// zammad#4432
func TestComplaint15EscalationMailsAtMidnightAndOnWeekends(t *testing.T) {
	m := incident.ResolutionMetric("office", sla.GoalRule{Within: 4 * time.Hour})
	m.Thresholds = []sla.Threshold{
		{Percent: 75, Do: []sla.Escalation{{Do: sla.Notify, To: "desk"}}},
		{After: time.Hour, Every: 4 * time.Hour, Times: 3, Do: []sla.Escalation{{Do: sla.EscalateHierarchical, To: "head"}}},
	}
	d := newPromised(t, incident.Config{}, gold(m))
	id := d.report(on(6, 13, 0), "mail") // Friday: its deadline is closing time
	require.Equal(t, on(6, 17, 0), d.reads(id, "gold", "resolution").Deadline)
	d.Time.Set(on(12, 17, 0))
	d.Due(0)
	inc := d.Record(id)
	var times []time.Time
	for _, p := range inc.Targets[0].Passed {
		times = append(times, p.At)
	}
	require.Equal(t, []time.Time{
		on(6, 16, 0),                              // three hours in
		on(9, 9, 0).Add(time.Microsecond),         // past the goal: when the desk opens again
		on(9, 10, 0), on(9, 14, 0), on(10, 10, 0), // one, five and nine open hours late
	}, times)
	require.Equal(t, 3, inc.Escalation.Hierarchical)
}
