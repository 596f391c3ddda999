package problem_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	inc "github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/storage/memory"
)

// A problem from the incidents that show it to the proof that it is gone.
func Example() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	clock := itsm.Config{Now: func() time.Time { return now }, NewID: practicetest.Serial()}
	known, err := problem.NewKnownErrors(memory.New[problem.KnownError](), problem.KnownErrorConfig{Config: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	office, err := problem.NewPractice(memory.New[problem.Problem](), problem.Config{Config: clock, KnownErrors: known})
	if err != nil {
		fmt.Println(err)
		return
	}
	kim := itsm.As(context.Background(), "kim")
	p, _ := office.Open(kim, problem.Register{Title: "Mail stops on Mondays", Services: []string{"mail"}, Symptom: "no mail"})
	do := func(a itsm.Action[problem.Problem]) {
		next, err := office.Do(kim, p.ID, a)
		if err != nil {
			fmt.Println(err)
			return
		}
		p = next
	}
	do(problem.AssessRisk{Estimate: problem.Estimate{Frequency: 4, Harm: 50 * time.Hour}})
	fmt.Println(p.Risk)
	do(problem.Investigate{})
	do(problem.Identify{Causes: []problem.Cause{{Text: "human error", Evidence: "the log"}}})
	do(problem.Identify{Causes: []problem.Cause{{Text: "the queue's disk is too small", Evidence: "df", Dimension: problem.InformationTechnology}}})
	fmt.Println(p.State, p.Phase())

	// How to live with it is published before there is a cure.
	k, _ := known.Open(kim, p.Document())
	k, _ = known.Do(kim, k.ID, problem.AddWorkaround{Title: "Second queue", Steps: "switch over"})
	k, _ = known.Do(kim, k.ID, problem.Publish{})

	do(problem.StartFix{Change: itsm.Ref{Kind: "change", ID: "chg-7"}})
	k, _ = known.Get(kim, k.ID)
	fmt.Println(k.State, k.Fix)
	do(problem.Resolve{Code: problem.FixApplied, Note: "a larger disk"})
	do(problem.Monitor{})
	now = p.Observation.Until
	_, _, _ = office.RunDue(kim)
	p, _ = office.Get(kim, p.ID)
	k, _ = known.Get(kim, k.ID)
	fmt.Println(p.State, p.Resolution.Code, k.State)
	// Output:
	// P2, 200h0m0s in 30 days: 4 × 50h0m0s
	// problem prb-1: causes[0].text is a prompt and not a cause: what made the mistake possible, and what would have caught it?
	// identified problem_control
	// fix_scheduled change:chg-7
	// closed fix_applied closed
}

// Incidents that come back are noticed, whoever handles them.
func ExampleDetector() {
	desk, err := inc.NewPractice(memory.New[inc.Incident](), inc.Config{Config: itsm.Config{NewID: practicetest.Serial()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	mia := itsm.As(context.Background(), "mia")
	for range 3 {
		i, _ := desk.Open(mia, inc.Report{Title: "No mail", Service: "mail", Category: "no mail"})
		_, _ = desk.Do(mia, i.ID, inc.Resolve{Code: inc.Fixed, Note: "restarted"})
	}
	detector, err := problem.NewDetector(problem.Rules{Repeats: 3, Window: 7 * 24 * time.Hour}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for news, err := range desk.Feed(mia, "") {
		if err != nil {
			fmt.Println(err)
			return
		}
		proposals, _ := detector.Event(news.Event)
		for _, p := range proposals {
			fmt.Println(p.Rule, p.Incidents)
			fmt.Println(p.Reason)
		}
	}
	// Output:
	// repetition [inc-1 inc-2 inc-3]
	// 3 incidents of mail with "no mail" within 7 days
}

// A fault tree knows what is enough to bring the top event about, and how probable that
// is.
func ExampleFaultTree() {
	p := func(p float64) *float64 { return &p }
	tree := problem.FaultTree{
		Top: "no mail",
		Gates: []problem.Gate{
			{Name: "no mail", Kind: problem.Or, Inputs: []string{"full queue", "no server"}},
			{Name: "no server", Kind: problem.AtLeast, Least: 2, Inputs: []string{"mx-1", "mx-2", "mx-3"}},
		},
		Events: []problem.BasicEvent{
			{Name: "full queue", Probability: p(0.02), Evidence: "df"},
			{Name: "mx-1", Probability: p(0.1), Evidence: "log"}, {Name: "mx-2", Probability: p(0.1), Evidence: "log"}, {Name: "mx-3", Probability: p(0.1)},
		},
	}
	fmt.Print(tree)
	// Output:
	// no mail: one of
	//   full queue, p = 0.02 [df]
	//   no server: at least 2 of
	//     mx-1, p = 0.1 [log]
	//     mx-2, p = 0.1 [log]
	//     mx-3, p = 0.1
	//   probability: 0.04744
	//   enough: full queue
	//   enough: mx-1 and mx-2
	//   enough: mx-1 and mx-3
	//   enough: mx-2 and mx-3
	//   ! events[3] has no evidence
}

// Whys branch, and blaming somebody is not the end.
func ExampleFiveWhys() {
	fmt.Print(problem.FiveWhys{Problem: "No mail on Mondays", Whys: []problem.Why{{
		Because: "The queue's disk was full", Evidence: "df, 3 March", Whys: []problem.Why{
			{Because: "Human error", Evidence: "Mia did not look"},
			{Because: "Nothing watches that disk", Evidence: "the monitoring's configuration", Remedy: "an alert at 80 percent"},
		},
	}}})
	// Output:
	// No mail on Mondays
	//   why? The queue's disk was full [df, 3 March]
	//     why? Human error [Mia did not look]
	//       ! is a prompt and not a cause: what made the mistake possible, and what would have caught it?
	//     why? Nothing watches that disk [the monitoring's configuration]
	//       remedy: an alert at 80 percent
}

// A new incident is told what is known, by the practice that does not know this one.
func ExampleHook() {
	known := problem.NewMatcher()
	desk, err := inc.NewPractice(memory.New[inc.Incident](), inc.Config{
		Matcher: problem.Hook[inc.Incident, inc.Proposal]{
			Matcher: known,
			Query: func(i inc.Incident) problem.Query {
				return problem.Query{Service: i.Service, CI: i.CI, Text: i.Title + " " + i.Description}
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Usually the known errors put themselves there: KnownErrorConfig.Views.
	known.Put(problem.KnownError{Meta: itsm.Meta{ID: "ke-1", Version: 2, State: problem.Published}, Services: []string{"mail"}, Symptoms: []string{"Outlook hangs at start"}})
	i, err := desk.Open(itsm.As(context.Background(), "jin"), inc.Report{Title: "My Outlook hangs", Service: "mail"})
	fmt.Println(i.Proposals[0].To, i.Proposals[0].Reason, err)
	// Output: known_error:ke-1 same service mail; symptom words: hangs, outlook <nil>
}
