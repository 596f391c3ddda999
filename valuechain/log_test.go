package valuechain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

func TestTheGraphOfAHandMadeLog(t *testing.T) {
	l := logOf("a b b c", "a c", "", "b a b")
	l.Traces[1].Entries[1].At = at(-5) // a clock that goes back
	l.Traces[3].Entries[0].At = time.Time{}
	g := valuechain.DirectlyFollows(l)
	require.Equal(t, valuechain.Graph{
		Cases: 4, Entries: 9, Empty: 1,
		Activities: []valuechain.Frequency{
			{Activity: "b", Count: 4, Cases: 2, First: 1, Last: 1}, {Activity: "a", Count: 3, Cases: 3, First: 2}, {Activity: "c", Count: 2, Cases: 2, Last: 2},
		},
		Arcs: []valuechain.Arc{
			{From: "a", To: "b", Count: 2, Timed: 2, Mean: time.Minute, Most: time.Minute},
			{From: "a", To: "c", Count: 1, Timed: 1},
			{From: "b", To: "a", Count: 1},
			{From: "b", To: "b", Count: 1, Timed: 1, Mean: time.Minute, Most: time.Minute},
			{From: "b", To: "c", Count: 1, Timed: 1, Mean: time.Minute, Most: time.Minute},
		},
	}, g)
	require.Equal(t, 2, g.Arc("a", "b").Count)
	require.Equal(t, valuechain.Arc{From: "c", To: "a"}, g.Arc("c", "a"))
	require.Equal(t, "flowchart TD\n    begin((\" \"))\n    finish(((\" \")))\n    a0[\"b<br/>4\"]\n    a1[\"a<br/>3\"]\n    a2[\"c<br/>2\"]\n"+
		"    begin -->|2| a1\n    a1 -->|2| a0\n    a2 -->|2| finish\n", g.Mermaid(2))
	require.Equal(t, valuechain.Graph{Arcs: []valuechain.Arc{}}, valuechain.DirectlyFollows(valuechain.Log{}))
}

// The mean of more time than a Duration can add up.
func TestTheMeanOfCenturies(t *testing.T) {
	var l valuechain.Log
	for i := range 5 {
		l.Traces = append(l.Traces, valuechain.Trace{Case: fmt.Sprint(i), Entries: []valuechain.Entry{
			{Activity: "a", At: time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC)}, {Activity: "b", At: time.Date(1900, 1, 1, 0, 0, 0, i*500_000_000, time.UTC)},
		}})
	}
	want := time.Date(1900, 1, 1, 0, 0, 1, 0, time.UTC).Sub(time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC))
	require.Equal(t, want, valuechain.DirectlyFollows(l).Arc("a", "b").Mean)
}

// The directly-follows table of the UCI sample is that of an independent script.
func TestTheGraphOfTheUCISample(t *testing.T) {
	data, err := os.ReadFile(realLog(t, "dfg_uci498_sample500.json"))
	require.NoError(t, err)
	var want struct {
		Cases, Events int
		Transitions   []struct {
			Frm, To string
			Count   int
		}
	}
	require.NoError(t, json.Unmarshal(data, &want))
	g := valuechain.DirectlyFollows(uci(t))
	require.Equal(t, want.Cases, g.Cases)
	require.Equal(t, want.Events, g.Entries)
	require.Len(t, g.Arcs, len(want.Transitions))
	for _, tr := range want.Transitions {
		require.Equal(t, tr.Count, g.Arc(tr.Frm, tr.To).Count, "%s → %s", tr.Frm, tr.To)
	}
}

// Who reopens what: figures of the UCI sample and of the Volvo log from an
// independent script, found again by mining.
func TestReopeningsOfTheRealLogs(t *testing.T) {
	reference := func(name string) (cases, times int) {
		data, err := os.ReadFile(realLog(t, name))
		require.NoError(t, err)
		var r struct {
			ByPriority map[string]struct {
				Reopened struct{ Count int } `json:"reopened_by_event"`
				Times    int                 `json:"reopen_transitions"`
			} `json:"by_priority"`
		}
		require.NoError(t, json.Unmarshal(data, &r))
		return r.ByPriority["all"].Reopened.Count, r.ByPriority["all"].Times
	}
	count := func(l valuechain.Log, done ...string) (cases, times int) {
		coarse := l.Map(func(e valuechain.Entry) string {
			if slices.Contains(done, e.Activity) {
				return "done"
			}
			return "open"
		})
		times = valuechain.DirectlyFollows(coarse).Arc("done", "open").Count
		for _, v := range valuechain.Variants(coarse) {
			if strings.Contains(strings.Join(v.Activities, " "), "done open") {
				cases += len(v.Cases)
			}
		}
		return cases, times
	}
	wantCases, wantTimes := reference("reference_uci498_sample500.json")
	cases, times := count(uci(t), "Resolved", "Closed")
	require.Equal(t, wantCases, cases)
	require.Equal(t, wantTimes, times)
	wantCases, wantTimes = reference("reference_bpic2013_closed_problems.json")
	cases, times = count(volvo(t).Map(func(e valuechain.Entry) string {
		status, _, _ := strings.Cut(e.Activity, "/")
		return status
	}), "Completed")
	require.Equal(t, wantCases, cases)
	require.Equal(t, wantTimes, times)
}

func TestVariantsOfAHandMadeLog(t *testing.T) {
	require.Equal(t, []valuechain.Variant{
		{Activities: []string{"a", "b"}, Cases: []string{"c2", "c4"}},
		{Activities: []string{}, Cases: []string{"c3"}},
		{Activities: []string{"a"}, Cases: []string{"c5"}},
		{Activities: []string{"b", "a"}, Cases: []string{"c1"}},
	}, valuechain.Variants(logOf("b a", "a b", "", "a b", "a")))
}

// Mining of random logs, against definitions that look at every pair of entries.
func TestMiningIsWhatItsDefinitionsSay(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		var cases []string
		for range rnd.IntN(8) {
			c := ""
			for range rnd.IntN(10) {
				c += string(rune('a'+rnd.IntN(1+int(seed%4)))) + " "
			}
			cases = append(cases, c)
		}
		l := logOf(cases...)
		arcs, variants := map[[2]string]int{}, map[string]int{}
		again, againCases := map[string]int{}, map[string]int{}
		pongs := map[string]int{}
		for _, c := range cases {
			all := words(c)
			variants[strings.Join(all, " ")]++
			inCase := map[string]bool{}
			for i := range all {
				if i > 0 {
					arcs[[2]string{all[i-1], all[i]}]++
				}
				// It comes again if it came before and something else in between.
				if i > 0 && all[i] != all[i-1] && slices.Contains(all[:i], all[i]) {
					again[all[i]]++
					inCase[all[i]] = true
				}
			}
			for a := range inCase {
				againCases[a]++
			}
			hands := slices.Compact(slices.Clone(all))
			for i := 2; i < len(hands); i++ {
				if hands[i] == hands[i-2] {
					pongs[min(hands[i], hands[i-1])+max(hands[i], hands[i-1])]++
				}
			}
		}
		g := valuechain.DirectlyFollows(l)
		require.Len(t, g.Arcs, len(arcs))
		for _, a := range g.Arcs {
			require.Equal(t, arcs[[2]string{a.From, a.To}], a.Count)
		}
		require.True(t, slices.IsSortedFunc(g.Arcs, func(a, b valuechain.Arc) int { return b.Count - a.Count }))
		require.Len(t, valuechain.Variants(l), len(variants))
		for _, v := range valuechain.Variants(l) {
			require.Len(t, v.Cases, variants[strings.Join(v.Activities, " ")])
		}
		rework := valuechain.FindRework(l)
		require.Len(t, rework, len(again))
		for _, r := range rework {
			require.Equal(t, valuechain.Rework{Activity: r.Activity, Cases: againCases[r.Activity], Again: again[r.Activity]}, r)
		}
		found := valuechain.FindPingPong(l, func(e valuechain.Entry) string { return e.Activity })
		require.Len(t, found, len(pongs))
		for _, p := range found {
			require.Equal(t, pongs[p.Between[0]+p.Between[1]], p.Times)
		}
	}
}

func TestPingPong(t *testing.T) {
	l := logOf("a b - a b", "a b a", "x y x", "b c b")
	found := valuechain.FindPingPong(l, func(e valuechain.Entry) string { return strings.Trim(e.Activity, "-") })
	require.Equal(t, []valuechain.PingPong{
		{Between: [2]string{"a", "b"}, Cases: []string{"c1", "c2"}, Times: 3},
		{Between: [2]string{"b", "c"}, Cases: []string{"c4"}, Times: 1},
		{Between: [2]string{"x", "y"}, Cases: []string{"c3"}, Times: 1},
	}, found)
}

// Teams of a real log do it, between them no more often than they hand over at all.
func TestPingPongOfTheVolvoLog(t *testing.T) {
	data, err := os.ReadFile(realLog(t, "reference_bpic2013_closed_problems.json"))
	require.NoError(t, err)
	var r struct {
		ByPriority map[string]struct {
			Changes int `json:"team_changes"`
		} `json:"by_priority"`
	}
	require.NoError(t, json.Unmarshal(data, &r))
	log := volvo(t)
	changes, pongs := 0, 0
	for _, a := range valuechain.DirectlyFollows(log.Map(func(e valuechain.Entry) string { return e.Group })).Arcs {
		if a.From != a.To {
			changes += a.Count
		}
	}
	require.Equal(t, r.ByPriority["all"].Changes, changes)
	for _, p := range valuechain.FindPingPong(log, func(e valuechain.Entry) string { return e.Group }) {
		pongs += p.Times
	}
	require.Greater(t, pongs, 0)
	require.Less(t, pongs, changes)
}

// Logs of events, by different labels.
func TestLogsOfEvents(t *testing.T) {
	var events []itsm.Event
	f := newFeeder(func(e itsm.Event) { events = append(events, e) })
	f.do(0, "incident:i1", "report", "new", nil)
	f.do(1, "incident:i1", "note", "", nil)
	f.do(2, "problem:p1", "open", "new", nil)
	f.do(3, "incident:i1", "start", "in_progress", nil)
	sequence := func(fails error) iter.Seq2[itsm.Event, error] {
		return func(yield func(itsm.Event, error) bool) {
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if fails != nil {
				yield(itsm.Event{}, fails)
			}
		}
	}
	for name, tt := range map[string]struct {
		label valuechain.Label
		want  string
	}{
		"default":  {nil, "i1: report note start; p1: open"},
		"action":   {valuechain.ByAction, "i1: report note start; p1: open"},
		"state":    {valuechain.ByState, "i1: new in_progress; p1: new"},
		"move":     {valuechain.ByMove, "i1: report start; p1: open"},
		"incident": {valuechain.Label(valuechain.ByState).Of("incident"), "i1: new in_progress"},
	} {
		l, err := valuechain.NewLog(sequence(nil), tt.label)
		require.NoError(t, err)
		var have []string
		for _, tr := range l.Traces {
			line := tr.Case + ":"
			for _, e := range tr.Entries {
				line += " " + e.Activity
				require.Equal(t, "ann", e.Resource)
			}
			have = append(have, line)
		}
		require.Equal(t, tt.want, strings.Join(have, "; "), name)
	}
	broken := errors.New("broken")
	_, err := valuechain.NewLog(sequence(broken), nil)
	require.ErrorIs(t, err, broken)

	// What a builder gave belongs to who has it.
	var b valuechain.LogBuilder
	b.Append("c", valuechain.Entry{Activity: "a"})
	l := b.Log()
	b.Append("c", valuechain.Entry{Activity: "b"})
	l.Traces[0].Entries[0].Activity = "changed"
	require.Equal(t, "a", b.Log().Traces[0].Entries[0].Activity)
	require.Equal(t, 1, l.Entries())
	// A log with other words leaves cases where they are.
	require.Equal(t, valuechain.Log{Traces: []valuechain.Trace{{Case: "c", Entries: []valuechain.Entry{}}}}, l.Map(func(valuechain.Entry) string { return "" }))
}
