package change

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A TaskKind says which part of a change a task belongs to.
type TaskKind string

// The kinds of tasks. Those of the implementation and its tests begin with the
// implementation, and those of the back-out with the back-out.
const (
	PlanningTask       TaskKind = "planning"
	ImplementationTask TaskKind = "implementation"
	TestingTask        TaskKind = "testing"
	BackOutTask        TaskKind = "back_out"
	ReviewTask         TaskKind = "review"
)

// TaskKinds lists the kinds.
func TaskKinds() []TaskKind {
	return []TaskKind{PlanningTask, ImplementationTask, TestingTask, BackOutTask, ReviewTask}
}

// A TaskState says how far a task is.
type TaskState string

// The states of a task.
const (
	TaskOpen    TaskState = "open"
	TaskStarted TaskState = "started"
	TaskDone    TaskState = "done"
	TaskFailed  TaskState = "failed"
	TaskSkipped TaskState = "skipped"
)

// A Step is a task as it is planned.
type Step struct {
	// Key names it within the change.
	Key   string   `json:"key"`
	Title string   `json:"title"`
	Kind  TaskKind `json:"kind"`
	// After lists the keys of the tasks that have to be done or skipped before it
	// is begun.
	After    []string `json:"after,omitempty"`
	Assignee string   `json:"assignee,omitempty"`
}

// A Task is a step of a plan, and how far it is.
type Task struct {
	Step
	State   TaskState `json:"state"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Note    string    `json:"note,omitempty"`
}

// over reports whether what comes after a task may begin.
func (t Task) over() bool { return t.State == TaskDone || t.State == TaskSkipped }

// TaskOrder returns the keys of steps in an order in which each comes after those
// that it waits for; among several, in the order given. It returns an
// [itsm.ErrInvalid] with every finding: keys that are there twice or not at all,
// and every circle.
func TaskOrder(steps []Step) ([]string, error) {
	var v itsm.Validation
	at := map[string]int{}
	for i, s := range steps {
		field := fmt.Sprintf("tasks[%d]", i)
		v.Text(field+".key", s.Key, 1, maxName)
		_, twice := at[s.Key]
		v.Check(!twice, field+".key", fmt.Sprintf("%q is there twice", s.Key))
		if !twice {
			at[s.Key] = i
		}
	}
	waits := make([]map[string]bool, len(steps))
	for i, s := range steps {
		waits[i] = map[string]bool{}
		for j, key := range s.After {
			_, known := at[key]
			v.Check(known, fmt.Sprintf("tasks[%d].after[%d]", i, j), fmt.Sprintf("%q is no task of this change", key))
			if known {
				waits[i][key] = true
			}
		}
	}
	var order []string
	done := make([]bool, len(steps))
	for next := 0; next >= 0; {
		next = slices.IndexFunc(steps, func(s Step) bool { return !done[at[s.Key]] && len(waits[at[s.Key]]) == 0 })
		if next >= 0 {
			done[next] = true
			order = append(order, steps[next].Key)
			for i := range waits {
				delete(waits[i], steps[next].Key)
			}
		}
	}
	// What is left waits for a circle. Following what each waits for leads into
	// it, and what was met on the way is not reported again.
	met := map[string]bool{}
	for i, s := range steps {
		if done[i] || at[s.Key] != i {
			continue
		}
		var way []string
		key := s.Key
		for !met[key] {
			met[key] = true
			way = append(way, key)
			key = slices.Min(keys(waits[at[key]]))
		}
		if begin := slices.Index(way, key); begin >= 0 {
			circle := append(way[begin:len(way):len(way)], key)
			v.Check(false, fmt.Sprintf("tasks[%d].after", at[key]), "goes round in a circle: "+strings.Join(circle, " after "))
		}
	}
	return order, v.Err()
}

// validSteps checks steps and their order.
func validSteps(steps []Step) error {
	var v itsm.Validation
	v.Check(len(steps) <= maxTasks, "tasks", fmt.Sprintf("must be at most %d", maxTasks))
	if len(steps) > maxTasks {
		return v.Err()
	}
	for i, s := range steps {
		field := fmt.Sprintf("tasks[%d]", i)
		v.Text(field+".title", s.Title, 1, maxTitle)
		v.Check(slices.Contains(TaskKinds(), s.Kind), field+".kind", fmt.Sprintf("is unknown: %q", s.Kind))
		v.Text(field+".assignee", s.Assignee, 0, maxName)
	}
	_, err := TaskOrder(steps)
	v.Add(err)
	return v.Err()
}

// SetTasks sets the steps of the plan, all of them. A task that was begun keeps
// what is known of it, and cannot be left out.
type SetTasks struct {
	Tasks []Step `json:"tasks"`
}

// Action returns "set_tasks".
func (SetTasks) Action() string { return "set_tasks" }

// Validate checks the steps, and that they do not go round in a circle.
func (a SetTasks) Validate() error { return validSteps(a.Tasks) }

// Apply sets them.
func (a SetTasks) Apply(r *Change, _ itsm.Moment) error {
	var v itsm.Validation
	var tasks []Task
	for _, s := range a.Tasks {
		task := Task{Step: s, State: TaskOpen}
		if have := r.task(s.Key); have != nil && have.State != TaskOpen {
			task = *have
			task.Step = s
		}
		tasks = append(tasks, task)
	}
	for _, t := range r.Tasks {
		kept := slices.ContainsFunc(a.Tasks, func(s Step) bool { return s.Key == t.Key })
		v.Rule(kept || t.State == TaskOpen, fmt.Sprintf("task %q is %s: it cannot be left out", t.Key, t.State))
	}
	r.Tasks = tasks
	return v.Err()
}

func (r *Change) task(key string) *Task {
	for i := range r.Tasks {
		if r.Tasks[i].Key == key {
			return &r.Tasks[i]
		}
	}
	return nil
}

// hasTasks refuses where there are none.
func hasTasks(r *Change) error {
	if len(r.Tasks) == 0 {
		return itsm.Refuse("it has no tasks")
	}
	return nil
}

// StartTask begins a task.
type StartTask struct {
	Key string `json:"key"`
}

// Action returns "start_task".
func (StartTask) Action() string { return "start_task" }

// Validate checks that it says which.
func (a StartTask) Validate() error { return itsm.CheckText("key", a.Key, 1, maxName) }

// Guard refuses where there are no tasks.
func (StartTask) Guard(r *Change, _ itsm.Moment) error { return hasTasks(r) }

// Apply refuses a task before those that it waits for, and before its part of the
// change has begun.
func (a StartTask) Apply(r *Change, at itsm.Moment) error {
	t := r.task(a.Key)
	if t == nil {
		return &itsm.FieldError{Field: "key", Reason: fmt.Sprintf("%q is no task of this change", a.Key)}
	}
	v := r.mayTake(t)
	v.Rule(t.State == TaskOpen, fmt.Sprintf("task %q is %s already", t.Key, t.State))
	t.State, t.Started = TaskStarted, at.At
	return v.Err()
}

func (r *Change) mayTake(t *Task) *itsm.Validation {
	v := new(itsm.Validation)
	for _, key := range t.After {
		if before := r.task(key); before != nil {
			v.Rule(before.over(), fmt.Sprintf("task %q has to be done before, and is %s", key, before.State))
		}
	}
	switch t.Kind {
	case ImplementationTask, TestingTask:
		v.Rule(!r.Started.IsZero(), "the implementation has not begun")
	case BackOutTask:
		v.Rule(!r.BackOut.Started.IsZero(), "the back-out has not begun")
	case PlanningTask, ReviewTask:
	}
	return v
}

// CompleteTask ends a task: done, failed or skipped. One that was not begun begins
// and ends at once. A failed one can be completed again.
type CompleteTask struct {
	Key string `json:"key"`
	// Result is [TaskDone], [TaskFailed] or [TaskSkipped]; empty means done.
	Result TaskState `json:"result,omitempty"`
	Note   string    `json:"note,omitempty"`
}

// Action returns "complete_task".
func (CompleteTask) Action() string { return "complete_task" }

// Validate checks key, result and note.
func (a CompleteTask) Validate() error {
	var v itsm.Validation
	v.Text("key", a.Key, 1, maxName)
	v.Check(slices.Contains([]TaskState{"", TaskDone, TaskFailed, TaskSkipped}, a.Result), "result", fmt.Sprintf("must be done, failed or skipped, is %q", a.Result))
	v.Text("note", a.Note, 0, maxNote)
	return v.Err()
}

// Guard refuses where there are no tasks.
func (CompleteTask) Guard(r *Change, _ itsm.Moment) error { return hasTasks(r) }

// Apply ends it, under the conditions of [StartTask]; what is skipped need not wait.
func (a CompleteTask) Apply(r *Change, at itsm.Moment) error {
	t := r.task(a.Key)
	if t == nil {
		return &itsm.FieldError{Field: "key", Reason: fmt.Sprintf("%q is no task of this change", a.Key)}
	}
	v := new(itsm.Validation)
	if a.Result != TaskSkipped {
		v = r.mayTake(t)
	}
	v.Rule(!t.over(), fmt.Sprintf("task %q is %s already", t.Key, t.State))
	if t.Started.IsZero() {
		t.Started = at.At
	}
	t.State, t.Ended, t.Note = a.Result, at.At, a.Note
	if a.Result == "" {
		t.State = TaskDone
	}
	return v.Err()
}
