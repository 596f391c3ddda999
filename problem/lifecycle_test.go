package problem_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestDocuments(t *testing.T) {
	lifecycletest.Diagrams(t, "lifecycle", problem.DefaultLifecycle())
	lifecycletest.Diagrams(t, "known_error", problem.DefaultKnownErrorLifecycle())
	lifecycletest.DocShows(t, problem.DefaultLifecycle(), problem.DefaultKnownErrorLifecycle())
	o := newOffice(t, problem.Config{})
	lifecycletest.DocLists(t, o.Actions(), "", 30)
	lifecycletest.DocLists(t, o.errors.Actions(), "KnownError", 20)
}

// The lifecycle has every edge of the survey's superset, and no other.
func TestTheLifecycleIsTheSuperset(t *testing.T) {
	require.Len(t, lifecycletest.Moves(problem.DefaultLifecycle()), 45)
	lifecycletest.ReadSurvey(t).IsSuperset(t, problem.DefaultLifecycle())
}

// graphless are products of which the states are known and no graph: GLPI's default
// profile permits any status after any other, and of BMC only the states are documented.
// So any move from one status to another has to have a way.
func graphless() map[string]map[string]itsm.State {
	return map[string]map[string]itsm.State{
		"glpi.Problem": {"new": problem.New, "accepted": problem.Assess, "assigned": problem.Investigating, "planned": problem.Investigating,
			"pending": problem.OnHold, "solved": problem.Resolved, "observed": problem.Monitoring, "closed": problem.Closed},
		"bmc.Problem": {"Draft": problem.New, "Under Review": problem.Assess, "Request for Authorization": problem.Assess, "Assigned": problem.Investigating,
			"Under Investigation": problem.Investigating, "Pending": problem.OnHold, "Completed": problem.Resolved, "Rejected": problem.Cancelled,
			"Closed": problem.Closed, "Cancelled": problem.Cancelled},
	}
}

// Every step that another product's problems take is one step of ours, none, or a way
// that is listed; those that have none are listed too.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	var steps lifecycletest.Steps
	ways := lifecycletest.Ways(problem.DefaultLifecycle())
	for p := range lifecycletest.ReadSurvey(t).Of("problem") {
		steps.Add(t, p, ways)
	}
	require.Equal(t, 3, steps.Machines)
	require.Empty(t, steps.Longer, "the products that have a graph need one step")
	require.Empty(t, steps.None)
	for name, states := range graphless() {
		steps.AddGraphless(t, name, states, ways)
	}
	lifecycletest.Golden(t, "products.txt", steps.String())
	for _, line := range steps.None {
		// What was no problem stays none.
		require.Regexp(t, `^bmc.Problem: (Cancelled|Rejected) → `, line)
	}
}

// BMC's known errors have a lifecycle of their own, and so have ours.
func TestKnownErrorsMapOntoTheirLifecycle(t *testing.T) {
	var steps lifecycletest.Steps
	steps.AddGraphless(t, "bmc.KnownError", map[string]itsm.State{"Assigned": problem.Published, "Scheduled For Correction": problem.FixScheduled,
		"Assigned to Vendor": problem.WithVendor, "No Action Planned": problem.NoActionPlanned, "Corrected": problem.Corrected,
		"Closed": problem.KnownErrorClosed, "Cancelled": problem.KnownErrorCancelled}, lifecycletest.Ways(problem.DefaultKnownErrorLifecycle()))
	lifecycletest.Golden(t, "known_error_products.txt", steps.String())
	for _, line := range steps.None {
		require.Regexp(t, `^bmc.KnownError: Cancelled → `, line)
	}
}

// Everything ends, whatever is open can be cancelled, and the table comes back from
// JSON.
func TestEverythingEnds(t *testing.T) {
	l, known := problem.DefaultLifecycle(), problem.DefaultKnownErrorLifecycle()
	lifecycletest.Holds(t, l, problem.States()...)
	lifecycletest.Holds(t, known, problem.KnownErrorStates()...)
	for l, cancelled := range map[*itsm.Lifecycle]itsm.State{l: problem.Cancelled, known: problem.KnownErrorCancelled} {
		for s := range l.States() {
			require.True(t, lifecycletest.Path(l, s, "closed") != nil || s == cancelled, "%s", s)
		}
	}
	lifecycletest.Cancels(t, l, problem.Cancelled, problem.Resolved, problem.Monitoring)
	lifecycletest.Cancels(t, known, problem.KnownErrorCancelled, problem.Corrected)
}

func TestPhasesFollowFromTheState(t *testing.T) {
	phases := map[itsm.State]problem.Phase{}
	for _, s := range problem.States() {
		phases[s] = problem.PhaseOf(s)
	}
	require.Equal(t, map[itsm.State]problem.Phase{
		problem.New: problem.Identification, problem.Assess: problem.Identification, problem.Investigating: problem.ProblemControl, problem.Identified: problem.ProblemControl,
		problem.FixInProgress: problem.ErrorControl, problem.Resolved: problem.ErrorControl, problem.Monitoring: problem.ErrorControl, problem.OnHold: "", problem.Closed: "", problem.Cancelled: "",
	}, phases)
	require.Len(t, problem.Phases(), 3)
	o := newOffice(t, problem.Config{})
	r := o.open(problem.StartAssessment{}, problem.PutOnHold{Reason: problem.AwaitingRecurrence})
	require.Equal(t, problem.Identification, r.Phase(), "what is on hold is in the phase in which that began")
	r = o.Did(kim, r.ID, problem.Investigate{}, problem.PutOnHold{Reason: problem.AwaitingVendor})
	require.Equal(t, problem.ProblemControl, r.Phase())
	r = o.Did(kim, r.ID, fixing, problem.PutOnHold{Reason: problem.AwaitingChange})
	require.Equal(t, problem.ErrorControl, r.Phase())
	require.True(t, r.Open())
}

func TestNewPracticeRefuses(t *testing.T) {
	_, err := problem.NewPractice(memory.New[problem.Problem](), problem.Config{
		Risk:        problem.RiskPolicy{Name: "r", Version: -1, Rising: 90, Falling: 101, Bands: []problem.Band{{Priority: 2, From: 1}, {Priority: 2, From: 1}, {}}},
		Observation: -1,
	})
	require.Equal(t, []string{
		"risk.version must not be negative", "risk.rising must be 100 to 10000 percent", "risk.falling must be 0 to 100 percent",
		"risk.bands[1].priority must be lower than the one before", "risk.bands[1].from must be less than the one before",
		"risk.bands[2].priority must be 1 to 254", "risk.bands[2].from must be positive", "risk.bands[2].priority must be lower than the one before",
		"observation must be positive and at most 100 years",
	}, practicetest.Said(err))
	_, err = problem.NewPractice(nil, problem.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	_, err = problem.NewKnownErrors(nil, problem.KnownErrorConfig{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// verify is the host's own.
type verify struct{}

func (verify) Action() string                            { return "verify" }
func (verify) Apply(*problem.Problem, itsm.Moment) error { return nil }

// A host has a state of its own: everything usual is permitted there.
func TestAHostsOwnState(t *testing.T) {
	longer, err := problem.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("verifying")
		s.Allow("verify", "verifying", problem.FixInProgress)
		s.Allow("resolve", problem.Resolved, "verifying")
		s.Allow("cancel", problem.Cancelled, "verifying")
		s.Allow("note", "", "verifying")
	}, problem.AllowUsual(problem.FixInProgress, "verifying"))
	require.NoError(t, err)
	o := newOffice(t, problem.Config{Lifecycle: longer, Actions: []action{verify{}}})
	r := o.open(problem.Investigate{}, fixing, verify{}, problem.Note{Text: "t"}, problem.AddTask{Title: "look"}, problem.EndTask{Number: 1}, identify)
	require.EqualValues(t, "verifying", r.State)
	require.True(t, r.Open())
	require.Empty(t, r.Phase())
	r = o.Did(kim, r.ID, fixed)
	require.Equal(t, problem.Resolved, r.State)
	// And a known error too.
	quiet, err := problem.DefaultKnownErrorLifecycle().With(func(s *itsm.LifecycleSpec) { s.Forbid("call_review") })
	require.NoError(t, err)
	known, err := problem.NewKnownErrors(memory.New[problem.KnownError](), problem.KnownErrorConfig{Lifecycle: quiet})
	require.NoError(t, err)
	k, err := known.Open(kim, problem.Document{Title: "t"})
	require.NoError(t, err)
	k, err = known.Do(kim, k.ID, problem.SetReview{Review: k.Created.AddDate(1, 0, 0)})
	require.NoError(t, err)
	require.Zero(t, k.Due)
}
