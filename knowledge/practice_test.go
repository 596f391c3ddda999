package knowledge_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/sla"
)

// configs are the ways in which a host may run the practice.
func configs(t testing.TB) []knowledge.Config {
	member := func(names ...string) []approval.Member { return approval.Persons(names...) }
	rules := []knowledge.ApprovalRule{
		{Name: "board", Of: knowledge.ForPublication, When: map[string][]string{"audience": {"public"}}, Policy: approval.Policy{
			Rule: approval.Rule{Need: approval.Majority, Of: member("ann", "bob", "cai")}, Within: 30 * time.Hour, Silence: approval.Abstain}},
		{Name: "short", Of: knowledge.ForPublication, Policy: approval.Policy{Within: 3 * time.Hour, Exclude: []string{knowledge.DutyOwner},
			Rule: approval.Rule{Need: approval.Any, Of: []approval.Member{{Role: "legal", Substitutes: []approval.Substitute{{Person: "mia", After: time.Hour}}}}}}},
		{Name: "end", Of: knowledge.ForRetirement, Policy: approval.Policy{Rule: approval.Rule{Need: approval.Any}, Within: 5 * time.Hour}},
	}
	people := func(_ context.Context, _ knowledge.Article, kind approval.Kind, name string) ([]string, error) {
		if kind == approval.Role && name == "legal" {
			return []string{"bob", "cai"}, nil
		}
		return nil, itsm.Refuse("unknown")
	}
	return []knowledge.Config{
		{},
		{Agreements: promised(t), ValidateAfter: 2, ReviewEvery: 4 * time.Hour, Audience: knowledge.Audience{Reach: knowledge.Customer}, Approvals: []knowledge.ApprovalRule{}},
		{Approvals: rules, People: people, Governance: knowledge.Compliance, ReviewEvery: 9 * time.Hour},
	}
}

// promised are agreements about articles.
func promised(t testing.TB) *sla.Book {
	always := sla.AlwaysOpen()
	always.Name = "always"
	hours, err := always.Compile()
	require.NoError(t, err)
	book, err := sla.NewBook([]*sla.Hours{hours}, []sla.Agreement{{Name: "content", Kind: sla.ServiceLevel, Metrics: []sla.Metric{
		knowledge.PublicationMetric("always", sla.GoalRule{Within: 24 * time.Hour}), knowledge.FlagMetric("always", sla.GoalRule{Within: 4 * time.Hour})}}})
	require.NoError(t, err)
	return book
}

func person(w *world) string { return practicetest.Pick(w, "mia", "ann", "bob", "cai", "mia", "") }

func content(w *world) knowledge.Content {
	c := knowledge.Content{Title: w.Text(), Issue: w.Text()}
	if !w.OneIn(4) {
		c.Resolution = practicetest.Pick(w, "restart", "다시 시작", "wait", "replace it")
	}
	return c
}

func audience(w *world) knowledge.Audience {
	return knowledge.Audience{Reach: practicetest.Pick(w, append(knowledge.Reaches(), "", knowledge.Public)...), Domains: w.Names("hr", "it", "hr", "acme")}
}

func other(w *world) itsm.ID {
	if len(w.IDs) == 0 {
		return "kba-1"
	}
	return practicetest.Pick(w, w.IDs...)
}

func capture(w *world) action {
	c := knowledge.Capture{Content: content(w), Locale: practicetest.Pick(w, "", "", "ko", "de"), Services: w.Names("mail", "erp"), Tags: w.Names("a", "b"), ReviewEvery: practicetest.Pick(w, 0, 0, 2*time.Hour)}
	switch w.IntN(6) {
	case 0:
		c.From = inc(w.IntN(9))
	case 1:
		c.Governance = practicetest.Pick(w, append(knowledge.Governances(), "x")...)
	case 2:
		c.Audience = audience(w)
	case 3:
		c.Translates, c.Locale, c.Covers = other(w), practicetest.Pick(w, "ko", "de", "ja", "fr", "en"), w.IntN(3)
	}
	return c
}

// action is a random action with random input; those that lead on come often.
func anything(w *world, r *knowledge.Article) action {
	if w.OneIn(60) {
		return knowledge.Retire{Reason: w.Text(), Replacement: practicetest.Pick(w, "", other(w))}
	}
	reason := w.Text()
	vote := practicetest.Pick(w, approval.Votes()...)
	if w.OneIn(2) {
		vote = approval.Approve
	}
	improve := knowledge.Improve{Content: content(w), Covers: r.Source.Edition}
	hand := knowledge.Submit{PublishAt: w.Time()}
	if w.OneIn(2) {
		hand.Reviewers, hand.PublishAt = []string{practicetest.Pick(w, "ann", "bob", "cai")}, time.Time{}
	} else if w.OneIn(2) {
		hand.PublishAt = time.Time{}
	}
	end := knowledge.ProposeRetirement{Reason: reason, Replacement: practicetest.Pick(w, "", "", other(w))}
	if w.OneIn(2) {
		end.Reviewers = []string{practicetest.Pick(w, "ann", "bob")}
	}
	forward := map[itsm.State][]action{
		knowledge.Draft:             {improve, hand, hand, knowledge.Publish{}, knowledge.Schedule{At: w.Time()}, knowledge.Validate{}, knowledge.Discard{}},
		knowledge.InReview:          {knowledge.Vote{Vote: vote}, knowledge.Vote{Vote: vote, Comment: reason}, knowledge.Vote{Vote: vote}, knowledge.Delegate{To: person(w)}, knowledge.Withdraw{}},
		knowledge.Scheduled:         {knowledge.Publish{}, knowledge.Schedule{At: w.Time()}, knowledge.Withdraw{Reason: reason}},
		knowledge.Published:         {improve, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: inc(w.IntN(500))}, knowledge.Revise{Reason: reason}, knowledge.Flag{Kind: knowledge.Outdated, Text: reason}, end, knowledge.Validate{Note: reason}},
		knowledge.ReviewDue:         {knowledge.CompleteReview{}, improve, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: inc(w.IntN(500))}, knowledge.Revise{}, end},
		knowledge.PendingRetirement: {knowledge.Vote{Vote: vote}, knowledge.Vote{Vote: vote}, knowledge.Keep{}, knowledge.Delegate{To: person(w)}},
		knowledge.Retired:           {knowledge.Restore{Reason: reason}},
	}
	if more := forward[r.State]; len(more) > 0 && !w.OneIn(3) {
		return practicetest.Pick(w, more...)
	}
	return practicetest.Pick(w, []action{
		improve, knowledge.Improve{Content: content(w), Resolves: []int{w.IntN(4)}, Note: reason}, knowledge.Revert{Edition: w.IntN(4), Reason: reason},
		knowledge.Classify{Category: reason, Services: w.Names("mail", "erp", ""), Tags: w.Names("a", "b")},
		knowledge.SetAudience{Audience: audience(w)}, knowledge.SetGovernance{Governance: practicetest.Pick(w, append(knowledge.Governances(), "x")...)},
		knowledge.AssignOwner{Owner: person(w)}, knowledge.Plan{ReviewEvery: time.Duration(w.IntN(9)-1) * time.Hour, ExpiresAt: w.Time()},
		knowledge.Validate{}, knowledge.Invalidate{Reason: reason}, hand, knowledge.Vote{Vote: vote, For: person(w)}, knowledge.Delegate{To: person(w), Until: w.Time()},
		knowledge.Withdraw{}, knowledge.Schedule{At: w.Time()}, knowledge.Publish{}, knowledge.Revise{}, knowledge.Discard{Reason: reason},
		knowledge.RecordUse{Kind: practicetest.Pick(w, append(knowledge.UseKinds(), "x")...), For: inc(w.IntN(30)), Count: w.IntN(3)}, knowledge.RecordUse{Kind: knowledge.Viewed, Count: w.IntN(40) - 1},
		knowledge.SampleLink{For: inc(1), Relevant: w.OneIn(2)}, knowledge.Rate{Helpful: w.OneIn(2), Comment: reason},
		knowledge.Flag{Kind: practicetest.Pick(w, knowledge.Incorrect, knowledge.Unclear, ""), Text: reason}, knowledge.ResolveFlag{Number: r.Flagged, Declined: w.OneIn(2), Note: reason}, knowledge.CompleteReview{Note: reason},
		knowledge.ScoreChecklist{Criteria: []knowledge.Criterion{{Name: "clear", Met: w.OneIn(2)}, {Name: reason, NotApplicable: w.OneIn(3), Met: w.OneIn(2)}}},
		knowledge.Note{Text: reason}, knowledge.Link{Link: itsm.Link{Rel: practicetest.Pick(w, knowledge.Documents, "created_from"), To: itsm.Ref{Kind: "problem", ID: "1"}}},
		knowledge.Unlink{Link: itsm.Link{Rel: knowledge.Documents, To: itsm.Ref{Kind: "problem", ID: "1"}}}, knowledge.SetFields{Fields: itsm.Fields{"x": []byte(`"y"`)}},
		end, knowledge.Keep{Reason: reason}, knowledge.Restore{Reason: reason}, knowledge.Expire{}, knowledge.Approve{}, nil,
	}...)
}

// sound proves what is always true of an article.
func sound(w *world, r *knowledge.Article, ok func(bool, string)) {
	is := func(states ...itsm.State) bool { return slices.Contains(states, r.State) }
	ok(is(knowledge.Retired) == (r.Confidence == knowledge.Archived), "what is archived is retired, and only that")
	ok(is(knowledge.Retired) == !r.Retired.IsZero(), "it says when it was retired")
	ok(is(knowledge.Retired) || (r.Confidence == knowledge.WIP) == !r.Text().Resolved(), "work in progress is what does not say what to do")
	ok(!is(knowledge.InReview, knowledge.Scheduled) || r.Confidence != knowledge.WIP, "what is handed in says what to do")
	ok(is(knowledge.Published, knowledge.ReviewDue, knowledge.PendingRetirement) == (r.Draft == nil), "what is not published is being worked on")
	ok(!is(knowledge.Published, knowledge.ReviewDue, knowledge.PendingRetirement) || r.Live != nil && r.Live.Number == r.Editions && r.Live.Confidence == r.Confidence, "what is published has its latest edition live")
	ok(r.Live == nil || !is(knowledge.Retired) && r.Live.Number <= r.Editions, "what is retired has no live edition")
	ok((r.Editions > 0) == !r.Published.IsZero(), "it says when it was first published")
	ok(is(knowledge.InReview, knowledge.PendingRetirement) == (r.Approval.Outcome == approval.Open), "what waits for a vote is open, and nothing else is")
	ok(!is(knowledge.Scheduled) || !r.PublishAt.IsZero(), "what is scheduled says when")
	ok(!r.Public() || slices.Contains(r.Readers(), "public") || slices.ContainsFunc(r.Readers(), func(s string) bool {
		return strings.HasPrefix(s, "customer") || strings.HasPrefix(s, "partner") || strings.HasPrefix(s, "public")
	}), "what is for others is seen by them")
	external := slices.ContainsFunc(r.Readers(), func(s string) bool { return !strings.HasPrefix(s, "internal") && !strings.HasPrefix(s, "unpublished") })
	ok(external == r.Public(), "others see what is public, and only that")
	ok(len(r.Usage.Recent) <= 50 && len(r.Flags) <= r.Flagged && len(r.Translations) <= 100, "the record stays small")
	ok(r.Source.Article == "" || len(r.Translations) == 0, "a translation has none of its own")
	if r.Source.Article != "" && !is(knowledge.Retired) {
		source := w.Record(r.Source.Article)
		ok(r.Source == knowledge.Source{Article: source.ID, Edition: source.Editions, Withdrawn: source.Live == nil}, "a translation knows how its source stands")
		ok(slices.Contains(source.Translations, knowledge.Translation{ID: r.ID, Locale: r.Locale}), "its source knows it")
	}
	for _, t := range r.Translations {
		other := w.Record(t.ID)
		ok(other.Source.Article == r.ID && other.State != knowledge.Retired && other.Locale == t.Locale && t.Locale != r.Locale, "what it has for a translation is one")
	}
}

// searches compares what readers find with what there is for them, in the index that was
// there all the time and in one that is made of the feed.
func searches(made map[*itsm.Practice[knowledge.Article]]*knowledge.Practice) func(*world) {
	return func(w *world) {
		mine := made[w.Practice]
		clear(made)
		if !w.Alone {
			_, err := mine.CatchUp(mia, "")
			w.Check(err, "catching up")
		}
		fresh, err := search.NewMemory(search.Config{})
		w.Check(err, "searching")
		other, err := knowledge.NewPractice(w.Store, knowledge.Config{Index: fresh})
		w.Check(err, "searching")
		_, err = other.CatchUp(mia, "")
		w.Check(err, "searching")
		for _, who := range []knowledge.Reader{{}, staff, writer, customer, {Reach: knowledge.Partner, Domains: []string{"acme"}}, {Reach: knowledge.Internal, Domains: []string{"hr", "it"}, Unpublished: true}} {
			for _, text := range []string{"mail", "인증서", "restart"} {
				var want []itsm.ID
				for _, id := range w.IDs {
					r := w.Record(id)
					d, ok := r.Document()
					if ok && r.VisibleTo(who) && strings.Contains(d.Title+d.Fields["issue"]+d.Fields["resolution"], text) {
						want = append(want, id)
					}
				}
				slices.Sort(want)
				q := knowledge.Search{Text: text, Reader: who, Limit: 100}
				for name, p := range map[string]*knowledge.Practice{"the index": mine, "a fresh one": other} {
					hits, err := p.Search(mia, q)
					w.Check(err, "searching")
					var got []itsm.ID
					for _, h := range hits {
						got = append(got, h.Article.ID)
					}
					slices.Sort(got)
					w.Same(want, got, fmt.Sprintf("%s: %s for %+v", name, text, who))
				}
			}
		}
	}
}

// Whatever is done, in whatever order and with whatever input, under whatever policy: what
// is true of every practice is true of this one, what must be true of an article is, and it
// is found by those for whom it is.
func TestHistoryIsTheRecord(t *testing.T) {
	made := map[*itsm.Practice[knowledge.Article]]*knowledge.Practice{}
	var hosts []practicetest.Host[knowledge.Article]
	for _, cfg := range configs(t) {
		hosts = append(hosts, func(store itsm.Store[knowledge.Article], given itsm.Config) (*itsm.Practice[knowledge.Article], error) {
			var p *knowledge.Practice
			kernel, err := host(cfg, &p)(store, given)
			made[kernel] = p
			return kernel, err
		})
	}
	practicetest.Test(t, practicetest.Harness[knowledge.Article]{
		Create: capture, Action: anything, Sound: sound, Audit: searches(made), Words: []string{"mail", "메일서버 인증서", "queue full"},
		Actors: []string{"mia", "ann", "bob", "cai"}, Actions: 101_000,
	}, hosts...)
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half done:
// of an article and its translations, all are as before or all as after; and the index shows
// what there is.
func TestCommitsFailAsAWhole(t *testing.T) {
	practicetest.Whole(t, func(t *testing.T, store *practicetest.Faulty[knowledge.Article]) practicetest.Call[knowledge.Article] {
		l := newLibrary(t, knowledge.Config{})
		source := l.write(publish)
		var ids []itsm.ID
		for _, locale := range []string{"ko", "de"} {
			r, err := l.Capture(mia, knowledge.Capture{Content: mail, Locale: locale, Translates: source.ID})
			require.NoError(t, err)
			ids = append(ids, r.ID)
		}
		store.Store = l.Store
		numbers := practicetest.Serial()
		kernel, err := host(knowledge.Config{Config: itsm.Config{Now: l.Time.Now, Attempts: 3, NewID: func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
			id, err := numbers(ctx, prefix, at)
			return "second-" + id, err
		}}}, &l.Practice)(store, itsm.Config{})
		require.NoError(t, err)
		changed := mail
		changed.Resolution = "Restart the zebra."
		return practicetest.Call[knowledge.Article]{
			Practice: kernel,
			Do:       func() error { _, err := l.Do(mia, source.ID, knowledge.Improve{Content: changed}); return err },
			Holds: func(happened bool) error {
				if happened {
					require.Equal(t, 2, l.Record(source.ID).Editions)
					for _, id := range ids {
						r := l.Record(id)
						require.Equal(t, "its source has a newer edition", r.Stale())
					}
				}
				// The practice that could not commit learns of the rest by the feed.
				p := l.Over(l.Store)
				_, err := p.CatchUp(mia, "")
				require.NoError(t, err)
				hits, err := p.Search(mia, knowledge.Search{Text: "zebra", Reader: staff})
				require.NoError(t, err)
				require.Equal(t, happened, len(hits) == 1)
				return nil
			},
		}
	})
}

// Many writers use one article and write others: nothing is lost, and the index has the
// latest of each.
func TestManyWriters(t *testing.T) {
	const writers, uses = 8, 25
	l := newLibrary(t, knowledge.Config{ValidateAfter: 50, Config: itsm.Config{Attempts: 1000}})
	id := l.write(publish).ID
	var all sync.WaitGroup
	for n := range writers {
		all.Go(func() {
			for i := range uses {
				ctx := as(fmt.Sprintf("desk-%d", n))
				if _, err := l.Do(ctx, id, solves(n*uses+i)); err != nil {
					t.Error(err)
				}
				if _, err := l.Do(ctx, id, knowledge.Note{Text: "n"}); err != nil {
					t.Error(err)
				}
			}
			r, err := l.Capture(as("desk"), knowledge.Capture{Content: knowledge.Content{Title: fmt.Sprintf("word%d", n), Resolution: "r"}})
			if err == nil {
				_, err = l.Do(as("desk"), r.ID, publish)
			}
			for i := 0; i < 10 && err == nil; i++ {
				_, err = l.Do(as("desk"), r.ID, knowledge.Improve{Content: knowledge.Content{Title: fmt.Sprintf("word%d edition%d", n, i), Resolution: "r"}})
			}
			if err != nil {
				t.Error(err)
			}
			if _, err := l.Search(mia, knowledge.Search{Text: "mail", Reader: staff}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r := l.Record(id)
	require.Equal(t, writers*uses, r.Usage.Solved)
	require.Equal(t, writers*uses, r.Notes)
	require.Len(t, r.Usage.Recent, 50)
	require.Equal(t, knowledge.Validated, r.Confidence)
	l.Replays(id)
	n := 0
	for u, err := range l.Uses(mia, id) {
		require.NoError(t, err)
		require.Equal(t, knowledge.UsedToSolve, u.Kind)
		n++
	}
	require.Equal(t, writers*uses, n)
	for n := range writers {
		require.Len(t, l.finds(staff, fmt.Sprintf("word%d", n)), 1)
	}
	require.Len(t, l.finds(staff, "edition9"), writers)
	require.Empty(t, l.finds(staff, "edition8"))
}

// Several hosts run what is due at the same time: each thing happens once.
func TestDueOnManyHosts(t *testing.T) {
	l := newLibrary(t, knowledge.Config{ReviewEvery: 24 * time.Hour})
	var ids []itsm.ID
	for range 10 {
		r := l.write(knowledge.Schedule{At: morning.Add(3 * time.Hour)}, knowledge.Plan{ReviewEvery: 24 * time.Hour, ExpiresAt: morning.Add(60 * time.Hour)})
		ids = append(ids, r.ID)
	}
	require.Equal(t, 2*len(ids), l.DueAtOnce(100*time.Hour, host(knowledge.Config{}, new(*knowledge.Practice))))
	for _, id := range ids {
		require.Equal(t, []string{"capture", "schedule", "plan", "release", "expire"}, l.Story(id))
		l.Replays(id)
	}
}
