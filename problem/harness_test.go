package problem_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
)

type (
	action      = itsm.Action[problem.Problem]
	errorAction = itsm.Action[problem.KnownError]
)

// A kernel is a practice over a memory store, with a clock and a test, whatever its
// records are.
type kernel[R any] struct {
	*itsm.Practice[R]
	*practicetest.Desk[R]
}

func newKernel[R any](t testing.TB, host practicetest.Host[R]) kernel[R] {
	d := practicetest.NewDesk(t, host)
	return kernel[R]{d.Kernel, d}
}

// An office is problem management: problems and known errors.
type office struct {
	kernel[problem.Problem]
	problems *problem.Practice
	errors   kernel[problem.KnownError]
	known    *problem.KnownErrors
}

var (
	morning = practicetest.Morning()
	kim     = as("kim")
	sys     = itsm.WithActor(context.Background(), itsm.System())
)

func as(id string) context.Context { return itsm.As(context.Background(), id) }

// newOffice returns a practice of problems whose known errors follow them.
func newOffice(t testing.TB, cfg problem.Config, views ...problem.View[problem.KnownError]) *office {
	o := new(office)
	o.errors = newKernel(t, hostOfErrors(problem.KnownErrorConfig{Config: itsm.Config{Attempts: cfg.Attempts}, Views: views}, &o.known))
	cfg.Now, cfg.KnownErrors = o.errors.Time.Now, o.known
	o.kernel = newKernel(t, host(cfg, &o.problems))
	o.Time = o.errors.Time
	return o
}

// host is a way to run the practice of problems; made is the last that was made.
func host(cfg problem.Config, made **problem.Practice) practicetest.Host[problem.Problem] {
	return func(store itsm.Store[problem.Problem], given itsm.Config) (*itsm.Practice[problem.Problem], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := problem.NewPractice(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
}

// hostOfErrors is a way to run that of known errors.
func hostOfErrors(cfg problem.KnownErrorConfig, made **problem.KnownErrors) practicetest.Host[problem.KnownError] {
	return func(store itsm.Store[problem.KnownError], given itsm.Config) (*itsm.Practice[problem.KnownError], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := problem.NewKnownErrors(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
}

// open registers a problem of the mail service and does the actions to it, as kim.
func (o *office) open(actions ...action) problem.Problem {
	o.T.Helper()
	r, err := o.problems.Open(kim, problem.Register{Title: "Mail stops", Services: []string{"mail"}, CIs: []string{"mx-1"}, Symptom: "no mail"})
	require.NoError(o.T, err)
	return o.Did(kim, r.ID, actions...)
}

// document writes a known error of a problem down and does the actions to it.
func (o *office) document(p problem.Problem, actions ...errorAction) problem.KnownError {
	o.T.Helper()
	r, err := o.known.Open(kim, p.Document())
	require.NoError(o.T, err)
	return o.errors.Did(kim, r.ID, actions...)
}

// What most tests do on the way to what they are about.
var (
	identify = problem.Identify{Causes: []problem.Cause{{Text: "the disk is full", Evidence: "df", Dimension: problem.InformationTechnology}}}
	fixing   = problem.StartFix{Plan: "a larger disk", Change: itsm.Ref{Kind: "change", ID: "chg-1"}}
	fixed    = problem.Resolve{Code: problem.FixApplied, Note: "a larger disk"}
	fallback = problem.AddWorkaround{Title: "Second server", Steps: "switch over"}
	incident = itsm.Ref{Kind: "incident", ID: "inc-1"}
)

// fixedActions lead to a problem that is observed.
func fixedActions() []action {
	return []action{problem.Investigate{}, identify, fixing, fixed, problem.Monitor{}}
}

// calendar is open every day.
func calendar(t testing.TB) *sla.Hours {
	t.Helper()
	h, err := sla.Calendar{Name: "always", Zone: "UTC", Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Close: 24 * time.Hour})}}.Compile()
	require.NoError(t, err)
	return h
}

// agreed promises control in a day and a resolution in three from there.
func agreed(t testing.TB) *sla.Book {
	book, err := sla.NewBook([]*sla.Hours{calendar(t)}, []sla.Agreement{{Name: "all", Kind: sla.ServiceLevel, Metrics: []sla.Metric{
		problem.ControlMetric("always", sla.GoalRule{Within: 24 * time.Hour}),
		problem.ResolutionMetric("always", sla.GoalRule{Within: 72 * time.Hour}),
	}}})
	require.NoError(t, err)
	return book
}

var errDown = errors.New("the host is down")

// sequence is what a store yields.
func sequence[T any](all []T, failing error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
		if failing != nil {
			var none T
			yield(none, failing)
		}
	}
}
