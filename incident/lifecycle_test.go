package incident_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestDocuments(t *testing.T) {
	lifecycletest.Diagrams(t, "lifecycle", incident.DefaultLifecycle())
	lifecycletest.DocShows(t, incident.DefaultLifecycle())
	lifecycletest.DocLists(t, newDesk(t, incident.Config{}).Actions(), "", 35)
	lifecycletest.Holds(t, incident.DefaultLifecycle(), incident.States()...)
}

// superset is what 14 products' incidents may do, typed in from the survey of
// them: 25 edges, the last of which is off by default.
var superset = map[lifecycletest.Edge][]string{
	{From: "new", To: "assigned"}:          {"assign", "escalate_functional"},
	{From: "new", To: "in_progress"}:       {"start"},
	{From: "new", To: "on_hold"}:           {"hold"},
	{From: "new", To: "resolved"}:          {"resolve"},
	{From: "new", To: "cancelled"}:         {"cancel", "merge"},
	{From: "assigned", To: "new"}:          {"unassign"},
	{From: "assigned", To: "in_progress"}:  {"start"},
	{From: "assigned", To: "on_hold"}:      {"hold"},
	{From: "assigned", To: "resolved"}:     {"resolve"},
	{From: "assigned", To: "cancelled"}:    {"cancel", "merge"},
	{From: "in_progress", To: "assigned"}:  {"assign", "escalate_functional"},
	{From: "in_progress", To: "on_hold"}:   {"hold"},
	{From: "in_progress", To: "resolved"}:  {"resolve"},
	{From: "in_progress", To: "cancelled"}: {"cancel", "merge"},
	{From: "on_hold", To: "assigned"}:      {"assign", "escalate_functional"},
	{From: "on_hold", To: "in_progress"}:   {"auto_resume", "resume"},
	{From: "on_hold", To: "resolved"}:      {"resolve"},
	{From: "on_hold", To: "cancelled"}:     {"cancel", "merge"},
	{From: "resolved", To: "closed"}:       {"auto_close", "close"},
	{From: "resolved", To: "assigned"}:     {"reject_resolution"},
	{From: "resolved", To: "in_progress"}:  {"reopen"},
	{From: "resolved", To: "cancelled"}:    {"cancel", "merge"},
	{From: "closed", To: "in_progress"}:    {"reopen"},
	{From: "closed", To: "assigned"}:       {"reject_resolution"},
	{From: "cancelled", To: "new"}:         {"reinstate"},
}

func TestEveryEdgeHasANamedAction(t *testing.T) {
	require.Len(t, superset, 25)
	reinstating, err := incident.DefaultLifecycle().With(incident.AllowReinstate)
	require.NoError(t, err)
	require.Equal(t, superset, lifecycletest.Moves(reinstating))

	want := maps.Clone(superset)
	delete(want, lifecycletest.Edge{From: "cancelled", To: "new"})
	require.Equal(t, want, lifecycletest.Moves(incident.DefaultLifecycle()))
	to, ok := incident.DefaultLifecycle().Can(incident.Assigned, "assign")
	require.True(t, ok && to == incident.Assigned, "reassigning")
}

func TestSurveyAgrees(t *testing.T) {
	l, err := incident.DefaultLifecycle().With(incident.AllowReinstate)
	require.NoError(t, err)
	survey := lifecycletest.ReadSurvey(t)
	survey.IsSuperset(t, l)
	require.Equal(t, []itsm.State{l.Initial()}, survey.Canonical["incident"].Init)
}

// Every step that another product's incidents take is one of ours, or stays in
// its state: its history can be told in our terms.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	var steps lifecycletest.Steps
	for p := range lifecycletest.ReadSurvey(t).Of("incident") {
		steps.Add(t, p, lifecycletest.Ways(incident.DefaultLifecycle()))
	}
	require.GreaterOrEqual(t, steps.Machines, 4)
	require.Empty(t, steps.Longer)
	require.Empty(t, steps.None)
	t.Logf("%d machines, %d steps", steps.Machines, steps.N)
}

func TestNames(t *testing.T) {
	require.Equal(t, "incident", incident.DefaultLifecycle().Name())
	require.Equal(t, "report", incident.DefaultLifecycle().Create())
}

func TestNewPracticeRefuses(t *testing.T) {
	store := memory.New[incident.Incident]()
	unknown, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.Allow("teleport", incident.Closed, incident.New)
	})
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		cfg      incident.Config
		findings []string
	}{
		{"Policies", incident.Config{Reopen: incident.ReopenPolicy{Mode: 7, Window: -1}, Children: 9}, []string{
			"reopen.mode is unknown", "reopen.window must not be negative", "children is unknown"}},
		{"NegativePolicies", incident.Config{Reopen: incident.ReopenPolicy{Mode: -1}, Children: -1}, []string{
			"reopen.mode is unknown", "children is unknown"}},
		{"ActionWithoutType", incident.Config{Lifecycle: unknown}, []string{
			`lifecycle has the action "teleport", for which there is no type`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := incident.NewPractice(store, c.cfg)
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Equal(t, c.findings, practicetest.Said(err))
		})
	}
	_, err = incident.NewPractice(nil, incident.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}
