package search_test

import (
	"context"
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/storage/memory"
)

// Known errors and articles in one index propose themselves for a new incident, each with
// its reason.
func Example() {
	ctx := itsm.As(context.Background(), "mia")
	ix, err := search.NewMemory(search.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = ix.Put(ctx,
		search.Document{
			Ref: itsm.Ref{Kind: "problem", ID: "prb-7"}, Title: "Queue of the mail server stops",
			Fields:   map[string]string{"symptoms": "Mail is sent and does not arrive", "workaround": "restart the queue"},
			Keys:     []itsm.Key{{Field: "service", Value: "mail"}},
			Audience: []string{"internal"},
		},
		search.Document{
			Ref: itsm.Ref{Kind: "knowledge", ID: "kba-1"}, Title: "메일서버 인증서 갱신",
			Body: "인증서를 갱신한 다음 메일 대기열을 다시 시작할 것", Audience: []string{"internal"},
		},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{
		Matcher: search.Matcher[incident.Incident]{Index: ix, Query: func(inc incident.Incident) search.Query {
			return search.Query{
				Text:     inc.Title + "\n" + inc.Description,
				Prefer:   []itsm.Key{{Field: "service", Value: inc.Service}},
				Audience: []string{"internal"},
			}
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range []incident.Report{
		{Title: "My mail does not arrive", Service: "mail"},
		{Title: "인증서 오류: 메일서버 접속이 안 됩니다"},
	} {
		inc, err := desk.Open(ctx, r)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, p := range inc.Proposals {
			fmt.Printf("%s because of %s\n", p.To, p.Reason)
		}
	}
	// Output:
	// problem:prb-7 because of title: mail; symptoms: mail, does, not, arrive; same service: mail
	// knowledge:kba-1 because of title: 인증서, 메일서버; body: 인증서, 메일
}
