package request_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestDocuments(t *testing.T) {
	lifecycletest.Diagrams(t, "lifecycle", request.DefaultLifecycle())
	lifecycletest.DocShows(t, request.DefaultLifecycle())
	lifecycletest.DocLists(t, newDesk(t, request.Config{}).Actions(), "", 30)
	lifecycletest.Holds(t, request.DefaultLifecycle(), request.States()...)
	require.Equal(t, "request", request.DefaultLifecycle().Name())
	require.Equal(t, "order", request.DefaultLifecycle().Create())
}

// superset is what the products' requests may do, typed in from the survey of them:
// 42 edges.
var superset = map[lifecycletest.Edge][]string{
	{From: "draft", To: "submitted"}:                 {"submit"},
	{From: "draft", To: "cancelled"}:                 {"cancel", "reclassify"},
	{From: "submitted", To: "awaiting_approval"}:     {"seek_approval"},
	{From: "submitted", To: "approved"}:              {"approve"},
	{From: "submitted", To: "assigned"}:              {"assign"},
	{From: "submitted", To: "in_fulfilment"}:         {"start"},
	{From: "submitted", To: "on_hold"}:               {"hold"},
	{From: "submitted", To: "fulfilled"}:             {"fulfil"},
	{From: "submitted", To: "rejected"}:              {"reject"},
	{From: "submitted", To: "cancelled"}:             {"auto_cancel", "cancel", "reclassify"},
	{From: "awaiting_approval", To: "approved"}:      {"approve"},
	{From: "awaiting_approval", To: "rejected"}:      {"refuse"},
	{From: "awaiting_approval", To: "in_fulfilment"}: {"proceed"},
	{From: "awaiting_approval", To: "on_hold"}:       {"hold"},
	{From: "awaiting_approval", To: "cancelled"}:     {"auto_cancel", "cancel", "reclassify"},
	{From: "approved", To: "assigned"}:               {"assign"},
	{From: "approved", To: "in_fulfilment"}:          {"begin", "start"},
	{From: "approved", To: "on_hold"}:                {"hold"},
	{From: "approved", To: "fulfilled"}:              {"fulfil"},
	{From: "approved", To: "cancelled"}:              {"auto_cancel", "cancel", "reclassify"},
	{From: "rejected", To: "submitted"}:              {"submit"},
	{From: "assigned", To: "in_fulfilment"}:          {"start"},
	{From: "assigned", To: "on_hold"}:                {"hold"},
	{From: "assigned", To: "fulfilled"}:              {"auto_fulfil", "fulfil"},
	{From: "assigned", To: "cancelled"}:              {"auto_cancel", "cancel", "reclassify"},
	{From: "in_fulfilment", To: "assigned"}:          {"assign"},
	{From: "in_fulfilment", To: "awaiting_approval"}: {"seek_approval"},
	{From: "in_fulfilment", To: "on_hold"}:           {"hold"},
	{From: "in_fulfilment", To: "fulfilled"}:         {"auto_fulfil", "fulfil"},
	{From: "in_fulfilment", To: "cancelled"}:         {"auto_cancel", "cancel", "reclassify"},
	{From: "on_hold", To: "submitted"}:               {"resume_submitted"},
	{From: "on_hold", To: "awaiting_approval"}:       {"resume_approval"},
	{From: "on_hold", To: "approved"}:                {"resume_approved"},
	{From: "on_hold", To: "assigned"}:                {"assign", "resume_assigned"},
	{From: "on_hold", To: "in_fulfilment"}:           {"resume"},
	{From: "on_hold", To: "fulfilled"}:               {"auto_fulfil", "fulfil"},
	{From: "on_hold", To: "cancelled"}:               {"auto_cancel", "cancel", "reclassify"},
	{From: "fulfilled", To: "closed"}:                {"auto_close", "close"},
	{From: "fulfilled", To: "assigned"}:              {"reject_fulfilment"},
	{From: "fulfilled", To: "in_fulfilment"}:         {"reopen"},
	{From: "fulfilled", To: "cancelled"}:             {"cancel", "reclassify"},
	{From: "closed", To: "in_fulfilment"}:            {"reopen"},
}

func TestEveryEdgeHasANamedAction(t *testing.T) {
	require.Len(t, superset, 42)
	require.Equal(t, superset, lifecycletest.Moves(request.DefaultLifecycle()))
}

func TestSurveyAgrees(t *testing.T) {
	survey := lifecycletest.ReadSurvey(t)
	survey.IsSuperset(t, request.DefaultLifecycle())
	// Who submits at once is submitted in the commit that creates the request.
	require.Equal(t, []itsm.State{request.Draft, request.Submitted}, survey.Canonical["request"].Init)
}

// Every step that another product's requests take is one of ours, or stays in
// its state: its history can be told in our terms. iTop forgets in its "escalated_tto"
// whether the request was approved: only its history tells.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	var steps lifecycletest.Steps
	for p := range lifecycletest.ReadSurvey(t).Of("request") {
		steps.Add(t, p, lifecycletest.Ways(request.DefaultLifecycle()))
	}
	require.GreaterOrEqual(t, steps.Machines, 2)
	t.Logf("%d machines, %d steps: %v %v", steps.Machines, steps.N, steps.Longer, steps.None)
	require.Len(t, append(steps.Longer, steps.None...), 1)
	require.Contains(t, append(steps.Longer, steps.None...)[0], "itop.UserRequest: approved → escalated_tto")
}

func TestNewPracticeRefuses(t *testing.T) {
	store := memory.New[request.Request]()
	unknown, err := request.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.Allow("teleport", request.Closed, request.Draft)
	})
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		cfg      request.Config
		findings []string
	}{
		{"Policies", request.Config{RollUp: "x", ReopenWindow: -1}, []string{"roll_up is unknown", "reopen_window must not be negative"}},
		{"ActionWithoutType", request.Config{Lifecycle: unknown}, []string{
			`lifecycle has the action "teleport", for which there is no type`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := request.NewPractice(store, c.cfg)
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Equal(t, c.findings, practicetest.Said(err))
		})
	}
	_, err = request.NewPractice(nil, request.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}
