package request

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
)

// An Extension says how what was granted can be made to last longer.
type Extension struct {
	// Policy is the name of the catalogue's policy by which it is approved; empty
	// means that nobody has to vote about it.
	Policy string `json:"policy,omitempty"`
	// Longest is by how much at most, each time; 0 means by any time. JSON:
	// nanoseconds, or text like "720h".
	Longest time.Duration `json:"longest,omitempty"`
	// Times is how often; 0 means as often as is wanted.
	Times int `json:"times,omitempty"`
}

func (e *Extension) validate(v *itsm.Validation, at string) {
	v.Check(e.Longest >= 0, at+".longest", "must not be negative")
	v.Check(e.Times >= 0, at+".times", "must not be negative")
}

// Longer is an extension that was asked for.
type Longer struct {
	Until time.Time `json:"until"`
	// By is who asked for it.
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
	// Approval is the number of the approval that decides about it; 0 means that
	// none has to.
	Approval int `json:"approval,omitempty"`
}

// Extend asks that what was granted lasts longer, by the offering's [Extension]. Where
// that has to be approved, the approval is opened beside the state of the request,
// and nothing that was granted waits for it: if the votes do not come before the
// end, it ends.
type Extend struct {
	Item int `json:"item"`
	// Until is when it ends then; LastDay is the last day on which it is granted,
	// in the catalogue's zone: "2026-06-30". It is one of both.
	Until   time.Time `json:"until,omitzero"`
	LastDay string    `json:"last_day,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	// Approval is set by the practice.
	Approval *Approval `json:"approval,omitempty"`
}

// Action returns "extend".
func (Extend) Action() string { return "extend" }

// Validate checks that it says until when, and the reason, which may be empty.
func (a Extend) Validate() error {
	var v itsm.Validation
	v.Check(!a.Until.IsZero() || a.LastDay != "", "until", "or last_day must be given")
	v.Check(a.Until.IsZero() || a.LastDay == "", "last_day", "must not be given beside until")
	if a.LastDay != "" {
		v.Check(new(sla.Date).UnmarshalText([]byte(a.LastDay)) == nil, "last_day", "must be a day such as 2026-06-30")
	}
	v.Text("reason", a.Reason, 0, maxNote)
	return v.Err()
}

// extendable reports whether there is an end that can be moved, and nobody is
// deciding about that.
func (i *Item) extendable() bool {
	return i.granted() && i.Extend != nil && !i.Until.IsZero() && i.Longer == (Longer{})
}

// Guard refuses where nothing can be extended.
func (Extend) Guard(r *Request, _ itsm.Moment) error {
	return r.hasItem("granted until a time that can be extended", (*Item).extendable)
}

// prepare opens the approval, if there has to be one.
func (a Extend) prepare(r *Request, at itsm.Moment, cfg Config, open func(policy string) (Approval, error)) (itsm.Action[Request], error) {
	a.Approval = nil
	if a.LastDay != "" {
		a.Until = cfg.Catalogue.lastDay(a.LastDay)
	}
	item, err := a.item(r)
	if err != nil || a.Until.IsZero() {
		return a, err
	}
	if err := a.check(item, at); err != nil || item.Extend.Policy == "" {
		return a, err
	}
	one, err := open(item.Extend.Policy)
	if err != nil {
		return a, err
	}
	one.Extends = a.Item
	a.Approval = &one
	return a, nil
}

func (a Extend) item(r *Request) (*Item, error) {
	return r.item(a.Item, "granted until a time that can be extended", (*Item).extendable)
}

// check says what is wrong with the time.
func (a Extend) check(item *Item, at itsm.Moment) error {
	var v itsm.Validation
	v.Check(a.Until.After(item.Until), "until", "must be after "+item.Until.Format(time.RFC3339)+", when it ends anyhow")
	v.Check(a.Until.After(at.At), "until", "must be after now")
	most := item.Extend.Longest
	v.Check(most == 0 || !a.Until.After(item.Until.Add(most)), "until", fmt.Sprintf("must be at most %s later than %s", most, item.Until.Format(time.RFC3339)))
	v.Rule(item.Extend.Times == 0 || item.Extended < item.Extend.Times, fmt.Sprintf("item %d was extended %d times, as often as it can be", item.Number, item.Extended))
	return v.Err()
}

// Apply keeps what was asked for. The approval, if there has to be one, is opened.
func (a Extend) Apply(r *Request, at itsm.Moment) error {
	item, err := a.item(r)
	if err != nil {
		return err
	}
	if err := a.check(item, at); err != nil {
		return err
	}
	item.Longer = Longer{Until: a.Until, By: at.Actor.ID, Reason: a.Reason}
	if a.Approval != nil {
		if err := (SeekApproval{Approval: a.Approval}).Apply(r, at); err != nil {
			return err
		}
		item.Longer.Approval = len(r.Approvals)
	}
	return nil
}

// Prolong is what follows when an extension is approved, or needs no approval. What the
// host has to set anew for it elsewhere, its automation reads here.
type Prolong struct {
	Item  int       `json:"item"`
	Until time.Time `json:"until"`
}

// Action returns "prolong".
func (Prolong) Action() string { return "prolong" }

// Apply moves the end.
func (a Prolong) Apply(r *Request, _ itsm.Moment) error {
	if item := r.Item(a.Item); item != nil {
		r.settleLonger(item, approval.Approved)
		item.Until = a.Until
		item.Extended++
	}
	return nil
}

// KeepEnd is what follows when an extension is not approved, or not in time: what was
// granted ends when it would have ended.
type KeepEnd struct {
	Item    int              `json:"item"`
	Outcome approval.Outcome `json:"outcome"`
}

// Action returns "keep_end".
func (KeepEnd) Action() string { return "keep_end" }

// Apply forgets what was asked for, which the history keeps.
func (a KeepEnd) Apply(r *Request, _ itsm.Moment) error {
	if item := r.Item(a.Item); item != nil {
		r.settleLonger(item, a.Outcome)
	}
	return nil
}

// settleLonger ends what was asked for, and the vote about it.
func (r *Request) settleLonger(item *Item, outcome approval.Outcome) {
	if one := r.Approval(item.Longer.Approval); one != nil && !one.Final {
		one.Outcome, one.Final = outcome, true
	}
	item.Longer = Longer{}
}

// extended says what follows for the first extension that is decided, if there is one.
func (r *Request) extended() itsm.Action[Request] {
	for i := range r.Items {
		item := &r.Items[i]
		if item.Longer == (Longer{}) {
			continue
		}
		switch one := r.Approval(item.Longer.Approval); {
		case one == nil, one.decided() && one.Outcome == approval.Approved:
			return Prolong{item.Number, item.Longer.Until}
		case one.decided():
			return KeepEnd{item.Number, one.Outcome}
		}
	}
	return nil
}

// lastDay returns when a day is over.
func (c *Catalogue) lastDay(day string) time.Time {
	if c == nil {
		c = &Catalogue{zone: time.UTC}
	}
	text, err := json.Marshal(day)
	if err != nil {
		return time.Time{}
	}
	return c.when(text, true)
}
