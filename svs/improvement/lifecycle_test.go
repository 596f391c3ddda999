package improvement_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs/improvement"
)

func TestDocuments(t *testing.T) {
	lifecycletest.Diagrams(t, "lifecycle", improvement.DefaultLifecycle())
	lifecycletest.DocShows(t, improvement.DefaultLifecycle())
	lifecycletest.DocLists(t, newDesk(t, improvement.Config{}).Actions(), "", 20)
	lifecycletest.Holds(t, improvement.DefaultLifecycle(), improvement.States()...)
	lifecycletest.Cancels(t, improvement.DefaultLifecycle(), improvement.Cancelled)
}

// From everywhere on the way there is a way back and a way out, and nothing else.
func TestEveryMove(t *testing.T) {
	have := map[string]string{}
	l := improvement.DefaultLifecycle()
	for from := range l.States() {
		for action, to := range l.Permitted(from) {
			if from != to {
				have[string(from)] += action + ">" + string(to) + " "
			}
		}
	}
	require.Equal(t, map[string]string{
		"logged":      "assess>assessed cancel>cancelled reject>rejected ",
		"assessed":    "approve>approved cancel>cancelled reject>rejected ",
		"approved":    "cancel>cancelled plan>planned reassess>assessed reject>rejected start>in_progress ",
		"planned":     "cancel>cancelled reassess>assessed start>in_progress ",
		"in_progress": "cancel>cancelled close>closed measure>measuring reassess>assessed replan>planned ",
		"measuring":   "cancel>cancelled close>closed reassess>assessed replan>planned rework>in_progress ",
		"closed":      "reopen>in_progress ",
		"rejected":    "reconsider>logged ",
	}, have)
}

// A host's own state and action.
func TestALifecycleOfOnesOwn(t *testing.T) {
	longer, err := improvement.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("piloting")
		s.Allow("pilot", "piloting", improvement.Planned)
		s.Allow("start", improvement.InProgress, "piloting")
		s.Allow("cancel", improvement.Cancelled, "piloting")
		s.Allow("note", "", "piloting")
	}, improvement.AllowUsual(improvement.Planned, "piloting"))
	require.NoError(t, err)
	d := newDesk(t, improvement.Config{Lifecycle: longer, Actions: []action{pilot{}}})
	r := d.open(improvement.Assess{}, improvement.Approve{}, improvement.SetPlan{Plan: improvement.Plan{Text: "try it"}}, pilot{Where: "floor 3"}, improvement.PutOnHold{Reason: "holidays"}, improvement.Resume{}, improvement.Start{})
	require.Equal(t, improvement.InProgress, r.State)
	_, err = improvement.NewPractice(memory.New[improvement.Improvement](), improvement.Config{Lifecycle: longer})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// pilot is an action of a host's own.
type pilot struct {
	Where string `json:"where"`
}

func (pilot) Action() string                                    { return "pilot" }
func (pilot) Apply(*improvement.Improvement, itsm.Moment) error { return nil }
