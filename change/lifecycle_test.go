package change_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestDocuments(t *testing.T) {
	l := change.DefaultLifecycle()
	lifecycletest.Diagrams(t, "lifecycle", l)
	for _, m := range change.DefaultModels() {
		part, err := m.Lifecycle(l)
		require.NoError(t, err, m.Name)
		lifecycletest.Golden(t, m.Name+".mmd", part.Mermaid())
	}
	lifecycletest.DocShows(t, l)
	lifecycletest.DocLists(t, newOffice(t, change.Config{}).Actions(), "", 40)
}

// The lifecycle has every edge of the survey's superset, and one more: what was
// carried out without authority is recorded afterwards.
func TestTheLifecycleIsTheSuperset(t *testing.T) {
	l := change.DefaultLifecycle()
	require.Len(t, lifecycletest.Moves(l), 46)
	lifecycletest.ReadSurvey(t).IsSuperset(t, l, lifecycletest.Edge{From: change.Draft, To: change.Review})
}

// path finds a shortest way from one state to another, through a rejection only
// where there is no other.
func path(l *itsm.Lifecycle, from, to itsm.State) []itsm.State {
	if way := lifecycletest.Path(l, from, to, change.Rejected); way != nil {
		return way
	}
	return lifecycletest.Path(l, from, to)
}

// standsFor says by which of our models each product's changes are treated.
var standsFor = map[string][]string{
	"snow.change.normal":     {change.ModelNormal, change.ModelLowRisk},
	"snow.change.standard":   {change.ModelStandard},
	"snow.change.emergency":  {change.ModelEmergency},
	"itop.NormalChange":      {change.ModelNormal},
	"itop.EmergencyChange":   {change.ModelEmergency},
	"itop.RoutineChange":     {change.ModelStandard},
	"itop.Change(simple)":    {change.ModelNormal},
	"otrs.Change":            {change.ModelNormal, change.ModelAfterwards},
	"heidsoft.Change.normal": {change.ModelNormal},
}

// Every step that another product's changes take is a legal path of the model that
// stands for it. Most are one step of ours; those that are more, and those that are
// none, are listed.
func TestOtherProductsMapOntoTheModels(t *testing.T) {
	models := map[string]*itsm.Lifecycle{}
	for _, m := range change.DefaultModels() {
		l, err := m.Lifecycle(change.DefaultLifecycle())
		require.NoError(t, err)
		models[m.Name] = l
	}
	ways := func(names ...string) func(a, b itsm.State) []itsm.State {
		return func(a, b itsm.State) (best []itsm.State) {
			for _, name := range names {
				if p := path(models[name], a, b); p != nil && (best == nil || len(p) < len(best)) {
					best = p
				}
			}
			return best
		}
	}
	var steps lifecycletest.Steps
	for p := range lifecycletest.ReadSurvey(t).Of("change") {
		require.NotEmpty(t, standsFor[p.Name], p.Name)
		steps.Add(t, p, ways(standsFor[p.Name]...))
	}
	// GLPI has no graph: its default profile permits any status after any other.
	// Pending is a hold beside the state.
	steps.AddGraphless(t, "glpi.Change", map[string]itsm.State{"new": change.Draft, "evaluation": change.Assess, "approval": change.Authorize, "accepted": change.Scheduled,
		"testing": change.Testing, "qualification": change.Testing, "applied": change.Review, "review": change.Review,
		"closed": change.Closed, "refused": change.Rejected, "cancelled": change.Cancelled}, ways(change.ModelNormal, change.ModelAfterwards))
	lifecycletest.Golden(t, "products.txt", fmt.Sprintf("%d machines, %s", steps.Machines, &steps))
	for _, line := range steps.None {
		// What is over stays over: GLPI reopens by giving any status to it.
		require.Regexp(t, `^glpi.Change: (closed|cancelled) → `, line)
	}
}

// Every model of ours: no trap, no state that cannot be reached, and whatever is
// before the implementation can be cancelled. The kernel proved so; here it is
// looked at once more.
func TestEveryModelEnds(t *testing.T) {
	whole := change.DefaultLifecycle()
	for _, m := range change.DefaultModels() {
		l, err := m.Lifecycle(whole)
		require.NoError(t, err, m.Name)
		for s := range l.States() {
			require.NotNil(t, path(l, change.Draft, s), "%s: %s", m.Name, s)
			require.True(t, path(l, s, change.Closed) != nil || s == change.Cancelled, "%s: %s", m.Name, s)
			if s != change.Review && !l.IsEnd(s) {
				to, ok := l.Can(s, "cancel")
				require.True(t, ok && to == change.Cancelled, "%s: %s", m.Name, s)
			}
		}
		data, err := json.Marshal(m)
		require.NoError(t, err)
		again, err := change.ParseModel(data)
		require.NoError(t, err)
		require.Equal(t, m, again)
	}
	lifecycletest.Holds(t, whole, change.States()...)
}

func TestModelsAreRefusedWithEveryFinding(t *testing.T) {
	_, err := change.ParseModel([]byte(`{"name":"a@b","version":"1","type":"minor","steps":{"draft":["assess","assess"]},
		"require":{"assess":["luck"],"nowhere":["low_risk"]},"review":["always","never"],"review_within":"-1h","colour":"red"}`))
	require.Equal(t, []string{"version must be a whole number of at most 64 bits", "colour is not known", "name must not contain @",
		`type must be standard, normal or emergency, is "minor"`, "review_within must not be negative", `steps.draft[1] names "assess" twice`,
		`require.assess[0] is unknown: "luck"`, "require.nowhere is not a state of the model",
		`max_risk must be low, medium, high or very_high, is ""`, `review[1] is unknown: "never"`}, practicetest.Said(err))

	_, err = change.Model{Name: "trap", Type: change.Normal, Steps: map[itsm.State][]itsm.State{
		change.Draft:     {change.Authorize, change.Cancelled, change.Closed},
		change.Authorize: {change.Draft, change.Scheduled},
		change.Scheduled: {change.Implement, change.Cancelled},
		"mars":           {"venus"},
	}}.Lifecycle(change.DefaultLifecycle())
	require.Equal(t, []string{
		"steps.draft[2] no action leads from draft to closed", "steps.mars is not a state of the lifecycle",
		`steps.mars[0] "venus" is not a state of the lifecycle`, "steps.authorize must lead to rejected, which a vote may decide",
		`states[1] "authorize" does not permit "cancel"`, `states[3] "implement" is a trap: no end can be reached from it`,
		`states[4] "closed" cannot be reached from "draft"`}, practicetest.Said(err))
}

func TestNewPracticeRefuses(t *testing.T) {
	models := change.DefaultModels()
	models[0].MaxRisk = "x"
	models[1].Steps[change.Draft] = append(models[1].Steps[change.Draft], change.Implement)
	_, err := change.NewPractice(memory.New[change.Change](), change.Config{
		Models:      append(models, models[2]),
		Templates:   []change.Template{{Name: "t", Title: "t", Model: "x", Risk: change.LowRisk, Plan: change.Plan{Implementation: "i"}}, {Name: "t@"}},
		Risk:        change.RiskPolicy{Name: "r"},
		Authorities: change.AuthorityPolicy{Rules: []change.AuthorityRule{{Authority: "x"}}},
	})
	require.Equal(t, []string{
		`models[0].max_risk must be low, medium, high or very_high, is "x"`,
		"models[1].steps.draft leads to implement before anybody has decided; that needs afterwards",
		"models[6] low_risk@1 is there twice",
		`templates[0].model "x" is not among the models`,
		"templates[1].name must not contain @", "templates[1].title must not be empty", "templates[1].plan.implementation must not be empty",
		`templates[1].risk must be low, medium, high or very_high, is ""`,
		"risk.levels must not be empty", `authorities.rules[0].authority "x" is not among the authorities`,
	}, practicetest.Said(err))
	_, err = change.NewPractice(nil, change.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// rehearse is the host's own.
type rehearse struct{}

func (rehearse) Action() string                          { return "rehearse" }
func (rehearse) Apply(*change.Change, itsm.Moment) error { return nil }

// A host has a state and a model of its own: everything usual is permitted there,
// and the model's requirements hold there too.
func TestAHostsOwnState(t *testing.T) {
	longer, err := change.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("rehearsal")
		s.Allow("rehearse", "rehearsal", change.Planning)
		s.Allow("request_approval", change.Authorize, "rehearsal")
		s.Allow("cancel", change.Cancelled, "rehearsal")
		s.Allow("note", "", "rehearsal")
	}, change.AllowUsual(change.Planning, "rehearsal"))
	require.NoError(t, err)
	own := change.DefaultModels()[1]
	own.Name = "rehearsed"
	own.Steps[change.Planning] = []itsm.State{"rehearsal", change.Cancelled}
	own.Steps["rehearsal"] = []itsm.State{change.Authorize, change.Cancelled}
	own.Require = map[itsm.State][]change.Requirement{"rehearsal": {change.NeedTestPlan, change.NeedPlan}, change.Implement: {change.NeedInWindow, change.NeedLowRisk},
		change.Review: {change.NeedValidation, change.NeedTasks}}
	own.MaxRisk = change.MediumRisk
	o := newOffice(t, change.Config{Lifecycle: longer, Models: []change.Model{own}, Actions: []action{rehearse{}}})
	r := o.open("rehearsed", change.StartPlanning{}, change.SetTasks{Tasks: []change.Step{{Key: "a", Title: "t", Kind: change.ImplementationTask}, {Key: "b", Title: "t", Kind: change.BackOutTask}}})
	o.Refuse(mia, r.ID, rehearse{}, "it has no test plan", "it has no plan")
	r = o.Did(mia, r.ID, plan, rehearse{}, change.Note{Text: "t"}, change.PutOnHold{Reason: "x"}, change.Resume{}, tonight, change.OverrideRisk{Level: change.HighRisk, Reason: "r"}, ask)
	o.Did(as("ann"), r.ID, yes)
	o.Did(as("bob"), r.ID, yes)
	o.Refuse(mia, r.ID, change.Start{}, "its planned time is 2026-03-02 20:00 to 2026-03-02 22:00 UTC", "its risk is high, and may be medium at most")
	_, err = o.Open(mia, change.Propose{Title: "t"})
	require.Equal(t, []string{`model "normal" is not among the models`}, practicetest.Said(err))
}
