package incident_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/storage/memory"
)

// knownErrors is the simplest of matchers: it looks for words.
type knownErrors map[string]incident.Proposal

func (k knownErrors) Match(_ context.Context, inc incident.Incident) ([]incident.Proposal, error) {
	var found []incident.Proposal
	for word, p := range k {
		if strings.Contains(strings.ToLower(inc.Title), word) {
			found = append(found, p)
		}
	}
	return found, nil
}

// Jin has no mail. Mia takes it on and asks jin for the error text; jin's answer
// resumes the work. It turns out that nobody has mail, so kim coordinates a major
// incident. A workaround restores service: the incident is over, though nobody
// knows the cause yet. Nobody objects, so it closes by itself, and what was
// learned is written down.
func Example() {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config:    itsm.Config{Now: func() time.Time { return now }, NewID: practicetest.Serial()},
		AutoClose: incident.After(72 * time.Hour),
		Matcher: knownErrors{"mail": {To: itsm.Ref{Kind: "problem", ID: "prb-3"}, Score: 0.8,
			Reason: "known error: the mail server stops when its disk is full"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	background := context.Background()
	mia, jin, kim := itsm.As(background, "mia"), itsm.As(background, "jin"), itsm.As(background, "kim")

	inc, err := desk.Open(mia, incident.Report{Title: "No mail since eight", Caller: "jin", Service: "mail",
		Impact: itsm.MediumImpact, Urgency: itsm.HighUrgency})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s, %s, see %s\n\n", inc.ID, inc.Priority, inc.Proposals[0].To)

	do := func(ctx context.Context, a itsm.Action[incident.Incident]) {
		now = now.Add(5 * time.Minute)
		if _, err := desk.Do(ctx, inc.ID, a); err != nil {
			fmt.Println(err)
		}
	}
	do(mia, incident.Assign{Group: "messaging", Person: "mia"})
	do(mia, incident.Start{})
	do(mia, incident.PutOnHold{Reason: incident.AwaitingCaller, Note: "which error is shown?"})
	do(jin, incident.Note{Text: "It says: no space left.", Public: true})
	do(mia, incident.AcceptMajor{Reason: "nobody has mail", Commander: "kim"})
	do(kim, incident.PostUpdate{Text: "We know what it is. Mail is back within the hour."})
	do(mia, incident.Close{}) // too early
	do(mia, incident.Resolve{Code: incident.Workaround, Note: "old logs deleted"})

	now = now.Add(72 * time.Hour) // jin does not object
	if _, _, err := desk.RunDue(itsm.WithActor(background, itsm.System())); err != nil {
		fmt.Println(err)
	}
	do(kim, incident.StartReview{Lead: "kim"})
	do(kim, incident.AddActionItem{Title: "Alert at 80 % of the disk", Owner: "mia"})
	do(kim, incident.CompleteReview{Summary: "The alarm came by telephone.", Lessons: "Ask for the error text at once."})
	do(mia, incident.Link{Link: itsm.Link{Rel: incident.SymptomOf, To: itsm.Ref{Kind: "problem", ID: "prb-3"}}})

	fmt.Println()
	for e, err := range desk.History(mia, inc.ID) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%2d  %s  %-6s  %-16s %s\n", e.Version, e.At.Format("02 15:04"), e.Actor.ID, e.Action, e.To)
	}
	inc, _ = desk.Get(mia, inc.ID)
	m := inc.Milestones
	fmt.Printf("\nmail was back after %s\n", m.Restored.Sub(m.Detected))
	// Output:
	// inc-1, P2, see problem:prb-3
	//
	// incident inc-1: action "close" is not permitted in state "in_progress", from which lead on: assign, cancel, escalate_functional, hold, merge, resolve
	//
	//  1  02 08:00  mia     report           new
	//  2  02 08:05  mia     assign           assigned
	//  3  02 08:10  mia     start            in_progress
	//  4  02 08:15  mia     hold             on_hold
	//  5  02 08:20  jin     note             on_hold
	//  6  02 08:20  jin     auto_resume      in_progress
	//  7  02 08:25  mia     accept_major     in_progress
	//  8  02 08:30  kim     post_update      in_progress
	//  9  02 08:40  mia     resolve          resolved
	// 10  05 08:40  system  auto_close       closed
	// 11  05 08:45  kim     start_review     closed
	// 12  05 08:50  kim     add_action_item  closed
	// 13  05 08:55  kim     complete_review  closed
	// 14  05 09:00  mia     link             closed
	//
	// mail was back after 40m0s
}

// quiet is a desk for examples that are about something else.
func quiet(cfg incident.Config) (*incident.Practice, context.Context) {
	cfg.NewID = practicetest.Serial()
	desk, err := incident.NewPractice(memory.New[incident.Incident](), cfg)
	if err != nil {
		panic(err)
	}
	return desk, itsm.As(context.Background(), "mia")
}

// must is for examples in which nothing goes wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Where the policy is to open a new incident, reopening a closed one returns the
// one that continues it.
func ExamplePractice_Reopen() {
	desk, ctx := quiet(incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenClone}})
	inc := must(desk.Open(ctx, incident.Report{Title: "No mail"}))
	must(desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "restarted"}))
	must(desk.Do(ctx, inc.ID, incident.Close{}))

	again := must(desk.Reopen(ctx, inc.ID, "no mail again"))
	fmt.Println(again.ID, again.State, again.Links)
	was := must(desk.Get(ctx, inc.ID))
	fmt.Println(was.ID, was.State, was.Links)
	// Output:
	// inc-2 new [{continues incident:inc-1}]
	// inc-1 closed [{continued_by incident:inc-2}]
}

// Elsewhere a closed incident is taken up in place, for so long after closing.
func ExampleReopenPolicy() {
	now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	cfg := incident.Config{Reopen: incident.ReopenPolicy{Mode: incident.ReopenInPlace, Window: 5 * 24 * time.Hour}}
	cfg.Now = func() time.Time { return now }
	desk, ctx := quiet(cfg)
	inc := must(desk.Open(ctx, incident.Report{Title: "No mail"}))
	must(desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "restarted"}))
	must(desk.Do(ctx, inc.ID, incident.Close{}))

	now = now.AddDate(0, 0, 6)
	_, err := desk.Reopen(ctx, inc.ID, "no mail again")
	fmt.Println(errors.Is(err, itsm.ErrNotAllowed), err)
	now = now.AddDate(0, 0, -2)
	fmt.Println(must(desk.Reopen(ctx, inc.ID, "no mail again")).State)
	// Output:
	// true incident inc-1: it was closed 144h0m0s ago; it can be reopened within 120h0m0s
	// in_progress
}

// A cascade ends many incidents as one, in one commit.
func ExampleChildPolicy() {
	desk, ctx := quiet(incident.Config{Children: incident.ChildrenCascade})
	parent := must(desk.Open(ctx, incident.Report{Title: "No mail anywhere"}))
	for _, site := range []string{"Busan", "Seoul"} {
		child := must(desk.Open(ctx, incident.Report{Title: "No mail in " + site}))
		must(desk.Do(ctx, child.ID, incident.SetParent{Parent: parent.ID}))
	}
	parent = must(desk.Do(ctx, parent.ID, incident.Resolve{Code: incident.Fixed, Note: "disk replaced"}))
	fmt.Println(parent.State, parent.OpenChildren())
	for _, c := range parent.Children {
		fmt.Println(c.ID, c.State)
	}
	// Output:
	// resolved 0
	// inc-2 resolved
	// inc-3 resolved
}

// A matcher proposes what may help; it never decides, and cannot stand in the
// way of a report.
func ExampleMatcher() {
	desk, ctx := quiet(incident.Config{Matcher: knownErrors{
		"vpn":  {To: itsm.Ref{Kind: "knowledge", ID: "kb-7"}, Score: 1, Reason: "how to renew a certificate"},
		"mail": {To: itsm.Ref{Kind: "problem", ID: "prb-3"}, Score: 1, Reason: "known error"},
	}})
	inc := must(desk.Open(ctx, incident.Report{Title: "VPN does not connect"}))
	for _, p := range inc.Proposals {
		fmt.Println(p.To, p.Reason)
	}
	// Output: knowledge:kb-7 how to renew a certificate
}

// CallVendor is an action of a host's own.
type CallVendor struct {
	Ticket string `json:"ticket"`
}

// Action returns "call_vendor".
func (CallVendor) Action() string { return "call_vendor" }

// Validate checks that there is a ticket.
func (a CallVendor) Validate() error {
	var v itsm.Validation
	v.Text("ticket", a.Ticket, 1, 100)
	return v.Err()
}

// Apply keeps the vendor's ticket among the host's fields.
func (a CallVendor) Apply(r *incident.Incident, _ itsm.Moment) error {
	return r.Fields.Set("vendor_ticket", a.Ticket)
}

// A host's own action in a state of the host's own: it is validated, recorded and
// replayed like the library's.
func ExampleConfig_actions() {
	lifecycle, err := incident.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.AddState("with_vendor")
		s.Allow("call_vendor", "with_vendor", incident.InProgress)
		s.Allow("start", incident.InProgress, "with_vendor")
		s.Allow("cancel", incident.Cancelled, "with_vendor")
	}, incident.AllowUsual("with_vendor"))
	if err != nil {
		fmt.Println(err)
		return
	}
	desk, ctx := quiet(incident.Config{Lifecycle: lifecycle, Actions: []itsm.Action[incident.Incident]{CallVendor{}}})
	inc := must(desk.Open(ctx, incident.Report{Title: "No mail"}))
	must(desk.Do(ctx, inc.ID, incident.Start{}))

	_, err = desk.Do(ctx, inc.ID, CallVendor{})
	fmt.Println(err)
	inc = must(desk.Do(ctx, inc.ID, CallVendor{Ticket: "V-17"}))
	fmt.Println(inc.State, string(inc.Fields["vendor_ticket"]))
	again := must(desk.Replay(desk.History(ctx, inc.ID)))
	fmt.Println(again.State, string(again.Fields["vendor_ticket"]))
	// Output:
	// incident inc-1: ticket must not be empty
	// with_vendor "V-17"
	// with_vendor "V-17"
}

// The caller reads what is public; the rest stays among those at work.
func ExamplePractice_Journal() {
	desk, ctx := quiet(incident.Config{})
	inc := must(desk.Open(ctx, incident.Report{Title: "No mail", Caller: "jin"}))
	must(desk.Do(ctx, inc.ID, incident.Note{Text: "again that disk"}))
	must(desk.Do(ctx, inc.ID, incident.Note{Text: "We are on it.", Public: true}))
	for entry, err := range desk.Journal(ctx, inc.ID, true) {
		fmt.Println(entry.Actor.ID, entry.Text, err)
	}
	// Output: mia We are on it. <nil>
}
