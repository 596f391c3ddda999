package practicetest_test

import (
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
)

// A Key opens a door. Who has it is left out of its JSON, so that a host that keeps
// records as JSON forgets it.
type Key struct {
	itsm.Meta
	Door   string `json:"door"`
	Holder string `json:"-"`
}

type Cut struct {
	Door string `json:"door"`
}

func (Cut) Action() string                      { return "cut" }
func (a Cut) Apply(r *Key, _ itsm.Moment) error { r.Door = a.Door; return nil }

type Hand struct {
	To string `json:"to"`
}

func (Hand) Action() string                      { return "hand" }
func (a Hand) Apply(r *Key, _ itsm.Moment) error { r.Holder = a.To; return nil }

func NewKeys(store itsm.Store[Key], cfg itsm.Config) (*itsm.Practice[Key], error) {
	spec := itsm.LifecycleSpec{Name: "key", Create: "cut", Initial: "kept", States: []itsm.State{"kept", "out"}, Ends: []itsm.State{"out"}}
	spec.Allow("hand", "out", "kept")
	lifecycle, err := itsm.NewLifecycle(spec)
	if err != nil {
		return nil, err
	}
	return itsm.NewPractice(itsm.Definition[Key]{Prefix: "key", Lifecycle: lifecycle, Actions: []itsm.Action[Key]{Cut{}, Hand{}}}, store, cfg)
}

// A test calls Test; Check says the same without one.
func Example() {
	for _, f := range practicetest.Check(practicetest.Harness[Key]{}, NewKeys)[:1] {
		fmt.Println(f.Rule.Sentence)
		fmt.Println("it is not so:", f.Rule.Name)
	}
	// Output:
	// a record, and every action, comes back from JSON as it was
	// it is not so: JSON
}
