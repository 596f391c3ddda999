// Search puts a search engine behind the practice: bleve, which knows the stems of English
// words and can keep its index on disk. The practice does not notice: it puts articles into
// it and asks it, and incidents are matched with it.
//
//	go run -C examples/search .
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/storage/memory"
)

func main() {
	dir, err := os.MkdirTemp("", "itsm-search-")
	check(err)
	defer os.RemoveAll(dir)
	ctx := itsm.As(context.Background(), "mia")
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	last := map[string]int{}
	common := itsm.Config{
		Now: func() time.Time { return now },
		NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
			last[prefix]++
			return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
		},
	}
	staff := knowledge.Reader{Reach: knowledge.Internal}

	engine, err := OpenBleve(dir + "/index")
	check(err)
	err = search.Check(ctx, func() (search.Index, error) { return OpenBleve("") })
	fmt.Println("bleve keeps the rules of an index:", err == nil)

	store := memory.New[knowledge.Article]()
	library, err := knowledge.NewPractice(store, knowledge.Config{Config: common, Index: engine})
	check(err)
	for _, c := range []knowledge.Content{
		{Title: "Queues that stopped", Issue: "Mails are queued and not delivered", Resolution: "Restart the queueing service."},
		{Title: "메일서버 인증서 갱신", Resolution: "인증서를 갱신하고 서비스를 다시 시작합니다."},
		{Title: "Renewing certificates", Resolution: "Ask for a new one ten days before."},
	} {
		a, err := library.Capture(ctx, knowledge.Capture{Content: c, Services: []string{"mail"}})
		check(err)
		_, err = library.Do(ctx, a.ID, knowledge.Publish{})
		check(err)
	}
	show := func(text string) {
		hits, err := library.Search(ctx, knowledge.Search{Text: text, Reader: staff})
		check(err)
		fmt.Printf("%q\n", text)
		for _, h := range hits {
			fmt.Printf("  %s %s (%s)\n", h.Article.ID, h.Title, h.Reason())
		}
	}
	show("queue stopping")
	show("인증서")

	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Config: common,
		Matcher: search.Matcher[incident.Incident]{Index: engine, Query: func(inc incident.Incident) search.Query {
			return search.Query{Text: inc.Title, Prefer: []itsm.Key{{Field: "service", Value: inc.Service}}, Audience: staff.Audience(), Least: 0.5}
		}},
	})
	check(err)
	inc, err := desk.Open(ctx, incident.Report{Title: "Certificate was not renewed", Service: "mail"})
	check(err)
	for _, p := range inc.Proposals {
		fmt.Printf("%s: %s, because of %s\n", inc.ID, p.To, p.Reason)
	}

	// The index is still there when the program begins anew.
	check(engine.Close())
	engine, err = OpenBleve(dir + "/index")
	check(err)
	library, err = knowledge.NewPractice(store, knowledge.Config{Config: common, Index: engine})
	check(err)
	show("certificate")
	check(engine.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
