package problem

import (
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A KnownError is a problem's error that was located and assessed, or that a vendor
// told of, while the cure is outstanding: what its symptoms are, and how to live with it
// until then. It is a record of its own, with a lifecycle of its own, because it is for
// other people than the problem: those who handle incidents. They find it here, use its
// workarounds, and say whether they worked; an incident points to it and copies nothing.
// It is published before the cure exists.
//
// It is changed by actions only. Times are UTC and whole microseconds.
type KnownError struct {
	itsm.Meta

	Title string `json:"title"`
	// Problem is the problem whose error it is, empty if there is none here, as where a
	// vendor told of it. This is the one place where the two are connected: a problem's
	// known errors are those that name it ([KnownErrors.Of]).
	Problem itsm.ID `json:"problem,omitempty"`
	// Symptoms are how it shows, in the words of those who report it; a [Matcher] finds
	// it by them.
	Symptoms []string `json:"symptoms,omitempty"`
	// Cause is what lies behind it, as far as that is known.
	Cause string `json:"cause,omitempty"`
	// Services and Affected are where it shows.
	Services []string   `json:"services,omitempty"`
	Affected []Affected `json:"affected,omitempty"`
	// Owner looks after it.
	Owner string `json:"owner,omitempty"`

	// Workarounds are the ways to live with it, in the order in which they were given.
	Workarounds []Workaround `json:"workarounds,omitempty"`
	// Uses are the last that were recorded, oldest first, at most 100: for them, a
	// second word about the same incident takes the place of the first.
	Uses []Use `json:"uses,omitempty"`

	// Fix is the change that is to remove it; Vendor is who else has it in hand.
	Fix    itsm.Ref `json:"fix,omitzero"`
	Vendor Vendor   `json:"vendor,omitzero"`
	// NoAction says why nothing is going to be done.
	NoAction string `json:"no_action,omitempty"`
	// Review is when it has to be looked at again, and ReviewDue says that this is past.
	Review    time.Time `json:"review,omitzero"`
	ReviewDue bool      `json:"review_due,omitempty"`

	// Published, Corrected and Closed are when it first was, when it was last, and when
	// it was over.
	Published time.Time `json:"published,omitzero"`
	Corrected time.Time `json:"corrected,omitzero"`
	Closed    time.Time `json:"closed,omitzero"`
	// Recurrences counts how often it came back after it was corrected.
	Recurrences int `json:"recurrences,omitempty"`
	// Followed is the version of its problem up to which it has followed.
	Followed itsm.Version `json:"followed,omitempty"`
	// Notes counts what is in the journal.
	Notes int `json:"notes,omitempty"`
}

// AppendKeys lists by which keys known errors can be found: problem, service, ci and
// owner.
func (r *KnownError) AppendKeys(keys []itsm.Key) []itsm.Key {
	add := func(field, value string) {
		if value != "" {
			keys = append(keys, itsm.Key{Field: field, Value: value})
		}
	}
	add("problem", string(r.Problem))
	for _, s := range r.Services {
		add("service", s)
	}
	for _, a := range r.Affected {
		add("ci", a.CI)
	}
	add("owner", r.Owner)
	return keys
}

// KnownErrorRef is the reference to a known error: what an incident's link points to.
func KnownErrorRef(id itsm.ID) itsm.Ref { return itsm.Ref{Kind: "known_error", ID: id} }

// Ref is the reference to the known error.
func (r *KnownError) Ref() itsm.Ref { return KnownErrorRef(r.ID) }

// Public reports whether those who handle incidents are to find it: it is published
// and not over. A host's own states are not public.
func (r *KnownError) Public() bool { return slices.Contains(publicStates(), r.State) }

// Worked and Failed count how often its workarounds did and did not help, in all their
// versions.
func (r *KnownError) Worked() int { return r.count(func(e Effect) int { return e.Worked }) }

// Failed is the counterpart of Worked.
func (r *KnownError) Failed() int { return r.count(func(e Effect) int { return e.Failed }) }

// Effectiveness is how often its workarounds helped, of all that was said about them: what
// [Estimate].Relief may go by.
func (r *KnownError) Effectiveness() sla.Fraction {
	worked, failed := int64(r.Worked()), int64(r.Failed())
	return sla.Fraction{Part: worked, Of: worked + failed}
}

func (r *KnownError) count(of func(Effect) int) int {
	n := 0
	for _, w := range r.Workarounds {
		for _, e := range w.Effects {
			n += of(e)
		}
	}
	return n
}

// Affected is a configuration item, or a kind of them, that has the error.
type Affected struct {
	CI string `json:"ci"`
	// Versions are those that have it; none means that all do.
	Versions []string `json:"versions,omitempty"`
}

// Has reports whether a version of the item has the error, as far as that is known.
func (a Affected) Has(version string) bool {
	return version == "" || len(a.Versions) == 0 || slices.Contains(a.Versions, version)
}

// A Workaround lessens or removes the effect while no cure exists.
type Workaround struct {
	// Number counts from 1 within the known error.
	Number int `json:"number"`
	// Version counts from 1 with every revision. What earlier ones said is in the
	// history.
	Version int    `json:"version"`
	Title   string `json:"title"`
	// Steps are what to do, and Risk what to mind.
	Steps string `json:"steps"`
	Risk  string `json:"risk,omitempty"`
	// Prevents says that it makes the incident less likely, rather than less harmful.
	Prevents bool      `json:"prevents,omitempty"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	// Effects are how often each version helped, the oldest first.
	Effects []Effect `json:"effects"`
	// Retired is when it was taken back, zero while it may be used.
	Retired time.Time `json:"retired,omitzero"`
}

// Effect counts how often a version of a workaround helped, and how often not.
type Effect struct {
	Worked int `json:"worked"`
	Failed int `json:"failed"`
}

// Effect returns the counts of the present version.
func (w Workaround) Effect() Effect { return w.Effects[len(w.Effects)-1] }

// A Use is somebody's word about a workaround.
type Use struct {
	Workaround int      `json:"workaround"`
	Version    int      `json:"version"`
	Incident   itsm.Ref `json:"incident,omitzero"`
	Worked     bool     `json:"worked"`
}

// A Vendor has an error in hand.
type Vendor struct {
	Name string `json:"name"`
	// Reference is the vendor's own number, and Expected when the cure is promised.
	Reference string    `json:"reference,omitempty"`
	Expected  time.Time `json:"expected,omitzero"`
}
