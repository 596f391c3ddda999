package valuechain

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// Limits of a definition, in characters and in elements.
const (
	maxName  = 64
	maxTitle = 300
	maxText  = 4000
	maxSteps = 200
	maxList  = 100
)

// What stands at the two ends of every stream, beside its steps.
const (
	// DemandNode is where a stream begins, as the From of an input.
	DemandNode = "demand"
	// ValueNode is where it ends, as the To of an output.
	ValueNode = "value"
)

func reserved(name string) bool { return name == DemandNode || name == ValueNode || name == Everybody }

// A Stream is a value stream: the steps by which one kind of demand becomes value
// for somebody, end to end, as data. It is a graph: what a step puts out, another
// one takes in; where work goes back, the output says so. [Stream.Validate] proves
// that it holds together, and a [Run] follows real work through it.
//
// Its JSON form is what [ParseStream] reads.
type Stream struct {
	Name    string `json:"name"`
	Version int    `json:"version,omitempty"`
	Title   string `json:"title,omitempty"`
	// Edition names the [Edition] whose activities the steps have; empty means "4".
	Edition string `json:"edition,omitempty"`
	// Demand is what sets it going, Value what it is for.
	Demand End `json:"demand"`
	Value  End `json:"value"`
	// Steps are in the order in which people tell the story.
	Steps []Step `json:"steps"`
	// Joins says which links between records bring the other record into the same
	// piece of work: the problem behind an incident, the change that solves it.
	Joins []Join `json:"joins,omitempty"`
}

// An End is one of the two ends of a stream: who is there, and what they want, or what
// of the outcome they find worthwhile.
type End struct {
	// Who is a [Party], or an activity whose stream this one goes on with, or that
	// goes on with this one.
	Who  string `json:"who"`
	What string `json:"what"`
}

// A Step is one step of a stream: a piece of work of one activity, between being
// handed something and handing something on. It is divided into actions, and those
// into tasks. Only name, activity, inputs and outputs are needed; the rest is what
// a description that people work by says.
type Step struct {
	// Name is what other steps and reports know it by: "investigate".
	Name     string   `json:"name"`
	Title    string   `json:"title,omitempty"`
	Activity Activity `json:"activity"`
	// Trigger says what sets it going.
	Trigger   string        `json:"trigger,omitempty"`
	Inputs    []Input       `json:"inputs"`
	Outputs   []Output      `json:"outputs"`
	Practices []PracticeUse `json:"practices,omitempty"`
	Actions   []Work        `json:"actions,omitempty"`
	// Owner answers for it; Roles take part.
	Owner string   `json:"owner,omitempty"`
	Roles []string `json:"roles,omitempty"`
	// Dimensions says what it needs of each of the four dimensions.
	Dimensions Dimensions `json:"dimensions,omitzero"`
	// Constraints are policies and limits that it keeps to.
	Constraints []string `json:"constraints,omitempty"`
	// Adds is the value that it adds, Harm what it may take away.
	Adds string `json:"adds,omitempty"`
	Harm string `json:"harm,omitempty"`
	// Metrics are what it is judged by beside what a [Report] has.
	Metrics    []string    `json:"metrics,omitempty"`
	Exceptions []Exception `json:"exceptions,omitempty"`
	// Effort is the process time of one visit where the records do not tell when
	// work began; 0 means that it is not known. JSON: nanoseconds, or text like "1h30m".
	Effort time.Duration `json:"effort,omitempty"`
	// Watch says which events of records move work into, through and out of it.
	Watch []Watch `json:"watch,omitempty"`
}

// An Input is something that a step takes in.
type Input struct {
	What string `json:"what"`
	// From is a step, "demand", a [Party], or an activity whose stream provides it.
	From string `json:"from"`
}

// An Output is something that a step hands over.
type Output struct {
	What string `json:"what"`
	// To is a step, "value", a [Party], or an activity whose stream goes on with it.
	To string `json:"to"`
	// Back says that it is work that goes back, because what an earlier step handed
	// over cannot be used as it is. Without such outputs the steps are free of loops.
	Back bool `json:"back,omitempty"`
}

// A PracticeUse is a practice that a step draws on, and how.
type PracticeUse struct {
	Practice string `json:"practice"`
	How      string `json:"how,omitempty"`
}

// Work is an action within a step, and its tasks.
type Work struct {
	What  string   `json:"what"`
	Tasks []string `json:"tasks,omitempty"`
}

// Dimensions says something of each of the four dimensions of service management.
type Dimensions struct {
	OrganizationsPeople   string `json:"organizations_people,omitempty"`
	InformationTechnology string `json:"information_technology,omitempty"`
	PartnersSuppliers     string `json:"partners_suppliers,omitempty"`
	ValueStreamsProcesses string `json:"value_streams_processes,omitempty"`
}

// An Exception is what may happen instead of the usual, and how the work goes on.
type Exception struct {
	When string `json:"when"`
	// To is the step that goes on with it; empty means that the step itself does.
	To string `json:"to,omitempty"`
	Do string `json:"do,omitempty"`
}

// A Join is a kind of links. An event of From with a link of this relation to To
// makes one piece of work of both records: whichever was in it brings the other.
type Join struct {
	// From and To are names of practices.
	From string `json:"from"`
	Rel  string `json:"rel"`
	To   string `json:"to"`
}

// A Mark is what an event means for a step.
type Mark string

// The marks. What is said of visits is what a [Run] makes of them.
const (
	// Arrive makes work available to the step. Usually nothing needs to say so:
	// it arrives with the output of the step before.
	Arrive Mark = "arrive"
	// Start begins or takes up the work, so that process time counts.
	Start Mark = "start"
	// Pause stops it, so that waiting counts.
	Pause Mark = "pause"
	// Finish hands over an output, or all that do not go back.
	Finish Mark = "finish"
	// Reject takes up the work again in this step, because who got the value could
	// not use it.
	Reject Mark = "reject"
	// Abandon ends the whole piece of work without value.
	Abandon Mark = "abandon"
)

// Marks lists the marks.
func Marks() []Mark { return []Mark{Arrive, Start, Pause, Finish, Reject, Abandon} }

// A Watch is which events of records mean something for a step.
type Watch struct {
	// Practice is the name of the practice whose events these are.
	Practice string `json:"practice"`
	// Action is the action's name; empty means any.
	Action string `json:"action,omitempty"`
	// To is the state that is entered from another one; empty means any event.
	To itsm.State `json:"to,omitempty"`
	// Does is what it means.
	Does Mark `json:"does"`
	// Output is what is handed over by Finish: the What of an output of the step.
	// Empty means every output that does not go back.
	Output string `json:"output,omitempty"`
}

// matches reports whether an event is meant.
func (w *Watch) matches(e *itsm.Event) bool {
	return w.Practice == e.Practice && (w.Action == "" || w.Action == e.Action) &&
		(w.To == "" || w.To == e.To && e.From != e.To)
}

// ParseStream reads the JSON form of a stream and verifies it in the edition that
// it names. It returns an [itsm.ErrInvalid] with everything that is wrong.
func ParseStream(data []byte) (Stream, error) { return itsm.ParseJSON[Stream](data) }

// ParseStreamIn is [ParseStream] for an edition of the host's own, whatever the stream
// names.
func ParseStreamIn(e Edition, data []byte) (Stream, error) {
	type plain Stream // which is not verified in the edition that it names
	s, err := itsm.ParseJSON[plain](data)
	if err == nil {
		err = Stream(s).ValidateIn(e)
	}
	if err != nil {
		return Stream{}, err
	}
	return Stream(s), nil
}

// JSON writes the form that [ParseStream] reads, indented.
func (s Stream) JSON() ([]byte, error) { return json.MarshalIndent(s, "", "  ") }

// Step returns a step by name.
func (s Stream) Step(name string) (Step, bool) {
	if i := s.index(name); i >= 0 {
		return s.Steps[i], true
	}
	return Step{}, false
}

// index returns the number of a step, -1 if there is none of that name.
func (s *Stream) index(name string) int {
	if reserved(name) { // a finding of its own
		return -1
	}
	return slices.IndexFunc(s.Steps, func(t Step) bool { return t.Name == name })
}

// title returns what people call a step.
func (t *Step) title() string {
	if t.Title != "" {
		return t.Title
	}
	return t.Name
}

// checkName checks a name that goes into diagrams and other systems as it is.
func checkName(v *itsm.Validation, field, name string) {
	if name == "" {
		v.Check(false, field, "must not be empty")
		return
	}
	ok := len(name) <= maxName
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-.", c) >= 0)
	}
	v.Check(ok, field, fmt.Sprintf("must be a name of at most %d letters, digits, _, . and -, is %q", maxName, short.Text(name)))
}
