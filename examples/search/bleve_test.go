package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge/search"
)

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// bleve keeps the rules of an index: true
	// "queue stopping"
	//   kba-1 Queues that stopped (title: queue, stopping; resolution: queue)
	// "인증서"
	//   kba-2 메일서버 인증서 갱신 (title: 인증서; resolution: 인증서)
	// inc-1: knowledge:kba-3, because of title: Certificate, renewed; same service: mail
	// "certificate"
	//   kba-3 Renewing certificates (title: certificate)
}

func open(t *testing.T, dir string) *Bleve {
	t.Helper()
	b, err := OpenBleve(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestBleveKeepsTheRules(t *testing.T) {
	require.NoError(t, search.Check(t.Context(), func() (search.Index, error) { return open(t, ""), nil }))
	require.NoError(t, search.Check(t.Context(), func() (search.Index, error) { return open(t, t.TempDir()+"/index"), nil }))
}

// Of a long text the most telling words are looked for, a text that looks like a date is a
// text, and contexts end.
func TestBleve(t *testing.T) {
	b := open(t, "")
	put := func(id, title, body string) {
		require.NoError(t, b.Put(t.Context(), search.Document{Ref: itsm.Ref{Kind: "k", ID: itsm.ID(id)}, Title: title, Body: body, Audience: []string{"staff"}}))
	}
	var many []string
	for a := range 8 {
		for c := range 8 {
			many = append(many, "word"+string(rune('a'+a))+string(rune('a'+c)))
		}
	}
	text := strings.Join(many, " ")
	for _, id := range []string{"1", "2", "3"} {
		put(id, "2026-03-02", text)
	}
	put("4", "zebra", many[0])
	hits, err := b.Search(t.Context(), search.Query{Text: text + " unheard zebra", Audience: []string{"staff"}, Least: 0.03})
	require.NoError(t, err)
	require.Len(t, hits, 4)
	hits, err = b.Search(t.Context(), search.Query{Text: "2026-03-02", Audience: []string{"staff"}, Least: 1})
	require.NoError(t, err)
	require.Len(t, hits, 3)
	require.Equal(t, "title: 2026, 03, 02", hits[0].Reason())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, b.Put(ctx), context.Canceled)
	require.ErrorIs(t, b.Remove(ctx), context.Canceled)
	_, err = b.Search(ctx, search.Query{Text: "zebra", Audience: []string{"staff"}})
	require.ErrorIs(t, err, context.Canceled)
}
