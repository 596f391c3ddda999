package problem

import (
	"slices"

	"github.com/go-itsm/itsm"
)

// AddWorkaround gives a way to live with the error.
type AddWorkaround struct {
	Title string `json:"title"`
	// Steps are what to do, and Risk what to mind.
	Steps string `json:"steps"`
	Risk  string `json:"risk,omitempty"`
	// Prevents says that it makes the incident less likely, rather than less harmful.
	Prevents bool `json:"prevents,omitempty"`
}

// Action returns "add_workaround".
func (AddWorkaround) Action() string { return "add_workaround" }

// Validate checks the texts.
func (a AddWorkaround) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("steps", a.Steps, 1, maxNote)
	v.Text("risk", a.Risk, 0, maxNote)
	return v.Err()
}

// Apply adds it under the next number, as version 1.
func (a AddWorkaround) Apply(r *KnownError, at itsm.Moment) error {
	n := len(r.Workarounds)
	if n >= maxWorkarounds {
		return itsm.Refuse("it has %d workarounds already", n)
	}
	r.Workarounds = append(r.Workarounds, Workaround{
		Number: n + 1, Version: 1, Title: a.Title, Steps: a.Steps, Risk: a.Risk, Prevents: a.Prevents,
		By: at.Actor.ID, At: at.At, Effects: []Effect{{}},
	})
	return nil
}

// usable returns a workaround that may be changed or used.
func (r *KnownError) usable(number int) (*Workaround, error) {
	if number < 1 || number > len(r.Workarounds) {
		return nil, &itsm.FieldError{Field: "number", Reason: "is not that of a workaround"}
	}
	w := &r.Workarounds[number-1]
	if !w.Retired.IsZero() {
		return nil, itsm.Refuse("workaround %d is retired", number)
	}
	return w, nil
}

// anyUsable refuses if no workaround may be used.
func anyUsable(r *KnownError) error {
	for _, w := range r.Workarounds {
		if w.Retired.IsZero() {
			return nil
		}
	}
	return itsm.Refuse("it has no workaround")
}

// ReviseWorkaround gives a workaround a new version, whose effect is counted from zero.
type ReviseWorkaround struct {
	Number int `json:"number"`
	AddWorkaround
}

// Action returns "revise_workaround".
func (ReviseWorkaround) Action() string { return "revise_workaround" }

// Guard refuses if there is none.
func (ReviseWorkaround) Guard(r *KnownError, _ itsm.Moment) error { return anyUsable(r) }

// Apply keeps it.
func (a ReviseWorkaround) Apply(r *KnownError, at itsm.Moment) error {
	w, err := r.usable(a.Number)
	if err != nil {
		return err
	}
	if len(w.Effects) >= maxVersions {
		return itsm.Refuse("workaround %d has %d versions already", a.Number, maxVersions)
	}
	w.Version++
	w.Title, w.Steps, w.Risk, w.Prevents, w.By, w.At = a.Title, a.Steps, a.Risk, a.Prevents, at.Actor.ID, at.At
	w.Effects = append(w.Effects, Effect{})
	return nil
}

// RetireWorkaround takes a workaround back: it is not to be used any more.
type RetireWorkaround struct {
	Number int    `json:"number"`
	Reason string `json:"reason"`
}

// Action returns "retire_workaround".
func (RetireWorkaround) Action() string { return "retire_workaround" }

// Validate checks that it says why.
func (a RetireWorkaround) Validate() error { return needReason(a.Reason) }

// Guard refuses if there is none.
func (RetireWorkaround) Guard(r *KnownError, _ itsm.Moment) error { return anyUsable(r) }

// Apply notes when.
func (a RetireWorkaround) Apply(r *KnownError, at itsm.Moment) error {
	w, err := r.usable(a.Number)
	if err == nil {
		w.Retired = at.At
	}
	return err
}

// RecordUse says whether a workaround helped. A second word about the same incident
// takes the place of the first, as long as that is among the last 100: what worked in
// the morning may turn out not to have in the afternoon.
type RecordUse struct {
	Number int  `json:"number"`
	Worked bool `json:"worked"`
	// Version is the one that was used; 0 means the present one.
	Version int `json:"version,omitempty"`
	// Incident is the one that it was used in, if it was in one.
	Incident itsm.Ref `json:"incident,omitzero"`
}

// Action returns "record_use".
func (RecordUse) Action() string { return "record_use" }

// Validate checks the reference.
func (a RecordUse) Validate() error {
	var v itsm.Validation
	v.Check(a.Version >= 0, "version", "must not be negative")
	if a.Incident != (itsm.Ref{}) {
		v.Ref("incident", a.Incident)
	}
	return v.Err()
}

// Guard refuses if it never had a workaround.
func (RecordUse) Guard(r *KnownError, _ itsm.Moment) error {
	if len(r.Workarounds) == 0 {
		return itsm.Refuse("it has no workaround")
	}
	return nil
}

// Apply counts it. One that is retired is counted too: it may have been used before.
func (a RecordUse) Apply(r *KnownError, _ itsm.Moment) error {
	if a.Number < 1 || a.Number > len(r.Workarounds) {
		return &itsm.FieldError{Field: "number", Reason: "is not that of a workaround"}
	}
	u := Use{Workaround: a.Number, Version: a.Version, Incident: a.Incident, Worked: a.Worked}
	if w := r.Workarounds[a.Number-1]; u.Version == 0 {
		u.Version = w.Version
	} else if u.Version > w.Version {
		return &itsm.FieldError{Field: "version", Reason: "is not one that there was"}
	}
	if a.Incident != (itsm.Ref{}) {
		i := slices.IndexFunc(r.Uses, func(had Use) bool {
			return had.Incident == u.Incident && had.Workaround == u.Workaround && had.Version == u.Version
		})
		if i >= 0 {
			if r.Uses[i].Worked == u.Worked {
				return itsm.Refuse("that is counted already")
			}
			*r.counter(r.Uses[i])--
			r.Uses = slices.Delete(r.Uses, i, i+1)
		}
	}
	*r.counter(u)++
	if len(r.Uses) >= maxUses {
		r.Uses = slices.Delete(r.Uses, 0, 1)
	}
	r.Uses = append(r.Uses, u)
	return nil
}

// counter is where a use is counted.
func (r *KnownError) counter(u Use) *int {
	e := &r.Workarounds[u.Workaround-1].Effects[u.Version-1]
	if u.Worked {
		return &e.Worked
	}
	return &e.Failed
}
