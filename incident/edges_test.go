package incident_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
)

// Decode tells what is wrong with the JSON and with the action at once, and
// nothing twice.
func TestDecodeTellsAll(t *testing.T) {
	d := newDesk(t, incident.Config{})
	_, err := d.Decode([]byte(`{"action":"resolve","data":{"code":3,"nte":"x"}}`))
	require.Equal(t, []string{"code must be text", "nte is not known", "note must not be empty"}, practicetest.Said(err))
}

// Where reopening opens another incident, WhyNot says that this one stays closed.
func TestWhyNotOfAClone(t *testing.T) {
	d := newDesk(t, incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone}})
	inc := d.open(incident.Resolve{Code: incident.Fixed, Note: "x"}, incident.Close{})
	options, err := d.WhyNot(mia, inc.ID)
	require.NoError(t, err)
	for _, o := range options {
		if o.Action == "reopen" || o.Action == "reject_resolution" {
			require.True(t, o.Permitted)
			require.Equal(t, incident.Closed, o.To, o.Action)
		}
	}
}

// In an end of the host's own, no status update is due any more.
func TestNoUpdatesInAHostsEnd(t *testing.T) {
	lifecycle, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("dismissed")
		s.Ends = append(s.Ends, "dismissed")
		s.Allow("dismiss", "dismissed", incident.New)
	})
	require.NoError(t, err)
	d := newDesk(t, incident.Config{Lifecycle: lifecycle, Actions: []itsm.Action[incident.Incident]{dismiss{}}})
	inc := d.open(incident.AcceptMajor{Reason: "all are cut off", Commander: "lee", Cadence: time.Hour})
	require.False(t, inc.Due.IsZero())
	inc = d.Did(mia, inc.ID, dismiss{})
	require.Equal(t, itsm.State("dismissed"), inc.State)
	require.Zero(t, inc.Due)
	require.Zero(t, d.Due(100*time.Hour))
}

// dismiss is the host's own and knows nothing of status updates.
type dismiss struct{}

func (dismiss) Action() string                              { return "dismiss" }
func (dismiss) Apply(*incident.Incident, itsm.Moment) error { return nil }
