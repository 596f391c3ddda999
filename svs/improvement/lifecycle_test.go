package improvement_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs/improvement"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagram in doc.go")

func TestDiagramsAreGolden(t *testing.T) {
	l := improvement.DefaultLifecycle()
	for name, text := range map[string]string{"lifecycle.mmd": l.Mermaid(), "lifecycle.dot": l.DOT()} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		golden, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(golden), text, "go test ./svs/improvement -update rewrites %s", path)
	}
}

// The diagram in the package's documentation is the generated one.
func TestDocShowsTheDiagram(t *testing.T) {
	const begin, end = "//\tstateDiagram-v2\n", "//\n"
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(source), begin)
	require.True(t, ok)
	shown, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	var want strings.Builder
	for line := range strings.Lines(improvement.DefaultLifecycle().Mermaid()) {
		want.WriteString("//\t" + line)
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(head+want.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, want.String(), begin+shown, "go test ./svs/improvement -update rewrites it")
}

// Every action that an actor can ask for is in the documentation's list.
func TestDocListsEveryAction(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	types := map[string]string{"hold": "PutOnHold", "plan": "SetPlan"}
	d := newDesk(t, improvement.Config{})
	options, err := d.WhyNot(mia, d.open().ID)
	require.NoError(t, err)
	require.Greater(t, len(options), 20)
	for _, o := range options {
		name, ok := types[o.Action]
		if !ok {
			for word := range strings.SplitSeq(o.Action, "_") {
				name += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		require.Contains(t, string(source), "["+name+"]")
	}
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
