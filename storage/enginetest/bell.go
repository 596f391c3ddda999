package enginetest

import (
	"time"

	"github.com/go-itsm/itsm"
)

// A Bell rings at moments that are planned when it is hung, whichever host is
// there to do it; people strike it meanwhile. It is silent when it has rung as
// often as planned.
type Bell struct {
	itsm.Meta
	First time.Time     `json:"first"`
	Every time.Duration `json:"every"`
	Times int           `json:"times"`
	// Beside is the bell that replies when this one is struck; none for itself.
	Beside  itsm.ID `json:"beside,omitempty"`
	Rung    int     `json:"rung"`
	Struck  int     `json:"struck"`
	Replied int     `json:"replied"`
}

// An Echo is what somebody heard of a bell that rang.
type Echo struct {
	itsm.Meta
	Bell itsm.ID   `json:"bell"`
	For  time.Time `json:"for"`
}

const (
	stateHung   itsm.State = "hung"
	stateSilent itsm.State = "silent"
	stateHeard  itsm.State = "heard"
)

// hang creates a bell.
type hang struct {
	First  time.Time     `json:"first"`
	Every  time.Duration `json:"every"`
	Times  int           `json:"times"`
	Beside itsm.ID       `json:"beside,omitempty"`
}

func (hang) Action() string { return "hang" }

func (a hang) Apply(b *Bell, _ itsm.Moment) error {
	b.First, b.Every, b.Times, b.Beside = a.First, a.Every, a.Times, a.Beside
	return nil
}

// ring is what time brings.
type ring struct {
	For time.Time `json:"for"`
}

func (ring) Action() string                     { return "ring" }
func (ring) Apply(b *Bell, _ itsm.Moment) error { b.Rung++; return nil }

func (ring) Follow(b *Bell, _ itsm.Moment) itsm.Action[Bell] {
	if b.Rung < b.Times {
		return nil
	}
	return rest{}
}

// rest follows the last ring, in the same commit.
type rest struct{}

func (rest) Action() string                 { return "rest" }
func (rest) Apply(*Bell, itsm.Moment) error { return nil }

// strike is what people do.
type strike struct{}

func (strike) Action() string                     { return "strike" }
func (strike) Apply(b *Bell, _ itsm.Moment) error { b.Struck++; return nil }

// reply is what a bell does because the one beside it was struck.
type reply struct{}

func (reply) Action() string                     { return "reply" }
func (reply) Apply(b *Bell, _ itsm.Moment) error { b.Replied++; return nil }

// hear makes an echo.
type hear struct {
	Bell itsm.ID   `json:"bell"`
	For  time.Time `json:"for"`
}

func (hear) Action() string { return "hear" }

func (a hear) Apply(e *Echo, _ itsm.Moment) error {
	e.Bell, e.For = a.Bell, a.For
	return nil
}

func bellDefinition() (itsm.Definition[Bell], error) {
	s := itsm.LifecycleSpec{
		Name: "bell", Create: "hang", Initial: stateHung,
		States: []itsm.State{stateHung, stateSilent}, Ends: []itsm.State{stateSilent},
	}
	s.Allow("ring", "", stateHung)
	s.Allow("rest", stateSilent, stateHung)
	s.Allow("strike", "", stateHung)
	s.Allow("reply", "", stateHung, stateSilent)
	l, err := itsm.NewLifecycle(s)
	return itsm.Definition[Bell]{
		Prefix: "bel", Lifecycle: l,
		Actions: []itsm.Action[Bell]{hang{}, strike{}, reply{}},
		Derived: []itsm.Action[Bell]{ring{}, rest{}},
		Next: func(b *Bell) (time.Time, itsm.Action[Bell]) {
			if b.State != stateHung {
				return time.Time{}, nil
			}
			due := b.First.Add(time.Duration(b.Rung) * b.Every)
			return due, ring{For: due}
		},
	}, err
}

func echoDefinition() (itsm.Definition[Echo], error) {
	l, err := itsm.NewLifecycle(itsm.LifecycleSpec{
		Name: "echo", Create: "hear", Initial: stateHeard, States: []itsm.State{stateHeard}, Ends: []itsm.State{stateHeard},
	})
	return itsm.Definition[Echo]{Prefix: "ech", Lifecycle: l, Actions: []itsm.Action[Echo]{hear{}}}, err
}
