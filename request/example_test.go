package request_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/storage/memory"
)

// Jin orders a phone. The manager approves; mia finds that there is none, and buys
// one. Nobody objects, so the request closes by itself.
func Example() {
	catalogue := must(request.NewCatalogue(request.CatalogueSpec{
		Policies: map[string]approval.Policy{"manager": {Rule: approval.Rule{Of: approval.Persons("kim")}, Exclude: []string{"requester"}}},
		Models: []request.Model{{Name: "device", Approvals: []request.Approver{{Policy: "manager"}}, Tasks: []request.TaskModel{
			{Key: "stock", Title: "Look into the store room"},
			{Key: "buy", Title: "Buy one", Needs: []string{"stock"}, When: map[string][]string{"task.stock": {"none"}},
				Undo: &request.Undo{Title: "Send it back"}},
			{Key: "hand", Title: "Hand it over", Needs: []string{"stock", "buy"}, Undo: &request.Undo{Title: "Collect it"}},
		}}},
		Offerings: []request.Offering{{Name: "phone", Version: 1, Status: request.Published, Title: "A phone", Model: "device",
			Price: request.Price{{Value: "399.00", Currency: "EUR"}, {Value: "20.00", Currency: "EUR", Per: request.Monthly}}}},
	}))
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	desk := must(request.NewPractice(memory.New[request.Request](), request.Config{
		Config:    itsm.Config{Now: func() time.Time { return now }, NewID: practicetest.Serial()},
		Catalogue: catalogue,
		AutoClose: request.After(72 * time.Hour),
	}))
	background := context.Background()
	mia, jin, kim := itsm.As(background, "mia"), itsm.As(background, "jin"), itsm.As(background, "kim")

	req := must(desk.Order(jin, request.Order{Lines: []request.Line{{Offering: "phone"}}}))
	fmt.Printf("%s: %s, %s\n\n", req.ID, req.Title, req.Price)
	do := func(ctx context.Context, a itsm.Action[request.Request]) {
		now = now.Add(5 * time.Minute)
		if _, err := desk.Do(ctx, req.ID, a); err != nil {
			fmt.Println(err)
		}
	}
	do(jin, request.Vote{Vote: approval.Approve}) // not on one's own request
	do(kim, request.Vote{Vote: approval.Approve})
	do(mia, request.Start{})
	do(mia, request.CompleteTask{Task: 1, Result: "none"})
	do(mia, request.CompleteTask{Task: 3}) // too early
	do(mia, request.CompleteTask{Task: 2})
	do(mia, request.CompleteTask{Task: 3})
	now = now.Add(72 * time.Hour)
	_, _, _ = desk.RunDue(itsm.WithActor(background, itsm.System()))

	fmt.Println()
	for e, err := range desk.History(mia, req.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%2d  %s  %-6s  %-13s  %s\n", e.Version, e.At.Format("02 15:04"), e.Actor.ID, e.Action, e.To)
	}
	// Output:
	// req-1: A phone, 399.00 EUR + 20.00 EUR a month
	//
	// request req-1: jin is excluded as requester
	// request req-1: task 3 is waiting
	//
	//  1  02 08:00  jin     order          draft
	//  2  02 08:00  jin     submit         submitted
	//  3  02 08:00  jin     seek_approval  awaiting_approval
	//  4  02 08:10  kim     vote           awaiting_approval
	//  5  02 08:10  kim     approve        approved
	//  6  02 08:15  mia     start          in_fulfilment
	//  7  02 08:20  mia     complete_task  in_fulfilment
	//  8  02 08:30  mia     complete_task  in_fulfilment
	//  9  02 08:35  mia     complete_task  in_fulfilment
	// 10  02 08:35  mia     auto_fulfil    fulfilled
	// 11  05 08:35  system  auto_close     closed
}

// One function says what the parts mean for the whole.
func ExampleRollUp() {
	fmt.Println(request.RollUp(request.Taint, request.Complete, request.Complete, request.Skipped))
	fmt.Println(request.RollUp(request.Taint, request.Complete, request.Withdrawn))
	fmt.Println(request.RollUp(request.Taint, request.Withdrawn, request.Withdrawn))
	fmt.Println(request.RollUp(request.AllOrNothing, request.Complete, request.Failed))
	// Output:
	// complete
	// with_issues
	// cancelled
	// failed
}

// A form is JSON Schema for everybody who draws one, and back.
func ExampleForm_Schema() {
	form := request.Form{Variables: []request.Variable{
		{Name: "system", Type: request.OneOf, Required: true, Choices: []request.Choice{{Value: "linux"}, {Value: "other"}}},
		{Name: "which", Type: request.Text, Required: true, MaxLength: 40, When: map[string][]string{"system": {"other"}}},
	}}
	schema := must(form.Schema())
	fmt.Println(string(schema))
	_, err := form.Answer(itsm.Fields{"system": []byte(`"other"`), "colour": []byte(`1`)})
	fmt.Println(err)
	// Output:
	// {"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"system":{"type":"string","enum":["linux","other"]},"which":{"type":"string","maxLength":40}},"required":["system"],"additionalProperties":false,"allOf":[{"if":{"properties":{"system":{"enum":["other"]}},"required":["system"]},"then":{"required":["which"]},"else":{"properties":{"which":false}}}]}
	// which must be given; colour is not a variable of the form
}

// Cancelling takes back what was done, the last first, by tasks that go on while the
// request is cancelled.
func ExampleCancel() {
	undo := func(title string) *request.Undo { return &request.Undo{Title: title} }
	catalogue := must(request.NewCatalogue(request.CatalogueSpec{
		Models: []request.Model{{Name: "desk", Automatic: true, Tasks: []request.TaskModel{
			{Key: "put", Title: "Put up a desk", Undo: undo("Take the desk away")},
			{Key: "lamp", Title: "Put a lamp on it", Needs: []string{"put"}, Undo: undo("Take the lamp away")},
			{Key: "plant", Title: "Add a plant", Needs: []string{"lamp"}},
		}}},
		Offerings: []request.Offering{{Name: "desk", Version: 1, Status: request.Published, Title: "A desk", Model: "desk"}},
	}))
	desk := must(request.NewPractice(memory.New[request.Request](), request.Config{Catalogue: catalogue}))
	mia := itsm.As(context.Background(), "mia")
	req := must(desk.Order(mia, request.Order{Lines: []request.Line{{Offering: "desk"}}}))
	must(desk.Do(mia, req.ID, request.CompleteTask{Task: 1}))
	must(desk.Do(mia, req.ID, request.CompleteTask{Task: 2}))
	req = must(desk.Do(mia, req.ID, request.Cancel{Reason: "moved"}))
	fmt.Println(req.State)
	for _, t := range req.Tasks {
		fmt.Printf("%d %-9s %s\n", t.Number, t.State, t.Title)
	}
	// Output:
	// cancelled
	// 1 done      Put up a desk
	// 2 done      Put a lamp on it
	// 3 cancelled Add a plant
	// 4 ready     Take the lamp away
	// 5 waiting   Take the desk away
}

// Access until a day lasts longer if the manager agrees; the request is closed all the
// while, and nothing waits for the vote.
func ExampleExtend() {
	catalogue := must(request.ParseCatalogue([]byte(`{
		"zone": "Europe/Berlin",
		"policies": {"manager": {"rule": {"need": "any", "of": [{"person": "kim"}]}, "within": "48h"}},
		"models": [{"name": "access", "automatic": true, "tasks": [
			{"key": "grant", "title": "Let in", "automation": "grant", "undo": {"title": "Lock out", "automation": "revoke"}}]}],
		"offerings": [{"name": "lab", "version": 1, "status": "published", "title": "Access to the lab", "model": "access",
			"form": {"variables": [{"name": "until", "type": "date", "required": true}]},
			"expiry": {"variable": "until", "extend": {"policy": "manager", "longest": "720h"}}}]
	}`)))
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	desk := must(request.NewPractice(memory.New[request.Request](), request.Config{Catalogue: catalogue, Config: itsm.Config{Now: func() time.Time { return now }}}))
	jin, kim := itsm.As(context.Background(), "jin"), itsm.As(context.Background(), "kim")
	req := must(desk.Order(jin, request.Order{Lines: []request.Line{{Offering: "lab", Values: itsm.Fields{"until": []byte(`"2026-03-31"`)}}}}))
	must(desk.Do(itsm.As(context.Background(), "bot"), req.ID, request.CompleteTask{Task: 1}))
	must(desk.Do(jin, req.ID, request.Close{}))

	req = must(desk.Do(jin, req.ID, request.Extend{Item: 1, LastDay: "2026-04-15", Reason: "the series is not finished"}))
	fmt.Println(req.State, "until", req.Items[0].Until.Format(time.DateTime), "and asked for", req.Items[0].Longer.Until.Format(time.DateTime))
	req = must(desk.Do(kim, req.ID, request.Vote{Vote: approval.Approve}))
	fmt.Println(req.State, "until", req.Items[0].Until.Format(time.DateTime))
	_, err := desk.Do(jin, req.ID, request.Extend{Item: 1, LastDay: "2026-12-31"})
	fmt.Println(itsm.Findings(err)[0])
	// Output:
	// closed until 2026-03-31 22:00:00 and asked for 2026-04-15 22:00:00
	// closed until 2026-04-15 22:00:00
	// until must be at most 720h0m0s later than 2026-04-15T22:00:00Z
}

// must is for examples in which nothing goes wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
