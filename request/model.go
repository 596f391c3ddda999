package request

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/internal/strict"
	"github.com/go-itsm/itsm/sla"
)

// A Model is how a kind of request is fulfilled, agreed on beforehand: who is
// eligible, who has to approve, and which tasks are done in which order. It is a
// value; what a request was submitted under stays with it when the model changes.
type Model struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
	// Eligible are conditions on who is to get it ([Config].Directory): one of
	// them has to hold. Empty means everybody.
	Eligible sla.Conditions `json:"eligible,omitempty"`
	// Approvals are what has to be approved. They are all asked at once.
	Approvals []Approver `json:"approvals,omitempty"`
	// Tasks are what has to be done, in any order that Needs permits.
	Tasks []TaskModel `json:"tasks,omitempty"`
	// Automatic begins the fulfilment as soon as nothing has to be approved any
	// more, without anybody who takes it on.
	Automatic bool `json:"automatic,omitempty"`
	// RollUp is what the outcomes of an item's tasks mean for the item.
	RollUp RollUpPolicy `json:"roll_up,omitempty"`
	// Without lists actions of the lifecycle that requests of this model do not
	// have, such as "hold"; what happens by itself cannot be among them. What is
	// left is a lifecycle of its own, which is verified with the practice
	// ([Model.Lifecycle]).
	Without []string `json:"without,omitempty"`
}

// An Approver is an approval that a model asks for.
type Approver struct {
	// Policy is the name of one of the catalogue's policies.
	Policy string `json:"policy"`
	// When asks about what was ordered; see [TaskModel].When. Empty means always.
	When sla.Condition `json:"when,omitempty"`
	// From is a price from which it is needed: an amount of the item's that is at
	// least the one of the same currency and period here. Empty means whatever
	// it costs.
	From Price `json:"from,omitempty"`
}

// A TaskModel is a task of a model.
type TaskModel struct {
	// Key is its name in the model.
	Key   string `json:"key"`
	Title string `json:"title"`
	// Group is who does it: a group of people. Empty means whoever fulfils the
	// request.
	Group string `json:"group,omitempty"`
	// Automation is what the host runs for it, in the host's words: the task
	// then begins by itself ([RunTask]). Empty means that people do it.
	Automation string `json:"automation,omitempty"`
	// Change is the template of a standard change by which it is done. It begins
	// by itself as well; [Request.StandardChange] has what the change needs.
	Change string `json:"change,omitempty"`
	// Needs are the keys of tasks that have to be done or skipped before.
	Needs []string `json:"needs,omitempty"`
	// When asks about what was ordered and about the tasks before it, once these
	// have ended; where it does not hold, the task is skipped. Empty means
	// always. It may ask for each variable of the form by its name, for an
	// option ("option.dock" is "true" if it was chosen), the offering, the
	// quantity, and for the result of a task that it needs ("task.check").
	When sla.Condition `json:"when,omitempty"`
	// Opens is a variable of type [Day] or [Instant] before which the task does
	// not begin. A day begins at midnight in the catalogue's zone.
	Opens string `json:"opens,omitempty"`
	// Within is how long it may take from when it is ready, by the clock on the
	// wall; then [MissTasks] notes it. 0 means that there is no such time. For
	// what was promised to the requester there are agreements.
	// JSON: nanoseconds, or text like "4h".
	Within time.Duration `json:"within,omitempty"`
	// Undo is how it is taken back, when the request is cancelled or when what
	// was granted ends. Nil means that there is nothing to take back. It must be
	// able to meet nothing: what was still being done counts as done.
	Undo *Undo `json:"undo,omitempty"`
}

// An Undo is the task that takes another one back.
type Undo struct {
	Title      string `json:"title"`
	Group      string `json:"group,omitempty"`
	Automation string `json:"automation,omitempty"`
	Change     string `json:"change,omitempty"`
}

const (
	maxTasks     = 100 // of a model
	maxApprovals = 10  // of a model
)

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the model
// in itself: tasks that need each other in a circle, keys that are unknown or there
// twice.
func (m Model) Validate() error {
	var v itsm.Validation
	m.validate(&v, "")
	return v.Err()
}

func (m Model) validate(v *itsm.Validation, path string) {
	name(v, strict.Join(path, "name"), m.Name)
	plainText(v, strict.Join(path, "title"), m.Title, 0, maxTitle)
	validateConditions(v, strict.Join(path, "eligible"), m.Eligible)
	v.Check(len(m.Approvals) <= maxApprovals, strict.Join(path, "approvals"), fmt.Sprintf("must be at most %d", maxApprovals))
	for i, a := range m.Approvals {
		at := strict.Join(path, fmt.Sprintf("approvals[%d]", i))
		name(v, at+".policy", a.Policy)
		validateCondition(v, at+".when", a.When)
		a.From.validate(v, at+".from")
	}
	v.Check(slices.Contains(RollUpPolicies(), m.RollUp), strict.Join(path, "roll_up"), fmt.Sprintf("is unknown: %q", short.Text(m.RollUp)))
	for i, action := range m.Without {
		at := strict.Join(path, fmt.Sprintf("without[%d]", i))
		v.Check(!slices.Contains(m.Without[:i], action), at, fmt.Sprintf("is there twice: %q", short.Text(action)))
		v.Check(len(m.Approvals) == 0 || action != SeekApproval{}.Action(), at, "must not be seek_approval where something has to be approved")
		v.Check(action != Submit{}.Action(), at, "must not be submit: nothing could be ordered")
	}
	for i, action := range m.Without {
		byItself := slices.ContainsFunc(derived(), func(a itsm.Action[Request]) bool { return a.Action() == action })
		v.Check(!byItself, strict.Join(path, fmt.Sprintf("without[%d]", i)), fmt.Sprintf("must not be %s, which happens by itself", action))
	}
	m.validateTasks(v, path)
}

func (m Model) validateTasks(v *itsm.Validation, path string) {
	v.Check(len(m.Tasks) <= maxTasks, strict.Join(path, "tasks"), fmt.Sprintf("must be at most %d", maxTasks))
	keys := map[string]bool{}
	for i, t := range m.Tasks {
		at := strict.Join(path, fmt.Sprintf("tasks[%d]", i))
		name(v, at+".key", t.Key)
		v.Check(!keys[t.Key], at+".key", fmt.Sprintf("is there twice: %q", short.Text(t.Key)))
		keys[t.Key] = true
		(Undo{t.Title, t.Group, t.Automation, t.Change}).validate(v, at)
		validateCondition(v, at+".when", t.When)
		v.Check(t.Within >= 0, at+".within", "must not be negative")
		if t.Undo != nil {
			t.Undo.validate(v, at+".undo")
		}
	}
	for i, t := range m.Tasks {
		at := strict.Join(path, fmt.Sprintf("tasks[%d]", i))
		for j, need := range t.Needs {
			field := fmt.Sprintf("%s.needs[%d]", at, j)
			v.Check(keys[need], field, fmt.Sprintf("is no task of the model: %q", short.Text(need)))
			v.Check(!slices.Contains(t.Needs[:j], need), field, fmt.Sprintf("is there twice: %q", short.Text(need)))
		}
		for _, fact := range slices.Sorted(maps.Keys(t.When)) {
			if key, ok := strings.CutPrefix(fact, factTask); ok {
				v.Check(slices.Contains(t.Needs, key), at+".when", fmt.Sprintf("asks for the result of %q, which it does not need", short.Text(key)))
			}
		}
	}
	for _, circle := range m.circles() {
		v.Check(false, strict.Join(path, "tasks"), "must not need each other in a circle: "+strings.Join(circle, " needs "))
	}
}

func (u Undo) validate(v *itsm.Validation, at string) {
	plainText(v, at+".title", u.Title, 1, maxTitle)
	plainText(v, at+".group", u.Group, 0, maxName)
	plainText(v, at+".automation", u.Automation, 0, maxName)
	plainText(v, at+".change", u.Change, 0, maxName)
	v.Check(u.Automation == "" || u.Change == "", at+".change", "must not be given beside automation")
}

// circles finds every group of tasks that need each other, one way round it each.
func (m Model) circles() [][]string {
	needs := map[string][]string{}
	for _, t := range m.Tasks {
		needs[t.Key] = slices.Concat(needs[t.Key], t.Needs) // a key that is there twice is another finding
	}
	const fresh, open, closed = 0, 1, 2
	state := map[string]int{}
	var path []string
	var found [][]string
	var visit func(key string)
	visit = func(key string) {
		switch state[key] {
		case closed:
			return
		case open:
			circle := slices.Clone(path[slices.Index(path, key):])
			found = append(found, append(circle, key))
			return
		}
		state[key] = open
		path = append(path, key)
		for _, need := range needs[key] {
			if _, ok := needs[need]; ok {
				visit(need)
			}
		}
		path = path[:len(path)-1]
		state[key] = closed
	}
	for _, t := range m.Tasks {
		if state[t.Key] == fresh {
			visit(t.Key)
		}
	}
	return found
}

// Lifecycle returns what a lifecycle is for the requests of this model: without the
// actions that the model does not have, and without the states that are then out of
// reach. It is verified like any: no trap, every state that is not an end can be
// cancelled. It returns an [itsm.ErrInvalid] with every finding.
func (m Model) Lifecycle(l *itsm.Lifecycle) (*itsm.Lifecycle, error) { return without(l, m.Without) }

// without takes actions away from a lifecycle, and the states to which nothing
// leads any more.
func without(l *itsm.Lifecycle, actions []string) (*itsm.Lifecycle, error) {
	spec := l.Spec()
	var v itsm.Validation
	for i, action := range actions {
		at := fmt.Sprintf("without[%d]", i)
		known := slices.ContainsFunc(spec.Transitions, func(t itsm.Transition) bool { return t.Action == action })
		v.Check(known, at, fmt.Sprintf("is no action of the lifecycle: %q", short.Text(action)))
		v.Check(action != spec.Cancel || spec.Cancel == "", at, "must not be "+spec.Cancel+": everything that is open can be cancelled")
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	for _, action := range actions {
		spec.Forbid(action)
	}
	reached := map[itsm.State]bool{spec.Initial: true}
	for todo := []itsm.State{spec.Initial}; len(todo) > 0; {
		from := todo[0]
		todo = todo[1:]
		for _, t := range spec.Transitions {
			if t.To != "" && slices.Contains(t.From, from) && !reached[t.To] {
				reached[t.To] = true
				todo = append(todo, t.To)
			}
		}
	}
	gone := func(s itsm.State) bool { return !reached[s] }
	spec.States = slices.DeleteFunc(spec.States, gone)
	spec.Ends = slices.DeleteFunc(spec.Ends, gone)
	for i := range spec.Transitions {
		spec.Transitions[i].From = slices.DeleteFunc(spec.Transitions[i].From, gone)
	}
	spec.Transitions = slices.DeleteFunc(spec.Transitions, func(t itsm.Transition) bool { return len(t.From) == 0 })
	return itsm.NewLifecycle(spec)
}

func validateConditions(v *itsm.Validation, path string, cs sla.Conditions) {
	for i, c := range cs {
		validateCondition(v, fmt.Sprintf("%s[%d]", path, i), c)
	}
}

func validateCondition(v *itsm.Validation, path string, c sla.Condition) {
	for _, fact := range slices.Sorted(maps.Keys(c)) {
		v.Check(fact != "", path, "must not ask for a fact without a name")
		v.Check(len(c[fact]) > 0, strict.Join(path, short.Text(fact)), "must list a value: nothing is among none")
	}
}

// holds reports whether one of the conditions holds, or there are none.
func holds(cs sla.Conditions, f sla.Facts) bool {
	return len(cs) == 0 || slices.ContainsFunc(cs, func(c sla.Condition) bool { return c.Holds(f) })
}
