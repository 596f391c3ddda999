package search_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge/search"
)

// A vocabulary makes texts whose words are as frequent as those of a language: the n-th
// word comes with a frequency of about 1/n (Zipf).
type vocabulary struct {
	rnd  *rand.Rand
	zipf *rand.Zipf
}

func newVocabulary(seed uint64) *vocabulary {
	rnd := rand.New(rand.NewPCG(seed, 0))
	return &vocabulary{rnd, rand.NewZipf(rnd, 1.07, 3, 60_000)}
}

// word spells a number with syllables: of English, or, every fifth, of Korean.
func word(n uint64) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var b strings.Builder
	if n%5 == 4 {
		for range 2 + n%3 {
			b.WriteRune(rune(0xAC00 + (n*2654435761)%3000))
			n = n/7 + 3
		}
		return b.String()
	}
	for range 2 {
		b.WriteByte(consonants[n%uint64(len(consonants))])
		n /= uint64(len(consonants))
		b.WriteByte(vowels[n%uint64(len(vowels))])
		n /= uint64(len(vowels))
	}
	if n > 0 {
		fmt.Fprintf(&b, "%x", n)
	}
	return b.String()
}

func (v *vocabulary) text(words int) string {
	var b strings.Builder
	for i := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word(v.zipf.Uint64()))
	}
	return b.String()
}

// article is a document of about 180 words, as knowledge articles are.
func (v *vocabulary) article(n int) search.Document {
	audience := []string{"internal"}
	if n%3 == 0 {
		audience = append(audience, "public")
	}
	return search.Document{
		Ref:   itsm.Ref{Kind: "knowledge", ID: itsm.ID(fmt.Sprintf("kba-%d", n))},
		Title: v.text(6), Body: v.text(40 + v.rnd.IntN(80)),
		Fields:   map[string]string{"issue": v.text(20), "resolution": v.text(20 + v.rnd.IntN(60))},
		Keys:     []itsm.Key{{Field: "service", Value: fmt.Sprint(n % 50)}, {Field: "locale", Value: "en"}},
		Audience: audience,
	}
}

// library is an index of 100,000 articles.
func library(b *testing.B) (*search.Memory, *vocabulary) {
	b.Helper()
	v := newVocabulary(1)
	m, err := search.NewMemory(search.Config{})
	require.NoError(b, err)
	for n := range 100_000 {
		require.NoError(b, m.Put(b.Context(), v.article(n)))
	}
	return m, v
}

// The time of one query among 100,000 articles: of a few words as people type them, of a
// whole report of 60 words as a matcher asks, and of the ten most frequent words of all.
func BenchmarkSearch(b *testing.B) {
	m, v := library(b)
	var frequent strings.Builder
	for n := range uint64(10) {
		frequent.WriteString(word(n) + " ")
	}
	for _, c := range []struct {
		name string
		text func() string
		q    search.Query
	}{
		{"words=3", func() string { return v.text(3) }, search.Query{}},
		{"words=6", func() string { return v.text(6) }, search.Query{}},
		{"words=60", func() string { return v.text(60) }, search.Query{Limit: 20, Prefer: []itsm.Key{{Field: "service", Value: "7"}}}},
		{"most-frequent=10", func() string { return frequent.String() }, search.Query{}},
		{"words=6,half-of-them", func() string { return v.text(6) }, search.Query{Least: 0.5}},
		{"words=6,service", func() string { return v.text(6) }, search.Query{Where: []itsm.Key{{Field: "service", Value: "7"}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var texts []string
			for range 512 {
				texts = append(texts, c.text())
			}
			b.ReportAllocs()
			hits := 0
			for i := 0; b.Loop(); i++ {
				q := c.q
				q.Text, q.Audience = texts[i%len(texts)], []string{"internal"}
				found, err := m.Search(b.Context(), q)
				if err != nil {
					b.Fatal(err)
				}
				hits += len(found)
			}
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
		})
	}
}

// What one more article costs, where there are 100,000, and what replacing and removing
// one does.
func BenchmarkPut(b *testing.B) {
	m, v := library(b)
	var docs []search.Document
	for n := range 4096 {
		docs = append(docs, v.article(100_000+n))
	}
	one := func(b *testing.B, do func(i int) error) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if err := do(i); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("add", func(b *testing.B) {
		n := 0
		one(b, func(i int) error {
			d := docs[i%len(docs)]
			n++
			d.Ref.ID = itsm.ID(fmt.Sprintf("new-%d-%d", b.N, n))
			return m.Put(b.Context(), d)
		})
	})
	b.Run("replace", func(b *testing.B) {
		one(b, func(i int) error {
			d := docs[i%len(docs)]
			d.Ref.ID = itsm.ID(fmt.Sprintf("kba-%d", i*7919%100_000))
			return m.Put(b.Context(), d)
		})
	})
	b.Run("remove-and-add", func(b *testing.B) {
		one(b, func(i int) error {
			d := docs[i%len(docs)]
			d.Ref.ID = itsm.ID(fmt.Sprintf("kba-%d", i*7919%100_000))
			if err := m.Remove(b.Context(), d.Ref); err != nil {
				return err
			}
			return m.Put(b.Context(), d)
		})
	})
}
