package request

import (
	"slices"
	"strconv"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// A Request is an order: somebody asks, for themselves or for another, for something
// that has been agreed to be delivered. It is changed by actions only; what was said
// about it is in its history, see [Practice.Journal].
//
// What was ordered (Lines) is kept as it was said. Submitting resolves it by the
// catalogue of that day into what is to be delivered (Items), what has to be
// approved (Approvals), and what has to be done (Tasks): from then on the request
// needs no catalogue.
//
// Times are UTC and whole microseconds; the zero value of a field means that there
// is nothing to say.
type Request struct {
	itsm.Meta

	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// Requester is who orders, Recipient who is to get it.
	Requester string `json:"requester"`
	Recipient string `json:"recipient"`
	// Channel is how it came in: portal, phone, mail.
	Channel string `json:"channel,omitempty"`

	// Lines are what was ordered. A request without any is one for which there is
	// no offering: people see to it.
	Lines []Line `json:"lines,omitempty"`
	// Items are what is to be delivered, numbered from 1.
	Items []Item `json:"items,omitempty"`
	// Approvals are what has to be approved, numbered from 1.
	Approvals []Approval `json:"approvals,omitempty"`
	// Tasks are what has to be done, numbered from 1.
	Tasks []Task `json:"tasks,omitempty"`
	// Price is that of all items together.
	Price Price `json:"price,omitempty"`
	// RollUp says what the outcomes of items mean for the request.
	RollUp RollUpPolicy `json:"roll_up,omitempty"`
	// Without lists the actions that its models do not have.
	Without []string `json:"without,omitempty"`
	// Automatic says that all its models begin by themselves.
	Automatic bool `json:"automatic,omitempty"`

	Assignment Assignment `json:"assignment,omitzero"`
	// Hold says why nothing is being done; zero unless the state is OnHold.
	Hold Hold `json:"hold,omitzero"`
	// Rejection says why it was rejected; zero unless the state is Rejected.
	Rejection string `json:"rejection,omitempty"`
	// Completion is what became of it in the end; [Open] until then.
	Completion Outcome `json:"completion,omitempty"`
	// CloseAt is when a fulfilled request closes by itself.
	CloseAt time.Time `json:"close_at,omitzero"`
	// Reopens counts how often the fulfilment did not hold.
	Reopens int `json:"reopens,omitempty"`

	Milestones Milestones `json:"milestones"`

	// Clocks are what is promised about it and how that stands, by the
	// agreements that apply ([Config].Agreements).
	slm.Clocks

	// PublicNotes and InternalNotes count what is in the journal.
	PublicNotes   int `json:"public_notes,omitempty"`
	InternalNotes int `json:"internal_notes,omitempty"`
	// TimeSpent is the work logged. JSON: nanoseconds.
	TimeSpent time.Duration `json:"time_spent,omitempty"`
	// Satisfaction is what the requester thought of it in the end.
	Satisfaction Satisfaction `json:"satisfaction,omitzero"`
}

// AppendKeys lists by which keys requests can be found: requester, recipient,
// assignee, group, offering, and, of tasks that are ready or being done, task_group,
// task_assignee and automation.
func (r *Request) AppendKeys(keys []itsm.Key) []itsm.Key {
	add := func(field, value string) {
		if key := (itsm.Key{Field: field, Value: value}); value != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	add("requester", r.Requester)
	add("recipient", r.Recipient)
	add("assignee", r.Assignment.Person)
	add("group", r.Assignment.Group)
	for _, line := range r.Lines {
		add("offering", line.Offering)
	}
	for _, t := range r.Tasks {
		if t.State == TaskReady || t.State == TaskRunning {
			add("task_group", t.Group)
			add("task_assignee", t.Person)
			add("automation", t.Automation)
		}
	}
	return keys
}

// A Line is one thing that was ordered: an offering, how many, with which options,
// and its form as it was filled in.
type Line struct {
	Offering string `json:"offering"`
	// Version is which version was ordered; 0 means the latest.
	Version int `json:"version,omitempty"`
	// Quantity is how many; 0 means 1.
	Quantity int      `json:"quantity,omitempty"`
	Options  []string `json:"options,omitempty"`
	// Values are by the names of the form's variables.
	Values itsm.Fields `json:"values,omitempty"`
	// Leave lists optional components of a bundle that are not wanted.
	Leave []string `json:"leave,omitempty"`
}

// An Item is one thing that is to be delivered, as the catalogue had it when the
// request was submitted.
type Item struct {
	Number int `json:"number"`
	// Line is the index of the line that it comes from. A bundle makes several
	// items of a line.
	Line     int         `json:"line"`
	Offering string      `json:"offering"`
	Version  int         `json:"version"`
	Title    string      `json:"title"`
	Model    string      `json:"model,omitempty"`
	Service  string      `json:"service,omitempty"`
	Quantity int         `json:"quantity"`
	Options  []string    `json:"options,omitempty"`
	Values   itsm.Fields `json:"values,omitempty"`
	// Price is that of all of them, with options.
	Price  Price        `json:"price,omitempty"`
	RollUp RollUpPolicy `json:"roll_up,omitempty"`
	// Outcome is what became of it.
	Outcome Outcome `json:"outcome,omitempty"`
	// Ended is when it got its outcome.
	Ended time.Time `json:"ended,omitzero"`
	// Lasts is how long what is granted lasts once it is fulfilled, and Until
	// when it ends. JSON of Lasts: nanoseconds.
	Lasts time.Duration `json:"lasts,omitempty"`
	Until time.Time     `json:"until,omitzero"`
	// Extend is how it can be made to last longer; nil means that it cannot.
	// Extended is how often it was, and Longer what was asked for and is not
	// decided.
	Extend   *Extension `json:"extend,omitempty"`
	Extended int        `json:"extended,omitempty"`
	Longer   Longer     `json:"longer,omitzero"`
	// Return is how what was delivered is being taken back.
	Return Return `json:"return,omitzero"`
}

// granted reports whether the requester has what was ordered.
func (i *Item) granted() bool {
	return (i.Outcome == Complete || i.Outcome == WithIssues) && i.Return.Opened.IsZero()
}

// A Return is how something that was delivered is taken back.
type Return struct {
	Reason string    `json:"reason"`
	Opened time.Time `json:"opened"`
	// Done is when the last of its tasks was done or skipped.
	Done time.Time `json:"done,omitzero"`
}

// A TaskState is how far a task is.
type TaskState string

const (
	// TaskWaiting needs others to end, or its time to come.
	TaskWaiting TaskState = "waiting"
	// TaskReady can be begun.
	TaskReady TaskState = "ready"
	// TaskRunning is being done.
	TaskRunning TaskState = "running"
	// TaskDone is done.
	TaskDone TaskState = "done"
	// TaskFailed could not be done.
	TaskFailed TaskState = "failed"
	// TaskSkipped was not needed.
	TaskSkipped TaskState = "skipped"
	// TaskCancelled is not wanted any more, or what it needs has failed.
	TaskCancelled TaskState = "cancelled"
)

// TaskStates lists them.
func TaskStates() []TaskState {
	return []TaskState{TaskWaiting, TaskReady, TaskRunning, TaskDone, TaskFailed, TaskSkipped, TaskCancelled}
}

// Outcome returns what the state of a task means for what it is a part of.
func (s TaskState) Outcome() Outcome {
	switch s {
	case TaskDone:
		return Complete
	case TaskFailed:
		return Failed
	case TaskSkipped:
		return Skipped
	case TaskCancelled:
		return Withdrawn
	case TaskWaiting, TaskReady, TaskRunning:
	}
	return Open
}

// ended reports whether nothing more is to be done.
func (s TaskState) ended() bool { return s.Outcome() != Open }

// A Task is something that has to be done for an item, or for the request as a whole.
type Task struct {
	Number int `json:"number"`
	// Item is the number of the item; 0 is the request as a whole.
	Item int `json:"item,omitempty"`
	// Key is its name in the model; empty for one that was added by hand.
	Key        string    `json:"key,omitempty"`
	Title      string    `json:"title"`
	State      TaskState `json:"state"`
	Group      string    `json:"group,omitempty"`
	Person     string    `json:"person,omitempty"`
	Automation string    `json:"automation,omitempty"`
	// Change is the template of a standard change, and Record where it is done:
	// the change, or whatever the host keeps of it.
	Change string    `json:"change,omitempty"`
	Record *itsm.Ref `json:"record,omitempty"`
	// Needs are the numbers of tasks that have to end before.
	Needs []int         `json:"needs,omitempty"`
	When  sla.Condition `json:"when,omitempty"`
	// Opens is when it begins at the earliest.
	Opens time.Time `json:"opens,omitzero"`
	// Within is how long it may take, and Due until when. Missed says that it took
	// longer. JSON of Within: nanoseconds.
	Within time.Duration `json:"within,omitempty"`
	Due    time.Time     `json:"due,omitzero"`
	Missed bool          `json:"missed,omitempty"`
	// Undo is how it is taken back, UndoneBy by which task, and Undoes which one
	// this task takes back.
	Undo     *Undo `json:"undo,omitempty"`
	UndoneBy int   `json:"undone_by,omitempty"`
	Undoes   int   `json:"undoes,omitempty"`
	// Ended is when it ended, and Order the how manieth of the request it was.
	Ended time.Time `json:"ended,omitzero"`
	Order int       `json:"order,omitempty"`
	// Result is what came of it, on which conditions of other tasks may depend;
	// Note says more for people.
	Result string `json:"result,omitempty"`
	Note   string `json:"note,omitempty"`
}

// unattended reports whether it begins by itself.
func (t *Task) unattended() bool { return t.Automation != "" || t.Change != "" }

// An Approval is one thing that has to be approved, with the votes. What it comes
// to is in the history; [Practice.Decision] explains it.
type Approval struct {
	Number int `json:"number"`
	// Policy is the name of the catalogue's policy.
	Policy string `json:"policy"`
	// Items are the numbers of the items that it is about; none means the
	// request as a whole.
	Items []int `json:"items,omitempty"`
	// Extends is the number of the item about whose extension it is: the request
	// itself does not wait for it.
	Extends    int                 `json:"extends,omitempty"`
	Electorate approval.Electorate `json:"electorate"`
	Ballots    []approval.Ballot   `json:"ballots,omitempty"`
	// Outcome is what the votes came to, and Final that no ballot counts any more.
	Outcome approval.Outcome `json:"outcome"`
	Final   bool             `json:"final,omitempty"`
}

// decided reports whether the request goes by the outcome: votes that may still
// change until a deadline are waited for.
func (a *Approval) decided() bool {
	return a.Outcome != approval.Open && (a.Final || a.Electorate.Deadline.IsZero())
}

// An Assignment says whose a request is: a group's, or one person's in it.
type Assignment = itsm.Assignment

// A HoldReason says what a request waits for. A host may use reasons of its own
// beside these.
type HoldReason string

// What requests wait for, as most products have it.
const (
	AwaitingRequester HoldReason = "requester"
	AwaitingVendor    HoldReason = "vendor"
	AwaitingStock     HoldReason = "stock"
	AwaitingChange    HoldReason = "change"
	AwaitingOther     HoldReason = "other"
)

// Hold is why a request is on hold and what ends that.
type Hold struct {
	Reason HoldReason `json:"reason"`
	Note   string     `json:"note,omitempty"`
	Since  time.Time  `json:"since"`
	// Until is when it resumes by itself.
	Until time.Time `json:"until,omitzero"`
	// From is the state to which it resumes.
	From itsm.State `json:"from"`
}

// Milestones are when a request came so far; zero if it did not. Reopening takes
// the last two back.
type Milestones struct {
	Submitted time.Time `json:"submitted,omitzero"`
	// Approved is when nothing had to be approved any more.
	Approved time.Time `json:"approved,omitzero"`
	// Responded is when the requester first heard from somebody else.
	Responded time.Time `json:"responded,omitzero"`
	// Started is when the fulfilment began.
	Started   time.Time `json:"started,omitzero"`
	Fulfilled time.Time `json:"fulfilled,omitzero"`
	Closed    time.Time `json:"closed,omitzero"`
}

// Satisfaction is the requester's answer, from 1 (bad) to 5 (good).
type Satisfaction struct {
	Score   int       `json:"score"`
	Comment string    `json:"comment,omitempty"`
	At      time.Time `json:"at"`
}

// Relations of a request's links, read from the request.
const (
	// FulfilledBy points to where a task is done, such as a change.
	FulfilledBy = "fulfilled_by"
	// Caused points to an incident that came of what was delivered.
	Caused = "caused"
	// ReclassifiedAs points to the incident that it really was, ReclassifiedFrom
	// to the incident that it was taken for.
	ReclassifiedAs   = "reclassified_as"
	ReclassifiedFrom = "reclassified_from"
)

// Item returns the item of a number, or nil.
func (r *Request) Item(number int) *Item {
	if number < 1 || number > len(r.Items) {
		return nil
	}
	return &r.Items[number-1]
}

// Task returns the task of a number, or nil.
func (r *Request) Task(number int) *Task {
	if number < 1 || number > len(r.Tasks) {
		return nil
	}
	return &r.Tasks[number-1]
}

// Approval returns the approval of a number, or nil.
func (r *Request) Approval(number int) *Approval {
	if number < 1 || number > len(r.Approvals) {
		return nil
	}
	return &r.Approvals[number-1]
}

// Undoing returns how many tasks there are that take something back and have not
// done so. They go on whatever state the request is in, also when it is closed or
// cancelled. One that has failed is among them until it is tried again or skipped.
func (r *Request) Undoing() int {
	n := 0
	for i := range r.Tasks {
		if r.Tasks[i].undoing() {
			n++
		}
	}
	return n
}

// undoing reports whether the task takes something back and has not done so.
func (t *Task) undoing() bool {
	return t.Undoes > 0 && t.State != TaskDone && t.State != TaskSkipped
}

// Outcome returns what has become of the request by now: [RollUp] of its items, and
// of the tasks that are the whole request's.
func (r *Request) Outcome() Outcome {
	var parts []Outcome
	for i := range r.Items {
		parts = append(parts, r.Items[i].Outcome)
	}
	return RollUp(r.RollUp, append(parts, r.outcomes(0)...)...)
}

// outcomes lists those of the tasks of an item.
func (r *Request) outcomes(item int) []Outcome {
	var parts []Outcome
	for i := range r.Tasks {
		if t := &r.Tasks[i]; t.Item == item && t.Undoes == 0 {
			parts = append(parts, t.State.Outcome())
		}
	}
	return parts
}

// unapproved says what has not been approved yet, if anything.
func (r *Request) unapproved() error {
	var v itsm.Validation
	for _, a := range r.Approvals {
		v.Rule(a.Extends > 0 || a.decided() && a.Outcome == approval.Approved, "approval "+strconv.Itoa(a.Number)+", "+a.Policy+", is not given")
	}
	return v.Err()
}

// kept reports whether the state is one in which everything has ended but what is
// being taken back.
func kept(s itsm.State) bool {
	return slices.Contains([]itsm.State{Fulfilled, Closed, Cancelled, Rejected}, s)
}
