package knowledge_test

import (
	"context"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

func each[T any](all ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

func failing[T any]() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, errDown)
	}
}

// A month whose figures are counted by hand.
func TestMeasures(t *testing.T) {
	const day = 24 * time.Hour
	l := newLibrary(t, knowledge.Config{ReviewEvery: 20 * day})
	from := l.Time.Now()
	capture := func(c knowledge.Capture) itsm.ID {
		if c.Title == "" {
			c.Content = mail
		}
		r, err := l.Capture(mia, c)
		require.NoError(t, err)
		return r.ID
	}
	// One that was captured in a case, published two days later, and solves three.
	one := capture(knowledge.Capture{From: inc(1), Audience: knowledge.Audience{Reach: knowledge.Public}})
	l.Time.Advance(2*day - time.Minute)
	l.Did(mia, one, publish, solves(2), solves(3), knowledge.RecordUse{Kind: knowledge.Rejected, For: inc(4)}, knowledge.RecordUse{Kind: knowledge.Viewed, Count: 10}, knowledge.Validate{})
	l.Did(mia, one, knowledge.SampleLink{For: inc(2), Relevant: true}, knowledge.SampleLink{For: inc(3), Relevant: true}, knowledge.SampleLink{For: inc(1)})
	// One that was captured in no case, published after four days, flagged and fixed a day
	// later; another flag is open.
	two := capture(knowledge.Capture{})
	l.Time.Advance(4*day - time.Minute)
	l.Did(mia, two, publish, knowledge.Flag{Kind: knowledge.Outdated}, knowledge.Rate{Helpful: true}, knowledge.Rate{Helpful: true}, knowledge.Rate{})
	l.Time.Advance(day - 4*time.Minute)
	fix := better
	fix.Resolves = []int{1}
	l.Did(mia, two, fix, knowledge.Flag{Kind: knowledge.Unclear}, knowledge.ScoreChecklist{Criteria: []knowledge.Criterion{{Name: "a", Met: true}, {Name: "b"}, {Name: "c", NotApplicable: true}}})
	// Its translation, which does not follow.
	three := capture(knowledge.Capture{Translates: two, Locale: "ko"})
	l.Did(mia, three, publish)
	l.Did(mia, two, improved(func(c *knowledge.Content) { c.Title = "Newer" }))
	// A duplicate, and a draft.
	four := capture(knowledge.Capture{From: inc(5)})
	l.Did(mia, four, knowledge.Retire{Reason: "duplicate", Replacement: one})
	capture(knowledge.Capture{})
	until := l.Time.Now().Add(time.Minute)

	cases := func(n int, links ...itsm.Link) knowledge.Case {
		return knowledge.Case{Ref: inc(n), Closed: from.Add(time.Hour), Links: links}
	}
	to := func(rel string) itsm.Link { return itsm.Link{Rel: rel, To: itsm.Ref{Kind: "knowledge", ID: one}} }
	m, err := knowledge.Measure(l.Samples(mia, itsm.Query{}), each(
		cases(1), cases(2), cases(5), // as the articles have it
		cases(7, to("solved_by")), cases(8, to("viewed")), cases(9, itsm.Link{Rel: "solved_by", To: itsm.Ref{Kind: "problem", ID: "1"}}), cases(4),
		knowledge.Case{Ref: inc(3), Closed: until}, // another month's
	), from, until)
	require.NoError(t, err)
	f := func(part, of int64) sla.Fraction { return sla.Fraction{Part: part, Of: of} }
	require.Equal(t, knowledge.Measures{
		From: from, Until: until, Captured: 5, Published: 3, Improved: 2, Retired: 1,
		LinkRate: f(4, 7), LinkAccuracy: f(2, 3), Reuse: 2, Known: f(2, 4), Reused: f(1, 3), Rejected: f(1, 3),
		TimeToPublish: sla.Mean{Value: (6*day + time.Minute) / 3, Of: 3}, Stale: f(1, 3), Validated: f(1, 3), Public: f(1, 3), StaleTranslations: f(1, 1),
		FlagsClosed: f(1, 2), TimeToClose: sla.Mean{Value: day, Of: 1}, Helpful: f(2, 3), Checklist: f(1, 2), Duplicates: 1,
	}, m)

	// In another month there was nothing, and what is due is stale.
	l.Due(30 * day)
	m, err = knowledge.Measure(l.Samples(mia, itsm.Query{}), each[knowledge.Case](), until, until.Add(30*day))
	require.NoError(t, err)
	require.Equal(t, f(3, 3), m.Stale)
	require.Zero(t, m.LinkRate)
	require.Equal(t, "undefined: there are none", m.TimeToPublish.String())
	require.Zero(t, m.Reuse)

	_, err = knowledge.Measure(failing[knowledge.Sample](), each[knowledge.Case](), from, until)
	require.ErrorIs(t, err, errDown)
	_, err = knowledge.Measure(each[knowledge.Sample](), failing[knowledge.Case](), from, until)
	require.ErrorIs(t, err, errDown)
	_, err = knowledge.Measure(each[knowledge.Sample](), each[knowledge.Case](), until, from)
	require.Equal(t, []string{"until must be after from"}, practicetest.Said(err))
	_, err = l.Sample(mia, "kba-99")
	require.ErrorIs(t, err, itsm.ErrNotFound)
}

// What people look for and do not find.
func TestGaps(t *testing.T) {
	var log []knowledge.Searched
	l := newLibrary(t, knowledge.Config{Searched: func(_ context.Context, s knowledge.Searched) { log = append(log, s) }})
	ask := func(who, text string) {
		l.Time.Advance(time.Minute)
		_, err := l.Search(as(who), knowledge.Search{Text: text, Reader: staff, Least: 0.5})
		require.NoError(t, err)
	}
	ask("jin", "VPN token lost")
	ask("jin", "vpn token lost")
	ask("jin", "printer")
	ask("kim", "lost VPN token!")
	ask("lee", "Outlook password")
	ask("lee", "?")
	ask("mia", "메일서버 인증서")
	l.write(publish)
	ask("lee", "password Outlook")
	_, err := l.Search(mia, knowledge.Search{Text: "printer", Reader: staff, Skip: 10})
	require.NoError(t, err)
	require.Len(t, log, 8, "further pages of one search are none")
	gaps, err := knowledge.Gaps(each(log...))
	require.NoError(t, err)
	require.Equal(t, []knowledge.Gap{
		{Text: "lost VPN token!", Words: []string{"lost", "token", "vpn"}, Searches: 3, People: 2, First: morning.Add(time.Minute), Last: morning.Add(4 * time.Minute)},
		{Text: "printer", Words: []string{"printer"}, Searches: 1, People: 1, First: morning.Add(3 * time.Minute), Last: morning.Add(3 * time.Minute)},
		{Text: "메일서버 인증서", Words: []string{"메일", "서버", "인증", "일서", "증서"}, Searches: 1, People: 1, First: morning.Add(7 * time.Minute), Last: morning.Add(7 * time.Minute)},
	}, gaps)
	_, err = knowledge.Gaps(failing[knowledge.Searched]())
	require.ErrorIs(t, err, errDown)
}

// An index that fails as it is told, and counts what is put.
type shaky struct {
	search.Index
	err   error
	tries int
	puts  []itsm.ID
}

func (s *shaky) Put(ctx context.Context, docs ...search.Document) error {
	s.tries++
	if s.err != nil {
		return s.err
	}
	for _, d := range docs {
		s.puts = append(s.puts, d.Ref.ID)
	}
	return s.Index.Put(ctx, docs...)
}

func (s *shaky) Search(ctx context.Context, q search.Query) ([]search.Hit, error) {
	if s.err != nil {
		return nil, s.err
	}
	return s.Index.Search(ctx, q)
}

// An index that is down keeps nobody from working; it learns of what it missed with the next
// commit or by catching up.
func TestTheIndexFollows(t *testing.T) {
	inner, err := search.NewMemory(search.Config{})
	require.NoError(t, err)
	ix := &shaky{Index: inner, err: errDown}
	told := 0
	l := newLibrary(t, knowledge.Config{Index: ix, Config: itsm.Config{Notify: func(context.Context, []itsm.Event) { told++ }}})
	first := l.write(publish)
	_, err = l.Search(mia, knowledge.Search{Text: "mail", Reader: staff})
	require.ErrorIs(t, err, errDown)
	cursor, err := l.CatchUp(mia, "")
	require.ErrorIs(t, err, errDown)
	require.Empty(t, cursor)
	require.ErrorIs(t, l.Reindex(mia), errDown)
	for range 20 {
		l.write()
	}
	before := ix.tries
	third := l.write()
	require.Equal(t, before+1, ix.tries, "an index that is down costs one try")
	ix.err = nil
	require.Empty(t, l.finds(staff, "mail"))
	l.Did(mia, first.ID, solves(1)) // after which it is searched as before
	require.Empty(t, ix.puts)
	second := l.write()
	require.Len(t, ix.puts, 23)
	require.Contains(t, ix.puts, third.ID)
	require.Contains(t, ix.puts, second.ID)
	require.Equal(t, []itsm.ID{first.ID}, l.finds(staff, "mail"))
	require.Equal(t, 25, told)

	// Whatever the index still has, a reader sees what there is.
	other, err := knowledge.NewPractice(l.Store, knowledge.Config{Config: itsm.Config{Now: l.Time.Now}})
	require.NoError(t, err)
	cursor, err = other.CatchUp(mia, "")
	require.NoError(t, err)
	l.Did(mia, first.ID, retire)
	hits, err := other.Search(mia, knowledge.Search{Text: "mail", Reader: staff})
	require.NoError(t, err)
	require.Empty(t, hits)
	_, err = other.CatchUp(mia, cursor)
	require.NoError(t, err)
	hits, err = other.Search(mia, knowledge.Search{Text: "mail", Reader: writer})
	require.NoError(t, err)
	require.Len(t, hits, 10)
	require.NoError(t, other.Reindex(mia))

	// What the index refuses is passed over, and told.
	picky, err := knowledge.NewPractice(l.Store, knowledge.Config{Document: func(r knowledge.Article, d search.Document) search.Document {
		if r.ID == third.ID {
			d.Fields["title"] = "t"
		}
		return d
	}})
	require.NoError(t, err)
	cursor, err = picky.CatchUp(mia, "")
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.NotEmpty(t, cursor)
	require.ErrorIs(t, picky.Reindex(mia), itsm.ErrInvalid)
	hits, err = picky.Search(mia, knowledge.Search{Text: "mail", Reader: writer, Limit: 50})
	require.NoError(t, err)
	require.Len(t, hits, 21)

	// Over another store there is something else; the index belongs to the first.
	p := other.Over(memory.New[knowledge.Article]())
	hits, err = p.Search(mia, knowledge.Search{Text: "mail", Reader: writer})
	require.NoError(t, err)
	require.Empty(t, hits)
	_, err = p.Over(struct{ itsm.Store[knowledge.Article] }{l.Store}).CatchUp(mia, "")
	require.ErrorIs(t, err, itsm.ErrUnsupported)
	require.ErrorIs(t, p.Over(struct{ itsm.Store[knowledge.Article] }{l.Store}).Reindex(mia), itsm.ErrUnsupported)
	for _, err := range p.Over(struct{ itsm.Store[knowledge.Article] }{l.Store}).Samples(mia, itsm.Query{}) {
		require.ErrorIs(t, err, itsm.ErrUnsupported)
	}
	_, err = p.Over(broken{l.Store}).Search(mia, knowledge.Search{Text: "mail", Reader: writer})
	require.ErrorIs(t, err, errDown)
	bad := p.Over(broken{l.Store})
	_, err = bad.CatchUp(mia, "")
	require.ErrorIs(t, err, errDown)
	_, err = bad.Sample(mia, first.ID)
	require.ErrorIs(t, err, errDown)
	for _, err := range bad.Editions(mia, first.ID) {
		require.ErrorIs(t, err, errDown)
	}
	for _, err := range bad.Uses(mia, first.ID) {
		require.ErrorIs(t, err, errDown)
	}
	_, err = bad.Do(mia, second.ID, retire)
	require.ErrorIs(t, err, errDown)

	// A practice with the real clock has a time, too.
	real, err := knowledge.NewPractice(l.Store, knowledge.Config{Searched: func(_ context.Context, s knowledge.Searched) { require.Equal(t, time.UTC, s.At.Location()) }})
	require.NoError(t, err)
	_, err = real.Search(mia, knowledge.Search{Text: "mail"})
	require.NoError(t, err)
}

// broken is a store that cannot be read.
type broken struct {
	*memory.Store[knowledge.Article]
}

func (broken) Load(context.Context, itsm.ID) (knowledge.Article, error) {
	return knowledge.Article{}, errDown
}

func (broken) Events(context.Context, itsm.ID, itsm.Version) iter.Seq2[itsm.Event, error] {
	return failing[itsm.Event]()
}

// The clocks of agreements follow what readers see and what they flag.
func TestAgreements(t *testing.T) {
	l := newLibrary(t, knowledge.Config{Agreements: promised(t)})
	r := l.write()
	require.Equal(t, 1, l.Due(25*time.Hour), "it is late")
	r = l.Did(mia, r.ID, publish, knowledge.Flag{Kind: knowledge.Unclear})
	read := func(metric string) sla.Reading {
		target, ok := l.Record(r.ID).Targets.Find("content", metric)
		require.True(t, ok)
		c, err := l.Clock(target)
		require.NoError(t, err)
		return c.At(l.Time.Now())
	}
	require.Equal(t, sla.Missed, read("publication").State)
	require.Equal(t, 25*time.Hour+time.Minute, read("publication").Elapsed)
	l.Time.Advance(3 * time.Hour)
	require.Equal(t, 3*time.Hour, read("flags").Elapsed)
	r = l.Did(mia, r.ID, knowledge.ResolveFlag{Number: 1})
	l.Time.Advance(9 * time.Hour)
	require.Equal(t, sla.Met, read("flags").State)
	l.Did(mia, r.ID, knowledge.Flag{Kind: knowledge.Unclear})
	l.Time.Advance(time.Hour)
	require.Equal(t, time.Hour, read("flags").Elapsed, "it begins anew")
	results, err := l.Results(mia, r.ID, l.Time.Now())
	require.NoError(t, err)
	require.Len(t, results, 3)
	require.Equal(t, "mail", results[0].Service)
	_, err = l.Results(mia, "x", morning)
	require.ErrorIs(t, err, itsm.ErrNotFound)
	l.Replays(r.ID)
}

// A host has a say in what is searched.
func TestAHostsOwnDocument(t *testing.T) {
	l := newLibrary(t, knowledge.Config{Document: func(r knowledge.Article, d search.Document) search.Document {
		d.Fields["product"] = string(r.Fields["product"])
		return d
	}})
	r := l.write(publish)
	require.Empty(t, l.finds(staff, "zebra"))
	l.Did(mia, r.ID, knowledge.SetFields{Fields: itsm.Fields{"product": []byte(`"Zebra 9"`)}})
	require.Equal(t, []itsm.ID{r.ID}, l.finds(staff, "zebra"))
}

// What is searched of an article, and by what it is listed.
func TestDocumentAndKeys(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	r := l.write(knowledge.Classify{Category: "mail", Services: []string{"mail"}, CIs: []string{"mx-1"}, Tags: []string{"certificate"}}, publish)
	d, ok := r.Document()
	require.True(t, ok)
	require.NoError(t, d.Validate())
	require.Equal(t, search.Document{
		Ref: itsm.Ref{Kind: "knowledge", ID: "kba-1"}, Title: mail.Title,
		Fields:   map[string]string{"issue": mail.Issue, "environment": mail.Environment, "resolution": mail.Resolution, "cause": mail.Cause, "tags": "certificate"},
		Keys:     []itsm.Key{{Field: "locale", Value: "en"}, {Field: "category", Value: "mail"}, {Field: "service", Value: "mail"}, {Field: "ci", Value: "mx-1"}, {Field: "tag", Value: "certificate"}, {Field: "confidence", Value: "not_validated"}},
		Audience: []string{"internal"},
	}, d)
	for _, k := range r.AppendKeys(nil) {
		page, err := l.List(mia, itsm.Query{Where: []itsm.Key{k}})
		require.NoError(t, err)
		require.Len(t, page.Records, 1, "%v", k)
	}
	hits, err := l.Search(mia, knowledge.Search{Text: "certificate outlook", Reader: staff, Where: []itsm.Key{{Field: "locale", Value: "en"}}, Prefer: []itsm.Key{{Field: "service", Value: "mail"}}})
	require.NoError(t, err)
	require.Equal(t, "environment: outlook; issue: outlook; tags: certificate; same service: mail", hits[0].Reason())
	require.Empty(t, slices.Collect(func(yield func(string) bool) {
		for name := range (knowledge.Content{}).Parts() {
			if name == "title" {
				break
			}
			yield(name)
		}
	}))
	require.Equal(t, knowledge.Content{}, (&knowledge.Article{}).Text())
}
