package problem

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// An Occurrence is what problem management wants to know about an incident: as much as
// is needed to see that something comes back. It is made from the incident's events, or
// by the host.
type Occurrence struct {
	Incident itsm.ID `json:"incident"`
	// Service and Symptom are what is affected and how that shows; where one of them is
	// not known, it is like no other incident.
	Service string `json:"service,omitempty"`
	Symptom string `json:"symptom,omitempty"`
	// Began is when it did, and Restored when it was over; zero while it lasts.
	Began    time.Time `json:"began"`
	Restored time.Time `json:"restored,omitzero"`
	// Major says that it is a major incident.
	Major bool `json:"major,omitempty"`
	// Problem and KnownError are what it was linked to: it is explained, and is not
	// counted among those that come back and nobody knows why.
	Problem    itsm.ID `json:"problem,omitempty"`
	KnownError itsm.ID `json:"known_error,omitempty"`
	// Workaround says whether that of the known error helped.
	Workaround Help `json:"workaround,omitempty"`
	// Effort is the work that was put into it, and Money what it cost, in the smallest
	// unit of the host's currency.
	Effort time.Duration `json:"effort,omitempty"`
	Money  int64         `json:"money,omitempty"`
	// Void says that it was none after all: cancelled, or the same as another.
	Void bool `json:"void,omitempty"`
}

// Help says whether a workaround helped.
type Help string

const (
	// Unsaid is the zero value: nobody has said so.
	Unsaid Help = ""
	// Helped did.
	Helped Help = "helped"
	// DidNotHelp did not, or not for long.
	DidNotHelp Help = "did_not_help"
)

// Explained reports whether it is known what lies behind it.
func (o Occurrence) Explained() bool { return o.Problem != "" || o.KnownError != "" }

// downtime is how long it lasted, 0 while it lasts.
func (o Occurrence) downtime() time.Duration {
	if o.Restored.IsZero() || o.Restored.Before(o.Began) {
		return 0
	}
	return o.Restored.Sub(o.Began)
}

// Ref is the reference to the incident.
func (o Occurrence) Ref() itsm.Ref { return itsm.Ref{Kind: "incident", ID: o.Incident} }

// A Reader makes of what is known of an incident, and of its next event, what is known
// then. It is pure. What it returns for an event that is none of an incident's is passed
// over; an error stops nothing, and is the host's to log.
type Reader func(o Occurrence, e itsm.Event) (Occurrence, error)

// ReadIncident is the [Reader] of the feed of package incident: its events say
// everything that is needed. The symptom is the category that was seen when the incident
// came in. A link "symptom_of" to a problem and one "solved_by" or "rejected" to a known
// error explain it; a known error's workaround helped if the incident was resolved, and
// did not if it was rejected or the resolution did not hold.
func ReadIncident(o Occurrence, e itsm.Event) (Occurrence, error) {
	if e.Practice != "incident" {
		return o, nil
	}
	var data struct {
		Service   string        `json:"service"`
		Category  string        `json:"category"`
		Started   time.Time     `json:"started"`
		Detected  time.Time     `json:"detected"`
		Milestone string        `json:"milestone"`
		At        time.Time     `json:"at"`
		Spent     time.Duration `json:"spent"`
		Rel       string        `json:"rel"`
		To        itsm.Ref      `json:"to"`
	}
	read := func() error {
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, &itsm.FieldError{Field: "data", Reason: err.Error()})
		}
		return nil
	}
	before := o
	switch e.Action {
	case "report":
		if err := read(); err != nil {
			return before, err
		}
		o = Occurrence{Incident: e.Record, Service: data.Service, Symptom: data.Category, Began: data.Started}
		if o.Began.IsZero() {
			o.Began = data.Detected
		}
		if o.Began.IsZero() {
			o.Began = e.At
		}
	case "classify":
		if err := read(); err != nil {
			return before, err
		}
		o.Service, o.Symptom = data.Service, data.Category
	case "accept_major":
		o.Major = true
	case "demote_major":
		o.Major = false
	case "resolve":
		if o.Restored.IsZero() {
			o.Restored = e.At
		}
		if o.KnownError != "" && o.Workaround == Unsaid {
			o.Workaround = Helped
		}
	case "reopen", "reject_resolution", "continue":
		if e.Action != "continue" { // which is another incident's
			o.Restored = time.Time{}
		}
		if o.KnownError != "" {
			o.Workaround = DidNotHelp
		}
	case "mark":
		if err := read(); err != nil {
			return before, err
		}
		at := data.At
		if at.IsZero() {
			at = e.At
		}
		switch data.Milestone {
		case "started":
			o.Began = at
		case "restored":
			o.Restored = at
		}
	case "log_time":
		if err := read(); err != nil {
			return before, err
		}
		o.Effort += data.Spent
	case "link", "unlink":
		if err := read(); err != nil {
			return before, err
		}
		o = linked(o, data.Rel, data.To, e.Action == "link")
	case "cancel", "merge":
		o.Void = true
	case "reinstate":
		o.Void = false
	}
	return o, nil
}

// linked is an occurrence after a link was added or removed.
func linked(o Occurrence, rel string, to itsm.Ref, added bool) Occurrence {
	switch {
	case rel == "symptom_of" && to.Kind == "problem":
		if added {
			o.Problem = to.ID
		} else if o.Problem == to.ID {
			o.Problem = ""
		}
	case to.Kind != "known_error" || rel != "solved_by" && rel != "rejected":
	case !added:
		if o.KnownError == to.ID {
			o.KnownError, o.Workaround = "", Unsaid
		}
	default:
		o.KnownError, o.Workaround = to.ID, Unsaid
		switch {
		case rel == "rejected":
			o.Workaround = DidNotHelp
		case !o.Restored.IsZero():
			o.Workaround = Helped
		}
	}
	return o
}

// A Proposal is a reason to look into something: it opens no problem, and changes no
// incident. [Proposal.Register] makes the action that would open one.
type Proposal struct {
	Rule Rule `json:"rule"`
	// At is when it was seen.
	At time.Time `json:"at"`
	// Service and Symptom are what it is about, KnownError the one whose workaround does
	// not work.
	Service    string  `json:"service,omitempty"`
	Symptom    string  `json:"symptom,omitempty"`
	KnownError itsm.ID `json:"known_error,omitempty"`
	// Reason says why, as a sentence.
	Reason string `json:"reason"`
	// Incidents are the evidence, oldest first: the latest 100, of Count.
	Incidents []itsm.ID `json:"incidents"`
	Count     int       `json:"count"`
	// Cost is what incidents of this service and symptom have cost to date, those that
	// are explained and those before the evidence among them, or those of the known
	// error; of those that last, the downtime is not known yet.
	Cost Cost `json:"cost"`
}

// A Rule is a reason to propose something.
type Rule string

const (
	// Repetition is the same service and symptom again and again in a window of time.
	Repetition Rule = "repetition"
	// MajorIncident is a single one that did so much harm.
	MajorIncident Rule = "major_incident"
	// FailingWorkaround is a known error whose workaround no longer works.
	FailingWorkaround Rule = "failing_workaround"
	// Surge is a week with far more incidents than those before it.
	Surge Rule = "surge"
)

// AllRules lists the rules.
func AllRules() []Rule { return []Rule{Repetition, MajorIncident, FailingWorkaround, Surge} }

// Register returns the action that opens a problem because of the proposal, with its
// evidence and its cost to date.
func (p Proposal) Register() Register {
	a := Register{Origin: Reactive, Source: string(p.Rule), Description: p.Reason, Symptom: p.Symptom, Cost: p.Cost}
	switch {
	case p.Service != "" && p.Symptom != "":
		a.Title = fmt.Sprintf("%s: %s", p.Service, p.Symptom)
	case p.KnownError != "":
		a.Title = fmt.Sprintf("The workaround of %s does not work", p.KnownError)
	default:
		a.Title = p.Reason
	}
	if title := []rune(a.Title); len(title) > maxTitle {
		a.Title = string(title[:maxTitle])
	}
	if p.Service != "" {
		a.Services = []string{p.Service}
	}
	for _, id := range p.Incidents {
		ref := itsm.Ref{Kind: "incident", ID: id}
		if !slices.Contains(a.Incidents, ref) {
			a.Incidents = append(a.Incidents, ref)
		}
	}
	return a
}

// Estimate returns what the evidence lets one expect of the next 30 days, as a start for
// [AssessRisk]: as many incidents as the evidence has in that time, each with the mean
// downtime of all to date. Within is the window of the rule. It knows nothing about
// people: the harm of an hour's downtime to the business is theirs to say.
func (p Proposal) Estimate(within time.Duration) Estimate {
	e := Estimate{}
	if within > 0 {
		n := big.NewInt(int64(p.Count))
		n.Mul(n, big.NewInt(int64(30*24*time.Hour)))
		n.Quo(n.Add(n, big.NewInt(int64(within/2))), big.NewInt(int64(within)))
		e.Frequency = maxFrequency
		if n.IsInt64() {
			e.Frequency = int(min(n.Int64(), maxFrequency))
		}
	}
	if p.Cost.Incidents > 0 {
		e.Harm = p.Cost.Downtime / time.Duration(p.Cost.Incidents)
	}
	if p.Rule == Surge {
		e.Trend = Rising
	}
	return e
}
