package problem_test

import (
	"cmp"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/lifecycletest"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
)

func TestPrompts(t *testing.T) {
	for text, want := range map[string]bool{
		"Human error": true, "human-error!": true, "It was user error.": true, "kim made a mistake": true, "Carelessness": true, "somebody forgot": true,
		"": false, "the disk is full": false, "humane errors": false, "A superhuman error": false,
		"user error messages are not shown on small screens of phones":                                       false,
		"nobody noticed, because the alert goes to a list that nobody reads, so that it is easily forgotten": false,
	} {
		require.Equal(t, want, problem.Prompt(text), text)
	}
}

func whys() problem.FiveWhys {
	return problem.FiveWhys{Problem: "No mail on \"Mondays\"", Whys: []problem.Why{
		{Because: "The queue's disk is full", Evidence: "df, 3 March", Whys: []problem.Why{
			{Because: "Nobody was told", Evidence: "no alert in the log", Whys: []problem.Why{
				{Because: "There is no alert for that disk", Evidence: "monitoring's configuration", Remedy: "add an alert"},
				{Because: "Human error"},
			}},
			{Because: "The weekly report goes out on Mondays", Remedy: "send it at night"},
		}},
		{Because: "There is one server", Evidence: "inventory"},
	}}
}

func TestFiveWhys(t *testing.T) {
	w := whys()
	require.NoError(t, w.Validate())
	require.Equal(t, []problem.Mark{
		{"whys[0].whys[0].whys[1]", "has no evidence"},
		{"whys[0].whys[0].whys[1]", "is a prompt and not a cause: what made the mistake possible, and what would have caught it?"},
		{"whys[0].whys[1]", "has no evidence"},
		{"whys[1]", "ends without a remedy: it is not known whether it can be changed"},
	}, w.Marks())
	var roots []string
	for _, r := range w.Roots() {
		roots = append(roots, r.Because)
	}
	require.Equal(t, []string{"There is no alert for that disk", "Human error", "The weekly report goes out on Mondays", "There is one server"}, roots)
	lifecycletest.Golden(t, "five_whys.txt", w.String()+"\n"+w.Mermaid())

	deep := problem.Why{Because: "b"}
	for range 20 {
		deep = problem.Why{Because: "b", Whys: []problem.Why{deep}}
	}
	require.Equal(t, []string{"whys" + strings.Repeat("[0].whys", 20) + " must be at most 20 deep"}, practicetest.Said(problem.FiveWhys{Problem: "p", Whys: []problem.Why{deep}}.Validate()))
	require.Equal(t, []string{"problem must not be empty", "whys must not be empty"}, practicetest.Said(problem.FiveWhys{}.Validate()))
	require.Equal(t, []string{"whys must be at most 500, with those below them"}, practicetest.Said(problem.FiveWhys{Problem: "p", Whys: make([]problem.Why, 501)}.Validate()))
}

func TestIshikawa(t *testing.T) {
	d := problem.NewIshikawa("No mail on Mondays")
	require.NoError(t, d.Validate())
	require.Len(t, d.Marks(), 4)
	d.Bones[0].Causes = []problem.Possible{{Cause: "User error"}, {Cause: "Nobody is on call", Verdict: problem.RuledOut}}
	d.Bones[1].Causes = []problem.Possible{{Cause: "The disk is full", Verdict: problem.Confirmed, Evidence: "df", Causes: []problem.Possible{{Cause: "It is small", Verdict: problem.Confirmed}, {Cause: "It is slow"}}}}
	require.NoError(t, d.Validate())
	require.Equal(t, []problem.Mark{
		{"bones[0].causes[0]", "is a prompt and not a cause: what made the mistake possible, and what would have caught it?"},
		{"bones[0].causes[1]", "has no evidence"},
		{"bones[1].causes[0].causes[0]", "has no evidence"},
		{"bones[2]", "is empty: nobody has thought about it"}, {"bones[3]", "is empty: nobody has thought about it"},
	}, d.Marks())
	lifecycletest.Golden(t, "ishikawa.txt", d.String()+"\n"+d.Mermaid())
	require.Equal(t, []string{`bones[0].causes[0].cause must not be empty`, `bones[0].causes[0].verdict must be confirmed, ruled_out or empty, is "x"`, `bones[1].category "a" is there twice`},
		practicetest.Said(problem.Ishikawa{Effect: "e", Bones: []problem.Bone{{Category: "a", Causes: []problem.Possible{{Verdict: "x"}}}, {Category: "a"}}}.Validate()))
	deep := problem.Possible{Cause: "b"}
	for range 20 {
		deep = problem.Possible{Cause: "b", Causes: []problem.Possible{deep}}
	}
	require.Len(t, practicetest.Said(problem.Ishikawa{Effect: "e", Bones: []problem.Bone{{Category: "a", Causes: []problem.Possible{deep}}}}.Validate()), 1)
	require.Equal(t, []string{"bones must have at most 500 causes"}, practicetest.Said(problem.Ishikawa{Effect: "e", Bones: []problem.Bone{{Category: "a", Causes: make([]problem.Possible, 501)}}}.Validate()))
}

func TestComparison(t *testing.T) {
	explains, assumes := problem.Answer{Explains: true}, problem.Answer{Explains: true, Assuming: "both share a disk"}
	c := problem.Comparison{Deviation: "Mail stops", Rows: []problem.Row{
		{Aspect: problem.What, Is: "incoming mail", IsNot: "outgoing mail", Distinction: "another queue"},
		{Aspect: problem.Where, Is: "mx-1", IsNot: "mx-2", Change: "new kernel on mx-1"},
		{Aspect: problem.When, Is: "Mondays"},
	}, Candidates: []problem.Candidate{
		{Cause: "load", Answers: []problem.Answer{explains, {}, explains}},
		{Cause: "shared disk", Answers: []problem.Answer{assumes, explains, explains}},
		{Cause: "kernel", Answers: []problem.Answer{explains, explains, explains}, Verified: "older kernel: no stop in two weeks"},
		{Cause: "Operator error"},
	}}
	require.NoError(t, c.Validate())
	var probable []string
	for _, one := range c.Probable() {
		probable = append(probable, one.Cause)
	}
	require.Equal(t, []string{"kernel", "shared disk"}, probable)
	require.Equal(t, []problem.Mark{
		{"rows", `say nothing about "extent"`}, {"rows[2]", "does not say what it could be and is not"},
		{"candidates[1]", "explains every row with 1 assumptions and was not verified"}, {"candidates[3]", "was not tested against the rows"},
		{"candidates[3]", "is a prompt and not a cause: what made the mistake possible, and what would have caught it?"},
	}, c.Marks())
	lifecycletest.Golden(t, "comparison.txt", c.String()+"\n"+c.Mermaid())
	require.Equal(t, []string{"deviation must not be empty", `rows[0].aspect must be what, where, when or extent, is "why"`, "rows[0].is must not be empty",
		"candidates[0].cause must not be empty", "candidates[0].answers must be one for each of 1 rows, or none, are 2"},
		practicetest.Said(problem.Comparison{Rows: []problem.Row{{Aspect: "why"}}, Candidates: []problem.Candidate{{Answers: make([]problem.Answer, 2)}}}.Validate()))
}

// naiveOrder sorts by weight, the greatest first, and then by name, one by one.
func naiveOrder(items []problem.ParetoItem, weight func(problem.ParetoItem) int64) []string {
	items = slices.Clone(items)
	var names []string
	for len(items) > 0 {
		best := 0
		for i, item := range items {
			if weight(item) > weight(items[best]) || weight(item) == weight(items[best]) && item.Name < items[best].Name {
				best = i
			}
		}
		names = append(names, items[best].Name)
		items = slices.Delete(items, best, best+1)
	}
	return names
}

func TestPareto(t *testing.T) {
	p := problem.Pareto{Title: "Mail: last year", Items: []problem.ParetoItem{{"slow", 50, 10}, {"no mail", 30, 900}, {"spam", 15, 50}, {"other", 5, 40}}}
	require.NoError(t, p.Validate())
	lifecycletest.Golden(t, "pareto.txt", p.String()+"\n"+p.Mermaid())
	require.Equal(t, []problem.Mark{{"items", `differ by count and by impact: "slow" comes most often, "no mail" costs most`}}, p.Marks())
	require.Len(t, problem.Vital(p.ByCount(), 80), 2)
	require.Len(t, problem.Vital(p.ByImpact(), 80), 1)
	require.Equal(t, sla.Fraction{Part: 80, Of: 100}, p.ByCount()[1].Cumulated)
	for i := range p.Items {
		p.Items[i].Impact = 0
	}
	require.Len(t, p.Marks(), 1)
	require.Contains(t, p.Mermaid(), "count, percent")
	require.Empty(t, problem.Pareto{}.Marks())
	nothing := problem.Pareto{Title: "t", Items: []problem.ParetoItem{{Name: "a"}, {Name: "b"}}}
	require.Empty(t, problem.Vital(nothing.ByCount(), 80), "of nothing there is none")
	require.Contains(t, nothing.String(), "a: 0, 0 %, together 0 %")
	require.Equal(t, []string{"title must not be empty", "items[0].count must be 0 to 2^40", "items[1].name must not be empty", "items[1].impact must be 0 to 2^40", `items[2].name "a" is there twice`},
		practicetest.Said(problem.Pareto{Items: []problem.ParetoItem{{"a", -1, 0}, {"", 0, 1 << 50}, {"a", 0, 0}}}.Validate()))

	rnd := rand.New(rand.NewPCG(3, 3))
	for range 500 {
		var items []problem.ParetoItem
		for i := range 1 + rnd.IntN(12) {
			items = append(items, problem.ParetoItem{Name: string(rune('a' + (i*7)%26)), Count: rnd.Int64N(6), Impact: rnd.Int64N(4)})
		}
		p := problem.Pareto{Title: "t", Items: items}
		for what, weight := range map[string]func(problem.ParetoItem) int64{"count": func(i problem.ParetoItem) int64 { return i.Count }, "impact": func(i problem.ParetoItem) int64 { return i.Impact }} {
			shares := p.ByCount()
			if what == "impact" {
				shares = p.ByImpact()
			}
			var names []string
			var sum, whole int64
			for _, item := range items {
				whole += weight(item)
			}
			vital := problem.Vital(shares, 80)
			for i, s := range shares {
				names = append(names, s.Name)
				sum += weight(s.ParetoItem)
				require.Equal(t, sla.Fraction{Part: sum, Of: whole}, s.Cumulated)
				if i == len(vital)-1 {
					require.GreaterOrEqual(t, sum*100, whole*80, "the vital few are enough")
					require.Less(t, (sum-weight(s.ParetoItem))*100, whole*80, "and no fewer are")
				}
			}
			require.Equal(t, naiveOrder(items, weight), names, what)
		}
	}
}

func TestTimeline(t *testing.T) {
	at := func(h, m int) time.Time { return time.Date(2026, 3, 2, h, m, 0, 0, time.UTC) }
	line := problem.Timeline{Onset: at(8, 0), Entries: []problem.TimelineEntry{
		{At: at(8, 5), Kind: problem.SignalEntry, Text: "first call: \"no mail\"", To: incident},
		{At: at(6, 0), Kind: problem.ChangeEntry, Text: "kernel on mx-1", To: itsm.Ref{Kind: "change", ID: "chg-3"}},
		{At: at(7, 55), Kind: problem.SignalEntry, Text: "load", Source: "graph"},
		{At: at(8, 0), Kind: problem.ChangeEntry, Text: "weekly report", Source: "cron"},
		{At: at(8, 30), Kind: problem.ActionEntry, Text: "restart"},
		{At: at(8, 0).AddDate(0, 0, 1), Kind: problem.FactEntry, Text: "quiet", Source: "kim"},
	}}
	require.NoError(t, line.Validate())
	require.Equal(t, []problem.Mark{{"entries[2]", "is a signal before the onset: it may have begun earlier"}, {"entries[4]", "has no source"}}, line.Marks())
	var changes []string
	for _, e := range line.ChangesBefore(0) {
		changes = append(changes, e.Text)
	}
	require.Equal(t, []string{"weekly report", "kernel on mx-1"}, changes)
	require.Len(t, line.ChangesBefore(time.Hour), 1)
	lifecycletest.Golden(t, "timeline.txt", line.String()+"\n"+line.Mermaid())
	late := problem.Timeline{Onset: at(9, 0), Entries: line.Entries[:1]}
	require.Contains(t, late.String(), "ONSET")
	require.Contains(t, late.Mermaid(), "ONSET")
	require.Equal(t, "entries have no change before the onset: something may be missing", late.Marks()[0].String())
	require.Equal(t, "onset is not known", problem.Timeline{Entries: line.Entries}.Marks()[0].String())
	require.Empty(t, problem.Timeline{Entries: line.Entries}.ChangesBefore(0))
	require.Equal(t, []string{"entries[0].at must be given", `entries[0].kind must be change, signal, action or fact, is "x"`, "entries[0].text must not be empty", "entries[0].to.kind must not be empty"},
		practicetest.Said(problem.Timeline{Entries: []problem.TimelineEntry{{Kind: "x", To: itsm.Ref{ID: "1"}}}}.Validate()))
}

// All structures in one problem: each takes the place of the one of its kind, they come
// back from the history, and say what they lack.
func TestAnalysesAreRecorded(t *testing.T) {
	o := newOffice(t, problem.Config{})
	w, f := whys(), pump()
	ishikawa := problem.NewIshikawa("e")
	comparison := problem.Comparison{Deviation: "d", Rows: []problem.Row{{Aspect: problem.What, Is: "i"}}}
	pareto := problem.Pareto{Title: "t", Items: []problem.ParetoItem{{Name: "a", Count: 1}}}
	timeline := problem.Timeline{Onset: morning, Entries: []problem.TimelineEntry{{At: morning, Kind: problem.ChangeEntry, Text: "t", Source: "s"}}}
	r := o.open(problem.Analyse{Analysis: problem.Analysis{FiveWhys: &w, FaultTree: &f}})
	w.Whys = nil // the caller's
	r = o.Did(kim, r.ID, problem.Analyse{Analysis: problem.Analysis{Ishikawa: &ishikawa, Comparison: &comparison, Pareto: &pareto, Timeline: &timeline}},
		problem.Analyse{Analysis: problem.Analysis{FiveWhys: &problem.FiveWhys{Problem: "p", Whys: []problem.Why{{Because: "b"}}}}})
	require.Len(t, r.Analysis.Techniques(), 6)
	require.Equal(t, "five_whys.whys[0] has no evidence", r.Analysis.Marks()[0].String())
	require.Len(t, r.Analysis.FiveWhys.Whys, 1)
	for _, technique := range r.Analysis.Techniques() {
		require.NoError(t, technique.Validate())
		require.NotEmpty(t, technique.String())
		require.NotEmpty(t, technique.Mermaid())
	}
	data, err := json.Marshal(r.Analysis)
	require.NoError(t, err)
	again, err := problem.ParseAnalysis(data)
	require.NoError(t, err)
	require.Equal(t, r.Analysis, again)
	o.Refuse(kim, r.ID, problem.Analyse{}, "must have at least one structure")
	_, err = problem.ParseAnalysis([]byte(`{"pareto":{"title":"","items":[{"name":"a","colour":1}]},"fault_tree":{"events":[]}}`))
	require.Equal(t, []string{"pareto.items[0].colour is not known", "fault_tree.events must be 1 to 256", "pareto.title must not be empty"}, practicetest.Said(err))
}

// Whatever is in a text, a diagram stays what it is: no text ends its label or its line.
func FuzzDiagrams(f *testing.F) {
	for _, s := range []string{"", "a\"]; b", "x\ny", "<script>", "#quot;", "`", "a --> b", "%%{init}%%", "\u2028", "end", "a:b : c", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text := cmp.Or(s, "x")
		p := 0.5
		shape := func(text string) []problem.Technique {
			return []problem.Technique{
				problem.FiveWhys{Problem: text, Whys: []problem.Why{{Because: text, Evidence: "e", Remedy: text}, {Because: "b", Evidence: "e", Remedy: "r"}}},
				problem.Ishikawa{Effect: text, Bones: []problem.Bone{{Category: text, Causes: []problem.Possible{{Cause: text, Verdict: problem.Confirmed, Evidence: "e", Causes: []problem.Possible{{Cause: "x y z a b c d", Verdict: problem.Untested}}}}}}},
				problem.FaultTree{Top: "t", Gates: []problem.Gate{{Name: "t", Text: text, Kind: problem.Or, Inputs: []string{"e", "f"}}}, Events: []problem.BasicEvent{{Name: "e", Text: text, Probability: &p, Evidence: "e"}, {Name: "f", Text: "f", Evidence: "e"}}},
				problem.Comparison{Deviation: text, Rows: []problem.Row{{Aspect: problem.What, Is: text, IsNot: text}}, Candidates: []problem.Candidate{{Cause: text, Answers: []problem.Answer{{Explains: true, Assuming: text}}}}},
				problem.Pareto{Title: text, Items: []problem.ParetoItem{{Name: text, Count: 1, Impact: 1}}},
				problem.Timeline{Onset: morning, Entries: []problem.TimelineEntry{{At: morning, Kind: problem.FactEntry, Text: text, Source: "s"}}},
			}
		}
		plain, got := shape("a plain text that says a lot"), shape(text)
		for i := range got {
			want, have := plain[i].Mermaid(), got[i].Mermaid()
			if problem.Prompt(text) {
				continue // which adds a mark to the label
			}
			require.Equal(t, strings.Count(want, "\n"), strings.Count(have, "\n"), have)
			require.Equal(t, strings.Count(want, `"`), strings.Count(have, `"`), have)
			require.NotContains(t, have, "<s")
			_ = got[i].String()
			_ = got[i].Marks()
			_ = got[i].Validate()
		}
	})
}
