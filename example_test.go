package itsm_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

// A Laptop is the record of a practice that this module does not have.
type Laptop struct {
	itsm.Meta
	Model  string    `json:"model"`
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"` // when it is to be back
	Late   int       `json:"late,omitempty"` // how often it was not
}

// Buy creates a laptop.
type Buy struct {
	Model string `json:"model"`
}

func (Buy) Action() string                         { return "buy" }
func (a Buy) Apply(r *Laptop, _ itsm.Moment) error { r.Model = a.Model; return nil }

// Validate refuses a laptop without a model.
func (a Buy) Validate() error {
	var v itsm.Validation
	v.Text("model", a.Model, 1, 100)
	return v.Err()
}

// Lend gives it to somebody.
type Lend struct {
	To    string    `json:"to"`
	Until time.Time `json:"until"`
}

func (Lend) Action() string { return "lend" }

func (a Lend) Apply(r *Laptop, at itsm.Moment) error {
	var v itsm.Validation
	v.Text("to", a.To, 1, 100)
	v.Check(a.Until.After(at.At), "until", "must be in the future")
	r.Holder, r.Until = a.To, a.Until
	return v.Err()
}

// Return takes it back.
type Return struct{}

func (Return) Action() string { return "return" }

func (Return) Apply(r *Laptop, _ itsm.Moment) error {
	r.Holder, r.Until = "", time.Time{}
	return nil
}

// Miss is what time does to a laptop that is not back.
type Miss struct{}

func (Miss) Action() string                       { return "miss" }
func (Miss) Apply(r *Laptop, _ itsm.Moment) error { r.Late++; r.Until = time.Time{}; return nil }

// Scrap ends its life.
type Scrap struct{}

func (Scrap) Action() string                       { return "scrap" }
func (Scrap) Apply(_ *Laptop, _ itsm.Moment) error { return nil }

// NewLending puts the practice together: the states, the table, the actions,
// and what time brings.
func NewLending(store itsm.Store[Laptop], cfg itsm.Config) (*itsm.Practice[Laptop], error) {
	spec := itsm.LifecycleSpec{
		Name: "laptop", Create: "buy", Initial: "in_stock",
		States: []itsm.State{"in_stock", "lent", "scrapped"}, Ends: []itsm.State{"scrapped"},
	}
	spec.Allow("lend", "lent", "in_stock")
	spec.Allow("return", "in_stock", "lent")
	spec.Allow("miss", "", "lent")
	spec.Allow("scrap", "scrapped", "in_stock")
	lifecycle, err := itsm.NewLifecycle(spec)
	if err != nil {
		return nil, err
	}
	return itsm.NewPractice(itsm.Definition[Laptop]{
		Prefix:    "lap",
		Lifecycle: lifecycle,
		Actions:   []itsm.Action[Laptop]{Buy{}, Lend{}, Return{}, Scrap{}},
		Derived:   []itsm.Action[Laptop]{Miss{}},
		Next: func(r *Laptop) (time.Time, itsm.Action[Laptop]) {
			return r.Until, Miss{}
		},
	}, store, cfg)
}

// A vendor's own practice, with everything that the module's own have: verified
// states, history, due actions, decoding, and "why not".
func Example_ownPractice() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	lending, err := NewLending(memory.New[Laptop](), itsm.Config{Now: func() time.Time { return now }})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := itsm.As(context.Background(), "jin")
	laptop, _ := lending.Create(ctx, Buy{Model: "X1"})
	laptop, _ = lending.Do(ctx, laptop.ID, Lend{To: "mia", Until: now.Add(24 * time.Hour)})
	_, err = lending.Do(ctx, laptop.ID, Scrap{})
	fmt.Println(err != nil, laptop.State)

	now = now.Add(48 * time.Hour)
	done, _, _ := lending.RunDue(itsm.WithActor(ctx, itsm.System())) // or a Runner
	fmt.Println(done, "due action done")
	for e := range lending.History(ctx, laptop.ID) {
		fmt.Println(e.Version, e.Actor.ID, e.Action, e.From, "→", e.To)
	}
	// Output:
	// true lent
	// 1 due action done
	// 1 jin buy  → in_stock
	// 2 jin lend in_stock → lent
	// 3 system miss lent → lent
}

// OrderParts is a host's own action on incidents.
type OrderParts struct {
	Part string `json:"part"`
}

// Action is its name in the lifecycle and in the history.
func (OrderParts) Action() string { return "order_parts" }

// Apply keeps the part in the host's own field.
func (a OrderParts) Apply(inc *incident.Incident, _ itsm.Moment) error {
	return inc.Fields.Set("part", a.Part)
}

// A host adds a state and an action of its own to incidents; they work like the
// library's.
func Example_ownAction() {
	lifecycle, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("awaiting_parts")
		s.Allow("order_parts", "awaiting_parts", incident.InProgress)
		s.Allow("start", incident.InProgress, "awaiting_parts")
		s.Allow("cancel", incident.Cancelled, "awaiting_parts")
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Lifecycle: lifecycle,
		Actions:   []itsm.Action[incident.Incident]{OrderParts{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := itsm.As(context.Background(), "jin")
	inc, _ := desk.Open(ctx, incident.Report{Title: "The printer is on fire"})
	inc, _ = desk.Do(ctx, inc.ID, incident.Start{})
	inc, _ = desk.Do(ctx, inc.ID, OrderParts{Part: "fuser"})
	fmt.Println(inc.State, string(inc.Fields["part"]))
	inc, _ = desk.Do(ctx, inc.ID, incident.Start{})
	fmt.Println(inc.State)
	// Output:
	// awaiting_parts "fuser"
	// in_progress
}

// A host's own data rides along with any record and is in its history.
func ExampleSetFields() {
	desk, _ := incident.NewPractice(memory.New[incident.Incident](), incident.Config{})
	ctx := itsm.As(context.Background(), "jin")
	inc, _ := desk.Open(ctx, incident.Report{Title: "No network"})

	var own itsm.Fields
	_ = own.Set("site", "Seoul 2F")
	_ = own.Set("seats", 40)
	inc, err := desk.Do(ctx, inc.ID, incident.SetFields{Fields: own})

	var seats int
	_ = inc.Fields.Get("seats", &seats)
	fmt.Println(seats, string(inc.Fields["site"]), err)
	// Output: 40 "Seoul 2F" <nil>
}

// What would happen, without it happening; and everything that speaks against
// it, at once.
func ExamplePractice_Check() {
	lending, _ := NewLending(memory.New[Laptop](), itsm.Config{})
	ctx := itsm.As(context.Background(), "jin")
	laptop, _ := lending.Create(ctx, Buy{Model: "X1"})

	would, err := lending.Check(ctx, laptop.ID, Scrap{})
	fmt.Println("would be", would.State, err)
	_, err = lending.Check(ctx, laptop.ID, Lend{})
	for _, finding := range itsm.Findings(err) {
		fmt.Println("-", finding)
	}
	_, err = lending.Check(ctx, laptop.ID, Return{})
	var refused *itsm.TransitionError
	if errors.As(err, &refused) {
		fmt.Println("instead:", refused.Instead)
	}
	laptop, _ = lending.Get(ctx, laptop.ID)
	fmt.Println("is", laptop.State)
	// Output:
	// would be scrapped <nil>
	// - to must not be empty
	// - until must be in the future
	// instead: [lend scrap]
	// is in_stock
}

// What buttons, help texts and agents go by.
func ExamplePractice_WhyNot() {
	lending, _ := NewLending(memory.New[Laptop](), itsm.Config{})
	ctx := itsm.As(context.Background(), "jin")
	laptop, _ := lending.Create(ctx, Buy{Model: "X1"})

	options, _ := lending.WhyNot(ctx, laptop.ID)
	for _, o := range options {
		if !o.Permitted {
			fmt.Println(o.Action, "no:", o.Refused[0])
			continue
		}
		fmt.Println(o.Action, "leads to", o.To)
		for _, need := range o.Needs {
			fmt.Println("  needs:", need)
		}
	}
	// Output:
	// lend leads to lent
	//   needs: to must not be empty
	//   needs: until must be in the future
	// return no: action "return" is not permitted in state "in_stock", from which lead on: lend, scrap
	// scrap leads to scrapped
}

// An action that comes from outside: a request, a script, an agent.
func ExamplePractice_Decode() {
	lending, _ := NewLending(memory.New[Laptop](), itsm.Config{})
	ctx := itsm.As(context.Background(), "jin")
	laptop, _ := lending.Create(ctx, Buy{Model: "X1"})

	action, err := lending.Decode([]byte(`{"action": "lend", "data": {"to": "mia", "until": "2099-01-01T09:00:00+09:00"}}`))
	if err == nil {
		laptop, err = lending.Do(ctx, laptop.ID, action)
	}
	fmt.Println(laptop.Holder, laptop.Until, err)

	_, err = lending.Decode([]byte(`{"action": "lend", "data": {"to": 7, "until": "tomorrow", "untill": ""}}`))
	for _, finding := range itsm.Findings(err) {
		fmt.Println("-", finding)
	}
	// Output:
	// mia 2099-01-01 00:00:00 +0000 UTC <nil>
	// - to must be text
	// - until must be a time in RFC 3339, such as 2026-03-29T02:30:00Z
	// - untill is not known
}

// Two records in one commit: both change, or neither.
func ExamplePractice_Update() {
	lending, _ := NewLending(memory.New[Laptop](), itsm.Config{})
	ctx := itsm.As(context.Background(), "jin")
	old, _ := lending.Create(ctx, Buy{Model: "X1"})
	replacement, _ := lending.Create(ctx, Buy{Model: "X2"})
	until := time.Now().Add(24 * time.Hour)
	_, _ = lending.Do(ctx, old.ID, Lend{To: "mia", Until: until})

	swap := func(to string) error {
		return lending.Update(ctx, func(tx *itsm.Tx[Laptop]) error {
			if _, err := tx.Do(old.ID, Return{}); err != nil {
				return err
			}
			_, err := tx.Do(replacement.ID, Lend{To: to, Until: until})
			return err
		})
	}
	for _, to := range []string{"", "mia"} {
		err := swap(to)
		old, _ = lending.Get(ctx, old.ID)
		replacement, _ = lending.Get(ctx, replacement.ID)
		fmt.Println(old.State, replacement.State, err == nil)
	}
	// Output:
	// lent in_stock false
	// in_stock lent true
}

// A record is the fold of its history, so it can be had as it was at any time.
func ExamplePractice_At() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	lending, _ := NewLending(memory.New[Laptop](), itsm.Config{Now: func() time.Time { return now }})
	ctx := itsm.As(context.Background(), "jin")
	laptop, _ := lending.Create(ctx, Buy{Model: "X1"})
	for _, holder := range []string{"mia", "ada"} {
		now = now.Add(time.Hour)
		_, _ = lending.Do(ctx, laptop.ID, Lend{To: holder, Until: now.Add(time.Hour)})
		now = now.Add(time.Hour)
		_, _ = lending.Do(ctx, laptop.ID, Return{})
	}

	for hour := 9; hour <= 13; hour++ {
		then, _ := lending.At(ctx, laptop.ID, time.Date(2026, 3, 2, hour, 30, 0, 0, time.UTC))
		fmt.Println(then.Changed.Format("15:04"), then.Version, then.State, cmp.Or(then.Holder, "-"))
	}
	replayed, _ := lending.Replay(lending.History(ctx, laptop.ID))
	stored, _ := lending.Get(ctx, laptop.ID)
	fmt.Println(replayed.Version == stored.Version, replayed.State == stored.State)
	// Output:
	// 09:00 1 in_stock -
	// 10:00 2 lent mia
	// 11:00 3 in_stock -
	// 12:00 4 lent ada
	// 13:00 5 in_stock -
	// true true
}

// A lifecycle draws itself, and says what a change means for records that
// exist.
func ExampleLifecycle() {
	lending, _ := NewLending(memory.New[Laptop](), itsm.Config{})
	old := lending.Lifecycle()
	fmt.Print(old.Mermaid())

	replacement, err := old.With(func(s *itsm.LifecycleSpec) {
		s.States = []itsm.State{"in_stock", "assigned", "scrapped"}
		s.Forbid("lend")
		s.Forbid("return")
		s.Forbid("miss")
		s.Allow("assign", "assigned", "in_stock")
		s.Allow("return", "in_stock", "assigned")
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(itsm.Diff(old, replacement))
	// Output:
	// stateDiagram-v2
	//     [*] --> in_stock: buy
	//     in_stock --> lent: lend
	//     in_stock --> scrapped: scrap
	//     lent --> in_stock: return
	//     scrapped --> [*]
	// + state assigned
	// - state lent
	// + in_stock --assign--> assigned
	// + assigned --return--> in_stock
	// - in_stock --lend--> lent
	// - lent --miss--> lent
	// - lent --return--> in_stock
	// ! records in lent are stranded; nearest: [in_stock]
}

// A lifecycle that does not hold is refused with everything that is wrong.
func ExampleNewLifecycle() {
	spec := itsm.LifecycleSpec{
		Name: "door", Create: "build", Initial: "open",
		States: []itsm.State{"open", "shut", "painted"}, Ends: []itsm.State{"removed"},
	}
	spec.Allow("shut", "shut", "open")
	_, err := itsm.NewLifecycle(spec)
	for _, finding := range itsm.Findings(err) {
		fmt.Println("-", finding)
	}
	// Output:
	// - ends[0] names the unknown state "removed"
	// - states[0] "open" is a trap: no end can be reached from it
	// - states[1] "shut" is a trap: no end can be reached from it
	// - states[2] "painted" cannot be reached from "open"
	// - states[2] "painted" is a trap: no end can be reached from it
}

// A host's own matrix: total and monotone, or refused.
func ExampleNewMatrix() {
	matrix, err := itsm.NewMatrix([][]itsm.Priority{
		{1, 1, 2, 3},
		{2, 3, 3, 4},
	})
	fmt.Println(err)
	p, _ := matrix.Priority(2, 1)
	fmt.Println(p, matrix.Lowest())
	_, err = matrix.Priority(3, 1)
	fmt.Println(err)
	_, err = itsm.NewMatrix([][]itsm.Priority{{1, 2}, {3, 1}})
	fmt.Println(err)
	// Output:
	// <nil>
	// P2 P4
	// impact must be 1 to 2, is 3
	// [1][1] is P1, above the P3 of a higher urgency; [1][1] is P1, above the P2 of a higher impact
}
