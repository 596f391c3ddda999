package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/keyword"
	"github.com/blevesearch/bleve/v2/analysis/token/porter"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/registry"
	found "github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/query"
	index "github.com/blevesearch/bleve_index_api"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge/search"
)

// Names under which bleve finds what is ours.
const (
	words   = "itsm_words"
	english = "itsm_english"
	noDates = "itsm_no_dates"
)

// bleve makes what an index needs by names that are registered once.
func init() {
	err := registry.RegisterTokenizer(words, func(map[string]any, *registry.Cache) (analysis.Tokenizer, error) { return tokenizer{}, nil })
	check(err)
	err = registry.RegisterDateTimeParser(noDates, func(map[string]any, *registry.Cache) (analysis.DateTimeParser, error) { return noParser{}, nil })
	check(err)
}

// tokenizer cuts texts into the library's words, so that Korean, Japanese and Chinese are
// found as they are there.
type tokenizer struct{}

func (tokenizer) Tokenize(text []byte) analysis.TokenStream {
	var all analysis.TokenStream
	for w := range search.Words(string(text)) {
		kind := analysis.AlphaNumeric
		if w.Pair {
			kind = analysis.Double
		}
		all = append(all, &analysis.Token{Term: []byte(w.Term), Start: w.Start, End: w.End, Position: len(all) + 1, Type: kind})
	}
	return all
}

// noParser keeps a text that looks like a date a text.
type noParser struct{}

func (noParser) ParseDateTime(string) (time.Time, string, error) {
	return time.Time{}, "", analysis.ErrInvalidDateTime
}

// Bleve is an index of package search over bleve: on disk or in memory, with the stems of
// English words, ranked with bleve's own BM25. It is safe for concurrent use.
type Bleve struct {
	index    bleve.Index
	analyzer analysis.Analyzer
}

// OpenBleve opens the index in a directory, or makes one there; with an empty name it makes
// one in memory. Close it.
func OpenBleve(dir string) (*Bleve, error) {
	m, err := newMapping()
	if err != nil {
		return nil, err
	}
	ix, err := bleve.Open(dir)
	switch {
	case dir == "":
		ix, err = bleve.NewUsing("", m, scorch.Name, scorch.Name, nil)
	case errors.Is(err, bleve.ErrorIndexPathDoesNotExist):
		ix, err = bleve.New(dir, m)
	}
	if err != nil {
		return nil, err
	}
	return &Bleve{ix, m.AnalyzerNamed(english)}, nil
}

// newMapping says how bleve reads a document: texts by their words, the rest as it is.
func newMapping() (*mapping.IndexMappingImpl, error) {
	m := bleve.NewIndexMapping()
	m.ScoringModel = index.BM25Scoring
	if err := m.AddCustomAnalyzer(english, map[string]any{
		"type": custom.Name, "tokenizer": words, "token_filters": []string{porter.Name},
	}); err != nil {
		return nil, err
	}
	m.DefaultAnalyzer, m.DefaultDateTimeParser = english, noDates
	exact := bleve.NewTextFieldMapping()
	exact.Analyzer, exact.IncludeInAll, exact.IncludeTermVectors = keyword.Name, false, false
	for _, field := range []string{"kind", "key", "audience"} {
		m.DefaultMapping.AddFieldMappingsAt(field, exact)
	}
	return m, m.Validate()
}

// Close closes the index.
func (b *Bleve) Close() error { return b.index.Close() }

// separator stands between the parts of an id and of a key; it sorts before every letter.
const separator = "\x1f"

func id(ref itsm.Ref) string { return ref.Kind + separator + string(ref.ID) }

func key(k itsm.Key) string { return k.Field + separator + k.Value }

// Put implements search.Index.
func (b *Bleve) Put(ctx context.Context, docs ...search.Document) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var v itsm.Validation
	for i, d := range docs {
		if err := d.Validate(); err != nil {
			v.Check(false, fmt.Sprintf("docs[%d]", i), err.Error())
		}
	}
	if err := v.Err(); err != nil {
		return err
	}
	batch := b.index.NewBatch()
	for _, d := range docs {
		var keys []string
		for _, k := range d.Keys {
			keys = append(keys, key(k))
		}
		texts := map[string]string{search.Title: d.Title, search.Body: d.Body}
		maps.Copy(texts, d.Fields)
		if err := batch.Index(id(d.Ref), map[string]any{
			"kind": d.Ref.Kind, "key": keys, "audience": slices.Clone(d.Audience), "text": texts,
		}); err != nil {
			return err
		}
	}
	return b.index.Batch(batch)
}

// Remove implements search.Index.
func (b *Bleve) Remove(ctx context.Context, refs ...itsm.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	batch := b.index.NewBatch()
	for _, ref := range refs {
		batch.Delete(id(ref))
	}
	return b.index.Batch(batch)
}

// maxTerms is how many words of a query are looked for.
const maxTerms = 32

// Search implements search.Index.
func (b *Bleve) Search(ctx context.Context, q search.Query) ([]search.Hit, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	fields, err := b.fields()
	if err != nil {
		return nil, err
	}
	asked := b.analyzer.Analyze([]byte(q.Text))
	terms, err := b.terms(asked, fields)
	if err != nil || len(terms) == 0 || len(q.Audience) == 0 {
		return nil, err
	}
	var wanted []query.Query
	for _, term := range terms {
		var anywhere []query.Query
		for _, field := range fields {
			t := exactly(textField+field, term)
			if field == search.Title {
				t.SetBoost(3)
			}
			anywhere = append(anywhere, t)
		}
		wanted = append(wanted, bleve.NewDisjunctionQuery(anywhere...))
	}
	text := bleve.NewDisjunctionQuery(wanted...)
	text.SetMin(float64(q.Needed(len(terms))))
	all := bleve.NewBooleanQuery()
	all.AddMust(text)
	for _, k := range q.Prefer {
		all.AddShould(exactly("key", key(k)))
	}
	filters := []query.Query{anyOf("audience", q.Audience)}
	if len(q.Kinds) > 0 {
		filters = append(filters, anyOf("kind", q.Kinds))
	}
	for _, k := range q.Where {
		filters = append(filters, exactly("key", key(k)))
	}
	all.AddFilter(bleve.NewConjunctionQuery(filters...))

	r := bleve.NewSearchRequestOptions(all, q.Size(), q.Skip, false)
	r.IncludeLocations = true
	r.Fields = []string{textField + search.Title, "key"}
	r.SortBy([]string{"-_score", "_id"})
	answer, err := b.index.SearchInContext(ctx, r)
	if err != nil {
		return nil, err
	}
	var hits []search.Hit
	for _, m := range answer.Hits {
		hits = append(hits, hit(m, q, asked, fields))
	}
	return hits, nil
}

// textField begins the names of the texts.
const textField = "text."

// fields lists the texts that documents have: the title, the body, then the others.
func (b *Bleve) fields() ([]string, error) {
	all, err := b.index.Fields()
	if err != nil {
		return nil, err
	}
	names := []string{search.Title, search.Body}
	for _, name := range slices.Sorted(slices.Values(all)) {
		if name, ok := strings.CutPrefix(name, textField); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// terms lists the words to look for: all, or, of many, those that the fewest documents have.
func (b *Bleve) terms(asked analysis.TokenStream, fields []string) ([]string, error) {
	var terms []string
	for _, t := range asked {
		if !slices.Contains(terms, string(t.Term)) {
			terms = append(terms, string(t.Term))
		}
	}
	if len(terms) <= maxTerms {
		return terms, nil
	}
	have := map[string]uint64{}
	for _, term := range terms {
		for _, field := range fields {
			dict, err := b.index.FieldDictRange(textField+field, []byte(term), []byte(term))
			if err != nil {
				return nil, err
			}
			entry, err := dict.Next()
			if entry != nil {
				have[term] += entry.Count
			}
			if err := errors.Join(err, dict.Close()); err != nil {
				return nil, err
			}
		}
	}
	terms = slices.DeleteFunc(terms, func(term string) bool { return have[term] == 0 })
	slices.SortFunc(terms, func(a, b string) int { return cmp.Or(cmp.Compare(have[a], have[b]), strings.Compare(a, b)) })
	return terms[:min(len(terms), maxTerms)], nil
}

func exactly(field, term string) *query.TermQuery {
	q := bleve.NewTermQuery(term)
	q.SetField(field)
	return q
}

func anyOf(field string, terms []string) query.Query {
	var all []query.Query
	for _, term := range terms {
		all = append(all, exactly(field, term))
	}
	return bleve.NewDisjunctionQuery(all...)
}

// hit says what was found, and why.
func hit(m *found.DocumentMatch, q search.Query, asked analysis.TokenStream, fields []string) search.Hit {
	kind, rest, _ := strings.Cut(m.ID, separator)
	h := search.Hit{Ref: itsm.Ref{Kind: kind, ID: itsm.ID(rest)}, Score: m.Score}
	h.Title, _ = m.Fields[textField+search.Title].(string)
	for _, field := range fields {
		there := m.Locations[textField+field]
		var spelled []string
		end := 0
		for i, t := range asked {
			if there[string(t.Term)] == nil {
				continue
			}
			text := q.Text[t.Start:t.End]
			if last := len(spelled) - 1; i > 0 && t.Type == analysis.Double && t.Start < end {
				spelled[last] += q.Text[end:t.End] // pairs that overlap are one word
			} else if !slices.Contains(spelled, text) {
				spelled = append(spelled, text)
			}
			end = t.End
		}
		if len(spelled) > 0 {
			h.Matches = append(h.Matches, search.Match{Field: field, Words: spelled})
		}
	}
	var keys []string
	switch has := m.Fields["key"].(type) {
	case string:
		keys = []string{has}
	case []any:
		for _, k := range has {
			keys = append(keys, fmt.Sprint(k))
		}
	}
	for _, k := range q.Prefer {
		if slices.Contains(keys, key(k)) && !slices.Contains(h.Preferred, k) {
			h.Preferred = append(h.Preferred, k)
		}
	}
	return h
}
