package knowledge_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
)

// What helped with one incident is found in the next one, and used.
func Example() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	desk, err := knowledge.NewPractice(memory.New[knowledge.Article](), knowledge.Config{
		Config:        itsm.Config{Now: func() time.Time { return now }, NewID: practicetest.Serial()},
		ValidateAfter: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mia, ann := itsm.As(context.Background(), "mia"), itsm.As(context.Background(), "ann")
	a, err := desk.Capture(mia, knowledge.Capture{
		Content: knowledge.Content{
			Title:      "Outlook asks for the password again and again",
			Issue:      "After the password was changed, Outlook keeps asking for it",
			Resolution: "Delete the stored password in the credential manager.",
		},
		Audience: knowledge.Audience{Reach: knowledge.Customer},
		From:     itsm.Ref{Kind: "incident", ID: "inc-1"},
	})
	if err == nil {
		a, err = desk.Do(mia, a.ID, knowledge.Publish{})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.State, a.Confidence, "for customers:", a.Public())

	hits, err := desk.Search(ann, knowledge.Search{Text: "outlook wants password", Reader: knowledge.Reader{Reach: knowledge.Internal}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(hits[0].Article.ID, "because of", hits[0].Reason())
	a, err = desk.Do(ann, hits[0].Article.ID, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: itsm.Ref{Kind: "incident", ID: "inc-2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a.State, a.Confidence, "for customers:", a.Public())
	// Output:
	// published not_validated for customers: false
	// kba-1 because of title: outlook, password; issue: outlook, password; resolution: password
	// published validated for customers: true
}

// What has to comply is published when those approve who have to, and not before.
func ExampleApprovalRule() {
	rule, err := knowledge.ParseApprovalRule([]byte(`{
		"name": "legal", "of": "publication", "when": {"category": ["law"]},
		"policy": {"rule": {"need": "any", "of": [{"person": "ann"}, {"person": "bob"}]}, "exclude": ["author"]}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	desk, err := knowledge.NewPractice(memory.New[knowledge.Article](), knowledge.Config{
		Config: itsm.Config{NewID: practicetest.Serial()}, Approvals: []knowledge.ApprovalRule{rule},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mia, ann := itsm.As(context.Background(), "mia"), itsm.As(context.Background(), "ann")
	a, _ := desk.Capture(mia, knowledge.Capture{Content: knowledge.Content{Title: "Data retention", Body: "Logs are kept for 90 days."}, Category: "law"})
	_, err = desk.Do(mia, a.ID, knowledge.Publish{})
	fmt.Println(itsm.Findings(err)[0])
	a, _ = desk.Do(mia, a.ID, knowledge.Submit{})
	fmt.Println(a.State, a.Approval.Asked)
	a, _ = desk.Do(ann, a.ID, knowledge.Vote{Vote: approval.Approve})
	fmt.Println(a.State, a.Confidence, "edition", a.Live.Number)
	// Output:
	// its publication has to be approved by the rule "legal": submit
	// in_review [ann bob]
	// published validated edition 1
}

// What was changed between two editions, line by line.
func ExampleCompare() {
	was := knowledge.Content{Title: "Restart the queue", Resolution: "Log in to mx-1.\nRestart the queue."}
	is := knowledge.Content{Title: "Restart the queue", Resolution: "Log in to mx-1.\nCheck the certificate.\nRestart the queue."}
	for _, d := range knowledge.Compare(was, is) {
		fmt.Println(d.Part)
		for _, line := range d.Lines {
			fmt.Println(line.Sign, line.Text)
		}
	}
	// Output:
	// resolution
	//   Log in to mx-1.
	// + Check the certificate.
	//   Restart the queue.
}
