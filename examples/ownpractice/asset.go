package main

import (
	"time"

	"github.com/go-itsm/itsm"
)

// An Asset is a device that the company lends to its people. Embedding Meta
// makes it a record: what a store keeps, and what a history is about.
type Asset struct {
	itsm.Meta
	Tag      string    `json:"tag"`
	Model    string    `json:"model"`
	Holder   string    `json:"holder,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Reminded bool      `json:"reminded,omitempty"`
	Wiped    bool      `json:"wiped,omitempty"`
}

// The states of an asset.
const (
	InStock itsm.State = "in_stock"
	OnLoan  itsm.State = "on_loan"
	Retired itsm.State = "retired"
)

// NewAssets makes the practice: the record above, the table below, the actions
// after it, and what time brings.
func NewAssets(store itsm.Store[Asset], cfg itsm.Config) (*itsm.Practice[Asset], error) {
	spec := itsm.LifecycleSpec{
		Name: "asset", Create: "register", Initial: InStock,
		States: []itsm.State{InStock, OnLoan, Retired}, Ends: []itsm.State{Retired},
	}
	spec.Allow("lend", OnLoan, InStock)
	spec.Allow("remind", "", OnLoan)
	spec.Allow("return", InStock, OnLoan)
	spec.Allow("wipe", "", InStock)
	spec.Allow("retire", Retired, InStock)
	lifecycle, err := itsm.NewLifecycle(spec)
	if err != nil {
		return nil, err
	}
	return itsm.NewPractice(itsm.Definition[Asset]{
		Prefix:    "ast",
		Lifecycle: lifecycle,
		Actions:   []itsm.Action[Asset]{Register{}, Lend{}, Return{}, Wipe{}, Retire{}},
		Derived:   []itsm.Action[Asset]{Remind{}}, // nobody can ask for it
		Next:      next,
	}, store, cfg)
}

// next says what time will bring: a reminder when a loan ends.
func next(r *Asset) (time.Time, itsm.Action[Asset]) {
	if r.State != OnLoan || r.Reminded {
		return time.Time{}, nil
	}
	return r.Until, Remind{}
}

// Register takes an asset into stock.
type Register struct {
	Tag   string `json:"tag"`
	Model string `json:"model"`
}

func (Register) Action() string { return "register" }

// Validate checks the input by itself, and tells all that is wrong with it.
func (a Register) Validate() error {
	var v itsm.Validation
	v.Text("tag", a.Tag, 1, 20)
	v.Text("model", a.Model, 1, 100)
	return v.Err()
}

// Apply makes the record. It uses the action, the record and the moment, and
// nothing else: that is why a history can be replayed.
func (a Register) Apply(r *Asset, _ itsm.Moment) error {
	r.Tag, r.Model, r.Wiped = a.Tag, a.Model, true
	return nil
}

// Lend gives an asset to somebody until a certain day.
type Lend struct {
	To    string    `json:"to"`
	Until time.Time `json:"until"`
}

func (Lend) Action() string { return "lend" }

func (a Lend) Validate() error {
	var v itsm.Validation
	v.Text("to", a.To, 1, 100)
	v.Check(!a.Until.IsZero(), "until", "must be given")
	return v.Err()
}

func (a Lend) Apply(r *Asset, at itsm.Moment) error {
	if !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	r.Holder, r.Until, r.Reminded, r.Wiped = a.To, a.Until, false, false
	return nil
}

// Remind is the due action: a loan has ended and the asset is not back.
type Remind struct{}

func (Remind) Action() string { return "remind" }

func (Remind) Apply(r *Asset, _ itsm.Moment) error {
	r.Reminded = true
	return nil
}

// Return takes an asset back, with the data of whoever had it.
type Return struct{}

func (Return) Action() string { return "return" }

func (Return) Apply(r *Asset, _ itsm.Moment) error {
	r.Holder, r.Until, r.Reminded = "", time.Time{}, false
	return nil
}

// Wipe deletes the data on an asset.
type Wipe struct{}

func (Wipe) Action() string { return "wipe" }

func (Wipe) Apply(r *Asset, _ itsm.Moment) error {
	r.Wiped = true
	return nil
}

// Retire sells an asset or throws it away.
type Retire struct{}

func (Retire) Action() string { return "retire" }

// Guard is a condition on the record that needs no input, so that the practice
// can tell of it before anybody asks: a button that is grey, and why.
func (Retire) Guard(r *Asset, _ itsm.Moment) error {
	if !r.Wiped {
		return itsm.Refuse("there is still data on %s", r.Tag)
	}
	return nil
}

func (Retire) Apply(*Asset, itsm.Moment) error { return nil }
