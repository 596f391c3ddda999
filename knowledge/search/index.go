package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// An Index finds documents by their words. [Memory] is one; a host implements it over the
// search engine that it has, and [Check] says whether it does as it should.
//
// Every method is safe for concurrent use. What the caller does to its arguments
// afterwards does not show in the index.
type Index interface {
	// Put adds documents, each in place of the one with the same reference. When
	// it has returned, they are found.
	//
	// Errors: [itsm.ErrInvalid] for what [Document.Validate] refuses, and then
	// none of them was put; the index's own.
	Put(ctx context.Context, docs ...Document) error

	// Remove takes documents out; those that are not there are passed over.
	//
	// Errors: the index's own.
	Remove(ctx context.Context, refs ...itsm.Ref) error

	// Search returns the documents that have some of the words, best first, those
	// of the same score in the order of their references (kind, then id). The same
	// index gives the same answer. The hits belong to the caller.
	//
	// Errors: [itsm.ErrInvalid] for what [Query.Validate] refuses; the index's own.
	Search(ctx context.Context, q Query) ([]Hit, error)
}

// A Document is a record as it is searched.
type Document struct {
	// Ref is the record, by which the document is replaced and removed.
	Ref itsm.Ref `json:"ref"`
	// Title, Body and Fields are what is searched. Fields are further texts by
	// name, such as "symptoms".
	Title  string            `json:"title"`
	Body   string            `json:"body,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	// Keys are what a query may ask for exactly, or prefer: service, locale.
	Keys []itsm.Key `json:"keys,omitempty"`
	// Audience lists who may find it, in the host's words. A document that is for
	// nobody is found by nobody.
	Audience []string `json:"audience,omitempty"`
}

// Names of the fields that every document has, in a [Match].
const (
	Title = "title"
	Body  = "body"
)

// Limits of documents and queries.
const (
	maxFields   = 30
	maxKeys     = 5000
	maxName     = 200
	maxText     = 1 << 20
	maxAudience = 1000
	maxQuery    = 100_000
	maxHits     = 1000
	// maxTerms is how many words of a query are looked for: the most telling ones.
	maxTerms = 32
)

// Validate returns an [itsm.ErrInvalid] with every finding: no reference, more than 30
// fields, or one that is named as those which every document has, more than 1 MiB of text
// in all, more than 5,000 keys or 1,000 audiences.
func (d Document) Validate() error {
	var v itsm.Validation
	v.Check(d.Ref.Kind != "", "ref.kind", "must not be empty")
	v.Check(d.Ref.ID != "", "ref.id", "must not be empty")
	v.Check(len(d.Fields) <= maxFields, "fields", fmt.Sprintf("must be at most %d, are %d", maxFields, len(d.Fields)))
	for name := range d.Fields {
		if name == Title || name == Body || name == "" || len(name) > maxName {
			v.Check(false, "fields", fmt.Sprintf("must have a name of at most %d bytes that is not %s or %s", maxName, Title, Body))
			break
		}
	}
	size := len(d.Title) + len(d.Body)
	for _, text := range d.Fields {
		size += len(text)
	}
	v.Check(size <= maxText, "", fmt.Sprintf("must have at most %d bytes of text, has %d", maxText, size))
	v.Check(len(d.Keys) <= maxKeys, "keys", fmt.Sprintf("must be at most %d, are %d", maxKeys, len(d.Keys)))
	v.Check(len(d.Audience) <= maxAudience, "audience", fmt.Sprintf("must be at most %d, are %d", maxAudience, len(d.Audience)))
	return v.Err()
}

// A Query says what is looked for.
type Query struct {
	// Text is searched for its words, in any order. Of a long text the 32 most
	// telling words are looked for: those that the fewest documents have.
	Text string `json:"text"`
	// Audience is what the asker is part of. Only documents that are for one of
	// these are found; none finds nothing.
	Audience []string `json:"audience"`
	// Kinds are the kinds of record that are wanted; none means all.
	Kinds []string `json:"kinds,omitempty"`
	// Where finds only documents that have every one of these keys.
	Where []itsm.Key `json:"where,omitempty"`
	// Prefer puts documents that have these keys before others: each counts as a
	// word that few documents have. It finds nothing by itself.
	Prefer []itsm.Key `json:"prefer,omitempty"`
	// Least is the share of the words that a document must have, from 0 to 1; one
	// word it must have at any rate. 0.5 wants two of three and two of four.
	Least float64 `json:"least,omitempty"`
	// Limit is the most hits; 0 means 10. Skip passes over as many, for the next
	// page. Together they may be 1,000.
	Limit int `json:"limit,omitempty"`
	Skip  int `json:"skip,omitempty"`
}

// Validate returns an [itsm.ErrInvalid] with every finding.
func (q Query) Validate() error {
	var v itsm.Validation
	v.Text("text", q.Text, 1, maxQuery)
	v.Check(q.Least >= 0 && q.Least <= 1, "least", "must be from 0 to 1")
	v.Check(q.Limit >= 0, "limit", "must not be negative")
	v.Check(q.Skip >= 0, "skip", "must not be negative")
	v.Check(q.Limit <= maxHits && q.Skip <= maxHits-q.Limit, "limit", fmt.Sprintf("must be at most %d together with skip", maxHits))
	return v.Err()
}

// Size returns how many hits there may be: Limit, or 10.
func (q Query) Size() int {
	if q.Limit <= 0 {
		return 10
	}
	return q.Limit
}

// Needed returns how many of so many words a document must have: Least of them, rounded
// up, and one at least.
func (q Query) Needed(words int) int {
	n := int(q.Least * float64(words))
	if float64(n) < q.Least*float64(words) {
		n++
	}
	return max(n, 1)
}

// A Hit is a document that was found, and why.
type Hit struct {
	Ref   itsm.Ref `json:"ref"`
	Title string   `json:"title"`
	// Score orders hits, the highest first; its scale is the index's.
	Score float64 `json:"score"`
	// Matches are the words that it has, by field: title, body, then the others
	// by name.
	Matches []Match `json:"matches,omitempty"`
	// Preferred are the keys of Query.Prefer that it has.
	Preferred []itsm.Key `json:"preferred,omitempty"`
}

// A Match is a field and the words of the query that it has, as the query has them and in
// its order.
type Match struct {
	Field string   `json:"field"`
	Words []string `json:"words"`
}

// maxWords is how many words of a field a reason lists.
const maxWords = 8

// Reason says in one line why it was found:
//
//	title: mail, queue; symptoms: Outlook; same service: mail
func (h Hit) Reason() string {
	var parts []string
	for _, m := range h.Matches {
		words := strings.Join(m.Words[:min(len(m.Words), maxWords)], ", ")
		if len(m.Words) > maxWords {
			words += ", …"
		}
		parts = append(parts, m.Field+": "+words)
	}
	for _, k := range h.Preferred {
		parts = append(parts, "same "+k.Field+": "+k.Value)
	}
	return strings.Join(parts, "; ")
}

// A Matcher proposes what an index has about a record of any type: known errors and
// articles for an incident. It is what incident.Config takes as its Matcher, and is safe
// for concurrent use if its Index and Query are.
type Matcher[R any] struct {
	Index Index
	// Query says what to look for. A text without a word proposes nothing.
	Query func(r R) Query
}

// Match returns the hits as proposals, best first, each with the words that matched and
// where as its reason. It returns the index's errors.
func (m Matcher[R]) Match(ctx context.Context, r R) ([]itsm.Proposal, error) {
	q := m.Query(r)
	if q.Text == "" {
		return nil, nil
	}
	if runes := []rune(q.Text); len(runes) > maxQuery {
		q.Text = string(runes[:maxQuery])
	}
	q.Prefer = slices.DeleteFunc(slices.Clone(q.Prefer), func(k itsm.Key) bool { return k.Value == "" })
	hits, err := m.Index.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	var all []itsm.Proposal
	for _, h := range hits {
		all = append(all, itsm.Proposal{To: h.Ref, Score: h.Score, Reason: h.Reason()})
	}
	return all, nil
}
