// Onboarding follows one order from the catalogue to the return: a newcomer gets an
// account, a laptop, and access to a folder until a day, which is moved once. Half a year
// passes on a clock of its own.
//
//	go run ./examples/onboarding
package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"
	_ "time/tzdata" // so that it runs where the system has no time zones

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// catalogue is what can be ordered. It is all data: a vendor keeps it as JSON.
func catalogue() *request.Catalogue {
	login := request.Variable{Name: "login", Title: "Login", Type: request.Text, Required: true, Pattern: "^[a-z]+$"}
	until := request.Variable{Name: "until", Title: "Until", Type: request.Day, Required: true}
	c, err := request.NewCatalogue(request.CatalogueSpec{
		Zone: "Europe/Berlin",
		Policies: map[string]approval.Policy{
			"manager": {Rule: approval.Rule{Of: []approval.Member{{Computed: "line manager"}}}, Exclude: []string{"requester", "recipient"}, Within: 72 * time.Hour},
		},
		Models: []request.Model{
			{Name: "account", Automatic: true, Tasks: []request.TaskModel{
				{Key: "create", Title: "Create the account", Automation: "create_account", Undo: &request.Undo{Title: "Remove the account", Automation: "remove_account"}},
			}},
			{Name: "device", Approvals: []request.Approver{{Policy: "manager"}}, Automatic: true, Tasks: []request.TaskModel{
				{Key: "stock", Title: "Look into the store room", Group: "desk"},
				{Key: "buy", Title: "Buy one", Group: "purchasing", Needs: []string{"stock"}, When: sla.Condition{"task.stock": {"none"}}},
				{Key: "setup", Title: "Set it up", Group: "desk", Needs: []string{"stock", "buy"}, Undo: &request.Undo{Title: "Wipe it", Group: "desk"}},
				{Key: "hand", Title: "Hand it over", Group: "desk", Needs: []string{"setup"}, Undo: &request.Undo{Title: "Collect it", Group: "desk"}},
			}},
			{Name: "access", Automatic: true, Tasks: []request.TaskModel{
				{Key: "open", Title: "Open the folder", Change: "std-access", Undo: &request.Undo{Title: "Close the folder", Change: "std-access-off"}},
			}},
		},
		Offerings: []request.Offering{
			{Name: "account", Version: 1, Status: request.Published, Title: "An account", Model: "account", Form: request.Form{Variables: []request.Variable{login}}},
			{Name: "laptop", Version: 3, Status: request.Published, Title: "A laptop", Model: "device",
				Options: []request.Option{{Name: "dock", Price: request.Price{{Value: "150.50", Currency: "EUR"}}}},
				Price:   request.Price{{Value: "1200.00", Currency: "EUR"}, {Value: "9.90", Currency: "EUR", Per: request.Monthly}}},
			{Name: "folder", Version: 1, Status: request.Published, Title: "A shared folder", Model: "access",
				Form: request.Form{Variables: []request.Variable{until}}, Expiry: request.Expiry{Variable: "until", Extend: &request.Extension{Policy: "manager", Longest: 90 * 24 * time.Hour}}},
			{Name: "newcomer", Version: 1, Status: request.Published, Title: "Everything for a newcomer",
				Order: sla.Conditions{{"role": {"lead"}}},
				Form:  request.Form{Variables: []request.Variable{login, until}},
				Bundle: []request.Component{
					{Offering: "account"}, {Offering: "laptop", Options: []string{"dock"}}, {Offering: "folder"},
				}},
		},
	})
	check(err)
	return c
}

func main() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	check(err)
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, berlin)
	desk, err := request.NewPractice(memory.New[request.Request](), request.Config{
		Config:    itsm.Config{Now: func() time.Time { return now }, NewID: numbers()},
		Catalogue: catalogue(),
		AutoClose: request.After(72 * time.Hour),
		// What the host knows of its people.
		Directory: func(_ context.Context, person string) (sla.Facts, error) {
			return sla.FactMap{"role": map[string]string{"jin": "lead"}[person]}, nil
		},
		Approvers: func(_ context.Context, _ request.Request, _ approval.Kind, _ string) ([]string, error) {
			return []string{"kim"}, nil
		},
	})
	check(err)
	ctx := context.Background()
	jin, kim, mia := itsm.As(ctx, "jin"), itsm.As(ctx, "kim"), itsm.As(ctx, "mia")
	host := automation{desk: desk, ctx: itsm.As(ctx, "automation")}

	fmt.Println("Everything that is wrong with an order is told at once, and nothing is stored:")
	_, err = desk.Order(jin, request.Order{Lines: []request.Line{
		{Offering: "newcomer", Values: itsm.Fields{"login": []byte(`"New One"`), "until": []byte(`"soon"`)}, Leave: []string{"laptop"}},
	}})
	for _, f := range itsm.Findings(err) {
		fmt.Println("  -", f)
	}

	req, err := desk.Order(jin, request.Order{Recipient: "ara", Lines: []request.Line{
		{Offering: "newcomer", Values: itsm.Fields{"login": []byte(`"ara"`), "until": []byte(`"2026-08-31"`)}},
	}})
	check(err)
	fmt.Printf("\n%s: %s for %s, %s\n", req.ID, req.Title, req.Recipient, req.Price)
	show(req, berlin)

	do := func(who context.Context, a itsm.Action[request.Request]) {
		now = now.Add(2 * time.Hour)
		req, err = desk.Do(who, req.ID, a)
		check(err)
	}
	do(kim, request.Vote{Vote: approval.Approve, Comment: "welcome"})
	fmt.Println("\nThe last vote approves, and what is automatic begins in the same commit:")
	show(req, berlin)

	// The host's automation reads the feed and answers.
	fmt.Println("\nThe automation reads what to run:")
	host.run()
	do(mia, request.CompleteTask{Task: 2, Result: "one left"})
	do(mia, request.CompleteTask{Task: 4})
	do(mia, request.CompleteTask{Task: 5})
	fmt.Println("\nThere was one in the store room, so none was bought. The last task fulfils:")
	show(req, berlin)

	// The project takes longer. The request is closed by then and stays so.
	now = time.Date(2026, 8, 24, 9, 0, 0, 0, berlin)
	runDue(desk)
	do(jin, request.Extend{Item: 3, LastDay: "2026-09-30", Reason: "the project is not over"})
	fmt.Printf("\n%s, a week before the end: jin asks that it lasts until %s; kim is asked for a vote.\n", req.State, req.Items[2].Longer.Until.In(berlin).Format("2006-01-02 15:04"))
	do(kim, request.Vote{Vote: approval.Approve})

	// Time alone brings the rest. A Runner does this by itself.
	now = time.Date(2026, 9, 30, 23, 59, 0, 0, berlin)
	runDue(desk)
	fmt.Println("\nOn the last day ara still has access:")
	req, err = desk.Get(mia, req.ID)
	check(err)
	show(req, berlin)
	now = now.Add(time.Minute)
	runDue(desk)
	fmt.Println("\nA minute later it is over. The request stays closed, and the return opens:")
	host.run()
	req, err = desk.Get(mia, req.ID)
	check(err)
	show(req, berlin)

	// Ara moves on: the laptop comes back, the last thing done first.
	now = now.Add(9 * time.Hour)
	fmt.Println("\nAra gives the laptop back. What was done is taken back, the last first:")
	do(jin, request.ReturnItem{Item: 2, Reason: "another job"})
	for req.Undoing() > 0 {
		for _, t := range req.Tasks {
			if t.State == request.TaskReady {
				fmt.Printf("  %s: %s\n", t.Group, t.Title)
				do(mia, request.CompleteTask{Task: t.Number})
				break
			}
		}
	}

	fmt.Println("\nWhat the history says:")
	for e, err := range desk.History(mia, req.ID) {
		check(err)
		fmt.Printf("  %2d  %s  %-10s  %-13s  %s\n", e.Version, e.At.In(berlin).Format("02 Jan 15:04"), e.Actor.ID, e.Action, e.To)
	}
	again, err := desk.Replay(desk.History(mia, req.ID))
	check(err)
	fmt.Printf("\nReplayed without the catalogue: %s at version %d, %d items, %d tasks.\n", again.State, again.Version, len(again.Items), len(again.Tasks))
}

// automation is what the host runs. It keeps how far it has read, and knows nothing
// but what the events say.
type automation struct {
	desk *request.Practice
	ctx  context.Context
	seen itsm.Cursor
}

func (h *automation) run() {
	var todo []itsm.Event
	for news, err := range h.desk.Feed(h.ctx, h.seen) {
		check(err)
		h.seen = news.Cursor
		if news.Event.Action == (request.RunTask{}).Action() {
			todo = append(todo, news.Event)
		}
	}
	for _, e := range todo {
		a, err := h.desk.Done(e)
		check(err)
		task := a.(request.RunTask)
		if task.Change != "" {
			// A change practice would open a standard change of this template:
			// authorized beforehand, with the request as its reason.
			req, err := h.desk.Get(h.ctx, e.Record)
			check(err)
			change, err := req.StandardChange(task.Task)
			check(err)
			id := itsm.ID("chg-" + change.Template)
			fmt.Printf("  standard change %s for %s, started by %s\n", change.Template, change.Recipient, change.Request)
			_, err = h.desk.Do(h.ctx, e.Record, request.TrackTask{Task: task.Task, Record: itsm.Ref{Kind: "change", ID: id}})
			check(err)
		} else {
			fmt.Printf("  %s(%s)\n", task.Automation, task.Values["login"])
		}
		_, err = h.desk.Do(h.ctx, e.Record, request.CompleteTask{Task: task.Task})
		check(err)
	}
}

// runDue does what time has brought.
func runDue(desk *request.Practice) {
	_, _, err := desk.RunDue(itsm.WithActor(context.Background(), itsm.System()))
	check(err)
}

// show prints a request: its state, its items, and their tasks.
func show(r request.Request, zone *time.Location) {
	fmt.Printf("  %s\n", strings.TrimSpace(string(r.State)+" "+string(r.Completion)))
	for _, item := range r.Items {
		line := fmt.Sprintf("    %d %-15s %s", item.Number, item.Title, item.Outcome)
		if !item.Until.IsZero() {
			line += " until " + item.Until.In(zone).Format("2006-01-02 15:04")
		}
		if !item.Return.Opened.IsZero() {
			line += ", return: " + item.Return.Reason
		}
		fmt.Println(strings.TrimRight(line, " "))
		for i := range r.Tasks {
			if t := &r.Tasks[i]; t.Item == item.Number {
				fmt.Printf("        %-9s %s\n", t.State, t.Title)
			}
		}
	}
}

// numbers makes ids that are the same in each run.
func numbers() func(context.Context, string, time.Time) (itsm.ID, error) {
	last := map[string]int{}
	return func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
		last[prefix]++
		return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
