package knowledge_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/practicetest"
)

func improved(change func(c *knowledge.Content)) knowledge.Improve {
	c := mail
	change(&c)
	return knowledge.Improve{Content: c}
}

var better = improved(func(c *knowledge.Content) { c.Resolution = "Delete the stored password, and lock the screen once." })

// From the work on an incident to the next incident: captured, published to one's own
// people, used, and by that validated.
func TestTheLoop(t *testing.T) {
	l := newLibrary(t, knowledge.Config{ValidateAfter: 2, ReviewEvery: 90 * 24 * time.Hour})
	r, err := l.Capture(mia, knowledge.Capture{Content: mail, From: inc(1), Audience: knowledge.Audience{Reach: knowledge.Public}})
	require.NoError(t, err)
	require.Equal(t, []itsm.Link{{Rel: "created_from", To: inc(1)}}, r.Links)
	require.Equal(t, knowledge.NotValidated, r.Confidence)
	require.Empty(t, l.finds(staff, "password"))
	require.Equal(t, []itsm.ID{r.ID}, l.finds(writer, "password"))

	r = l.Did(mia, r.ID, publish)
	require.Equal(t, []itsm.ID{r.ID}, l.finds(staff, "outlook password"))
	require.Empty(t, l.finds(customer, "outlook password"), "nobody vouches for it yet")
	require.False(t, r.Public())

	r = l.Did(as("ann"), r.ID, solves(2), knowledge.RecordUse{Kind: knowledge.Viewed, Count: 30}, knowledge.RecordUse{Kind: knowledge.Rejected, For: inc(3)}, solves(4))
	require.Equal(t, knowledge.Validated, r.Confidence)
	require.True(t, r.Public())
	require.Equal(t, []itsm.ID{r.ID}, l.finds(customer, "outlook password"))
	require.Equal(t, []int{2, 1, 30, 1}, []int{r.Usage.Solved, r.Usage.Created, r.Usage.Viewed, r.Usage.Rejected})
	l.Refuse(as("bob"), r.ID, solves(2), "that it was used_to_solve for incident:inc-2 is recorded already")
	l.Refuse(mia, r.ID, knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: r.Ref()}, "for must be another record")
	l.Refuse(mia, r.ID, knowledge.RecordUse{Kind: "x", Count: 2}, `kind must be used_to_solve, created_from, viewed or rejected, is "x"`,
		"for.kind must not be empty", "for.id must not be empty", "count must be 1 where it is not views without a case")
	require.Equal(t, []string{"capture", "publish", "record_use", "record_use", "record_use", "record_use", "validate"}, l.Story(r.ID))

	// What is fixed has to prove itself again before uses validate it; what is validated
	// stays so.
	r = l.Did(as("ann"), r.ID, knowledge.Invalidate{Reason: "it came back"}, better, solves(5))
	require.Equal(t, knowledge.NotValidated, r.Confidence)
	require.Empty(t, l.finds(customer, "outlook password"))
	r = l.Did(as("ann"), r.ID, solves(6))
	require.Equal(t, knowledge.Validated, r.Confidence)
	require.Equal(t, 2, r.Live.Number)
	require.Equal(t, []string{"mia", "ann"}, r.Editors)
	l.Refuse(mia, r.ID, knowledge.Validate{}, "it is validated")

	var uses []string
	for u, err := range l.Uses(mia, r.ID) {
		require.NoError(t, err)
		uses = append(uses, fmt.Sprintf("%s %d %s %s", u.Kind, u.Count, u.For, u.Actor.ID))
	}
	require.Equal(t, []string{"created_from 1 incident:inc-1 mia", "used_to_solve 1 incident:inc-2 ann", "viewed 30 : ann", "rejected 1 incident:inc-3 ann",
		"used_to_solve 1 incident:inc-4 ann", "used_to_solve 1 incident:inc-5 ann", "used_to_solve 1 incident:inc-6 ann"}, uses)
}

// Readers go on with the edition that there is while the next is being written.
func TestRevisionLeavesTheLiveEdition(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	r := l.write(knowledge.Validate{}, publish)
	l.Refuse(mia, r.ID, knowledge.Improve{}, "title must not be empty")
	r = l.Did(mia, r.ID, knowledge.Revise{Reason: "new version"}, improved(func(c *knowledge.Content) { c.Resolution, c.Title = "", "Rewritten" }))
	require.Equal(t, knowledge.WIP, r.Confidence)
	require.Equal(t, knowledge.Validated, r.Live.Confidence)
	require.Equal(t, mail, r.Live.Content)
	require.Equal(t, []itsm.ID{r.ID}, l.finds(staff, "mail password"))
	require.Empty(t, l.finds(staff, "rewritten"))
	text, ok := r.TextFor(staff)
	require.True(t, ok)
	require.Equal(t, mail, text)
	_, ok = r.TextFor(customer)
	require.False(t, ok)
	r = l.Did(mia, r.ID, knowledge.Discard{Reason: "it is right"})
	require.Equal(t, knowledge.Validated, r.Confidence)
	require.Equal(t, knowledge.Published, r.State)
	r = l.Did(mia, r.ID, knowledge.Revise{}, better, publish)
	require.Equal(t, 2, r.Live.Number)
	require.Equal(t, knowledge.Validated, r.Live.Confidence)

	// Old editions are in the history, and come back from there.
	r = l.Did(mia, r.ID, improved(func(c *knowledge.Content) { c.Title = "Third" }))
	var titles []string
	for e, err := range l.Editions(mia, r.ID) {
		require.NoError(t, err)
		titles = append(titles, fmt.Sprintf("%d %s %s", e.Number, e.Title, e.By))
	}
	require.Equal(t, []string{"1 No mail after a change of password mia", "2 No mail after a change of password mia", "3 Third mia"}, titles)
	l.Refuse(mia, r.ID, knowledge.Revert{Edition: 9, Reason: "r"}, "edition must be one of the 3 that there were, is 9")
	l.Refuse(mia, r.ID, knowledge.Revert{Edition: 3, Reason: "r"}, "that is its text already")
	l.Refuse(mia, r.ID, knowledge.Revert{}, "edition must be the number of an edition", "reason must not be empty")
	r = l.Did(mia, r.ID, knowledge.Revert{Edition: 1, Reason: "it was better", Content: knowledge.Content{Title: "smuggled in"}})
	require.Equal(t, mail, r.Live.Content)
	require.Equal(t, 4, r.Live.Number)
	l.Refuse(mia, l.write().ID, knowledge.Discard{}, "it has no live edition to go back to; it can be retired")
	l.Refuse(mia, l.write().ID, knowledge.Revert{Edition: 1, Reason: "r"}, "there is no edition yet")
	l.Refuse(mia, r.ID, knowledge.Improve{Content: mail}, "must change something")
	for range l.Editions(mia, r.ID) { // may stop
		break
	}
}

func TestReviewsFallDue(t *testing.T) {
	const day = 24 * time.Hour
	l := newLibrary(t, knowledge.Config{ReviewEvery: 30 * day})
	r := l.write(publish)
	require.Zero(t, l.Due(29*day))
	r = l.Did(mia, r.ID, solves(1)) // reuse is review
	require.Zero(t, l.Due(29*day))
	require.Equal(t, 1, l.Due(2*day))
	r = l.Record(r.ID)
	require.Equal(t, knowledge.ReviewDue, r.State)
	require.Equal(t, "its review is due", r.Stale())
	require.Contains(t, r.AppendKeys(nil), itsm.Key{Field: "stale", Value: "true"})
	require.NotEmpty(t, l.finds(staff, "password"), "it is found all the same")
	r = l.Did(mia, r.ID, knowledge.CompleteReview{Note: "still so"})
	require.Equal(t, knowledge.Published, r.State)
	require.Equal(t, l.Time.Now().Add(30*day), r.ReviewBy)
	require.Equal(t, 1, l.Due(31*day))
	r = l.Did(mia, r.ID, solves(2))
	require.Equal(t, knowledge.Published, r.State)
	require.Equal(t, 1, l.Due(31*day))
	r = l.Did(mia, r.ID, better) // and so is fixing it
	require.Equal(t, knowledge.Published, r.State)
	require.Equal(t, []string{"fall_due", "improve", "complete_review"}, l.Story(r.ID)[len(l.Story(r.ID))-3:])

	// What has to comply is reviewed by those who have to.
	r = l.Did(mia, r.ID, comply)
	require.Equal(t, 1, l.Due(31*day))
	r = l.Did(mia, r.ID, solves(3))
	require.Equal(t, knowledge.ReviewDue, r.State)
	r = l.Did(mia, r.ID, knowledge.Plan{ReviewEvery: 0}, knowledge.CompleteReview{})
	require.Zero(t, r.ReviewBy)
	l.Refuse(mia, r.ID, knowledge.Plan{ReviewEvery: -1}, "review_every must not be negative")
}

func TestPublicationAndExpiryByTime(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	at := morning.Add(48 * time.Hour)
	r := l.write(knowledge.Plan{ExpiresAt: at.Add(24 * time.Hour)})
	l.Refuse(mia, r.ID, knowledge.Schedule{At: morning}, "at must be after now")
	l.Refuse(mia, r.ID, knowledge.Schedule{At: at.Add(25 * time.Hour)}, "at must be before it expires")
	r = l.Did(mia, r.ID, knowledge.Schedule{At: at.Add(-time.Hour)}, knowledge.Schedule{At: at})
	l.Refuse(mia, r.ID, knowledge.Plan{ExpiresAt: at.Add(-time.Minute)}, "expires_at must be after it is published")
	l.Refuse(mia, r.ID, knowledge.Plan{ExpiresAt: morning.Add(-time.Minute)}, "expires_at must be after now", "expires_at must be after it is published")
	require.Empty(t, l.finds(staff, "password"))
	require.Zero(t, l.Due(40*time.Hour))
	require.Equal(t, 1, l.Due(9*time.Hour))
	require.Equal(t, "system", l.Record(r.ID).Live.By)
	require.NotEmpty(t, l.finds(staff, "password"))
	require.Equal(t, 1, l.Due(24*time.Hour))
	r = l.Record(r.ID)
	require.Equal(t, knowledge.Retired, r.State)
	require.Equal(t, "its time is over", r.Retirement.Reason)
	require.Empty(t, l.finds(writer, "password"))

	late := l.write(knowledge.Plan{ExpiresAt: l.Time.Now().Add(time.Hour)})
	require.Zero(t, l.Due(2*time.Hour))
	l.Refuse(mia, late.ID, submit, "its time is over since 2026-03-05T10:03:00Z: plan another")
	l.Refuse(mia, late.ID, publish, "its time is over since 2026-03-05T10:03:00Z: plan another")
	l.Did(mia, late.ID, retire)
	r = l.Did(mia, r.ID, knowledge.Restore{Reason: "still asked for"})
	require.Zero(t, r.ExpiresAt)
	require.Zero(t, r.Retired)
	require.Equal(t, knowledge.NotValidated, r.Confidence)
	r = l.Did(mia, r.ID, publish, knowledge.Plan{ExpiresAt: l.Time.Now().Add(5 * time.Hour)}, knowledge.Revise{}, knowledge.Schedule{At: l.Time.Now().Add(4 * time.Hour)}, knowledge.Withdraw{Reason: "not yet"})
	require.Zero(t, r.PublishAt)
	require.Equal(t, 1, l.Due(6*time.Hour))
	r = l.Record(r.ID)
	require.Equal(t, knowledge.Draft, r.State, "the work on the next edition goes on")
	require.Nil(t, r.Live)
	require.Empty(t, l.finds(staff, "password"))
}

func TestComplianceIsApproved(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	r := l.write(comply)
	l.Refuse(mia, r.ID, publish, `its publication has to be approved by the rule "compliance": submit`)
	l.Refuse(mia, r.ID, knowledge.Schedule{At: morning.Add(99 * time.Hour)}, `its publication has to be approved by the rule "compliance": submit`)
	l.Refuse(mia, r.ID, knowledge.Validate{}, "what has to comply is validated by its review")
	l.Refuse(mia, r.ID, knowledge.Submit{}, `reviewers must be given: by the rule "compliance" they are whom you name`)
	l.Refuse(mia, r.ID, knowledge.Submit{Reviewers: []string{"mia"}}, "reviewers.policy.rule cannot be approved by anybody: at most 0 in favour of 1 needed; mia is excluded as author")
	r = l.Did(mia, r.ID, submit)
	require.Equal(t, []string{"ann", "bob"}, r.Approval.Asked)
	require.Contains(t, r.AppendKeys(nil), itsm.Key{Field: "approver", Value: "bob"})
	l.Refuse(mia, r.ID, better, `action "improve" is not permitted in state "in_review", from which lead on: retire, withdraw`)
	l.Refuse(as("cai"), r.ID, yes, "cai has no vote")
	l.Refuse(as("ann"), r.ID, knowledge.Vote{Vote: "x"}, `vote must be approve, reject, abstain or withdraw, is "x"`)
	l.Refuse(as("ann"), r.ID, knowledge.Delegate{To: "cai", Until: morning.Add(-time.Hour)}, "until must be after now")
	l.Did(as("ann"), r.ID, knowledge.Delegate{To: "cai"})
	l.Refuse(as("ann"), r.ID, knowledge.Delegate{To: "ann"}, "to makes a chain of 6 delegations: a vote may be passed on 4 times", "to must be somebody else")
	r = l.Did(as("cai"), r.ID, knowledge.Vote{Vote: approval.Approve, For: "ann", Comment: "fine"})
	require.Equal(t, knowledge.InReview, r.State)
	d, err := r.Approval.Decision(l.Time.Now())
	require.NoError(t, err)
	require.Equal(t, approval.Open, d.Outcome)
	r = l.Did(as("bob"), r.ID, yes)
	require.Equal(t, knowledge.Published, r.State)
	require.Equal(t, knowledge.Validated, r.Confidence)
	require.Equal(t, []string{"vote", "approve", "release"}, l.Story(r.ID)[5:])
	l.Refuse(as("bob"), r.ID, no, `action "vote" is not permitted in state "published", from which lead on: propose_retirement, retire, revise`)

	// What is approved stands until something else is.
	l.Refuse(mia, r.ID, better, "what has to comply is revised before it is changed")
	r = l.Did(mia, r.ID, knowledge.Revise{}, better)
	require.Equal(t, knowledge.NotValidated, r.Confidence)
	require.Equal(t, knowledge.Validated, r.Live.Confidence)
	r = l.Did(mia, r.ID, knowledge.Submit{Reviewers: []string{"ann"}, PublishAt: l.Time.Now().Add(time.Hour)})
	r = l.Did(as("ann"), r.ID, no)
	require.Equal(t, knowledge.Draft, r.State)
	require.Zero(t, r.PublishAt)
	r = l.Did(mia, r.ID, knowledge.Submit{Reviewers: []string{"ann"}, PublishAt: l.Time.Now().Add(time.Hour)})
	r = l.Did(as("ann"), r.ID, yes)
	require.Equal(t, knowledge.Scheduled, r.State)
	require.Equal(t, 1, l.Due(time.Hour))
	require.Equal(t, 2, l.Record(r.ID).Live.Number)

	// More people see it only with the next edition, fewer at once.
	r = l.Did(mia, r.ID, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Public}})
	require.Equal(t, knowledge.Internal, r.Live.Audience.Reach)
	require.False(t, r.Public())
	r = l.Did(mia, r.ID, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Internal, Domains: []string{"hr"}}})
	require.Equal(t, []string{"hr"}, r.Live.Audience.Domains)
	r = l.Did(mia, r.ID, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Internal}})
	require.Equal(t, []string{"hr"}, r.Live.Audience.Domains)

	l.Refuse(mia, r.ID, retire, `its retirement has to be approved by the rule "compliance": propose_retirement`)
	l.Refuse(mia, r.ID, knowledge.ProposeRetirement{Reason: "r", Replacement: r.ID, Reviewers: []string{"ann"}}, "replacement must be another article")
	r = l.Did(mia, r.ID, knowledge.ProposeRetirement{Reason: "r", Reviewers: []string{"ann", "bob"}})
	r = l.Did(mia, r.ID, knowledge.Keep{Reason: "still asked for"})
	require.Zero(t, r.Retirement)
	r = l.Did(mia, r.ID, knowledge.ProposeRetirement{Reason: "r", Reviewers: []string{"ann"}})
	r = l.Did(as("ann"), r.ID, no)
	require.Equal(t, knowledge.Published, r.State)
	require.Equal(t, approval.Rejected, r.Approval.Outcome)
	l.Did(mia, r.ID, knowledge.ProposeRetirement{Reason: "r", Replacement: "kba-9", Reviewers: []string{"ann"}})
	r = l.Did(as("ann"), r.ID, yes)
	require.Equal(t, knowledge.Retired, r.State)
	require.Contains(t, r.Links, itsm.Link{Rel: knowledge.ReplacedBy, To: itsm.Ref{Kind: "knowledge", ID: "kba-9"}})
	_, err = knowledge.Approval{}.Decision(morning)
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// Experience asks for a review only if it wants one.
func TestExperienceMayAsk(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	r := l.write(knowledge.Submit{Reviewers: []string{"ann", "bob"}, Note: "please"})
	r = l.Did(as("bob"), r.ID, yes)
	require.Equal(t, knowledge.Published, r.State)
	r = l.Did(mia, r.ID, knowledge.ProposeRetirement{Reason: "r"})
	require.Equal(t, knowledge.Retired, r.State, "nobody has to approve that")
	l.Refuse(mia, l.write(publish).ID, knowledge.ProposeRetirement{Reason: "r", Reviewers: []string{"ann"}}, "reviewers must be empty: nobody has to approve it")
	r = l.write(submit, knowledge.Withdraw{})
	require.Zero(t, r.Approval)
	r = l.write(submit, retire)
	require.Zero(t, r.Approval)
	l.Refuse(mia, r.ID, retire, `action "retire" is not permitted in state "retired", from which lead on: restore`)
}

// Votes have a time, roles are the host's, and what it cannot say is not guessed.
func TestApprovalRulesOfAHost(t *testing.T) {
	cfg := configs(t)[2]
	l := newLibrary(t, cfg)
	r := l.write(knowledge.AssignOwner{Owner: "ann"})
	l.Refuse(mia, r.ID, submit, `reviewers must be empty: who votes is settled by the rule "short"`)
	r = l.Did(mia, r.ID, knowledge.Submit{})
	require.Equal(t, []string{"bob", "cai"}, r.Approval.Asked)
	require.Equal(t, 1, l.Due(90*time.Minute), "somebody else may vote, too")
	require.Equal(t, knowledge.InReview, l.Record(r.ID).State)
	require.Equal(t, 1, l.Due(3*time.Hour))
	r = l.Record(r.ID)
	require.Equal(t, knowledge.Draft, r.State)
	require.Equal(t, approval.Expired, r.Approval.Outcome)
	cfg.People = nil
	_, err := newLibrary(t, cfg).Do(mia, "kba-1", knowledge.Submit{})
	require.ErrorIs(t, err, itsm.ErrNotFound)
	other := newLibrary(t, cfg)
	_, err = other.Do(mia, other.write().ID, knowledge.Submit{})
	require.ErrorContains(t, err, `nobody knows the role "legal": the host has to say who that is`)
	cfg.People = func(context.Context, knowledge.Article, approval.Kind, string) ([]string, error) { return nil, errDown }
	other = newLibrary(t, cfg)
	_, err = other.Do(mia, other.write().ID, knowledge.Submit{})
	require.ErrorIs(t, err, errDown)

	// Every fact that a rule may ask for is what the article says.
	for name, value := range map[string]string{"live": "", "stale": "", "approval": "", "action": "", "flagged": "yes", "state": "draft", "governance": "experience", "audience": "internal", "confidence": "not_validated", "category": "c",
		"locale": "en", "author": "mia", "owner": "ann", "seat": "12", "vip": "true"} {
		l := newLibrary(t, knowledge.Config{Approvals: []knowledge.ApprovalRule{{Name: "n", Of: knowledge.ForPublication, When: map[string][]string{name: {value}},
			Policy: approval.Policy{Rule: approval.Rule{Need: approval.Any, Of: approval.Persons("ann")}, Exclude: []string{knowledge.DutyRequester}}}}})
		r := l.write(knowledge.Classify{Category: "c"}, knowledge.AssignOwner{Owner: "ann"}, knowledge.SetFields{Fields: itsm.Fields{"seat": []byte("12"), "vip": []byte(`"true"`)}}, knowledge.Flag{Kind: knowledge.Unclear})
		l.Refuse(mia, r.ID, publish, `its publication has to be approved by the rule "n": submit`)
	}
}

func TestFlagItOrFixIt(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	r := l.write(publish, knowledge.Flag{Kind: knowledge.Incorrect, Text: "not in version 17"}, knowledge.Flag{Kind: knowledge.Unclear}, knowledge.Flag{Kind: "rude"})
	require.Len(t, r.Flags, 3)
	require.Contains(t, r.AppendKeys(nil), itsm.Key{Field: "flagged", Value: "true"})
	fix := better
	fix.Resolves, fix.Note = []int{1, 2}, "tried with version 17"
	r = l.Did(mia, r.ID, fix)
	require.Len(t, r.Flags, 1)
	fix.Resolves = []int{3, 9}
	l.Refuse(mia, r.ID, fix, "resolves[1] must be the number of an open flag, is 9")
	l.Refuse(mia, r.ID, knowledge.ResolveFlag{Number: 1, Declined: true}, "note must not be empty")
	l.Refuse(mia, r.ID, knowledge.ResolveFlag{Number: 1}, "number must be the number of an open flag, is 1")
	r = l.Did(mia, r.ID, knowledge.ResolveFlag{Number: 3, Declined: true, Note: "it is not"}, knowledge.Rate{Helpful: true}, knowledge.Rate{Comment: "too long"}, knowledge.Note{Text: "hello"})
	require.Nil(t, r.Flags)
	require.Equal(t, 3, r.Flagged)
	require.Equal(t, knowledge.Rating{Helpful: 1, Unhelpful: 1}, r.Rating)
	l.Refuse(mia, r.ID, knowledge.ResolveFlag{Number: 3}, "no flag is open")
	l.Refuse(mia, l.write().ID, knowledge.Rate{}, "it has no live edition")
	var journal []string
	for e, err := range l.Journal(mia, r.ID) {
		require.NoError(t, err)
		journal = append(journal, e.Action+": "+e.Text)
	}
	require.Equal(t, []string{"flag: not in version 17", "improve: tried with version 17", "resolve_flag: it is not", "rate: too long", "note: hello"}, journal)
	other := l.write(knowledge.Submit{Reviewers: []string{"ann"}, Note: "please"})
	l.Did(as("ann"), other.ID, knowledge.Vote{Vote: approval.Approve, Comment: "fine"}, knowledge.RecordUse{Kind: knowledge.Rejected, For: inc(1), Note: "not this"},
		knowledge.Invalidate{Reason: "it came back"}, knowledge.Validate{Note: "tried"}, knowledge.CompleteReview{Note: "as it is"})
	journal = nil
	for e, err := range l.Journal(mia, other.ID) {
		require.NoError(t, err)
		journal = append(journal, e.Text)
	}
	require.Equal(t, []string{"please", "fine", "not this", "it came back", "tried", "as it is"}, journal)
	for range 100 {
		l.Did(mia, r.ID, knowledge.Flag{Kind: knowledge.Duplicate})
	}
	l.Refuse(mia, r.ID, knowledge.Flag{Kind: knowledge.Duplicate}, "100 flags are open already")
	l.Refuse(mia, r.ID, knowledge.Flag{}, "kind must not be empty", "100 flags are open already")
}

func TestChecklistAndSamples(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	r := l.write(publish)
	l.Refuse(mia, r.ID, knowledge.SampleLink{For: inc(1)}, "it was used for no case")
	r = l.Did(mia, r.ID, solves(1), knowledge.SampleLink{For: inc(1), Relevant: true}, knowledge.SampleLink{For: inc(1)})
	require.Equal(t, []int{2, 1}, []int{r.Usage.Sampled, r.Usage.Relevant})
	var criteria []knowledge.Criterion
	for i, name := range knowledge.Criteria() {
		criteria = append(criteria, knowledge.Criterion{Name: name, Met: i < 4, NotApplicable: i == 5})
	}
	r = l.Did(mia, r.ID, knowledge.ScoreChecklist{Criteria: criteria})
	require.Equal(t, []int{4, 5}, []int{r.Checklist.Met, r.Checklist.Applicable})
	require.Equal(t, []string{"links"}, r.Checklist.Unmet)
	criteria[5].Met = true
	l.Refuse(mia, r.ID, knowledge.ScoreChecklist{Criteria: criteria}, "criteria[5] cannot be met if it does not apply")
	l.Refuse(mia, r.ID, knowledge.ScoreChecklist{}, "criteria must not be empty")
}

func TestTranslationsKnowTheirSource(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	source := l.write(publish)
	korean := knowledge.Capture{Content: knowledge.Content{Title: "암호를 바꾼 뒤 메일이 오지 않음", Resolution: "저장된 암호를 지웁니다"}, Locale: "ko", Translates: source.ID}
	ko, err := l.Capture(mia, korean)
	require.NoError(t, err)
	require.Equal(t, 1, ko.Draft.Covers)
	require.Empty(t, ko.Stale())
	require.Equal(t, []knowledge.Translation{{ID: ko.ID, Locale: "ko"}}, l.Record(source.ID).Translations)
	l.Replays(source.ID)
	for _, c := range []struct {
		change func(c *knowledge.Capture)
		says   []string
	}{
		{func(*knowledge.Capture) {}, []string{"there is kba-1 in ko already"}},
		{func(c *knowledge.Capture) { c.Locale = "en" }, []string{"there is kba-1 in en already"}},
		{func(c *knowledge.Capture) { c.Locale, c.Covers = "de", 2 }, []string{"covers must be an edition of the source, of which there are 1"}},
		{func(c *knowledge.Capture) { c.Locale, c.Translates = "de", ko.ID }, []string{"kba-2 is itself a translation of kba-1"}},
		{func(c *knowledge.Capture) { c.Locale, c.Translates = "de", "kba-9" }, []string{"translates there is no article kba-9"}},
		{func(c *knowledge.Capture) { c.Translates, c.Covers = "", 1 }, []string{"covers must be 0 for what is no translation"}},
	} {
		other := korean
		c.change(&other)
		_, err := l.Capture(mia, other)
		require.Equal(t, c.says, practicetest.Said(err))
	}

	// The source has a new edition.
	l.Did(mia, ko.ID, publish)
	l.Did(mia, source.ID, better)
	ko = l.Record(ko.ID)
	require.Equal(t, "its source has a newer edition", ko.Stale())
	require.Equal(t, knowledge.Source{Article: source.ID, Edition: 2}, ko.Source)
	l.Replays(ko.ID)
	same := ko.Live.Content
	l.Refuse(mia, ko.ID, knowledge.Improve{Content: same, Covers: 3}, "covers must be an edition of the source, of which there are 2")
	ko = l.Did(mia, ko.ID, knowledge.Improve{Content: same, Covers: 2})
	require.Empty(t, ko.Stale())
	l.Did(mia, source.ID, knowledge.Revise{}, improved(func(c *knowledge.Content) { c.Title = "x" }))
	ko = l.Record(ko.ID)
	require.Empty(t, ko.Stale(), "what is being written is not yet to be translated")

	// Retiring the source does not retire its translations, and they know.
	l.Did(mia, source.ID, retire)
	ko = l.Record(ko.ID)
	require.Equal(t, "its source is not published", ko.Stale())
	require.Equal(t, knowledge.Published, ko.State)
	other := korean
	other.Locale = "de"
	_, err = l.Capture(mia, other)
	require.Equal(t, []string{"kba-1 is retired"}, practicetest.Said(err))
	l.Did(mia, source.ID, knowledge.Restore{Reason: "r"})
	// A translation that is retired leaves its place, and takes it again.
	l.Did(mia, ko.ID, retire)
	require.Empty(t, l.Record(source.ID).Translations)
	again, err := l.Capture(mia, korean)
	require.NoError(t, err)
	require.Zero(t, again.Draft.Covers, "there is no live edition")
	l.Refuse(mia, ko.ID, knowledge.Restore{Reason: "r"}, "there is kba-1 in ko already")
	l.Did(mia, again.ID, retire)
	l.Did(mia, source.ID, publish)
	ko = l.Did(mia, ko.ID, knowledge.Restore{Reason: "r"})
	require.Equal(t, knowledge.Source{Article: source.ID, Edition: 3}, ko.Source)
	require.Equal(t, "its source has a newer edition", ko.Stale())
	l.Replays(source.ID)
}

func TestAudiences(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	hr := knowledge.Reader{Reach: knowledge.Internal, Domains: []string{"hr", "it"}}
	acme := knowledge.Reader{Reach: knowledge.Customer, Domains: []string{"acme"}}
	partner := knowledge.Reader{Reach: knowledge.Partner}
	readers := []knowledge.Reader{staff, hr, partner, customer, acme, {}}
	for _, c := range []struct {
		audience knowledge.Audience
		sees     []int
	}{
		{knowledge.Audience{Reach: knowledge.Internal}, []int{0, 1}},
		{knowledge.Audience{Reach: knowledge.Internal, Domains: []string{"hr"}}, []int{1}},
		{knowledge.Audience{Reach: knowledge.Partner}, []int{0, 1, 2}},
		{knowledge.Audience{Reach: knowledge.Customer}, []int{0, 1, 2, 3, 4}},
		{knowledge.Audience{Reach: knowledge.Customer, Domains: []string{"acme", "it"}}, []int{1, 4}},
		{knowledge.Audience{Reach: knowledge.Public}, []int{0, 1, 2, 3, 4, 5}},
	} {
		r := l.write(knowledge.Validate{}, publish, knowledge.SetAudience{Audience: c.audience})
		var sees []int
		for i, who := range readers {
			if r.VisibleTo(who) {
				sees = append(sees, i)
			}
			require.Equal(t, r.VisibleTo(who), len(l.finds(who, "password")) == 1, "%+v", who)
		}
		require.Equal(t, c.sees, sees, "%+v", c.audience)
		r = l.Did(mia, r.ID, knowledge.Invalidate{Reason: "r"})
		require.False(t, r.Public())
		for i, who := range readers[2:] {
			require.False(t, r.VisibleTo(who), i)
		}
		l.Did(mia, r.ID, retire)
		require.Empty(t, l.finds(knowledge.Reader{Reach: knowledge.Internal, Domains: hr.Domains, Unpublished: true}, "password"))
	}
	l.Refuse(mia, l.write().ID, knowledge.SetAudience{}, `reach must be internal, partner, customer or public, is ""`)
}

// Licences: the whole table, for each that there is.
func TestLicences(t *testing.T) {
	who := map[string]knowledge.Licence{"nobody": "", "can": knowledge.Candidate, "con": knowledge.Contributor, "pub": knowledge.Publisher, "coach": knowledge.Coach}
	rule := knowledge.Licensing{Of: func(_ context.Context, a itsm.Actor) (knowledge.Licence, error) {
		l, ok := who[a.ID]
		if !ok {
			return "", errDown
		}
		return l, nil
	}, Needs: map[string]knowledge.Licence{"note": knowledge.NoLicence}}
	l := newLibrary(t, knowledge.Config{Config: itsm.Config{Authorize: rule.Authorize}})
	external := knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Customer}}
	make := func(by string, actions ...action) itsm.ID {
		r, err := l.Capture(as(by), knowledge.Capture{Content: mail})
		require.NoError(t, err)
		for _, a := range actions {
			_, err := l.Do(as("coach"), r.ID, a)
			require.NoError(t, err)
		}
		return r.ID
	}
	for _, c := range []struct {
		says  string
		by    string
		done  []action
		a     action
		needs knowledge.Licence
	}{
		{"a candidate improves their own", "can", nil, better, knowledge.Candidate},
		{"and no other's", "con", nil, better, knowledge.Contributor},
		{"a candidate hands in", "can", nil, knowledge.Submit{Reviewers: []string{"ann"}}, knowledge.Candidate},
		{"and does not publish", "can", nil, publish, knowledge.Contributor},
		{"a contributor publishes to their own people", "con", nil, publish, knowledge.Contributor},
		{"a publisher to others", "pub", []action{external}, publish, knowledge.Publisher},
		{"what was published is nobody's own", "can", []action{publish}, better, knowledge.Contributor},
		{"what others see", "pub", []action{external, publish}, better, knowledge.Publisher},
		{"for others", "con", nil, external, knowledge.Publisher},
		{"for fewer", "con", nil, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Internal, Domains: []string{"hr"}}}, knowledge.Contributor},
		{"validate", "can", nil, knowledge.Validate{}, knowledge.Contributor},
		{"what others see is validated", "pub", []action{external, publish}, knowledge.Validate{}, knowledge.Publisher},
		{"flag", "con", []action{publish}, knowledge.Flag{Kind: knowledge.Unclear}, knowledge.NoLicence},
		{"use", "con", []action{publish}, solves(1), knowledge.NoLicence},
		{"comply", "con", nil, comply, knowledge.Coach},
		{"score", "con", nil, knowledge.ScoreChecklist{Criteria: []knowledge.Criterion{{Name: "clear"}}}, knowledge.Coach},
		{"note, by the host's own rule", "con", nil, knowledge.Note{Text: "t"}, knowledge.NoLicence},
		{"retire one's own", "can", nil, retire, knowledge.Candidate},
		{"retire", "con", []action{publish}, knowledge.ProposeRetirement{Reason: "r"}, knowledge.Contributor},
		{"restore", "con", []action{publish, retire}, knowledge.Restore{Reason: "r"}, knowledge.Coach},
	} {
		for _, name := range []string{"nobody", "can", "con", "pub", "coach"} {
			author := c.by
			if c.needs == knowledge.Candidate && name != "nobody" {
				author = name
			}
			id := make(author, c.done...)
			_, err := l.Do(as(name), id, c.a)
			if who[name].AtLeast(c.needs) {
				require.NoError(t, err, "%s, by %s", c.says, name)
			} else {
				require.ErrorIs(t, err, itsm.ErrDenied, "%s, by %s", c.says, name)
			}
		}
	}
	// Who may not publish does not approve that somebody else does.
	for i, vote := range []struct {
		done  []action
		needs knowledge.Licence
	}{
		{nil, knowledge.Contributor},
		{[]action{external}, knowledge.Publisher},
		{[]action{comply}, knowledge.NoLicence},
	} {
		for name, has := range who {
			author := "coach"
			if name == author {
				author = "pub"
			}
			id := make(author, append(vote.done, knowledge.Submit{Reviewers: []string{name, "ann"}})...)
			_, err := l.Do(as(name), id, yes)
			require.Equal(t, has.AtLeast(vote.needs), err == nil, "%d, by %s: %v", i, name, err)
		}
	}
	require.Equal(t, []string{"public"}, knowledge.Reader{Reach: "unpublished"}.Audience())
	_, err := l.Capture(as("nobody"), knowledge.Capture{Content: mail})
	require.ErrorContains(t, err, "that takes a candidate, and nobody is nobody with a licence")
	_, err = l.Capture(as("can"), knowledge.Capture{Content: mail, Audience: external.Audience})
	require.ErrorIs(t, err, itsm.ErrDenied)
	_, err = l.Capture(as("pub"), knowledge.Capture{Content: mail, Governance: knowledge.Compliance})
	require.ErrorIs(t, err, itsm.ErrDenied)
	_, err = l.Capture(as("stranger"), knowledge.Capture{Content: mail})
	require.ErrorIs(t, err, errDown)
	require.NoError(t, rule.Authorize(mia, itsm.Attempt{Practice: "incident", Actor: itsm.Actor{ID: "stranger"}}))
	require.Equal(t, knowledge.Publisher, rule.Needed(itsm.Attempt{Practice: "knowledge", Action: "ask_legal", Data: askLegal{}}))
	options, err := l.WhyNot(as("can"), make("con"))
	require.NoError(t, err)
	i := slices.IndexFunc(options, func(o itsm.Option) bool { return o.Action == "publish" })
	require.False(t, options[i].Permitted)
	require.ErrorIs(t, options[i].Refused[0], itsm.ErrDenied)
}

// Bad input is refused with every finding, and long texts are within their bounds.
func TestBadInput(t *testing.T) {
	l := newLibrary(t, knowledge.Config{})
	_, err := l.Decode([]byte(`{"action":"capture","data":{"title":"","issue":"i","services":["a","a"],"audience":{"reach":"moon"},"governance":"x","covers":-1,"review_every":-5,"from":{"kind":"incident"},"colour":1}}`))
	require.Equal(t, []string{"colour is not known", "title must not be empty", `services[1] "a" is there twice`, `audience.reach must be internal, partner, customer or public, is "moon"`,
		`governance must be experience or compliance, is "x"`, "from.id must not be empty", "covers must not be negative", "review_every must not be negative"}, practicetest.Said(err))
	long := mail
	long.Body = strings.Repeat("가", 60_000)
	_, err = l.Capture(mia, knowledge.Capture{Content: long})
	require.Equal(t, []string{"must have at most 60000 characters in all, has 60138"}, practicetest.Said(err))
	long = knowledge.Content{Title: "t", Body: strings.Repeat("가", 59_999)}
	r, err := l.Capture(mia, knowledge.Capture{Content: long})
	require.NoError(t, err)
	r = l.Did(mia, r.ID, publish, knowledge.Revise{})
	long.Body = strings.Repeat("<", 59_999)
	_, err = l.Do(mia, r.ID, knowledge.Improve{Content: long})
	require.ErrorContains(t, err, "data must have at most 262144 bytes as JSON, has 36")
	require.Equal(t, r, l.Record(r.ID))
	l.Refuse(mia, r.ID, knowledge.Link{Link: itsm.Link{Rel: "replaced_by", To: inc(1)}}, "rel must not be replaced_by, which only capturing and retiring set")
	l.Refuse(mia, r.ID, knowledge.AssignOwner{}, "owner must not be empty")
	l.Refuse(mia, r.ID, knowledge.Classify{Tags: make([]string, 101)}, append([]string{"tags must be at most 100", "tags[0] must not be empty"}, repeated(1, 100)...)...)
	l.Refuse(mia, r.ID, knowledge.Invalidate{}, "reason must not be empty", "it is not validated")
	l.Refuse(mia, r.ID, knowledge.SetFields{}, "fields must not be empty")
	_, err = l.Capture(mia, knowledge.Capture{Content: mail, Fields: itsm.Fields{"x": []byte(`"y"`)}, Owner: "ann"})
	require.NoError(t, err)
	tooMany := itsm.Fields{}
	for i := range 201 {
		tooMany[fmt.Sprint(i)] = []byte("1")
	}
	_, err = l.Capture(mia, knowledge.Capture{Content: mail, Fields: tooMany})
	require.Equal(t, []string{"a record has at most 200 fields of the host's own"}, practicetest.Said(err))
	_, err = l.Do(context.Background(), r.ID, publish)
	require.ErrorIs(t, err, itsm.ErrNoActor)
	_, err = l.Search(context.Background(), knowledge.Search{Text: "x"})
	require.ErrorIs(t, err, itsm.ErrNoActor)
}

func repeated(from, to int) (all []string) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Sprintf("tags[%d] must not be empty", i), fmt.Sprintf(`tags[%d] "" is there twice`, i))
	}
	return all
}

// Comparing two texts and taking the gone lines away from the one, or the new ones from the
// other, leaves the same; and as many stay as can (by trying everything).
func TestCompare(t *testing.T) {
	was := mail
	is := mail
	is.Title, is.Resolution = "New", "Delete the stored password.\nLock the screen."
	require.Equal(t, []knowledge.Difference{
		{Part: "title", Lines: []knowledge.Line{{Sign: "-", Text: mail.Title}, {Sign: "+", Text: "New"}}},
		{Part: "resolution", Lines: []knowledge.Line{{Sign: " ", Text: "Delete the stored password."}, {Sign: "+", Text: "Lock the screen."}}},
	}, knowledge.Compare(was, is))
	require.Empty(t, knowledge.Compare(mail, mail))
	rnd := rand.New(rand.NewPCG(1, 1))
	text := func() []string {
		all := make([]string, rnd.IntN(8))
		for i := range all {
			all[i] = string(rune('a' + rnd.IntN(3)))
		}
		return all
	}
	var most func(a, b []string) int
	most = func(a, b []string) int {
		switch {
		case len(a) == 0 || len(b) == 0:
			return 0
		case a[0] == b[0]:
			return 1 + most(a[1:], b[1:])
		}
		return max(most(a[1:], b), most(a, b[1:]))
	}
	for range 2000 {
		a, b := text(), text()
		d := knowledge.Compare(knowledge.Content{Body: strings.Join(a, "\n")}, knowledge.Content{Body: strings.Join(b, "\n")})
		if slices.Equal(a, b) {
			require.Empty(t, d)
			continue
		}
		var was, is []string
		stay := 0
		for _, line := range d[0].Lines {
			if line.Sign != "+" {
				was = append(was, line.Text)
			}
			if line.Sign != "-" {
				is = append(is, line.Text)
			}
			if line.Sign == " " {
				stay++
			}
		}
		require.Equal(t, strings.Join(a, "\n"), strings.Join(was, "\n"))
		require.Equal(t, strings.Join(b, "\n"), strings.Join(is, "\n"))
		require.Equal(t, most(a, b), stay)
	}
	d := knowledge.Compare(knowledge.Content{Body: strings.Repeat("a\n", 3000) + "x"}, knowledge.Content{Body: "y\n" + strings.Repeat("b\n", 3000)})
	require.Len(t, d[0].Lines, 3001+3002)
}

// A vote is taken back also where the clock went back since it was cast, even to before
// anybody was asked.
func TestVotesStayInOrder(t *testing.T) {
	for _, back := range []time.Duration{time.Minute, 24 * time.Hour} {
		l := newLibrary(t, knowledge.Config{})
		r := l.write(comply, submit)
		l.Did(as("ann"), r.ID, yes)
		l.Time.Advance(-time.Minute - back)
		r = l.Did(as("ann"), r.ID, knowledge.Vote{Vote: approval.Withdraw})
		require.Equal(t, approval.Open, r.Approval.Outcome)
		require.Equal(t, []string{"ann", "bob"}, r.Approval.Asked)
		require.False(t, r.Approval.Ballots[1].At.Before(r.Approval.Ballots[0].At))
		r = l.Did(as("bob"), r.ID, yes)
		require.Equal(t, knowledge.InReview, r.State, "ann approves no more")
		r = l.Did(as("ann"), r.ID, yes)
		require.Equal(t, knowledge.Published, r.State)
	}
}
