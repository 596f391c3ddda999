package problem_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	inc "github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/storage/memory"
)

// A known error is published before its cure exists, and its workarounds are counted
// version by version.
func TestAKnownError(t *testing.T) {
	o := newOffice(t, problem.Config{})
	p := o.open(problem.Investigate{}, problem.Identify{Causes: []problem.Cause{{Text: "load", Evidence: "e", Contributing: true}, {Text: "the disk is full", Evidence: "df"}}})
	k := o.document(p)
	require.Equal(t, "the disk is full", k.Cause)
	require.Equal(t, []string{"no mail"}, k.Symptoms)
	require.Equal(t, []problem.Affected{{CI: "mx-1"}}, k.Affected)
	require.Equal(t, p.ID, k.Problem)
	require.Equal(t, "kim", k.Owner)
	require.False(t, k.Public())
	o.errors.Refuse(kim, k.ID, problem.RecordUse{Number: 1}, "it has no workaround")
	k = o.errors.Did(kim, k.ID, problem.Publish{})
	require.True(t, k.Public(), "without a workaround, a fix, or even a cause")
	o.errors.Refuse(kim, k.ID, problem.DescribeKnownError{Title: "t"}, "it is published: nobody would find it without symptoms")
	k = o.errors.Did(kim, k.ID, fallback, problem.RecordUse{Number: 1, Worked: true}, problem.RecordUse{Number: 1, Worked: true, Incident: incident},
		problem.ReviseWorkaround{Number: 1, AddWorkaround: problem.AddWorkaround{Title: "Second server", Steps: "switch over, and tell ann", Risk: "slow", Prevents: true}},
		problem.RecordUse{Number: 1, Worked: true, Incident: incident}, problem.RecordUse{Number: 1, Incident: incident}, problem.RecordUse{Number: 1, Version: 1, Incident: incident})
	w := k.Workarounds[0]
	require.Equal(t, 2, w.Version)
	require.Equal(t, []problem.Effect{{Worked: 1, Failed: 1}, {Worked: 0, Failed: 1}}, w.Effects, "a second word about an incident takes the place of the first")
	require.Equal(t, problem.Effect{Failed: 1}, w.Effect())
	require.Equal(t, 1, k.Worked())
	require.Equal(t, 2, k.Failed())
	o.errors.Refuse(kim, k.ID, problem.RecordUse{Number: 1, Incident: incident}, "that is counted already")
	o.errors.Refuse(kim, k.ID, problem.RecordUse{Number: 1, Version: 3}, "version is not one that there was")
	o.errors.Refuse(kim, k.ID, problem.RecordUse{Number: 2}, "number is not that of a workaround")
	o.errors.Refuse(kim, k.ID, problem.RecordUse{Number: 1, Version: -1, Incident: itsm.Ref{Kind: "x"}}, "version must not be negative", "incident.id must not be empty")
	k = o.errors.Did(kim, k.ID, problem.RetireWorkaround{Number: 1, Reason: "r"}, problem.RecordUse{Number: 1, Worked: true})
	o.errors.Refuse(kim, k.ID, problem.ReviseWorkaround{Number: 1, AddWorkaround: fallback}, "it has no workaround")
	k = o.errors.Did(kim, k.ID, fallback)
	o.errors.Refuse(kim, k.ID, problem.RetireWorkaround{Number: 1, Reason: "r"}, "workaround 1 is retired")
	o.errors.Refuse(kim, k.ID, problem.ReviseWorkaround{Number: 3, AddWorkaround: fallback}, "number is not that of a workaround")
	// What the first version said is in the history.
	old, err := o.known.AtVersion(kim, k.ID, 3)
	require.NoError(t, err)
	require.Equal(t, "switch over", old.Workarounds[0].Steps)

	k = o.errors.Did(kim, k.ID, problem.HandToVendor{Vendor: problem.Vendor{Name: "ACME", Reference: "4711"}})
	require.Equal(t, "4711", k.Vendor.Reference)
	k = o.errors.Did(kim, k.ID, problem.PlanNoAction{Reason: "too dear", Review: o.Time.Now().Add(day)})
	require.Zero(t, k.Vendor)
	require.Equal(t, 1, o.errors.Due(2*day))
	require.True(t, o.errors.Record(k.ID).ReviewDue)
	k = o.errors.Did(kim, k.ID, problem.SetReview{Review: o.Time.Now().Add(day)})
	require.False(t, k.ReviewDue)
	o.errors.Refuse(kim, k.ID, problem.SetReview{Review: morning}, "review must be after now")
	k = o.errors.Did(kim, k.ID, problem.Reconsider{Reason: "r"}, problem.SetAffected{Services: []string{"mail"}, Affected: []problem.Affected{{CI: "mx", Versions: []string{"8"}}}}, problem.SetCause{Cause: "c"},
		problem.SetOwner{Owner: "ann"}, problem.Retract{Reason: "r"}, problem.Publish{}, problem.ScheduleFix{}, problem.Correct{Note: "n"}, problem.Recur{Reason: "again"})
	require.Equal(t, 1, k.Recurrences)
	require.Zero(t, k.Corrected)
	k = o.errors.Did(kim, k.ID, problem.Correct{Note: "n"}, problem.CloseKnownError{})
	require.False(t, k.Public())
	k = o.errors.Did(kim, k.ID, problem.Recur{Reason: "again"})
	o.errors.Refuse(kim, k.ID, problem.CloseKnownError{}, "note must not be empty: it was not corrected")
	k = o.errors.Did(kim, k.ID, problem.CancelKnownError{Reason: "r"})
	require.Equal(t, problem.KnownErrorCancelled, k.State)
	for field, value := range map[string]string{"problem": string(p.ID), "service": "mail", "ci": "mx", "owner": "ann"} {
		page, err := o.known.List(kim, itsm.Query{Where: []itsm.Key{{Field: field, Value: value}}})
		require.NoError(t, err)
		require.Len(t, page.Records, 1, field)
	}
	require.Equal(t, "known_error:ke-1", k.Ref().String())
}

func TestKnownErrorsAreRefused(t *testing.T) {
	o := newOffice(t, problem.Config{})
	_, err := o.known.Open(kim, problem.Document{Symptoms: []string{"a", "a", ""}, Cause: "User error", Services: []string{""}, Affected: []problem.Affected{{Versions: []string{"8", "8"}}, {CI: "a"}, {CI: "a"}}, Fields: itsm.Fields{"": []byte(`1`)}})
	require.Equal(t, []string{"title must not be empty", `symptoms[1] "a" is there twice`, "symptoms[2] must not be empty",
		"cause is a prompt and not a cause: what made the mistake possible, and what would have caught it?", "services[0] must not be empty", "affected[0].ci must not be empty",
		`affected[0].versions[1] "8" is there twice`, `affected[2].ci "a" is there twice`, "fields. must not be empty"}, practicetest.Said(err))
	k, err := o.known.Open(kim, problem.Document{Title: "t", Owner: "ann", Fields: itsm.Fields{"x": []byte(`1`)}})
	require.NoError(t, err)
	require.Equal(t, "ann", k.Owner)
	o.errors.Refuse(kim, k.ID, problem.Publish{}, "it has no symptoms: nobody would find it")
	o.errors.Refuse(kim, k.ID, problem.SetProblem{}, "that is its problem already")
	o.errors.Refuse(kim, k.ID, problem.AddWorkaround{}, "title must not be empty", "steps must not be empty")
	for _, a := range []errorAction{problem.Retract{}, problem.Reconsider{}, problem.PlanNoAction{}, problem.Recur{}, problem.CancelKnownError{}, problem.RetireWorkaround{}} {
		require.Equal(t, []string{"reason must not be empty"}, practicetest.Said(a.(itsm.Validator).Validate()))
	}
	require.Equal(t, []string{"change.kind must not be empty"}, practicetest.Said(problem.ScheduleFix{Change: itsm.Ref{ID: "1"}}.Validate()))
	for range 50 {
		o.errors.Did(kim, k.ID, fallback)
	}
	o.errors.Refuse(kim, k.ID, fallback, "it has 50 workarounds already")
	for range 199 {
		_, err := o.known.Do(kim, k.ID, problem.ReviseWorkaround{Number: 1, AddWorkaround: fallback})
		require.NoError(t, err)
	}
	o.errors.Refuse(kim, k.ID, problem.ReviseWorkaround{Number: 1, AddWorkaround: fallback}, "workaround 1 has 200 versions already")
	for i := range 105 {
		_, err := o.known.Do(kim, k.ID, problem.RecordUse{Number: 2, Worked: true, Incident: itsm.Ref{Kind: "incident", ID: itsm.ID(fmt.Sprint(i))}})
		require.NoError(t, err)
	}
	k = o.errors.Record(k.ID)
	require.Len(t, k.Uses, 100)
	require.EqualValues(t, "5", k.Uses[0].Incident.ID)
	require.Equal(t, 105, k.Worked())
}

// What happens to a problem its known errors follow, in the commit after it.
func TestKnownErrorsFollowTheirProblem(t *testing.T) {
	accept := problem.AcceptRisk{Owner: "ann", Reason: "too dear", Review: morning.Add(90 * day)}
	for _, tt := range []struct {
		name  string
		steps []action
		want  []itsm.State // after each step
	}{
		{"Fixed", []action{fixing, fixed, problem.Close{}}, []itsm.State{problem.FixScheduled, problem.Corrected, problem.KnownErrorClosed}},
		{"NotFixed", []action{fixing, fixed, problem.RejectFix{Reason: "again"}}, []itsm.State{problem.FixScheduled, problem.Corrected, problem.FixScheduled}},
		{"Stopped", []action{fixing, problem.StopFix{Reason: "r"}, fixing, problem.Investigate{}}, []itsm.State{problem.FixScheduled, problem.Published, problem.FixScheduled, problem.Published}},
		{"Held", []action{fixing, problem.PutOnHold{Reason: "r"}, problem.Resume{}}, []itsm.State{problem.FixScheduled, problem.FixScheduled, problem.FixScheduled}},
		{"Accepted", []action{accept, problem.Close{Code: problem.RiskAccepted, Note: "n"}, problem.Reopen{Reason: "r"}}, []itsm.State{problem.NoActionPlanned, problem.NoActionPlanned, problem.Published}},
		{"Withdrawn", []action{accept, problem.WithdrawAcceptance{Reason: "r"}}, []itsm.State{problem.NoActionPlanned, problem.Published}},
		{"AcceptedLate", []action{accept, fixing, problem.Resolve{Code: problem.WorkaroundAccepted, Note: "n"}}, []itsm.State{problem.NoActionPlanned, problem.FixScheduled, problem.NoActionPlanned}},
		{"Irrelevant", []action{problem.Close{Code: problem.NoLongerRelevant, Note: "mail is gone"}, problem.Reopen{Reason: "r"}}, []itsm.State{problem.KnownErrorClosed, problem.Published}},
		{"Closed", []action{problem.Close{Code: problem.FixApplied, Note: "n"}, problem.Reopen{Reason: "r"}}, []itsm.State{problem.KnownErrorClosed, problem.Published}},
		{"Unknown", []action{problem.Close{Code: problem.NotReproducible, Note: "n"}}, []itsm.State{problem.Published}},
		{"Reassessed", []action{fixing, problem.PutOnHold{Reason: "r"}, problem.StartAssessment{}}, []itsm.State{problem.FixScheduled, problem.FixScheduled, problem.Published}},
		{"Identified", []action{fixing, identify, problem.PutOnHold{Reason: "r"}, identify}, []itsm.State{problem.FixScheduled, problem.FixScheduled, problem.FixScheduled, problem.Published}},
		{"Cancelled", []action{problem.Cancel{Reason: "r"}}, []itsm.State{problem.Published}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, problem.Config{})
			p := o.open(problem.Investigate{}, identify)
			k := o.document(p, problem.Publish{})
			for i, a := range tt.steps {
				o.Did(kim, p.ID, a)
				require.Equal(t, tt.want[i], o.errors.Record(k.ID).State, a.Action())
			}
			done := o.errors.Story(k.ID)
			_, err := o.problems.CatchUp(sys, "")
			require.NoError(t, err)
			require.Equal(t, done, o.errors.Story(k.ID), "what was followed is not followed again")
			o.errors.Replays(k.ID)
		})
	}
	o := newOffice(t, problem.Config{})
	p := o.open(problem.Investigate{}, identify)
	k := o.document(p, problem.Publish{})
	o.Did(kim, p.ID, problem.AcceptRisk{Owner: "ann", Reason: "r", Review: o.Time.Now().Add(day)}, problem.Close{Code: problem.RiskAccepted, Note: "n"})
	require.Equal(t, 1, o.Due(2*day))
	require.Equal(t, problem.Published, o.errors.Record(k.ID).State, "nobody answers for it any more")
	require.Equal(t, problem.Investigating, o.Record(p.ID).State)
	// People may have moved it elsewhere.
	o.errors.Did(kim, k.ID, problem.CancelKnownError{Reason: "r"})
	o.Did(kim, p.ID, identify, fixing, fixed)
	require.Equal(t, problem.KnownErrorCancelled, o.errors.Record(k.ID).State)
	// Who did it to the problem did it to the known error.
	two := o.document(o.Record(p.ID), problem.Publish{})
	_, err := o.Do(as("bob"), p.ID, problem.RejectFix{Reason: "r"})
	require.NoError(t, err)
	for e, err := range o.known.History(kim, two.ID) {
		require.NoError(t, err)
		if e.Action == "schedule_fix" {
			require.Equal(t, "bob", e.Actor.ID)
			require.Contains(t, string(e.Data), `"followed":`)
		}
	}
	require.Equal(t, problem.FixScheduled, o.errors.Record(two.ID).State)
}

// The known errors of a problem that was merged belong to the other one, and follow that.
func TestKnownErrorsMoveWithAMerge(t *testing.T) {
	o := newOffice(t, problem.Config{})
	a, b := o.open(problem.Investigate{}, identify), o.open(problem.Investigate{}, identify, fixing)
	k := o.document(a, problem.Publish{})
	o.Did(kim, a.ID, problem.Merge{Into: b.ID})
	k = o.errors.Record(k.ID)
	require.Equal(t, b.ID, k.Problem)
	require.Equal(t, problem.Published, k.State)
	o.Did(kim, b.ID, fixed)
	require.Equal(t, problem.Corrected, o.errors.Record(k.ID).State)
	var all []itsm.ID
	for one, err := range o.known.Of(kim, b.ID) {
		require.NoError(t, err)
		all = append(all, one.ID)
	}
	require.Equal(t, []itsm.ID{k.ID}, all)
	_, err := o.problems.CatchUp(sys, "")
	require.NoError(t, err)
	require.Equal(t, problem.Corrected, o.errors.Record(k.ID).State, "nor what happened before it belonged to it")
}

// Nobody but the practice says that something follows from a problem.
func TestFollowingIsNotClaimed(t *testing.T) {
	o := newOffice(t, problem.Config{})
	k := o.document(o.open(), problem.Publish{})
	from := k.Followed
	k = o.errors.Did(kim, k.ID, problem.ScheduleFix{Followed: 99}, problem.Reconsider{Reason: "r", Followed: 99}, problem.PlanNoAction{Reason: "r", Followed: 99},
		problem.Correct{Note: "n", Followed: 99}, problem.Recur{Reason: "r", Followed: 99}, problem.CloseKnownError{Note: "n", Followed: 99})
	require.Equal(t, from, k.Followed)
}

// Stores that cannot list or be read say so; nothing is followed by halves.
func TestFollowingFails(t *testing.T) {
	o := newOffice(t, problem.Config{})
	p := o.open(problem.Investigate{}, identify)
	k := o.document(p, problem.Publish{})
	event := itsm.Event{Action: "start_fix", Record: p.ID, Version: 9, Actor: itsm.System()}
	require.ErrorIs(t, o.known.Over(bare{o.errors.Store}).Follow(kim, p, event), itsm.ErrUnsupported)
	require.NoError(t, o.known.Follow(kim, p, itsm.Event{Action: "note", Actor: itsm.System()}))
	require.ErrorIs(t, o.known.Follow(kim, p, itsm.Event{Action: "absorb", Data: []byte(`{`)}), itsm.ErrInvalid)
	ended, cancel := context.WithCancel(kim)
	cancel()
	require.ErrorIs(t, o.known.Follow(ended, p, event), context.Canceled)
	_, err := o.problems.Over(plain{o.Store}).CatchUp(kim, "")
	require.ErrorIs(t, err, itsm.ErrUnsupported)
	_, err = o.known.Over(bare{o.errors.Store}).CatchUp(kim, "")
	require.ErrorIs(t, err, itsm.ErrUnsupported)
	require.Equal(t, problem.Published, o.errors.Record(k.ID).State)
}

type (
	bare  struct{ itsm.Store[problem.KnownError] }
	plain struct{ itsm.Store[problem.Problem] }
)

// find is the definition of what a matcher proposes.
func find(all []problem.KnownError, q problem.Query) map[itsm.ID]float64 {
	words := func(text string) map[string]bool {
		set := map[string]bool{}
		for w := range strings.FieldsSeq(text) {
			if len(w) >= 3 && w != "the" {
				set[w] = true
			}
		}
		return set
	}
	said := words(q.Text)
	found := map[itsm.ID]float64{}
	for _, k := range all {
		if !k.Public() {
			continue
		}
		score, ci, excluded, service := 0.0, false, false, false
		for _, a := range k.Affected {
			if a.CI == q.CI {
				ci = true
				score += 4
				if len(a.Versions) > 0 && q.Version != "" {
					score += 2
					excluded = !slices.Contains(a.Versions, q.Version)
				}
			}
		}
		for _, s := range k.Services {
			if s == q.Service && s != "" {
				service = true
				score += 2
			}
		}
		shared := map[string]bool{}
		for _, symptom := range k.Symptoms {
			set := words(symptom)
			here := 0
			for w := range set {
				if said[w] {
					here++
					shared[w] = true
				}
			}
			if here == len(set) && here > 0 {
				score += 3
			}
		}
		score += float64(len(shared))
		if !excluded && (ci || service && len(shared) > 0 || (q.Service == "" || len(k.Services) == 0) && len(shared) >= 2) {
			found[k.ID] = score
		}
	}
	return found
}

// The matcher finds what its definition does, whatever is published, changed and taken
// back meanwhile.
func TestTheMatcherIsTheDefinition(t *testing.T) {
	vocabulary := []string{"mail", "bounces", "slow", "down", "the", "ab", "메일", "login", "queue"}
	hits := 0
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 8))
		text := func(n int) string {
			var words []string
			for range rnd.IntN(n + 1) {
				words = append(words, practicetest.Pick(rnd, vocabulary...))
			}
			return strings.Join(words, " ")
		}
		m := problem.NewMatcher()
		all := map[itsm.ID]problem.KnownError{}
		for range 60 {
			id := itsm.ID(fmt.Sprint("ke-", rnd.IntN(12)))
			k := problem.KnownError{Meta: itsm.Meta{ID: id, Version: all[id].Version + 1, State: practicetest.Pick(rnd, problem.Published, problem.WithVendor, problem.Draft, problem.Corrected)}}
			for range rnd.IntN(3) {
				k.Symptoms = append(k.Symptoms, text(3))
			}
			if rnd.IntN(2) == 0 {
				k.Services = []string{practicetest.Pick(rnd, "mail", "erp")}
			}
			if rnd.IntN(3) == 0 {
				k.Affected = []problem.Affected{{CI: practicetest.Pick(rnd, "mx-1", "mx-2")}}
				if rnd.IntN(2) == 0 {
					k.Affected[0].Versions = []string{"8"}
				}
			}
			m.Put(k)
			late := all[id]
			all[id] = k
			if late.Version > 0 {
				m.Put(late)
			}
			q := problem.Query{Service: practicetest.Pick(rnd, "", "mail", "erp"), CI: practicetest.Pick(rnd, "", "", "mx-1"), Version: practicetest.Pick(rnd, "", "8", "9"), Text: text(5)}
			var list []problem.KnownError
			for _, k := range all {
				list = append(list, k)
			}
			want := find(list, q)
			got := m.Find(q)
			require.Len(t, got, len(want), "%+v", q)
			for i, match := range got {
				require.Equal(t, want[match.To.ID], match.Score, "%+v: %s", q, match.Reason)
				require.NotEmpty(t, match.Reason)
				if i > 0 {
					before := got[i-1]
					require.True(t, before.Score > match.Score || before.Score == match.Score && before.To.ID < match.To.ID)
				}
			}
			hits += len(got)
		}
	}
	require.Greater(t, hits, 500)
}

// A new incident gets the known errors that may help, through its own hook.
func TestTheMatcherIsAnIncidentsMatcher(t *testing.T) {
	matcher := problem.NewMatcher()
	o := newOffice(t, problem.Config{}, matcher)
	k := o.document(o.open(), problem.DescribeKnownError{Title: "Mail stops", Symptoms: []string{"no mail since monday", "outlook hangs"}},
		problem.SetAffected{Services: []string{"mail"}, Affected: []problem.Affected{{CI: "mx-1", Versions: []string{"8"}}}})
	desk, err := inc.NewPractice(memory.New[inc.Incident](), inc.Config{Matcher: problem.Hook[inc.Incident, inc.Proposal]{Matcher: matcher, Query: func(i inc.Incident) problem.Query {
		return problem.Query{Service: i.Service, CI: i.CI, Text: i.Title + " " + i.Category}
	}}})
	require.NoError(t, err)
	report := inc.Report{Title: "Outlook hangs", Service: "mail", CI: "mx-1"}
	i, err := desk.Open(kim, report)
	require.NoError(t, err)
	require.Empty(t, i.Proposals, "it is a draft")
	o.errors.Did(kim, k.ID, problem.Publish{})
	i, err = desk.Open(kim, report)
	require.NoError(t, err)
	require.Equal(t, []inc.Proposal{{To: k.Ref(), Score: 11, Reason: "same CI mx-1; same service mail; symptom words: hangs, outlook; a whole symptom"}}, i.Proposals)
	require.Equal(t, "same CI mx-1; affected version 8; same service mail", matcher.Find(problem.Query{Service: "mail", CI: "mx-1", Version: "8"})[0].Reason)
	require.Empty(t, matcher.Find(problem.Query{CI: "mx-1", Version: "9"}), "that version does not have it")
	o.errors.Did(kim, k.ID, problem.Correct{Note: "n"})
	i, err = desk.Open(kim, report)
	require.NoError(t, err)
	require.Empty(t, i.Proposals)
	// Another host's matcher catches up.
	other := problem.NewMatcher()
	o.errors.Did(kim, k.ID, problem.Recur{Reason: "r"})
	host, err := problem.NewKnownErrors(o.errors.Store, problem.KnownErrorConfig{Views: []problem.View[problem.KnownError]{other}})
	require.NoError(t, err)
	cursor, err := host.CatchUp(kim, "")
	require.NoError(t, err)
	require.NotEmpty(t, cursor)
	require.Len(t, other.Find(problem.Query{CI: "mx-1"}), 1)
	ended, cancel := context.WithCancel(kim)
	cancel()
	_, err = problem.Hook[inc.Incident, inc.Proposal]{Matcher: matcher}.Match(ended, i)
	require.ErrorIs(t, err, context.Canceled)
	// Twenty are enough.
	for n := range 30 {
		other.Put(problem.KnownError{Meta: itsm.Meta{ID: itsm.ID(fmt.Sprint("x", n)), Version: 1, State: problem.Published}, Affected: []problem.Affected{{CI: "all"}}})
	}
	require.Len(t, other.Find(problem.Query{CI: "all"}), 20)
	// And everybody may ask at once.
	var all sync.WaitGroup
	for range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			for n := range 50 {
				other.Put(problem.KnownError{Meta: itsm.Meta{ID: "x", Version: itsm.Version(n), State: problem.Published}, Symptoms: []string{"slow mail"}})
				other.Find(problem.Query{Text: "slow mail"})
			}
		}()
	}
	all.Wait()
}

// pending is a transaction of the host's: what is committed to it is not committed yet,
// and here never will be.
type pending struct{ itsm.Store[problem.Problem] }

func (pending) Commit(context.Context, ...itsm.Revision[problem.Problem]) error { return nil }

// What may yet be rolled back is not followed, also where others were faster meanwhile.
func TestWhatIsRolledBackIsNotFollowed(t *testing.T) {
	o := newOffice(t, problem.Config{})
	p := o.open(problem.Investigate{}, identify)
	k := o.document(p, problem.Publish{})
	tx := o.problems.Over(pending{o.Store})
	r, err := tx.Do(kim, p.ID, fixing)
	require.NoError(t, err)
	require.Equal(t, problem.FixInProgress, r.State)
	require.Equal(t, problem.Published, o.errors.Record(k.ID).State)
	o.Did(kim, p.ID, problem.Note{Text: "somebody was faster"}, problem.Note{Text: "twice"})
	_, err = tx.Do(kim, p.ID, fixing)
	require.NoError(t, err)
	require.Equal(t, problem.Published, o.errors.Record(k.ID).State)
	// In the host's own transaction both are done together.
	require.NoError(t, o.known.Over(o.errors.Store).Follow(kim, r, itsm.Event{Action: "start_fix", Record: p.ID, Version: r.Version, Actor: itsm.Actor{ID: "bob"}}))
	require.Equal(t, problem.FixScheduled, o.errors.Record(k.ID).State)
}

// While somebody is looking into it, nothing is proposed; and a detector on another host
// catches up.
func TestADetectorFollowsProblems(t *testing.T) {
	d, err := problem.NewDetector(problem.Rules{Repeats: 2}, nil)
	require.NoError(t, err)
	other, err := problem.NewDetector(problem.Rules{Repeats: 2}, nil)
	require.NoError(t, err)
	o := newOffice(t, problem.Config{Views: []problem.View[problem.Problem]{d}})
	p := o.open()
	n := 0
	tell := func(d *problem.Detector) int {
		proposed := 0
		for range 3 {
			n++
			all, err := d.Observe(problem.Occurrence{Incident: itsm.ID(fmt.Sprint("inc-", n)), Service: "mail", Symptom: "no mail", Began: morning}, morning)
			require.NoError(t, err)
			proposed += len(all)
		}
		return proposed
	}
	require.Zero(t, tell(d))
	host, err := problem.NewPractice(o.Store, problem.Config{Views: []problem.View[problem.Problem]{other}})
	require.NoError(t, err)
	_, err = host.CatchUp(kim, "")
	require.NoError(t, err)
	require.Zero(t, tell(other))
	o.Did(kim, p.ID, problem.Investigate{}, problem.Close{Code: problem.FixApplied, Note: "n"})
	require.Equal(t, 1, tell(d), "it goes on although it was said to be over")
	require.Zero(t, tell(d), "once")
	_, err = o.problems.Over(gone{o.Store}).CatchUp(kim, "")
	require.ErrorIs(t, err, itsm.ErrNotFound)
}

// gone is a store that has lost its records, and not their events.
type gone struct{ *memory.Store[problem.Problem] }

func (gone) Load(context.Context, itsm.ID) (problem.Problem, error) {
	return problem.Problem{}, itsm.ErrNotFound
}
