// Kcs follows an article from its capture to its reuse: nobody knows what to do about an
// incident, who solves it writes it down, the next incident is told about it, its use says
// that it is right, somebody flags what is not and somebody fixes it, a translation falls
// behind, and a month later figures say whether that was worth it.
//
//	go run ./examples/kcs
package main

import (
	"context"
	"fmt"
	"iter"
	"log"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/storage/memory"
)

const day = 24 * time.Hour

// licences are earned. A host keeps them where it keeps its people.
func licences(_ context.Context, actor itsm.Actor) (knowledge.Licence, error) {
	return map[string]knowledge.Licence{
		"jin": knowledge.Candidate, "mia": knowledge.Contributor, "ann": knowledge.Publisher,
	}[actor.ID], nil
}

func main() {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	begin := now
	last := map[string]int{}
	common := itsm.Config{
		Now: func() time.Time { return now },
		NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
			last[prefix]++
			return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
		},
	}
	as := func(who string) context.Context { return itsm.As(context.Background(), who) }
	staff := knowledge.Reader{Reach: knowledge.Internal}

	// One index for both practices: articles are put into it, and incidents ask it.
	index, err := search.NewMemory(search.Config{})
	check(err)
	var searches []knowledge.Searched
	library, err := knowledge.NewPractice(memory.New[knowledge.Article](), knowledge.Config{
		Config: itsm.Config{Now: common.Now, NewID: common.NewID, Authorize: knowledge.Licensing{Of: licences}.Authorize},
		Index:  index, ReviewEvery: 60 * day, ValidateAfter: 2,
		Searched: func(_ context.Context, s knowledge.Searched) { searches = append(searches, s) },
	})
	check(err)
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config: common,
		Matcher: search.Matcher[incident.Incident]{Index: index, Query: func(inc incident.Incident) search.Query {
			return search.Query{
				Text: inc.Title + "\n" + inc.Description, Least: 0.3, Limit: 3,
				Prefer:   []itsm.Key{{Field: "service", Value: inc.Service}},
				Audience: staff.Audience(),
			}
		}},
	})
	check(err)
	report := func(title string) incident.Incident {
		now = now.Add(time.Hour)
		inc, err := desk.Open(as("portal"), incident.Report{Title: title, Service: "mail", Caller: "user"})
		check(err)
		fmt.Printf("%s: %q\n", inc.ID, inc.Title)
		for _, p := range inc.Proposals {
			fmt.Printf("  proposed: %s (%s)\n", p.To, p.Reason)
		}
		return inc
	}
	solve := func(who string, inc incident.Incident, note string, by itsm.ID) {
		now = now.Add(10 * time.Minute)
		_, err := desk.Do(as(who), inc.ID, incident.Resolve{Code: incident.Fixed, Note: note})
		check(err)
		_, err = desk.Do(as(who), inc.ID, incident.Close{})
		check(err)
		if by != "" {
			_, err = library.Do(as(who), by, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: itsm.Ref{Kind: "incident", ID: inc.ID}})
			check(err)
		}
	}
	do := func(who string, id itsm.ID, actions ...itsm.Action[knowledge.Article]) knowledge.Article {
		var a knowledge.Article
		for _, action := range actions {
			now = now.Add(time.Minute)
			a, err = library.Do(as(who), id, action)
			check(err)
		}
		return a
	}
	ask := func(who string, reader knowledge.Reader, text string) {
		hits, err := library.Search(as(who), knowledge.Search{Text: text, Reader: reader, Least: 0.5})
		check(err)
		fmt.Printf("  %s looks for %q: %d found\n", who, text, len(hits))
	}

	fmt.Println("Nobody knows what to do about the first one.")
	first := report("Outlook asks for my password again and again")
	ask("mia", staff, "outlook password")
	a, err := library.Capture(as("mia"), knowledge.Capture{
		Content: knowledge.Content{
			Title: "Outlook asks for the password again and again",
			Issue: "After the password was changed, Outlook asks for it again and again",
		},
		Services: []string{"mail"}, Audience: knowledge.Audience{Reach: knowledge.Internal},
		From: itsm.Ref{Kind: "incident", ID: first.ID},
	})
	check(err)
	fmt.Printf("  mia captures %s: %s\n", a.ID, a.Confidence)
	text := a.Text()
	text.Resolution = "Delete the stored password in the control panel."
	a = do("mia", a.ID, knowledge.Improve{Content: text}, knowledge.Publish{})
	fmt.Printf("  mia solves it, says how, and publishes: %s, %s\n", a.State, a.Confidence)
	solve("mia", first, "deleted the stored password", "")

	fmt.Println("\nThe next ones are told.")
	second := report("Password: Outlook asks for it every minute")
	solve("jin", second, "as in the article", a.ID)
	third := report("Outlook keeps asking me again for the new password")
	solve("lee", third, "as in the article", a.ID)
	a, err = library.Get(as("mia"), a.ID)
	check(err)
	fmt.Printf("  used %d times, so it is %s\n", a.Usage.Solved, a.Confidence)

	fmt.Println("\nOthers than the desk could help themselves.")
	ask("user", knowledge.Reader{Reach: knowledge.Customer}, "outlook password")
	_, err = library.Do(as("jin"), a.ID, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Customer}})
	fmt.Println("  jin may not publish to them:", err)
	a = do("ann", a.ID, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Customer}})
	ask("user", knowledge.Reader{Reach: knowledge.Customer}, "outlook password")

	fmt.Println("\nFlag it or fix it.")
	a = do("jin", a.ID, knowledge.Flag{Kind: knowledge.Outdated, Text: "The control panel has moved"})
	was := a.Live.Content
	text = was
	text.Resolution = "Delete the stored password in the settings, under Credentials."
	a = do("ann", a.ID, knowledge.Improve{Content: text, Resolves: []int{1}, Note: "the control panel has moved"})
	fmt.Printf("  edition %d, open flags: %d\n", a.Live.Number, len(a.Flags))
	for _, d := range knowledge.Compare(was, text) {
		for _, line := range d.Lines {
			fmt.Printf("  %s %s: %s\n", line.Sign, d.Part, line.Text)
		}
	}

	fmt.Println("\nIn Korean.")
	ko, err := library.Capture(as("mia"), knowledge.Capture{
		Content:  knowledge.Content{Title: "아웃룩이 암호를 계속 묻습니다", Resolution: "설정의 자격 증명에서 저장된 암호를 지웁니다."},
		Services: []string{"mail"}, Locale: "ko", Translates: a.ID,
	})
	check(err)
	do("mia", ko.ID, knowledge.Publish{})
	fourth := report("암호를 바꿨는데 아웃룩이 암호를 계속 물어봐요")
	solve("mia", fourth, "문서대로 했습니다", ko.ID)
	text.Cause = "The old password is stored."
	do("ann", a.ID, knowledge.Improve{Content: text})
	ko, err = library.Get(as("mia"), ko.ID)
	check(err)
	fmt.Printf("  %s covers edition %d of %s: %s\n", ko.ID, ko.Live.Covers, ko.Source.Article, ko.Stale())

	fmt.Println("\nA month later.")
	for _, q := range []string{"VPN token lost", "lost VPN token"} {
		ask("lee", staff, q)
	}
	fifth := report("No network on the third floor")
	solve("jin", fifth, "a cable", "")
	now = begin.Add(30 * day)
	m, err := knowledge.Measure(library.Samples(as("ann"), itsm.Query{}), closed(desk, as("ann")), begin, now)
	check(err)
	fmt.Printf("  link rate         %s\n", m.LinkRate)
	fmt.Printf("  known             %s\n", m.Known)
	fmt.Printf("  reused            %s\n", m.Reused)
	fmt.Printf("  time to publish   %s\n", m.TimeToPublish)
	fmt.Printf("  stale             %s\n", m.Stale)
	fmt.Printf("  flags closed      %s\n", m.FlagsClosed)
	gaps, err := knowledge.Gaps(func(yield func(knowledge.Searched, error) bool) {
		for _, s := range searches {
			if !yield(s, nil) {
				return
			}
		}
	})
	check(err)
	for _, g := range gaps {
		fmt.Printf("  missing: %q, looked for %d times\n", g.Text, g.Searches)
	}

	fmt.Println("\nWhat nobody has looked at for sixty days is due.")
	now = begin.Add(70 * day)
	done, _, err := library.RunDue(itsm.WithActor(context.Background(), itsm.System()))
	check(err)
	fmt.Printf("  %d articles are due for a review\n", done)
	a = do("ann", a.ID, knowledge.CompleteReview{Note: "tried it"})
	fmt.Printf("  %s is %s, and due again on %s\n", a.ID, a.State, a.ReviewBy.Format(time.DateOnly))
	var actions []string
	for e, err := range library.History(as("ann"), a.ID) {
		check(err)
		actions = append(actions, e.Action)
	}
	fmt.Println("  its history:", slices.Compact(actions))
}

// closed yields the incidents that were closed, as the link rate counts them.
func closed(desk *incident.Practice, ctx context.Context) iter.Seq2[knowledge.Case, error] {
	return func(yield func(knowledge.Case, error) bool) {
		for inc, err := range desk.All(ctx, itsm.Query{States: []itsm.State{incident.Closed}}) {
			c := knowledge.Case{Ref: itsm.Ref{Kind: "incident", ID: inc.ID}, Closed: inc.Milestones.Closed, Links: inc.Links}
			if !yield(c, err) {
				return
			}
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
