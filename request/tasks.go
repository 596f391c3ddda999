package request

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
)

// Names of facts about what was ordered, beside the variables of its form.
const (
	factOffering = "offering"
	factQuantity = "quantity"
	factOption   = "option."
	factTask     = "task."
)

// ordered is what conditions of models may ask about.
type ordered struct {
	item  *Item
	tasks []Task
}

// Fact returns a fact by its name: see [TaskModel].When.
func (o ordered) Fact(name string) string {
	switch {
	case o.item == nil:
		return ""
	case name == factOffering:
		return o.item.Offering
	case name == factQuantity:
		return strconv.Itoa(o.item.Quantity)
	}
	if option, ok := strings.CutPrefix(name, factOption); ok {
		return strconv.FormatBool(slices.Contains(o.item.Options, option))
	}
	if key, ok := strings.CutPrefix(name, factTask); ok {
		for i := range o.tasks {
			if t := &o.tasks[i]; t.Item == o.item.Number && t.Key == key && t.Undoes == 0 {
				return t.Result
			}
		}
		return ""
	}
	return answersAsFacts(o.item.Values).Fact(name)
}

// advance opens the tasks whose turn has come and ends those that are not needed or
// cannot be done any more, until nothing changes. Then it ends items.
func (r *Request) advance(at time.Time) {
	started := !r.Milestones.Started.IsZero()
	for again := true; again; {
		again = false
		for i := range r.Tasks {
			t := &r.Tasks[i]
			if t.State != TaskWaiting || !started && t.Undoes == 0 {
				continue
			}
			switch r.needed(t) {
			case Complete:
				if !t.When.Holds(ordered{r.Item(t.Item), r.Tasks}) {
					r.end(t, TaskSkipped, at)
					again = true
				} else if !t.Opens.After(at) {
					t.ready(at)
				}
			case Failed:
				r.end(t, TaskCancelled, at)
				again = true
			case Open, WithIssues, Withdrawn, Skipped:
			}
		}
	}
	r.settle(at)
}

// needed says how far the tasks are that a task needs: [Complete] if all have ended
// well, [Failed] if one cannot end well any more, or [Open].
func (r *Request) needed(t *Task) Outcome {
	all := Complete
	for _, n := range t.Needs {
		need := r.Task(n)
		if need == nil {
			continue
		}
		switch need.State {
		case TaskDone, TaskSkipped:
		case TaskFailed, TaskCancelled:
			if t.Undoes == 0 {
				return Failed
			}
			// What is taken back is taken back in order: somebody tries again, or
			// says that it can be left as it is.
			all = Open
		case TaskWaiting, TaskReady, TaskRunning:
			all = Open
		}
	}
	return all
}

func (t *Task) ready(at time.Time) {
	t.State = TaskReady
	if t.Within > 0 {
		t.Due = at.Add(t.Within)
	}
}

func (r *Request) end(t *Task, state TaskState, at time.Time) {
	last := 0
	for i := range r.Tasks {
		last = max(last, r.Tasks[i].Order)
	}
	t.State, t.Ended, t.Order, t.Due = state, at, last+1, time.Time{}
}

// settle gives items the outcomes of their tasks, and finds out what has been taken
// back.
func (r *Request) settle(at time.Time) {
	for i := range r.Items {
		item := &r.Items[i]
		if parts := r.outcomes(item.Number); item.Outcome == Open && len(parts) > 0 {
			item.end(RollUp(item.RollUp, parts...), at)
		}
		if item.Return.Opened.IsZero() || !item.Return.Done.IsZero() {
			continue
		}
		open := slices.ContainsFunc(r.Tasks, func(t Task) bool { return t.Item == item.Number && t.undoing() })
		if !open {
			item.Return.Done = at
		}
	}
}

// end gives an item its outcome, if it is one.
func (i *Item) end(outcome Outcome, at time.Time) {
	if outcome == Open {
		return
	}
	i.Outcome, i.Ended = outcome, at
	if i.Lasts > 0 && i.granted() {
		i.Until = at.Add(i.Lasts)
	}
}

// reopen takes back that an item has an outcome, and with it that it was granted.
func (r *Request) reopen(item *Item) {
	r.settleLonger(item, approval.Expired)
	item.Outcome, item.Ended = Open, time.Time{}
	if item.Lasts > 0 {
		item.Until = time.Time{}
	}
}

// revive opens an item again, and the tasks that were given up because one had
// failed.
func (r *Request) revive(failed *Task) {
	failed.Ended, failed.Order = time.Time{}, 0
	if item := r.Item(failed.Item); item != nil && failed.Undoes == 0 {
		r.reopen(item)
	}
	waiting := []int{failed.Number}
	for len(waiting) > 0 {
		n := waiting[0]
		waiting = waiting[1:]
		for i := range r.Tasks {
			if t := &r.Tasks[i]; t.State == TaskCancelled && slices.Contains(t.Needs, n) {
				if item := r.Item(t.Item); item != nil && t.Item != failed.Item {
					if item.Outcome == Withdrawn || !item.Return.Opened.IsZero() {
						continue // it is not wanted any more
					}
					r.reopen(item)
				}
				t.State, t.Ended, t.Order = TaskWaiting, time.Time{}, 0
				waiting = append(waiting, t.Number)
			}
		}
	}
}

// takeBack opens the tasks that take back what was done, in reverse order: the last
// first, each when the one before has ended. What was being done counts as done:
// nobody knows how far it got.
func (r *Request) takeBack(of func(*Task) bool) {
	var done []int
	for i := range r.Tasks {
		if t := &r.Tasks[i]; of(t) && t.Undo != nil && t.UndoneBy == 0 && (t.State == TaskDone || t.State == TaskRunning) {
			done = append(done, i)
		}
	}
	slices.SortFunc(done, func(i, j int) int {
		a, b := &r.Tasks[i], &r.Tasks[j]
		running := func(t *Task) int {
			if t.State == TaskRunning {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(running(a), running(b)), cmp.Compare(b.Order, a.Order), cmp.Compare(b.Number, a.Number))
	})
	before := 0
	for _, i := range done {
		t, n := &r.Tasks[i], len(r.Tasks)+1
		t.UndoneBy = n
		undo := Task{Number: n, Item: t.Item, Key: t.Key, Title: t.Undo.Title, State: TaskWaiting,
			Group: t.Undo.Group, Automation: t.Undo.Automation, Change: t.Undo.Change, Undoes: t.Number}
		if before > 0 {
			undo.Needs = []int{before}
		}
		before = n
		r.Tasks = append(r.Tasks, undo)
	}
}

// giveUp ends the tasks that are still open.
func (r *Request) giveUp(of func(*Task) bool, at time.Time) {
	for i := range r.Tasks {
		if t := &r.Tasks[i]; of(t) && t.Undoes == 0 && !t.State.ended() {
			r.end(t, TaskCancelled, at)
		}
	}
}

// withdraw ends all of it: what is open is given up, and what was done is taken back.
func (r *Request) withdraw(at time.Time) {
	all := func(*Task) bool { return true }
	r.takeBack(all)
	r.giveUp(all, at)
	for i := range r.Items {
		item := &r.Items[i]
		r.settleLonger(item, approval.Expired)
		if item.Return.Opened.IsZero() && item.Outcome != Withdrawn {
			item.Outcome, item.Ended = Withdrawn, at
		}
	}
	r.Completion = Withdrawn
	r.Hold, r.CloseAt = Hold{}, time.Time{}
	r.advance(at)
}

// takeBackItem opens the return of an item that was delivered.
func (r *Request) takeBackItem(item *Item, reason string, at time.Time) {
	r.settleLonger(item, approval.Expired)
	item.Return = Return{Reason: reason, Opened: at}
	r.takeBack(func(t *Task) bool { return t.Item == item.Number })
}

// task returns the task that an action is about, in one of the states, or a finding.
func (r *Request) task(number int, states ...TaskState) (*Task, error) {
	t := r.Task(number)
	switch {
	case t == nil:
		return nil, &itsm.FieldError{Field: "task", Reason: fmt.Sprintf("must be the number of a task, is %d", number)}
	case kept(r.State) && t.Undoes == 0:
		return nil, itsm.Refuse("task %d is not open any more: the request is %s", number, r.State)
	case !slices.Contains(states, t.State):
		return nil, itsm.Refuse("task %d is %s", number, t.State)
	}
	return t, nil
}

// hasTasks refuses where there is no task in one of the states.
func (r *Request) hasTasks(states ...TaskState) error {
	for i := range r.Tasks {
		if _, err := r.task(i+1, states...); err == nil {
			return nil
		}
	}
	return itsm.Refuse("no task is %s", listed(states))
}

func listed(states []TaskState) string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return strings.Join(names, " or ")
}

// AddTask adds a task that the model does not foresee: control by exception.
type AddTask struct {
	// Item is the number of the item; 0 means the request as a whole.
	Item  int    `json:"item,omitempty"`
	Title string `json:"title"`
	Group string `json:"group,omitempty"`
	// Needs are the numbers of tasks that have to end before.
	Needs []int `json:"needs,omitempty"`
	// Automation, Change and Undo are those of a [TaskModel].
	Automation string `json:"automation,omitempty"`
	Change     string `json:"change,omitempty"`
	Undo       *Undo  `json:"undo,omitempty"`
}

// Action returns "add_task".
func (AddTask) Action() string { return "add_task" }

// Validate checks the texts.
func (a AddTask) Validate() error {
	var v itsm.Validation
	v.Text("title", a.Title, 1, maxTitle)
	v.Text("group", a.Group, 0, maxName)
	v.Text("automation", a.Automation, 0, maxName)
	v.Text("change", a.Change, 0, maxName)
	v.Check(a.Automation == "" || a.Change == "", "change", "must not be given beside automation")
	if a.Undo != nil {
		a.Undo.validate(&v, "undo")
	}
	return v.Err()
}

// Apply adds it. An item that had ended is open again.
func (a AddTask) Apply(r *Request, at itsm.Moment) error {
	var v itsm.Validation
	item := r.Item(a.Item)
	v.Check(a.Item == 0 || item != nil, "item", fmt.Sprintf("must be the number of an item, is %d", a.Item))
	if item != nil {
		v.Rule(item.Outcome != Withdrawn && item.Return.Opened.IsZero(), fmt.Sprintf("item %d is not wanted any more", a.Item))
	}
	for i, n := range a.Needs {
		field := fmt.Sprintf("needs[%d]", i)
		t := r.Task(n)
		v.Check(t != nil && t.Undoes == 0, field, fmt.Sprintf("must be the number of a task, is %d", n))
		v.Check(!slices.Contains(a.Needs[:i], n), field, "is there twice")
	}
	v.Rule(len(r.Tasks) < 2*maxAllTasks, fmt.Sprintf("a request has at most %d tasks", 2*maxAllTasks))
	if err := v.Err(); err != nil {
		return err
	}
	if item != nil {
		r.reopen(item)
	}
	r.Tasks = append(r.Tasks, Task{Number: len(r.Tasks) + 1, Item: a.Item, Title: a.Title, State: TaskWaiting,
		Group: a.Group, Automation: a.Automation, Change: a.Change, Needs: a.Needs, Undo: a.Undo})
	r.advance(at.At)
	return nil
}

// AssignTask gives a task to a group or a person.
type AssignTask struct {
	Task   int    `json:"task"`
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Action returns "assign_task".
func (AssignTask) Action() string { return "assign_task" }

// Validate checks that it names somebody.
func (a AssignTask) Validate() error { return Assignment{Group: a.Group, Person: a.Person}.Validate() }

// Guard refuses where no task is open.
func (AssignTask) Guard(r *Request, _ itsm.Moment) error {
	return r.hasTasks(TaskWaiting, TaskReady, TaskRunning)
}

// Apply assigns it.
func (a AssignTask) Apply(r *Request, _ itsm.Moment) error {
	t, err := r.task(a.Task, TaskWaiting, TaskReady, TaskRunning)
	if err == nil {
		t.Group, t.Person = a.Group, a.Person
	}
	return err
}

// StartTask begins a task. Where nobody has it, it is whoever begins.
type StartTask struct {
	Task int `json:"task"`
}

// Action returns "start_task".
func (StartTask) Action() string { return "start_task" }

// Guard refuses where no task is ready.
func (StartTask) Guard(r *Request, _ itsm.Moment) error { return r.hasTasks(TaskReady) }

// Apply begins it.
func (a StartTask) Apply(r *Request, at itsm.Moment) error {
	t, err := r.task(a.Task, TaskReady)
	if err != nil {
		return err
	}
	t.State = TaskRunning
	if t.Person == "" {
		t.Person = at.Actor.ID
	}
	return nil
}

// RunTask is what begins a task that is done by an automation or a standard change.
// The host's automation reads it in the feed, does what it says, and answers with
// [CompleteTask] or [FailTask]; the event's id tells it whether it has seen it before.
type RunTask struct {
	Task int `json:"task"`
	// The practice sets the rest, so that the automation needs nothing else.
	Automation string      `json:"automation,omitempty"`
	Change     string      `json:"change,omitempty"`
	Key        string      `json:"key,omitempty"`
	Recipient  string      `json:"recipient,omitempty"`
	Offering   string      `json:"offering,omitempty"`
	Quantity   int         `json:"quantity,omitempty"`
	Options    []string    `json:"options,omitempty"`
	Values     itsm.Fields `json:"values,omitempty"`
	// Undoes says that it takes back what another task did.
	Undoes int `json:"undoes,omitempty"`
}

// Action returns "run_task".
func (RunTask) Action() string { return "run_task" }

// Apply begins it.
func (a RunTask) Apply(r *Request, _ itsm.Moment) error {
	t, err := r.task(a.Task, TaskReady)
	if err == nil {
		t.State = TaskRunning
	}
	return err
}

// running lists the tasks that begin by themselves now. What is taken back does so
// whatever the request waits for.
func (r *Request) running() []itsm.Action[Request] {
	waits := r.State == OnHold || r.State == AwaitingApproval
	var all []itsm.Action[Request]
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if t.State != TaskReady || !t.unattended() || waits && t.Undoes == 0 {
			continue
		}
		run := RunTask{Task: t.Number, Automation: t.Automation, Change: t.Change, Key: t.Key, Recipient: r.Recipient, Undoes: t.Undoes}
		if item := r.Item(t.Item); item != nil {
			run.Offering, run.Quantity, run.Options, run.Values = item.Offering, item.Quantity, item.Options, item.Values
		}
		all = append(all, run)
	}
	return all
}

// OpenTasks is what happens when the time of a task has come.
type OpenTasks struct {
	Due time.Time `json:"due"`
}

// Action returns "open_tasks".
func (OpenTasks) Action() string { return "open_tasks" }

// Apply opens the tasks.
func (a OpenTasks) Apply(r *Request, at itsm.Moment) error {
	r.advance(later(at.At, a.Due))
	return nil
}

// MissTasks is what happens when a task took longer than its model says.
type MissTasks struct {
	Due time.Time `json:"due"`
}

// Action returns "miss_tasks".
func (MissTasks) Action() string { return "miss_tasks" }

// Apply marks them.
func (a MissTasks) Apply(r *Request, _ itsm.Moment) error {
	for i := range r.Tasks {
		if t := &r.Tasks[i]; !t.Due.IsZero() && !t.Due.After(a.Due) {
			t.Missed = true
		}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// nextTask returns when the first task opens by itself, and when the first has taken
// too long.
func (r *Request) nextTask() (opens, misses time.Time) {
	for i := range r.Tasks {
		t := &r.Tasks[i]
		if before(t.Due, misses) && !t.Missed && !t.State.ended() {
			misses = t.Due
		}
		if t.State == TaskWaiting && before(t.Opens, opens) && !r.Milestones.Started.IsZero() && r.needed(t) == Complete {
			opens = t.Opens
		}
	}
	return opens, misses
}

// CompleteTask says that a task is done. What it was the last of is then fulfilled,
// in the same commit ([RollUp]).
type CompleteTask struct {
	Task int `json:"task"`
	// Result is what came of it, on which conditions of other tasks may depend;
	// Note says more for people.
	Result string `json:"result,omitempty"`
	Note   string `json:"note,omitempty"`
}

// Action returns "complete_task".
func (CompleteTask) Action() string { return "complete_task" }

// Validate checks the texts.
func (a CompleteTask) Validate() error {
	var v itsm.Validation
	v.Text("result", a.Result, 0, maxResult)
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses where no task can be.
func (CompleteTask) Guard(r *Request, _ itsm.Moment) error { return r.hasTasks(TaskReady, TaskRunning) }

// Apply ends it.
func (a CompleteTask) Apply(r *Request, at itsm.Moment) error {
	t, err := r.task(a.Task, TaskReady, TaskRunning)
	if err != nil {
		return err
	}
	t.Result, t.Note = a.Result, a.Note
	if t.Person == "" && !t.unattended() {
		t.Person = at.Actor.ID
	}
	r.end(t, TaskDone, at.At)
	r.advance(at.At)
	return nil
}

// FailTask says that a task could not be done, and will not be: what needs it is
// given up too. [RetryTask] takes that back as long as the request is open.
type FailTask struct {
	Task   int    `json:"task"`
	Reason string `json:"reason"`
}

// Action returns "fail_task".
func (FailTask) Action() string { return "fail_task" }

// Validate checks the reason.
func (a FailTask) Validate() error { return needReason(a.Reason) }

// Guard refuses where no task can.
func (FailTask) Guard(r *Request, _ itsm.Moment) error { return r.hasTasks(TaskReady, TaskRunning) }

// Apply ends it.
func (a FailTask) Apply(r *Request, at itsm.Moment) error {
	t, err := r.task(a.Task, TaskReady, TaskRunning)
	if err != nil {
		return err
	}
	t.Note = a.Reason
	r.end(t, TaskFailed, at.At)
	r.advance(at.At)
	return nil
}

// SkipTask says that a task is not needed, or can be left undone: what needs it can
// go on.
type SkipTask struct {
	Task   int    `json:"task"`
	Reason string `json:"reason"`
}

// Action returns "skip_task".
func (SkipTask) Action() string { return "skip_task" }

// Validate checks the reason.
func (a SkipTask) Validate() error { return needReason(a.Reason) }

// Guard refuses where no task can be.
func (SkipTask) Guard(r *Request, _ itsm.Moment) error {
	return r.hasTasks(TaskWaiting, TaskReady, TaskRunning, TaskFailed)
}

// Apply ends it.
func (a SkipTask) Apply(r *Request, at itsm.Moment) error {
	t, err := r.task(a.Task, TaskWaiting, TaskReady, TaskRunning, TaskFailed)
	if err == nil && t.State == TaskFailed {
		err = r.retry(t)
	}
	if err != nil {
		return err
	}
	t.Note = a.Reason
	r.end(t, TaskSkipped, at.At)
	r.advance(at.At)
	return nil
}

// RetryTask tries a task again that had failed.
type RetryTask struct {
	Task int `json:"task"`
}

// Action returns "retry_task".
func (RetryTask) Action() string { return "retry_task" }

// Guard refuses where no task has failed.
func (RetryTask) Guard(r *Request, _ itsm.Moment) error { return r.hasTasks(TaskFailed) }

// Apply opens it again.
func (a RetryTask) Apply(r *Request, at itsm.Moment) error {
	t, err := r.task(a.Task, TaskFailed)
	if err == nil {
		err = r.retry(t)
	}
	if err != nil {
		return err
	}
	t.Note, t.Missed = "", false
	t.ready(at.At)
	return nil
}

// retry opens what had been given up because a task failed, if it is still wanted.
func (r *Request) retry(t *Task) error {
	if item := r.Item(t.Item); item != nil && t.Undoes == 0 && (item.Outcome == Withdrawn || !item.Return.Opened.IsZero()) {
		return itsm.Refuse("item %d is not wanted any more", item.Number)
	}
	r.revive(t)
	return nil
}

// TrackTask says where a task is done: in a standard change, in a record of another
// system. It is linked.
type TrackTask struct {
	Task   int      `json:"task"`
	Record itsm.Ref `json:"record"`
}

// Action returns "track_task".
func (TrackTask) Action() string { return "track_task" }

// Validate checks that it says where.
func (a TrackTask) Validate() error {
	var v itsm.Validation
	v.Ref("record", a.Record)
	return v.Err()
}

// Guard refuses where no task is open.
func (TrackTask) Guard(r *Request, _ itsm.Moment) error {
	return r.hasTasks(TaskWaiting, TaskReady, TaskRunning)
}

// Apply keeps it.
func (a TrackTask) Apply(r *Request, at itsm.Moment) error {
	t, err := r.task(a.Task, TaskWaiting, TaskReady, TaskRunning)
	if err != nil {
		return err
	}
	t.Record = &itsm.Ref{Kind: a.Record.Kind, ID: a.Record.ID}
	if link := (itsm.Link{Rel: FulfilledBy, To: a.Record}); !slices.Contains(r.Links, link) {
		return Link{Link: link}.Apply(r, at)
	}
	return nil
}
