package request

import (
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Assign gives the request to a group, to a person, or to a person in a group.
type Assign struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "assign".
func (Assign) Action() string { return "assign" }

// Validate checks that it names somebody.
func (a Assign) Validate() error { return Assignment(a).Validate() }

// Guard refuses while something is not approved.
func (Assign) Guard(r *Request, _ itsm.Moment) error { return r.unapproved() }

// Apply refuses what would change nothing.
func (a Assign) Apply(r *Request, _ itsm.Moment) error {
	if r.State == Assigned && r.Assignment == Assignment(a) {
		return itsm.Refuse("it is assigned so already")
	}
	r.Assignment, r.Hold = Assignment(a), Hold{}
	return nil
}

// Start begins the fulfilment: the first tasks are ready. Where nobody is assigned,
// it is whoever starts.
type Start struct{}

// Action returns "start".
func (Start) Action() string { return "start" }

// Guard refuses while something is not approved.
func (Start) Guard(r *Request, _ itsm.Moment) error { return r.unapproved() }

// Apply opens the tasks.
func (Start) Apply(r *Request, at itsm.Moment) error {
	r.Assignment.Take(at)
	r.begin(at.At)
	return nil
}

func (r *Request) begin(at time.Time) {
	if r.Milestones.Started.IsZero() {
		r.Milestones.Started = at
	}
	r.advance(at)
}

// Begin is what begins the fulfilment by itself, where the models are automatic.
type Begin struct{}

// Action returns "begin".
func (Begin) Action() string { return "begin" }

// Apply opens the tasks.
func (Begin) Apply(r *Request, at itsm.Moment) error {
	r.begin(at.At)
	return nil
}

// PutOnHold says that nothing can be done until something outside happens. Where
// that is known already, it says anew for what and how long.
type PutOnHold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	// Until is when it resumes by itself; zero means never.
	Until time.Time `json:"until,omitzero"`
}

// Action returns "hold".
func (PutOnHold) Action() string { return "hold" }

// Validate checks reason and note.
func (a PutOnHold) Validate() error {
	var v itsm.Validation
	v.Text("reason", string(a.Reason), 1, maxName)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Apply keeps why, until when, since when, and where it resumes to.
func (a PutOnHold) Apply(r *Request, at itsm.Moment) error {
	if !a.Until.IsZero() && !a.Until.After(at.At) {
		return &itsm.FieldError{Field: "until", Reason: "must be after now"}
	}
	since, from := at.At, r.State
	if r.State == OnHold {
		since, from = r.Hold.Since, r.Hold.From
	}
	r.Hold = Hold{Reason: a.Reason, Note: a.Note, Since: since, Until: a.Until, From: from}
	return nil
}

// Resume ends a hold: the request is again what it was before. Time and the
// requester's reply do it as well.
type Resume struct {
	// By is set by the practice: "time", "reply", or empty if somebody asked.
	By string `json:"by,omitempty"`
}

// Action returns "resume".
func (Resume) Action() string { return "resume" }

// Apply ends the hold.
func (Resume) Apply(r *Request, _ itsm.Moment) error { return r.release() }

func (r *Request) release() error {
	r.Hold = Hold{}
	return nil
}

// ResumeSubmitted, ResumeApproval, ResumeApproved and ResumeAssigned are what
// [Resume] becomes for a request that was on hold from these states.
type (
	// ResumeSubmitted leads back to Submitted.
	ResumeSubmitted Resume
	// ResumeApproval leads back to AwaitingApproval.
	ResumeApproval Resume
	// ResumeApproved leads back to Approved.
	ResumeApproved Resume
	// ResumeAssigned leads back to Assigned.
	ResumeAssigned Resume
)

// Action returns "resume_submitted".
func (ResumeSubmitted) Action() string { return "resume_submitted" }

// Apply ends the hold.
func (ResumeSubmitted) Apply(r *Request, _ itsm.Moment) error { return r.release() }

// Action returns "resume_approval".
func (ResumeApproval) Action() string { return "resume_approval" }

// Apply ends the hold.
func (ResumeApproval) Apply(r *Request, _ itsm.Moment) error { return r.release() }

// Action returns "resume_approved".
func (ResumeApproved) Action() string { return "resume_approved" }

// Apply ends the hold.
func (ResumeApproved) Apply(r *Request, _ itsm.Moment) error { return r.release() }

// Action returns "resume_assigned".
func (ResumeAssigned) Action() string { return "resume_assigned" }

// Apply ends the hold.
func (ResumeAssigned) Apply(r *Request, _ itsm.Moment) error { return r.release() }

// back says what resuming is for a request.
func (a Resume) back(r *Request) itsm.Action[Request] {
	switch r.Hold.From {
	case Submitted:
		return ResumeSubmitted(a)
	case AwaitingApproval:
		return ResumeApproval(a)
	case Approved:
		return ResumeApproved(a)
	case Assigned:
		return ResumeAssigned(a)
	}
	return a
}

// FulfilItem says that an item is delivered which has no tasks, or none that are
// open.
type FulfilItem struct {
	Item int    `json:"item"`
	Note string `json:"note,omitempty"`
}

// Action returns "fulfil_item".
func (FulfilItem) Action() string { return "fulfil_item" }

// Validate checks the note.
func (a FulfilItem) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Guard refuses where no item is open, or something is not approved.
func (FulfilItem) Guard(r *Request, _ itsm.Moment) error {
	var v itsm.Validation
	v.Add(r.unapproved())
	v.Add(r.hasItem("open", func(i *Item) bool { return i.Outcome == Open }))
	return v.Err()
}

// Apply ends it.
func (a FulfilItem) Apply(r *Request, at itsm.Moment) error {
	item, err := r.item(a.Item, "open", func(i *Item) bool { return i.Outcome == Open })
	if err != nil {
		return err
	}
	if n := r.openTasks(func(t *Task) bool { return t.Item == a.Item }); n > 0 {
		return itsm.Refuse("item %d has open tasks: %d", a.Item, n)
	}
	item.end(Complete, at.At)
	return nil
}

// openTasks counts those that are not there to take something back.
func (r *Request) openTasks(of func(*Task) bool) int {
	n := 0
	for i := range r.Tasks {
		if t := &r.Tasks[i]; of(t) && t.Undoes == 0 && !t.State.ended() {
			n++
		}
	}
	return n
}

// item returns the item that an action is about, or a finding.
func (r *Request) item(number int, is string, ok func(*Item) bool) (*Item, error) {
	item := r.Item(number)
	switch {
	case item == nil:
		return nil, &itsm.FieldError{Field: "item", Reason: fmt.Sprintf("must be the number of an item, is %d", number)}
	case !ok(item):
		return nil, itsm.Refuse("item %d is not %s", number, is)
	}
	return item, nil
}

// hasItem refuses where there is none.
func (r *Request) hasItem(is string, ok func(*Item) bool) error {
	if !slices.ContainsFunc(r.Items, func(i Item) bool { return ok(&i) }) {
		return itsm.Refuse("no item is %s", is)
	}
	return nil
}

// CancelItem says that one item is not wanted any more. What was done for it is
// taken back, the last first; the others go on.
type CancelItem struct {
	Item   int    `json:"item"`
	Reason string `json:"reason"`
}

// Action returns "cancel_item".
func (CancelItem) Action() string { return "cancel_item" }

// Validate checks the reason.
func (a CancelItem) Validate() error { return needReason(a.Reason) }

// Guard refuses where no item is open.
func (CancelItem) Guard(r *Request, _ itsm.Moment) error {
	return r.hasItem("open", func(i *Item) bool { return i.Outcome == Open })
}

// Apply ends it.
func (a CancelItem) Apply(r *Request, at itsm.Moment) error {
	item, err := r.item(a.Item, "open", func(i *Item) bool { return i.Outcome == Open })
	if err != nil {
		return err
	}
	mine := func(t *Task) bool { return t.Item == a.Item }
	r.takeBack(mine)
	r.giveUp(mine, at.At)
	item.end(Withdrawn, at.At)
	r.advance(at.At)
	return nil
}

// ReturnItem gives back what was delivered, before time takes it: it opens the
// return of an item that was delivered.
type ReturnItem struct {
	Item   int    `json:"item"`
	Reason string `json:"reason"`
}

// Action returns "return".
func (ReturnItem) Action() string { return "return" }

// Validate checks the reason.
func (a ReturnItem) Validate() error { return needReason(a.Reason) }

// Guard refuses where nothing is there to be returned.
func (ReturnItem) Guard(r *Request, _ itsm.Moment) error {
	return r.hasItem("delivered and not returned", (*Item).granted)
}

// Apply opens the return.
func (a ReturnItem) Apply(r *Request, at itsm.Moment) error {
	item, err := r.item(a.Item, "delivered and not returned", (*Item).granted)
	if err != nil {
		return err
	}
	r.takeBackItem(item, a.Reason, at.At)
	r.advance(at.At)
	return nil
}

// Expire is what happens when the time is over for which something was granted: its
// return opens, in the order in which [Cancel] takes back what was done.
type Expire struct {
	Due time.Time `json:"due"`
}

// Action returns "expire".
func (Expire) Action() string { return "expire" }

// Apply opens the returns.
func (a Expire) Apply(r *Request, at itsm.Moment) error {
	for i := range r.Items {
		if item := &r.Items[i]; item.granted() && !item.Until.IsZero() && !item.Until.After(a.Due) {
			r.takeBackItem(item, "expired", at.At)
		}
	}
	r.advance(at.At)
	return nil
}

// nextEnd returns when the first of what was granted ends.
func (r *Request) nextEnd() time.Time {
	var first time.Time
	for i := range r.Items {
		if item := &r.Items[i]; item.granted() && before(item.Until, first) {
			first = item.Until
		}
	}
	return first
}

// Fulfil says that everything is delivered which is still open. Requests with tasks
// are fulfilled by the last of these ([AutoFulfil]).
type Fulfil struct {
	Note string `json:"note,omitempty"`
	// CloseAt is set by the practice.
	CloseAt time.Time `json:"close_at,omitzero"`
}

// Action returns "fulfil".
func (Fulfil) Action() string { return "fulfil" }

// Validate checks the note.
func (a Fulfil) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Guard refuses while tasks are open or something is not approved.
func (Fulfil) Guard(r *Request, _ itsm.Moment) error {
	var v itsm.Validation
	v.Add(r.unapproved())
	n := r.openTasks(func(*Task) bool { return true })
	v.Rule(n == 0, fmt.Sprintf("%d of its tasks are open", n))
	return v.Err()
}

// Apply ends what is open.
func (a Fulfil) Apply(r *Request, at itsm.Moment) error {
	for i := range r.Items {
		if item := &r.Items[i]; item.Outcome == Open {
			item.end(Complete, at.At)
		}
	}
	outcome := r.Outcome()
	if outcome == Withdrawn || outcome == Open {
		return itsm.Refuse("nothing of it was delivered")
	}
	r.fulfil(outcome, a.CloseAt, at.At)
	return nil
}

func (r *Request) fulfil(outcome Outcome, closeAt, at time.Time) {
	r.Completion, r.CloseAt, r.Hold = outcome, closeAt, Hold{}
	r.Milestones.Fulfilled = at
	if r.Milestones.Responded.IsZero() {
		r.Milestones.Responded = at
	}
}

// AutoFulfil is what follows when the last item and task have ended.
type AutoFulfil struct {
	// Completion is what has become of the request, by [RollUp].
	Completion Outcome `json:"completion"`
	// CloseAt is set by the practice.
	CloseAt time.Time `json:"close_at,omitzero"`
}

// Action returns "auto_fulfil".
func (AutoFulfil) Action() string { return "auto_fulfil" }

// Apply ends it.
func (a AutoFulfil) Apply(r *Request, at itsm.Moment) error {
	r.fulfil(a.Completion, a.CloseAt, at.At)
	return nil
}

// AutoCancel is what follows when every item was cancelled.
type AutoCancel struct{}

// Action returns "auto_cancel".
func (AutoCancel) Action() string { return "auto_cancel" }

// Apply ends it.
func (AutoCancel) Apply(r *Request, at itsm.Moment) error {
	r.withdraw(at.At)
	return nil
}

// Close ends a fulfilled request: the requester agrees, or nobody objects. What was
// granted may still expire, and what is taken back goes on.
type Close struct {
	Note string `json:"note,omitempty"`
}

// Action returns "close".
func (Close) Action() string { return "close" }

// Validate checks the note.
func (a Close) Validate() error { return itsm.CheckText("note", a.Note, 0, maxNote) }

// Apply sets the milestone.
func (Close) Apply(r *Request, at itsm.Moment) error {
	r.CloseAt, r.Milestones.Closed = time.Time{}, at.At
	return nil
}

// AutoClose closes a fulfilled request because nobody objected in time.
type AutoClose struct{}

// Action returns "auto_close".
func (AutoClose) Action() string { return "auto_close" }

// Apply sets the milestone.
func (AutoClose) Apply(r *Request, at itsm.Moment) error { return Close{}.Apply(r, at) }

// Reopen takes up the work again because something is missing. What that is, tasks
// say ([RetryTask], [AddTask]), and [Fulfil] ends it again. For how long a closed
// request can be reopened is the host's policy ([Config].ReopenWindow).
type Reopen struct {
	Reason string `json:"reason"`
}

// Action returns "reopen".
func (Reopen) Action() string { return "reopen" }

// Validate checks the reason.
func (a Reopen) Validate() error { return needReason(a.Reason) }

// Apply counts it.
func (Reopen) Apply(r *Request, at itsm.Moment) error {
	if at.Actor.ID != r.Requester {
		r.Assignment.Take(at)
	}
	r.revoke()
	r.begin(at.At)
	return nil
}

// revoke forgets that it was fulfilled, which the history keeps.
func (r *Request) revoke() {
	r.Reopens++
	r.Completion, r.CloseAt = Open, time.Time{}
	r.Milestones.Fulfilled, r.Milestones.Closed = time.Time{}, time.Time{}
}

// RejectFulfilment is the requester saying that it is not what was ordered: the
// request goes back to those who had it, or to others.
type RejectFulfilment struct {
	Reason string `json:"reason"`
	// Group and Person say to whom; empty means those who had it.
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "reject_fulfilment".
func (RejectFulfilment) Action() string { return "reject_fulfilment" }

// Validate checks the texts.
func (a RejectFulfilment) Validate() error {
	var v itsm.Validation
	v.Add(needReason(a.Reason))
	v.Text("group", a.Group, 0, maxName)
	v.Text("person", a.Person, 0, maxName)
	return v.Err()
}

// Apply counts it and assigns the request.
func (a RejectFulfilment) Apply(r *Request, _ itsm.Moment) error {
	to := Assignment{Group: a.Group, Person: a.Person}
	if to == (Assignment{}) {
		to = r.Assignment
	}
	if to == (Assignment{}) {
		return &itsm.FieldError{Field: "group", Reason: "or person must be given: nobody had it before"}
	}
	r.Assignment = to
	r.revoke()
	return nil
}

// Cancel ends a request that is not wanted any more. What was done is taken back,
// the last first, by tasks that go on while the request is cancelled
// ([Request.Undoing]).
type Cancel struct {
	Reason string `json:"reason"`
}

// Action returns "cancel".
func (Cancel) Action() string { return "cancel" }

// Validate checks the reason.
func (a Cancel) Validate() error { return needReason(a.Reason) }

// Apply takes back what was done.
func (Cancel) Apply(r *Request, at itsm.Moment) error {
	r.withdraw(at.At)
	return nil
}

// Reclassify ends a request that was filed by mistake: it is really something else,
// such as an incident, to which it points from then on. [Request.Misfiled] has all
// that the other record needs.
type Reclassify struct {
	To     itsm.Ref `json:"to"`
	Reason string   `json:"reason"`
}

// Action returns "reclassify".
func (Reclassify) Action() string { return "reclassify" }

// Validate checks that it says as what, and why.
func (a Reclassify) Validate() error {
	var v itsm.Validation
	v.Ref("to", a.To)
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply links the other record and takes back what was done.
func (a Reclassify) Apply(r *Request, at itsm.Moment) error {
	if err := (Link{Link: itsm.Link{Rel: ReclassifiedAs, To: a.To}}).Apply(r, at); err != nil {
		return err
	}
	r.withdraw(at.At)
	return nil
}
