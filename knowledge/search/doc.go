// Package search finds records by their words: articles, known errors, whatever else a
// host puts into an [Index].
//
// An index has [Document] values, which say for whom they are, and answers a [Query] with
// [Hit] values, best first, each with the words that matched and where. [Memory] is the
// default; a host that has a search engine puts it behind the same three methods, and
// [Check] reads the rules back to it as sentences, kept or broken.
//
//	ix, err := search.NewMemory(search.Config{})
//	err = ix.Put(ctx, search.Document{
//		Ref:      itsm.Ref{Kind: "problem", ID: "prb-7"},
//		Title:    "Mail queue stops",
//		Body:     "After a certificate was renewed, the queue does not start.",
//		Audience: []string{"internal"},
//	})
//	hits, err := ix.Search(ctx, search.Query{Text: "queue stopped", Audience: []string{"internal"}})
//
// # Words
//
// A word is a run of letters and digits of any script, in lower case ([Words]). Chinese,
// Japanese and Korean are not cut into words by spaces alone, so a run of them is
// searched by its pairs of neighbouring characters: 메일서버 is 메일, 일서 and 서버, and
// whoever asks for 서버 finds it.
//
// # Ranking
//
// Memory ranks with BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework:
// BM25 and Beyond", 2009; the logarithm as Lucene has it, so that no word counts against a
// document). A word in the title counts as if it stood there three times. Hits of equal
// score are in the order of their references, so the same index gives the same answer
// each time.
//
// # Proposals
//
// A [Matcher] asks an index about a record of any type and answers with proposals and
// their reasons: it is what incident.Config wants as its Matcher.
//
//	cfg.Matcher = search.Matcher[incident.Incident]{Index: ix, Query: func(inc incident.Incident) search.Query {
//		return search.Query{
//			Text:     inc.Title + "\n" + inc.Description,
//			Prefer:   []itsm.Key{{Field: "service", Value: inc.Service}},
//			Audience: []string{"internal"},
//		}
//	}}
package search
