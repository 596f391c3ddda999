package knowledge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge/search"
)

// Document returns the article as it is searched, and whether it is found at all: its live
// edition, or what there is of it as long as none has been published.
func (r *Article) Document() (search.Document, bool) {
	readers := r.Readers()
	if len(readers) == 0 {
		return search.Document{}, false
	}
	text, confidence := r.shown(), r.Confidence
	if r.Live != nil {
		confidence = r.Live.Confidence
	}
	d := search.Document{
		Ref: r.Ref(), Title: text.Title, Body: text.Body, Fields: map[string]string{},
		Keys:     append(r.subjects(nil), itsm.Key{Field: "confidence", Value: string(confidence)}),
		Audience: readers,
	}
	for name, text := range text.Parts() {
		if name != "title" && name != "body" && text != "" {
			d.Fields[name] = text
		}
	}
	if len(r.Tags) > 0 {
		d.Fields["tags"] = strings.Join(r.Tags, "\n")
	}
	return d, true
}

// A Search asks for articles.
type Search struct {
	// Text is what is looked for.
	Text string
	// Reader is who asks. The zero Reader sees what is for everybody.
	Reader Reader
	// Where finds only articles with every one of these keys: locale, category,
	// service, ci, tag, confidence. Prefer puts those with these keys before others.
	Where, Prefer []itsm.Key
	// Least is the share of the words that an article must have, from 0 to 1. Whoever
	// wants to learn from searches without a hit asks for half of them or so: nearly
	// everything has some word of a question.
	Least float64
	// Limit is the most articles; 0 means 10. Skip passes over as many.
	Limit, Skip int
}

// A Hit is an article that was found, and why. The article is the whole record, with what is
// not for every reader, such as the draft of its next edition; what a reader sees is
// [Article.TextFor] them.
type Hit struct {
	Article Article
	search.Hit
}

// Searched is a search that somebody made, for a host that learns from them ([Gaps]).
type Searched struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Text   string    `json:"text"`
	Reader Reader    `json:"reader"`
	// Hits is how many articles were found.
	Hits int `json:"hits"`
}

// Search finds articles that a reader may see, best first, and says why. It asks the index
// ([Config].Index) and then the store: what was retired or is for others by now is left
// out, however far behind the index is, so there may be fewer than Limit.
//
// It needs an actor in the context, and returns [itsm.ErrNoActor] without one,
// [itsm.ErrInvalid] for what search.Query refuses, and the errors of index and store.
func (p *Practice) Search(ctx context.Context, s Search) ([]Hit, error) {
	actor, err := itsm.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	found, err := p.cfg.Index.Search(ctx, search.Query{
		Text: s.Text, Audience: s.Reader.Audience(), Kinds: []string{Kind},
		Where: s.Where, Prefer: s.Prefer, Least: s.Least, Limit: s.Limit, Skip: s.Skip,
	})
	if err != nil {
		return nil, err
	}
	var hits []Hit
	for _, h := range found {
		r, err := p.Get(ctx, h.Ref.ID)
		switch {
		case errors.Is(err, itsm.ErrNotFound):
		case err != nil:
			return nil, err
		case r.VisibleTo(s.Reader):
			hits = append(hits, Hit{Article: r, Hit: h})
		}
	}
	if p.cfg.Searched != nil && s.Skip == 0 {
		p.cfg.Searched(ctx, Searched{At: p.now(), By: actor.ID, Text: s.Text, Reader: s.Reader, Hits: len(hits)})
	}
	return hits, nil
}

// now is the practice's clock.
func (p *Practice) now() time.Time {
	now := time.Now
	if p.cfg.Now != nil {
		now = p.cfg.Now
	}
	return now().UTC().Truncate(time.Microsecond)
}

// An indexer keeps an index up to date with a store. One article at a time is read and
// put, so that the index never goes back to an older version.
type indexer struct {
	index    search.Index
	complete func(r Article, d search.Document) search.Document

	mu     sync.Mutex
	missed map[itsm.ID]bool
}

// show puts articles into the index as they are now, and then those that could not be put
// before. What fails is remembered and tried again later. What the index refuses is passed
// over; when it fails otherwise, it is not asked for the others either, so that an index that
// is down costs one try. It reports whether it went through all of them.
func (x *indexer) show(ctx context.Context, get func(ctx context.Context, id itsm.ID) (Article, error), ids ...itsm.ID) (all bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var failed []error
	try := func(id itsm.ID) bool {
		err := x.one(ctx, get, id)
		if err == nil {
			delete(x.missed, id)
			return true
		}
		failed = append(failed, fmt.Errorf("%s %s: index: %w", Kind, id, err))
		x.missed[id] = true
		return errors.Is(err, itsm.ErrInvalid)
	}
	for i, id := range ids {
		if !try(id) {
			for _, id := range ids[i:] {
				x.missed[id] = true
			}
			return false, errors.Join(failed...)
		}
	}
	for id := range x.missed {
		if !slices.Contains(ids, id) && !try(id) {
			return false, errors.Join(failed...)
		}
	}
	return true, errors.Join(failed...)
}

func (x *indexer) one(ctx context.Context, get func(ctx context.Context, id itsm.ID) (Article, error), id itsm.ID) error {
	r, err := get(ctx, id)
	switch {
	case errors.Is(err, itsm.ErrNotFound):
		return x.index.Remove(ctx, ref(id))
	case err != nil:
		return err
	}
	if d, ok := r.Document(); ok {
		if x.complete != nil {
			d = x.complete(r, d)
		}
		return x.index.Put(ctx, d)
	}
	return x.index.Remove(ctx, ref(id))
}

// quiet reports whether an article is searched as before after an action. Where the host
// has a say in that, who knows.
func (x *indexer) quiet(action string) bool {
	if x.complete != nil {
		return false
	}
	switch action {
	case "record_use", "sample_link", "flag", "resolve_flag", "rate", "note", "vote", "delegate", "count_votes", "link", "unlink", "set_fields",
		"score_checklist", "adopt_translation", "release_translation", "follow_source", "plan", "assign_owner", "submit", "fall_due", "complete_review", "move_clocks", "pass_threshold":
		return true
	}
	return false
}

// notify brings the index up to date with what was committed. What fails is tried again
// with the next commit and by CatchUp, which returns the error.
func (cfg Config) notify(x *indexer, kernel func() *itsm.Practice[Article]) func(context.Context, []itsm.Event) {
	told := cfg.Notify
	return func(ctx context.Context, events []itsm.Event) {
		var ids []itsm.ID
		for _, e := range events {
			if !x.quiet(e.Action) && !slices.Contains(ids, e.Record) {
				ids = append(ids, e.Record)
			}
		}
		if len(ids) > 0 {
			// It is committed, whatever has become of the caller.
			_, _ = x.show(context.WithoutCancel(ctx), kernel().Get, ids...)
		}
		if told != nil {
			told(ctx, events)
		}
	}
}

// CatchUp brings the index up to date with what was committed after a cursor, here or on
// another host, and returns the cursor up to which it is. With an empty cursor it makes an
// empty index from the beginning: a host that keeps its index in memory does so when it
// starts, and goes on from the cursor now and then. It returns [itsm.ErrUnsupported] if the
// store is no [itsm.Feeder], and the errors of store and index with the old cursor, from
// which it can be tried again. An article that the index refuses ([itsm.ErrInvalid]) is
// passed over; it is in the error, and the cursor goes on.
func (p *Practice) CatchUp(ctx context.Context, after itsm.Cursor) (itsm.Cursor, error) {
	var changed []itsm.ID
	known := map[itsm.ID]bool{}
	last := after
	for news, err := range p.Feed(ctx, after) {
		if err != nil {
			return after, err
		}
		last = news.Cursor
		if !known[news.Event.Record] && !p.indexer.quiet(news.Event.Action) {
			known[news.Event.Record] = true
			changed = append(changed, news.Event.Record)
		}
	}
	all, err := p.indexer.show(ctx, p.Get, changed...)
	if !all {
		last = after
	}
	return last, err
}

// Reindex puts every article into the index, for a store that lists and has no feed. It
// returns [itsm.ErrUnsupported] if the store is no [itsm.Lister], and the errors of store
// and index. An article that the index refuses is passed over, and in the error.
func (p *Practice) Reindex(ctx context.Context) error {
	var refused []error
	for r, err := range p.All(ctx, itsm.Query{}) {
		if err != nil {
			return err
		}
		all, err := p.indexer.show(ctx, p.Get, r.ID)
		if err != nil {
			refused = append(refused, err)
		}
		if !all {
			break
		}
	}
	return errors.Join(refused...)
}

// A Gap is something that people looked for and did not find.
type Gap struct {
	// Text is how it was asked last, and Words what it comes to, in order.
	Text  string   `json:"text"`
	Words []string `json:"words"`
	// Searches is how often it was asked without a hit, by how many People, and when
	// first and last.
	Searches int       `json:"searches"`
	People   int       `json:"people"`
	First    time.Time `json:"first"`
	Last     time.Time `json:"last"`
}

// Gaps lists what was looked for and not found, what most people looked for first. Searches
// that have the same words, in whatever order and how often, are the same; what was found by
// a later search for it is no gap any more. It is pure. An error of the sequence is returned
// as it is.
func Gaps(searches iter.Seq2[Searched, error]) ([]Gap, error) {
	type gap struct {
		Gap
		people map[string]bool
	}
	open := map[string]*gap{}
	for s, err := range searches {
		if err != nil {
			return nil, err
		}
		var words []string
		for w := range search.Words(s.Text) {
			words = append(words, w.Term)
		}
		slices.Sort(words)
		words = slices.Compact(words)
		key := strings.Join(words, " ")
		if s.Hits > 0 || len(words) == 0 {
			delete(open, key)
			continue
		}
		g := open[key]
		if g == nil {
			g = &gap{Gap{Words: words, First: s.At}, map[string]bool{}}
			open[key] = g
		}
		g.Text, g.Last = s.Text, s.At
		g.Searches++
		g.people[s.By] = true
		g.People = len(g.people)
	}
	var all []Gap
	for _, g := range open {
		all = append(all, g.Gap)
	}
	slices.SortFunc(all, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(b.People, a.People), cmp.Compare(b.Searches, a.Searches), slices.Compare(a.Words, b.Words))
	})
	return all, nil
}
