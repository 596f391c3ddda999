package svs_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
	"github.com/go-itsm/itsm/svs/improvement"
)

// Two incidents miss the same goal: there is one entry in the register, and another when
// that was closed and it is missed again.
func TestMissedTargets(t *testing.T) {
	now := monday
	cfg := itsm.Config{Now: func() time.Time { return now }}
	always, err := sla.AlwaysOpen().Compile()
	require.NoError(t, err)
	book, err := sla.NewBook([]*sla.Hours{always}, []sla.Agreement{{Name: "gold", Version: 1, Kind: sla.ServiceLevel,
		Metrics: []sla.Metric{incident.ResolutionMetric(always.Name(), sla.GoalRule{Within: time.Hour})}}})
	require.NoError(t, err)
	incidents, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: cfg, Agreements: book})
	require.NoError(t, err)
	register, err := improvement.NewPractice(memory.New[improvement.Improvement](), improvement.Config{Config: cfg})
	require.NoError(t, err)
	sys, err := svs.NewSystem(svs.Config{Reactions: svs.MissedTargets(incidents.Practice, func(inc incident.Incident) string { return inc.Service }, register)})
	require.NoError(t, err)
	miss := func(service string) {
		t.Helper()
		_, err := incidents.Open(jin, incident.Report{Title: "No mail", Service: service})
		require.NoError(t, err)
		now = now.Add(2 * time.Hour)
		_, _, err = incidents.RunDue(itsm.WithActor(t.Context(), itsm.System()))
		require.NoError(t, err)
		_, err = sys.CatchUp(t.Context())
		require.NoError(t, err)
	}
	miss("mail")
	miss("mail")
	miss("")
	entries := all(t, register.Practice)
	require.Len(t, entries, 2)
	require.Equal(t, "incident misses the resolution of gold: mail", entries[0].Title)
	require.Equal(t, improvement.FromSLA, entries[0].Source)
	require.Equal(t, improvement.Scope{Service: "mail", Practice: "incident"}, entries[0].Scope)
	require.Equal(t, "incident misses the resolution of gold", entries[1].Title)
	_, err = register.Do(jin, entries[0].ID, improvement.Cancel{Reason: "once is never"})
	require.NoError(t, err)
	miss("mail")
	require.Len(t, all(t, register.Practice), 3)
}
