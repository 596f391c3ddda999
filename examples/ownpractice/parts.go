package main

import (
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// AwaitingParts is a state of incidents that only this host has.
const AwaitingParts itsm.State = "awaiting_parts"

// withParts extends the default lifecycle. The result is verified as a whole:
// without a way to cancel, for instance, it would be refused, because incidents
// promise one from whatever is open.
func withParts(s *itsm.LifecycleSpec) {
	s.AddState(AwaitingParts)
	s.Allow("order_parts", AwaitingParts, incident.InProgress)
	s.Allow("start", incident.InProgress, AwaitingParts)
	s.Allow("cancel", incident.Cancelled, AwaitingParts)
}

// OrderParts is an action of the host's own on the library's record. It works
// like those of package incident: in the history, in a replay, as JSON.
type OrderParts struct {
	Part     string    `json:"part"`
	Expected time.Time `json:"expected,omitzero"`
}

func (OrderParts) Action() string { return "order_parts" }

func (a OrderParts) Validate() error {
	var v itsm.Validation
	v.Text("part", a.Part, 1, 100)
	return v.Err()
}

func (OrderParts) Guard(r *incident.Incident, _ itsm.Moment) error {
	if r.CI == "" {
		return itsm.Refuse("it does not say which device needs the part")
	}
	return nil
}

// Apply keeps the order under a name of the host's own, beside the fields that
// every incident has.
func (a OrderParts) Apply(r *incident.Incident, _ itsm.Moment) error {
	return r.Fields.Set("order", a)
}

// NewDesk makes the incident practice with the host's state and action in it.
func NewDesk(store itsm.Store[incident.Incident], cfg itsm.Config) (*incident.Practice, error) {
	// Notes, links and the like are to be possible there too.
	lifecycle, err := incident.DefaultLifecycle().With(withParts, incident.AllowUsual(AwaitingParts))
	if err != nil {
		return nil, err
	}
	return incident.NewPractice(store, incident.Config{
		Config:    cfg,
		Lifecycle: lifecycle,
		Actions:   []itsm.Action[incident.Incident]{OrderParts{}},
	})
}
