package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
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
	"github.com/go-itsm/itsm/sla"
)

// A world is a few articles to which things happen by chance: under one configuration, with
// a clock that jumps, mostly forwards.
type world struct {
	*library
	rnd       *rand.Rand
	ids       []itsm.ID
	snapshots map[itsm.ID]map[itsm.Version]knowledge.Article
	tried     map[string]int
	done      map[string]int
}

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

func pick[T any](w *world, from ...T) T { return from[w.rnd.IntN(len(from))] }

func (w *world) chance(oneIn int) bool { return w.rnd.IntN(oneIn) == 0 }
func (w *world) said() string {
	if w.chance(10) {
		return pick(w, "", "a\x00b", "\xff", "문제")
	}
	return pick(w, "mail", "메일서버 인증서", "late", "queue full")
}
func (w *world) person() string { return pick(w, "mia", "ann", "bob", "cai", "mia", "") }
func (w *world) time() time.Time {
	if w.chance(4) {
		return time.Time{}
	}
	return w.clock.now().Add(time.Duration(w.rnd.Int64N(int64(60*time.Hour))) - 12*time.Hour)
}

func (w *world) names(of ...string) []string {
	var all []string
	for range w.rnd.IntN(3) {
		all = append(all, pick(w, of...))
	}
	return all
}

func (w *world) content() knowledge.Content {
	c := knowledge.Content{Title: w.said(), Issue: w.said()}
	if !w.chance(4) {
		c.Resolution = pick(w, "restart", "다시 시작", "wait", "replace it")
	}
	return c
}

func (w *world) audience() knowledge.Audience {
	return knowledge.Audience{Reach: pick(w, append(knowledge.Reaches(), "", knowledge.Public)...), Domains: w.names("hr", "it", "hr", "acme")}
}

func (w *world) other() itsm.ID {
	if len(w.ids) == 0 {
		return "kba-1"
	}
	return pick(w, w.ids...)
}

func (w *world) capture() knowledge.Capture {
	c := knowledge.Capture{Content: w.content(), Locale: pick(w, "", "", "ko", "de"), Services: w.names("mail", "erp"), Tags: w.names("a", "b"), ReviewEvery: pick(w, 0, 0, 2*time.Hour)}
	switch w.rnd.IntN(6) {
	case 0:
		c.From = inc(w.rnd.IntN(9))
	case 1:
		c.Governance = pick(w, append(knowledge.Governances(), "x")...)
	case 2:
		c.Audience = w.audience()
	case 3:
		c.Translates, c.Locale, c.Covers = w.other(), pick(w, "ko", "de", "ja", "fr", "en"), w.rnd.IntN(3)
	}
	return c
}

// action is a random action with random input; those that lead on come often.
func (w *world) action(r *knowledge.Article) action {
	reason := w.said()
	vote := pick(w, approval.Votes()...)
	if w.chance(2) {
		vote = approval.Approve
	}
	improve := knowledge.Improve{Content: w.content(), Covers: r.Source.Edition}
	hand := knowledge.Submit{PublishAt: w.time()}
	if w.chance(2) {
		hand.Reviewers, hand.PublishAt = []string{pick(w, "ann", "bob", "cai")}, time.Time{}
	} else if w.chance(2) {
		hand.PublishAt = time.Time{}
	}
	end := knowledge.ProposeRetirement{Reason: reason, Replacement: pick(w, "", "", w.other())}
	if w.chance(2) {
		end.Reviewers = []string{pick(w, "ann", "bob")}
	}
	forward := map[itsm.State][]action{
		knowledge.Draft:             {improve, hand, hand, knowledge.Publish{}, knowledge.Schedule{At: w.time()}, knowledge.Validate{}, knowledge.Discard{}},
		knowledge.InReview:          {knowledge.Vote{Vote: vote}, knowledge.Vote{Vote: vote, Comment: reason}, knowledge.Vote{Vote: vote}, knowledge.Delegate{To: w.person()}, knowledge.Withdraw{}},
		knowledge.Scheduled:         {knowledge.Publish{}, knowledge.Schedule{At: w.time()}, knowledge.Withdraw{Reason: reason}},
		knowledge.Published:         {improve, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: inc(w.rnd.IntN(500))}, knowledge.Revise{Reason: reason}, knowledge.Flag{Kind: knowledge.Outdated, Text: reason}, end, knowledge.Validate{Note: reason}},
		knowledge.ReviewDue:         {knowledge.CompleteReview{}, improve, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: inc(w.rnd.IntN(500))}, knowledge.Revise{}, end},
		knowledge.PendingRetirement: {knowledge.Vote{Vote: vote}, knowledge.Vote{Vote: vote}, knowledge.Keep{}, knowledge.Delegate{To: w.person()}},
		knowledge.Retired:           {knowledge.Restore{Reason: reason}},
	}
	if more := forward[r.State]; len(more) > 0 && !w.chance(3) {
		return pick(w, more...)
	}
	return pick(w, []action{
		improve, knowledge.Improve{Content: w.content(), Resolves: []int{w.rnd.IntN(4)}, Note: reason}, knowledge.Revert{Edition: w.rnd.IntN(4), Reason: reason},
		knowledge.Classify{Category: reason, Services: w.names("mail", "erp", ""), Tags: w.names("a", "b")},
		knowledge.SetAudience{Audience: w.audience()}, knowledge.SetGovernance{Governance: pick(w, append(knowledge.Governances(), "x")...)},
		knowledge.AssignOwner{Owner: w.person()}, knowledge.Plan{ReviewEvery: time.Duration(w.rnd.IntN(9)-1) * time.Hour, ExpiresAt: w.time()},
		knowledge.Validate{}, knowledge.Invalidate{Reason: reason}, hand, knowledge.Vote{Vote: vote, For: w.person()}, knowledge.Delegate{To: w.person(), Until: w.time()},
		knowledge.Withdraw{}, knowledge.Schedule{At: w.time()}, knowledge.Publish{}, knowledge.Revise{}, knowledge.Discard{Reason: reason},
		knowledge.RecordUse{Kind: pick(w, append(knowledge.UseKinds(), "x")...), For: inc(w.rnd.IntN(30)), Count: w.rnd.IntN(3)}, knowledge.RecordUse{Kind: knowledge.Viewed, Count: w.rnd.IntN(40) - 1},
		knowledge.SampleLink{For: inc(1), Relevant: w.chance(2)}, knowledge.Rate{Helpful: w.chance(2), Comment: reason},
		knowledge.Flag{Kind: pick(w, knowledge.Incorrect, knowledge.Unclear, ""), Text: reason}, knowledge.ResolveFlag{Number: r.Flagged, Declined: w.chance(2), Note: reason}, knowledge.CompleteReview{Note: reason},
		knowledge.ScoreChecklist{Criteria: []knowledge.Criterion{{Name: "clear", Met: w.chance(2)}, {Name: reason, NotApplicable: w.chance(3), Met: w.chance(2)}}},
		knowledge.Note{Text: reason}, knowledge.Link{Link: itsm.Link{Rel: pick(w, knowledge.Documents, "created_from"), To: itsm.Ref{Kind: "problem", ID: "1"}}},
		knowledge.Unlink{Link: itsm.Link{Rel: knowledge.Documents, To: itsm.Ref{Kind: "problem", ID: "1"}}}, knowledge.SetFields{Fields: itsm.Fields{"x": []byte(`"y"`)}},
		end, knowledge.Keep{Reason: reason}, knowledge.Restore{Reason: reason}, knowledge.Expire{}, knowledge.Approve{}, nil,
	}...)
}

// step does one random thing and returns how many actions were tried.
func (w *world) step() int {
	if w.chance(3) {
		d := time.Duration(w.rnd.Int64N(int64(90 * time.Minute)))
		if w.chance(20) {
			d = -d
		} else if w.chance(10) {
			d *= 12
		}
		w.clock.advance(d)
	}
	if w.chance(12) {
		n, _, err := w.RunDue(sys)
		require.NoError(w.t, err)
		w.done["due"] += n
		w.lookAtAll()
		return n
	}
	ctx := as(pick(w, "mia", "ann", "bob", "cai"))
	if len(w.ids) == 0 || len(w.ids) < 60 && w.chance(15) {
		r, err := w.Capture(ctx, w.capture())
		if w.expected("capture", err) {
			w.ids = append(w.ids, r.ID)
			w.lookAtFamily(r)
		}
		return 1
	}
	id := pick(w, w.ids...)
	before := w.get(id)
	a := w.action(&before)
	if w.chance(60) {
		a = knowledge.Retire{Reason: w.said(), Replacement: pick(w, "", w.other())}
	}
	called := "nil"
	if a != nil {
		called = a.Action()
	}
	after, err := w.Do(ctx, id, a)
	if w.expected(called, err) {
		w.same(w.get(id), after, "what was done is stored")
	} else {
		w.same(before, w.get(id), "what is refused changes nothing")
		return 1
	}
	w.lookAtFamily(after)
	return 1
}

// same is require.Equal, which takes its time.
func (w *world) same(want, got knowledge.Article, says string) {
	if !reflect.DeepEqual(want, got) {
		require.Equal(w.t, want, got, says)
	}
}

func (w *world) expected(called string, err error) bool {
	w.tried[called]++
	if err == nil {
		w.done[called]++
		return true
	}
	if !errors.Is(err, itsm.ErrInvalid) && !errors.Is(err, itsm.ErrNotAllowed) {
		require.NoError(w.t, err, called)
	}
	require.NotEmpty(w.t, itsm.Findings(err))
	return false
}

func (w *world) lookAtAll() {
	for _, id := range w.ids {
		w.look(id)
	}
}

// lookAtFamily looks at an article and those that a change of it may change.
func (w *world) lookAtFamily(r knowledge.Article) {
	w.look(r.ID)
	if r.Source.Article != "" {
		w.look(r.Source.Article)
	}
	for _, t := range r.Translations {
		w.look(t.ID)
	}
}

// look takes a snapshot and proves what is always true of an article.
func (w *world) look(id itsm.ID) {
	r := w.get(id)
	if w.snapshots[id] == nil {
		w.snapshots[id] = map[itsm.Version]knowledge.Article{}
	}
	w.snapshots[id][r.Version] = r
	ok := func(fact bool, says string) {
		if !fact {
			w.t.Fatalf("%s, version %d, %s: not so: %s\n%+v\nlive %+v\ndraft %+v", r.ID, r.Version, r.State, says, r, r.Live, r.Draft)
		}
	}
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
		source := w.get(r.Source.Article)
		ok(r.Source == knowledge.Source{Article: source.ID, Edition: source.Editions, Withdrawn: source.Live == nil}, "a translation knows how its source stands")
		ok(slices.Contains(source.Translations, knowledge.Translation{ID: r.ID, Locale: r.Locale}), "its source knows it")
	}
	for _, t := range r.Translations {
		other := w.get(t.ID)
		ok(other.Source.Article == r.ID && other.State != knowledge.Retired && other.Locale == t.Locale && t.Locale != r.Locale, "what it has for a translation is one")
	}
}

// audit proves that history and records agree: now, and as they were at every version and
// time that was looked at; and that the index shows what there is.
func (w *world) audit() (compared int) {
	equal := func(want, got knowledge.Article, what string) {
		compared++
		if !reflect.DeepEqual(want, got) {
			require.Equal(w.t, want, got, what)
		}
	}
	for _, id := range w.ids {
		again, err := w.Replay(w.History(mia, id))
		require.NoError(w.t, err)
		equal(w.get(id), again, "replay")
		var events []itsm.Event
		for e, err := range w.History(mia, id) {
			require.NoError(w.t, err)
			events = append(events, e)
		}
		versions := slices.Sorted(maps.Keys(w.snapshots[id]))
		w.rnd.Shuffle(len(versions), func(i, j int) { versions[i], versions[j] = versions[j], versions[i] })
		for _, v := range versions[:min(len(versions), 6)] {
			got, err := w.AtVersion(mia, id, v)
			require.NoError(w.t, err)
			equal(w.snapshots[id][v], got, fmt.Sprintf("version %d", v))
			last, at := v, events[v-1].At
			for _, e := range events {
				if !e.At.After(at) && e.Version > last {
					last = e.Version
				}
			}
			if want, ok := w.snapshots[id][last]; ok {
				got, err = w.At(mia, id, at)
				require.NoError(w.t, err)
				equal(want, got, "at a time")
			}
		}
	}
	w.searches()
	return compared
}

// searches compares what readers find with what there is for them, in the index that was
// there all the time and in one that is made of the feed.
func (w *world) searches() {
	fresh, err := search.NewMemory(search.Config{})
	require.NoError(w.t, err)
	other, err := knowledge.NewPractice(w.store, knowledge.Config{Index: fresh})
	require.NoError(w.t, err)
	_, err = other.CatchUp(mia, "")
	require.NoError(w.t, err)
	for _, who := range []knowledge.Reader{{}, staff, writer, customer, {Reach: knowledge.Partner, Domains: []string{"acme"}}, {Reach: knowledge.Internal, Domains: []string{"hr", "it"}, Unpublished: true}} {
		for _, text := range []string{"mail", "인증서", "restart"} {
			var want []itsm.ID
			for _, id := range w.ids {
				r := w.get(id)
				d, ok := r.Document()
				if ok && r.VisibleTo(who) && strings.Contains(d.Title+d.Fields["issue"]+d.Fields["resolution"], text) {
					want = append(want, id)
				}
			}
			slices.Sort(want)
			q := knowledge.Search{Text: text, Reader: who, Limit: 100}
			for name, p := range map[string]*knowledge.Practice{"the index": w.Practice, "a fresh one": other} {
				hits, err := p.Search(mia, q)
				require.NoError(w.t, err)
				var got []itsm.ID
				for _, h := range hits {
					got = append(got, h.Article.ID)
				}
				slices.Sort(got)
				require.Equal(w.t, want, got, "%s: %s for %+v", name, text, who)
			}
		}
	}
}

// Whatever is done, in whatever order and with whatever input, under whatever policy: a
// record is what its history leads to, what must be true of it is, and it is found by those
// for whom it is.
func TestHistoryIsTheRecord(t *testing.T) {
	total, perWorld := 101_000, 800
	if raceDetector {
		total = 4_000
	}
	if testing.Short() {
		total = 2_000
	}
	tried, done := map[string]int{}, map[string]int{}
	did, actions, equal := 0, 0, 0
	for seed := uint64(1); did < total; seed++ {
		w := &world{library: newLibrary(t, configs(t)[seed%3]), rnd: rand.New(rand.NewPCG(seed, 0)),
			snapshots: map[itsm.ID]map[itsm.Version]knowledge.Article{}, tried: tried, done: map[string]int{}}
		for n := 0; n < perWorld; {
			k := w.step()
			n += k
			actions += k
		}
		equal += w.audit()
		for name, n := range w.done {
			done[name] += n
			did += n
		}
	}
	t.Logf("%d actions, %d of them done, %d comparisons with a replay, 0 differences", actions, did, equal)
	t.Logf("done of tried: %v of %v", done, tried)
	if total >= 100_000 {
		for name := range tried {
			if !slices.Contains([]string{"nil", "expire", "approve"}, name) {
				require.NotZero(t, done[name], "%s was never done", name)
			}
		}
	}
}

// A commit that fails, or of which nobody knows whether it failed, leaves nothing half done:
// of an article and its translations, all are as before or all as after; and the index shows
// what there is.
func TestCommitsFailAsAWhole(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after func() error
		fails         error
		happened      bool
	}{
		{"Down", always(errDown), nil, errDown, false},
		{"DownAfterwards", nil, always(errDown), errDown, true},
		{"UnknownNotDone", once(itsm.ErrUnknown), nil, nil, true},
		{"UnknownDone", nil, once(itsm.ErrUnknown), nil, true},
		{"UnknownForLong", always(itsm.ErrUnknown), nil, itsm.ErrUnknown, false},
		{"Conflict", once(itsm.ErrConflict), nil, nil, true},
		{"ConflictForLong", always(itsm.ErrConflict), nil, itsm.ErrConflict, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLibrary(t, knowledge.Config{})
			source := l.write(publish)
			var ids []itsm.ID
			for _, locale := range []string{"ko", "de"} {
				r, err := l.Capture(mia, knowledge.Capture{Content: mail, Locale: locale, Translates: source.ID})
				require.NoError(t, err)
				ids = append(ids, r.ID)
			}
			before := []knowledge.Article{l.get(source.ID), l.get(ids[0]), l.get(ids[1])}
			numbers := serial()
			p, err := knowledge.NewPractice(&flaky{Store: l.store, before: c.before, after: c.after}, knowledge.Config{Config: itsm.Config{
				Now: l.clock.now, Attempts: 3, NewID: func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
					id, err := numbers(ctx, prefix, at)
					return "second-" + id, err
				}}})
			require.NoError(t, err)
			changed := mail
			changed.Resolution = "Restart the zebra."
			_, err = p.Do(mia, source.ID, knowledge.Improve{Content: changed})
			require.ErrorIs(t, err, c.fails)
			after := []knowledge.Article{l.get(source.ID), l.get(ids[0]), l.get(ids[1])}
			if c.happened {
				require.Equal(t, 2, after[0].Editions)
				require.Equal(t, "its source has a newer edition", after[1].Stale())
				require.Equal(t, "its source has a newer edition", after[2].Stale())
			} else {
				require.Equal(t, before, after)
			}
			for _, r := range after {
				l.replays(r.ID)
			}
			// The practice that could not commit learns of the rest by the feed.
			p = p.Over(l.store)
			_, err = p.CatchUp(mia, "")
			require.NoError(t, err)
			hits, err := p.Search(mia, knowledge.Search{Text: "zebra", Reader: staff})
			require.NoError(t, err)
			require.Equal(t, c.happened, len(hits) == 1)
		})
	}
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
	r := l.get(id)
	require.Equal(t, writers*uses, r.Usage.Solved)
	require.Equal(t, writers*uses, r.Notes)
	require.Len(t, r.Usage.Recent, 50)
	require.Equal(t, knowledge.Validated, r.Confidence)
	l.replays(id)
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
	l.clock.advance(100 * time.Hour)
	var all sync.WaitGroup
	for range 6 {
		host, err := knowledge.NewPractice(l.store, knowledge.Config{Config: itsm.Config{Now: l.clock.now}})
		require.NoError(t, err)
		all.Go(func() {
			if _, _, err := host.RunDue(sys); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, id := range ids {
		require.Equal(t, []string{"capture", "schedule", "plan", "release", "expire"}, l.history(id))
		l.replays(id)
	}
}
