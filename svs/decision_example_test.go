package svs_test

import (
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/svs"
)

// A change is decided about and looked at from all four dimensions; both stand with its
// record.
func Example_decision() {
	decision := svs.Decision{
		ID: "d1", Title: "Self-service for passwords", At: day,
		Options: []svs.Option{{Name: "buy a portal"}, {Name: "a form and a script"}}, Chosen: "a form and a script",
		Reason:     "it is of use in a week",
		Principles: []svs.Applied{{Principle: svs.ProgressIteratively, Why: "the form first, the portal if it is used"}, {Principle: svs.KeepItSimple}},
	}
	for _, u := range svs.Unexplained([]svs.Decision{decision}, day.AddDate(0, 1, 0)) {
		fmt.Println(u.Title, u.Lacks)
	}

	assessment := svs.Assessment{
		ID: "a1", At: day,
		Answers: []svs.Answer{{Question: "skills", Score: 2, Finding: "nobody but Noor knows the directory"}, {Question: "technology", Score: 4}},
		Outside: []svs.Influence{{Factor: svs.Legal, Note: "who may see the log of it?", On: []svs.Dimension{svs.InformationTechnology}}},
	}
	judgement := assessment.Judge(svs.DefaultChecklist(), 3)
	for _, d := range judgement.Dimensions {
		fmt.Printf("%-27s %d of %d answered\n", d.Dimension.Title(), d.Answered, d.Asked)
	}
	fmt.Println("first gap:", judgement.Gaps[0].Text)
	fmt.Println("nobody looked at:", judgement.Unseen)

	record := itsm.Meta{ID: "chg-1"}
	fields, err := svs.WithDecision(record, decision)
	fmt.Println(len(fields[svs.DecisionsField]) > 0, err)

	maturity, err := svs.MaturityOf(map[svs.Component]svs.Level{
		svs.GuidingPrinciples: 3, svs.Governance: 3, svs.ServiceValueChain: 2, svs.Practices: 2, svs.ContinualImprovement: 3,
	})
	fmt.Println(maturity.Level, maturity.Lowest, err)
	// Output:
	// Self-service for passwords [does not say how it follows "Keep it simple and practical"]
	// Organizations and people    1 of 4 answered
	// Information and technology  1 of 4 answered
	// Partners and suppliers      0 of 4 answered
	// Value streams and processes 0 of 4 answered
	// first gap: Does the structure fit what we want to achieve?
	// nobody looked at: [political economic social technological environmental]
	// true <nil>
	// managed [service_value_chain practices] <nil>
}
