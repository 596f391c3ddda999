package svs_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/svs"
)

// feed makes events of texts, one an event, an hour apart: "change c1 vote ann", with the
// state that it leads to at the end where there is one.
func feed(lines ...string) (all []itsm.Event) {
	states, versions := map[string]itsm.State{}, map[string]itsm.Version{}
	for i, line := range lines {
		w := strings.Fields(line)
		record := w[0] + w[1]
		e := itsm.Event{ID: itsm.ID(fmt.Sprint("e", i+1)), Practice: w[0], Record: itsm.ID(w[1]), Action: w[2], Actor: itsm.Actor{ID: w[3]}, From: states[record], To: states[record],
			At: day.Add(time.Duration(i) * time.Hour), Data: []byte(`{"n":1}`)}
		if len(w) > 4 {
			e.To = itsm.State(w[4])
		}
		versions[record]++
		e.Version, states[record] = versions[record], e.To
		all = append(all, e)
	}
	return all
}

func monitor(t *testing.T, events []itsm.Event, policies ...svs.Policy) []svs.PolicyReport {
	t.Helper()
	m, err := svs.NewMonitor(policies...)
	require.NoError(t, err)
	for i, e := range events {
		m.Add(e)
		m.Add(events[i/2]) // what came before says nothing
	}
	return m.Report()
}

func TestPolicies(t *testing.T) {
	policies, err := svs.ParsePolicies([]byte(`[
		{"name": "four_eyes", "statement": "Nobody authorizes a change of their own", "on": {"practice": "change", "action": "vote"}, "other_than": ["propose"]},
		{"name": "assessed", "statement": "What is carried out was assessed and not refused", "on": {"practice": "change", "to": "implement"}, "after": [{"action": "assess"}], "never": [{"to": "rejected"}]},
		{"name": "emergencies", "statement": "Emergencies are rare", "on": {"practice": "change", "action": "expedite"}, "limit": {"share": 0.1, "of": {"practice": "change", "action": "propose"}, "least": 2}},
		{"name": "prompt", "statement": "What is reported is begun within two hours", "on": {"practice": "incident", "to": "in_progress"}, "within": "2h"},
		{"name": "reply", "statement": "Who is asked answers within an hour", "on": {"practice": "change", "action": "vote"}, "within": "1h", "since": {"action": "ask"}}
	]`))
	require.NoError(t, err)
	reports := monitor(t, feed(
		"change c1 propose ann draft", "change c1 assess bob", "change c1 ask ann authorize", "change c1 vote ann", "incident i1 report jin new", // 0 to 4
		"change c1 vote bob scheduled", "change c1 start ann implement", "incident i1 start mia in_progress", "incident i1 note mia", "change c2 propose ann draft", // 5 to 9
		"change c2 reject bob rejected", "change c2 expedite ann implement", "change c2 vote cai", "incident i1 hold mia on_hold", "incident i1 start mia in_progress",
	), policies...)
	breaches := func(i int) (all []string) {
		for _, b := range reports[i].Breaches {
			require.Equal(t, reports[i].Policy, b.Policy)
			require.False(t, b.At.IsZero())
			all = append(all, fmt.Sprintf("%s %s by %s: %s", b.Event, b.Record, b.Actor, strings.Join(b.Reasons, "; ")))
		}
		return all
	}
	require.Equal(t, []string{`e4 change:c1 by ann: by ann, who also did "propose"`}, breaches(0))
	require.Equal(t, 3, reports[0].Judged)
	require.Equal(t, []string{`e12 change:c2 by ann: without "assess" before; although there was "to rejected" before`}, breaches(1))
	require.Empty(t, breaches(2))
	require.Equal(t, "1 of 2 are 50.0 %, more than 10.0 %", reports[2].Over)
	require.False(t, reports[2].Kept())
	require.Equal(t, []string{`e8 incident:i1 by mia: 3h0m0s after "report", and not within 2h0m0s`, `e15 incident:i1 by mia: 10h0m0s after "report", and not within 2h0m0s`}, breaches(3))
	require.Equal(t, []string{`e6 change:c1 by bob: 3h0m0s after "ask", and not within 1h0m0s`}, breaches(4)) // nobody asked about c2
	require.False(t, reports[4].Kept())
}

// A policy holds while it is in force, and a limit says nothing of too few.
func TestPoliciesInForce(t *testing.T) {
	p := svs.Policy{Name: "p", Statement: "s", On: svs.Match{Practice: "change", Action: "start"}, After: []svs.Match{{Action: "assess"}}, From: day.Add(time.Hour), Until: day.Add(3 * time.Hour)}
	rare := svs.Policy{Name: "r", Statement: "s", On: svs.Match{Practice: "change", Action: "start"}, Limit: &svs.Limit{Share: 0.5, Of: svs.Match{Practice: "incident", Action: "report"}, Least: 2}}
	events := feed("change c0 start a", "change c1 start a", "change c2 start a", "change c3 start a", "incident i1 report a new")
	reports := monitor(t, events, p, rare)
	require.Equal(t, 2, reports[0].Judged)
	require.Len(t, reports[0].Breaches, 2)
	require.True(t, reports[1].Kept())
	require.Equal(t, 1, reports[1].Of)
	reports = monitor(t, append(events, feed("incident i2 report a new")...), p, rare)
	require.Equal(t, "4 of 2 are 200.0 %, more than 50.0 %", reports[1].Over)
	require.Empty(t, monitor(t, nil))
}

// A host's own predicate sees the whole history, with what the actions said.
func TestPoliciesOfOnesOwn(t *testing.T) {
	seen := 0
	own := svs.Policy{Name: "p", Statement: "s", On: svs.Match{Practice: "change", Action: "close"}, Judge: func(history []itsm.Event) string {
		seen = len(history)
		require.NotEmpty(t, history[0].Data)
		if len(history) < 3 {
			return "too quick"
		}
		return ""
	}}
	reports := monitor(t, feed("change c1 propose a draft", "change c1 close a closed"), own)
	require.Equal(t, []string{"too quick"}, reports[0].Breaches[0].Reasons)
	require.Equal(t, 2, seen)
	require.True(t, monitor(t, feed("change c1 propose a draft", "change c1 note a", "change c1 close a closed"), own)[0].Kept())
	// What is reported belongs to who has it.
	m, err := svs.NewMonitor(own)
	require.NoError(t, err)
	for _, e := range feed("change c1 close a closed") {
		m.Add(e)
	}
	m.Report()[0].Breaches[0].Event = "changed"
	require.Equal(t, itsm.ID("e1"), m.Report()[0].Breaches[0].Event)
}

func TestPoliciesThatDoNotHold(t *testing.T) {
	_, err := svs.NewMonitor(
		svs.Policy{},
		svs.Policy{Name: "a", Statement: "s", On: svs.Match{Practice: "p", To: "x"}, From: day, Until: day, After: []svs.Match{{}}, Never: []svs.Match{{Practice: "q", Action: "a"}}, OtherThan: []string{""}, Within: -1, Since: svs.Match{Practice: "q"}},
		svs.Policy{Name: "a", Statement: "s", On: svs.Match{Practice: "p", To: "x"}, Limit: &svs.Limit{Share: 2, Least: -1}},
	)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{
		"[0].name must not be empty", "[0].statement must not be empty", "[0].on.practice must not be empty", "[0].on must name an action or a state", "[0] asks for nothing",
		"[1].until must be after from", "[1].after[0] must name an action or a state", `[1].never[0].practice must be that of the record, "p"`, "[1].other_than[0] must not be empty",
		"[1].within must not be negative", "[1].since needs within", "[1].since must name an action or a state", `[1].since.practice must be that of the record, "p"`,
		"[2].name is there twice", "[2].limit.share must be 0 to 1", "[2].limit.least must not be negative", "[2].limit.of.practice must not be empty", "[2].limit.of must name an action or a state",
	}, findings(err))
	_, err = svs.ParsePolicies([]byte(`[{"nme":"x"}]`))
	require.Contains(t, findings(err), "[0].nme is not known")
}

// Random policies on random feeds, against a reading of the definition that looks at
// every pair of events.
func TestPoliciesAreWhatTheirDefinitionsSay(t *testing.T) {
	broken := 0
	for seed := range uint64(500) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		actions, actors := []string{"a", "b", "c"}, []string{"x", "y"}
		var lines []string
		for range rnd.IntN(25) {
			lines = append(lines, fmt.Sprintf("p r%d %s %s", rnd.IntN(3), actions[rnd.IntN(3)], actors[rnd.IntN(2)]))
		}
		events := feed(lines...)
		hours := time.Duration(1+rnd.IntN(6)) * time.Hour
		p := svs.Policy{Name: "p", Statement: "s", On: svs.Match{Practice: "p", Action: "a"}, Within: hours, Since: svs.Match{Action: "c"},
			After: []svs.Match{{Action: "b"}}, Never: []svs.Match{{Action: "c"}}, OtherThan: []string{"b"}}
		var want []string
		for i, e := range events {
			if e.Action != "a" {
				continue
			}
			b, c, own, late := false, false, false, false
			for _, o := range events[:i] {
				if o.Record != e.Record {
					continue
				}
				b = b || o.Action == "b"
				own = own || o.Action == "b" && o.Actor == e.Actor
				if o.Action == "c" {
					c, late = true, e.At.Sub(o.At) > hours // the last one counts
				}
			}
			n := 0
			for _, wrong := range []bool{!b, c, own, late} {
				if wrong {
					n++
				}
			}
			if n > 0 {
				want = append(want, fmt.Sprint(e.ID, " ", n))
			}
		}
		var have []string
		for _, b := range monitor(t, events, p)[0].Breaches {
			have = append(have, fmt.Sprint(b.Event, " ", len(b.Reasons)))
		}
		require.Equal(t, want, have)
		broken += len(have)
	}
	require.Greater(t, broken, 500)
}
