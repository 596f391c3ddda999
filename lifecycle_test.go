package itsm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

func TestLifecycleRefusesWithAllFindings(t *testing.T) {
	valid := func(change func(*itsm.LifecycleSpec)) itsm.LifecycleSpec {
		s := itsm.LifecycleSpec{
			Name: "door", Create: "build", Initial: "open",
			States: []itsm.State{"open", "shut", "gone"}, Ends: []itsm.State{"gone"}, Cancel: "remove",
		}
		s.Allow("shut", "shut", "open")
		s.Allow("open", "open", "shut")
		s.Allow("remove", "gone", "open", "shut")
		change(&s)
		return s
	}
	for _, tt := range []struct {
		name string
		spec itsm.LifecycleSpec
		want []string
	}{
		{"nothing wrong", valid(func(*itsm.LifecycleSpec) {}), nil},
		{"nothing at all", itsm.LifecycleSpec{}, []string{
			"name must not be empty", "create must not be empty", "states must not be empty", "ends must not be empty",
			`initial names the unknown state ""`,
		}},
		{"unknown states everywhere", valid(func(s *itsm.LifecycleSpec) {
			s.Initial = "a"
			s.Ends = append(s.Ends, "b")
			s.Allow("burn", "c", "d", "open")
		}), []string{
			`initial names the unknown state "a"`,
			`ends[1] names the unknown state "b"`,
			`transitions[3].to names the unknown state "c"`,
			`transitions[3].from[0] names the unknown state "d"`,
			`states[0] "open" cannot be reached from "a"`,
			`states[1] "shut" cannot be reached from "a"`,
			`states[2] "gone" cannot be reached from "a"`,
		}},
		{"where cancelling comes too late", valid(func(s *itsm.LifecycleSpec) {
			s.Forbid("remove", "open")
			s.Allow("burn", "gone", "open")
			s.NoCancel = []itsm.State{"open"}
		}), nil},
		{"too late only there", valid(func(s *itsm.LifecycleSpec) {
			s.Forbid("remove")
			s.Allow("burn", "gone", "open")
			s.NoCancel = []itsm.State{"open", "lost"}
		}), []string{
			`no_cancel[1] names the unknown state "lost"`,
			`states[1] "shut" does not permit "remove"`,
		}},
		{"too late for nothing", valid(func(s *itsm.LifecycleSpec) {
			s.Cancel, s.NoCancel = "", []itsm.State{"open"}
		}), []string{`no_cancel[0] is spared from nothing: there is no cancel`}},
		{"declared twice, and no name", valid(func(s *itsm.LifecycleSpec) {
			s.AddState("shut", "ajar door")
		}), []string{
			`states[2] declares "shut" twice`,
			`states[3] must be a name of letters, digits and _, is "ajar door"`,
			`states[3] "ajar door" cannot be reached from "open"`,
			`states[3] "ajar door" is a trap: no end can be reached from it`,
			`states[3] "ajar door" does not permit "remove"`,
		}},
		{"ambiguous", valid(func(s *itsm.LifecycleSpec) {
			s.Allow("shut", "gone", "open")
			s.Allow("open", "", "shut", "gone")
		}), []string{
			`transitions[3].from[0] makes "shut" ambiguous in "open": it leads to "shut" already`,
			`transitions[4].from[0] makes "open" ambiguous in "shut": it leads to "open" already`,
		}},
		{"twice the same is ambiguous too", valid(func(s *itsm.LifecycleSpec) {
			s.Allow("knock", "", "open", "open")
		}), []string{`transitions[3].from[1] makes "knock" ambiguous in "open": it leads to "open" already`}},
		{"trap and island", valid(func(s *itsm.LifecycleSpec) {
			s.AddState("stuck", "island")
			s.Allow("jam", "stuck", "open")
			s.Allow("remove", "gone", "island")
			s.Allow("rattle", "", "stuck")
		}), []string{
			`states[2] "stuck" is a trap: no end can be reached from it`,
			`states[2] "stuck" does not permit "remove"`,
			`states[3] "island" cannot be reached from "open"`,
		}},
		{"not cancellable", valid(func(s *itsm.LifecycleSpec) { s.Forbid("remove", "open") }), []string{
			`states[0] "open" does not permit "remove"`,
		}},
		{"an end with ways out is fine and need not be cancellable", valid(func(s *itsm.LifecycleSpec) {
			s.Allow("rebuild", "open", "gone")
		}), nil},
		{"a row without an action or a state, and the creating action", valid(func(s *itsm.LifecycleSpec) {
			s.Allow("", "shut")
			s.Allow("build", "open", "gone")
			s.Allow("é", "", "gone")
		}), []string{
			`transitions[3].action must not be empty`,
			`transitions[3].from must not be empty`,
			`transitions[4].action is "build", which creates records`,
			`transitions[5].action must be a name of letters, digits, _, . and -, is "é"`,
		}},
		{"a name of 65 letters", valid(func(s *itsm.LifecycleSpec) {
			s.Allow(strings.Repeat("x", 64), "", "gone")
			s.Allow(strings.Repeat("y", 65), "", "gone")
		}), []string{
			`transitions[4].action must be a name of letters, digits, _, . and -, is "` + strings.Repeat("y", 60) + `…"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := itsm.NewLifecycle(tt.spec)
			require.Equal(t, tt.want, messages(err))
			if tt.want == nil {
				require.NotNil(t, l)
				return
			}
			require.Nil(t, l)
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Equal(t, strings.Join(tt.want, "; "), err.Error())
		})
	}
}

func TestLifecycleQuestions(t *testing.T) {
	l := toyLifecycle()
	require.Equal(t, "ticket", l.Name())
	require.Equal(t, "file", l.Create())
	require.Equal(t, stateOpen, l.Initial())
	require.Equal(t, []itsm.State{stateOpen, stateWaiting, stateDone, stateClosed}, slices.Collect(l.States()))
	require.True(t, l.IsEnd(stateClosed))
	require.False(t, l.IsEnd(stateDone))
	require.True(t, l.Has(stateDone))
	require.False(t, l.Has("lost"))

	to, ok := l.Can(stateOpen, "wait")
	require.True(t, ok)
	require.Equal(t, stateWaiting, to)
	for _, no := range []struct {
		state  itsm.State
		action string
	}{{stateDone, "wait"}, {stateOpen, "waitx"}, {stateOpen, ""}, {stateOpen, "file"}, {"lost", "wait"}, {"", "file"}} {
		to, ok := l.Can(no.state, no.action)
		require.False(t, ok, "%+v", no)
		require.Empty(t, to)
	}
	require.Equal(t, map[string]itsm.State{
		"close": stateClosed, "reopen": stateOpen, "drop": stateClosed,
		"add": stateDone, "tag": stateDone, "reply": stateDone, "meddle": stateDone, "gain": stateDone,
		"track": stateDone, "beat": stateDone, "link": stateDone, "unlink": stateDone, "set_fields": stateDone,
	}, maps.Collect(l.Permitted(stateDone)))
	require.Empty(t, maps.Collect(l.Permitted("lost")))
	var names []string
	for name := range l.Permitted(stateOpen) {
		if names = append(names, name); len(names) == 5 {
			break
		}
	}
	require.Equal(t, []string{"add", "beat", "chain", "curse", "drop"}, names, "sorted, and it can be left early")
}

// The table answers questions and looplab/fsm decides: this proves that they say
// the same, for every state and action, and for states and actions that are not
// in the table.
func TestLifecycleAgreesWithLooplab(t *testing.T) {
	reinstating, err := incident.DefaultLifecycle().With(incident.AllowReinstate)
	require.NoError(t, err)
	for _, l := range []*itsm.Lifecycle{toyLifecycle(), incident.DefaultLifecycle(), reinstating} {
		// What the table says, read from the table and not from its index.
		type edge struct {
			from   itsm.State
			action string
		}
		table, actions := map[edge]itsm.State{}, map[string]bool{"": true, "no_such_action": true, l.Create(): true}
		for _, row := range l.Spec().Transitions {
			actions[row.Action] = true
			for _, from := range row.From {
				table[edge{from, row.Action}] = row.To
				if row.To == "" {
					table[edge{from, row.Action}] = from
				}
			}
		}
		moves := 0
		for _, s := range append(slices.Collect(l.States()), "no_such_state") {
			permitted := maps.Collect(l.Permitted(s))
			for action := range actions {
				want, wanted := table[edge{s, action}]
				to, ok := l.Can(s, action)
				require.Equal(t, wanted, ok, "Can(%s, %s)", s, action)
				require.Equal(t, want, to)
				to, ok = permitted[action]
				require.Equal(t, wanted, ok, "Permitted(%s) has %s", s, action)
				require.Equal(t, want, to)
				to, ok = l.Next(s, action)
				require.Equal(t, wanted, ok, "looplab decides %s in %s", action, s)
				if wanted {
					require.Equal(t, want, to)
					moves++
				}
			}
		}
		require.Equal(t, len(table), moves)
		to, ok := l.Next("", l.Create())
		require.True(t, ok)
		require.Equal(t, l.Initial(), to)
		for action := range actions {
			if action != l.Create() {
				_, ok := l.Next("", action)
				require.False(t, ok, "%s does not create", action)
			}
		}
	}
}

func TestLifecycleWith(t *testing.T) {
	l := toyLifecycle()
	before := l.Mermaid()
	longer, err := l.With(func(s *itsm.LifecycleSpec) {
		s.AddState("review")
		s.Allow("submit", "review", stateOpen)
		s.Allow("finish", stateDone, "review")
	}, func(s *itsm.LifecycleSpec) {
		s.Allow("drop", stateClosed, "review")
		s.Forbid("reopen")
		s.Forbid("watch", stateWaiting)
		s.Forbid("no_such_action")
	})
	require.NoError(t, err)
	require.Equal(t, before, l.Mermaid(), "the old one is as it was")
	require.Equal(t, []itsm.State{stateOpen, stateWaiting, stateDone, "review", stateClosed}, slices.Collect(longer.States()))
	to, ok := longer.Can(stateOpen, "submit")
	require.True(t, ok)
	require.Equal(t, itsm.State("review"), to)
	_, ok = longer.Can(stateDone, "reopen")
	require.False(t, ok, "forbidden in every state")
	_, ok = longer.Can(stateWaiting, "watch")
	require.False(t, ok)
	_, ok = longer.Can(stateOpen, "watch")
	require.True(t, ok, "forbidden in one state only")

	_, err = l.With(func(s *itsm.LifecycleSpec) { s.Forbid("drop", stateOpen) })
	require.Equal(t, []string{`states[0] "open" does not permit "drop"`}, messages(err))

	// Without ends the state comes last.
	s := itsm.LifecycleSpec{States: []itsm.State{"a"}}
	s.AddState("b", "c")
	require.Equal(t, []itsm.State{"a", "b", "c"}, s.States)
}

func TestLifecycleSpecIsACopy(t *testing.T) {
	given := toySpec()
	l, err := itsm.NewLifecycle(given)
	require.NoError(t, err)
	want := l.Mermaid()
	spoil := func(s itsm.LifecycleSpec) {
		s.States[0], s.Ends[0] = "spoiled", "spoiled"
		s.Transitions[0].Action = "spoiled"
		s.Transitions[0].From[0] = "spoiled"
	}
	spoil(given)
	spoil(l.Spec())
	require.Equal(t, want, l.Mermaid())
	require.Equal(t, toySpec(), l.Spec())

	// Forbid must not reach into the list of whoever allowed it.
	from := []itsm.State{"a", "b"}
	var s itsm.LifecycleSpec
	s.Allow("x", "a", from...)
	s.Forbid("x", "a")
	require.Equal(t, []itsm.State{"a", "b"}, from)
	require.Equal(t, []itsm.State{"b"}, s.Transitions[0].From)
}

func TestLifecycleJSON(t *testing.T) {
	for _, l := range []*itsm.Lifecycle{toyLifecycle(), incident.DefaultLifecycle()} {
		data, err := json.Marshal(l)
		require.NoError(t, err)
		again, err := itsm.ParseLifecycle(data)
		require.NoError(t, err)
		require.Equal(t, l.Spec(), again.Spec())
		require.True(t, itsm.Diff(l, again).Empty())
	}
	for _, tt := range []struct {
		json string
		want []string
	}{
		{`{`, []string{"must be JSON: unexpected end of JSON input"}},
		{`[]`, []string{"must be an object"}},
		{`{"name":1,"initail":"x","states":"open","transitions":[{"from":[1,"a"],"action":[]}],"name":"y"}`, []string{
			"name must be text", "initail is not known", "states must be a list", "transitions[0].from[0] must be text",
			"transitions[0].action must be text", "name is there twice",
		}},
		{`{"name":"x","create":"c","initial":"a","states":["a"],"ends":["b"]}`, []string{
			`ends[0] names the unknown state "b"`, `states[0] "a" is a trap: no end can be reached from it`,
		}},
	} {
		_, err := itsm.ParseLifecycle([]byte(tt.json))
		require.Equal(t, tt.want, messages(err), tt.json)
		require.ErrorIs(t, err, itsm.ErrInvalid)
	}
	_, err := itsm.ParseLifecycle([]byte(`{"name":"` + strings.Repeat("x", 1<<20) + `"}`))
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.ErrorContains(t, err, "must have at most 1048576 bytes")
}

func TestLifecycleDiagrams(t *testing.T) {
	l := toyLifecycle()
	golden(t, "ticket.mermaid", l.Mermaid())
	golden(t, "ticket.dot", l.DOT())
	// The same table in another order of rows gives the same diagram.
	turned, err := l.With(func(s *itsm.LifecycleSpec) { slices.Reverse(s.Transitions) })
	require.NoError(t, err)
	require.Equal(t, l.Mermaid(), turned.Mermaid())
	require.Equal(t, l.DOT(), turned.DOT())
}

func TestDiff(t *testing.T) {
	old := toyLifecycle()
	require.True(t, itsm.Diff(old, toyLifecycle()).Empty())
	require.Empty(t, itsm.Diff(old, toyLifecycle()).String())

	changed, err := itsm.NewLifecycle(itsm.LifecycleSpec{
		Name: "ticket", Create: "file", Initial: stateOpen,
		States: []itsm.State{stateOpen, "review", stateClosed}, Ends: []itsm.State{stateClosed},
		Transitions: []itsm.Transition{
			{Action: "submit", From: []itsm.State{stateOpen}, To: "review"},
			{Action: "drop", From: []itsm.State{stateOpen}, To: "review"},
			{Action: "approve", From: []itsm.State{"review"}, To: stateClosed},
			{Action: "add", From: []itsm.State{stateOpen}},
		},
	})
	require.NoError(t, err)
	smaller, err := old.With(func(s *itsm.LifecycleSpec) {
		for _, row := range s.Transitions {
			if row.Action != "add" && row.Action != "drop" {
				s.Forbid(row.Action)
			}
		}
		s.Forbid("add", stateWaiting, stateDone, stateClosed)
		s.Forbid("drop", stateWaiting, stateDone)
		s.States = []itsm.State{stateOpen, stateClosed}
	})
	require.NoError(t, err)

	d := itsm.Diff(smaller, changed)
	require.Equal(t, itsm.LifecycleDiff{
		AddedStates: []itsm.State{"review"},
		Added: []itsm.Move{
			{From: stateOpen, Action: "drop", To: "review"},
			{From: stateOpen, Action: "submit", To: "review"},
			{From: "review", Action: "approve", To: stateClosed},
		},
		Removed: []itsm.Move{{From: stateOpen, Action: "drop", To: stateClosed}},
	}, d)
	require.Equal(t, "+ state review\n+ open --drop--> review\n+ open --submit--> review\n"+
		"+ review --approve--> closed\n- open --drop--> closed\n", d.String())

	d = itsm.Diff(old, changed)
	require.Equal(t, []itsm.State{stateWaiting, stateDone}, d.RemovedStates)
	require.Equal(t, []itsm.Stranded{
		{State: stateWaiting, Nearest: []itsm.State{stateClosed, stateOpen}},
		{State: stateDone, Nearest: []itsm.State{stateClosed, stateOpen}},
	}, d.Stranded)
	require.Contains(t, d.String(), "! records in waiting are stranded; nearest: [closed open]\n")
	require.False(t, d.Empty())
}

// Nearest is counted in steps, goes through other removed states, and is empty
// where nothing is left.
func TestDiffNearest(t *testing.T) {
	row := func(action string, to itsm.State, from ...itsm.State) itsm.Transition {
		return itsm.Transition{Action: action, From: from, To: to}
	}
	old, err := itsm.NewLifecycle(itsm.LifecycleSpec{
		Name: "x", Create: "c", Initial: "a", States: []itsm.State{"a", "b", "c", "d", "e"}, Ends: []itsm.State{"d", "e"},
		Transitions: []itsm.Transition{row("ab", "b", "a"), row("bc", "c", "b"), row("cd", "d", "c"), row("stay", "", "b"),
			row("back", "b", "c"), row("ae", "e", "a")},
	})
	require.NoError(t, err)
	replacement, err := itsm.NewLifecycle(itsm.LifecycleSpec{
		Name: "x", Create: "c", Initial: "a", States: []itsm.State{"a", "d"}, Ends: []itsm.State{"d"},
		Transitions: []itsm.Transition{row("ad", "d", "a")},
	})
	require.NoError(t, err)
	require.Equal(t, []itsm.Stranded{
		{State: "b", Nearest: []itsm.State{"d"}}, // over c
		{State: "c", Nearest: []itsm.State{"d"}},
		{State: "e"}, // no way out
	}, itsm.Diff(old, replacement).Stranded)
}

// acceptable is what NewLifecycle promises, written down plainly.
func acceptable(s itsm.LifecycleSpec) bool {
	isName := func(text, marks string) bool {
		const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		return text != "" && len(text) <= 64 && strings.Trim(text, alnum+marks) == "" &&
			!strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(alnum+marks, r) })
	}
	n := len(s.States)
	if s.Name == "" || s.Create == "" || n == 0 || len(s.Ends) == 0 {
		return false
	}
	for i, state := range s.States {
		if !isName(string(state), "_") || slices.Contains(s.States[:i], state) {
			return false
		}
	}
	for _, state := range append([]itsm.State{s.Initial}, s.Ends...) {
		if !slices.Contains(s.States, state) {
			return false
		}
	}
	// reach[i][j]: j can be reached from i. Warshall's closure.
	reach := make([][]bool, n)
	for i := range reach {
		reach[i] = make([]bool, n)
		reach[i][i] = true
	}
	cancellable := make([]bool, n)
	rows := map[string]int{}
	for _, row := range s.Transitions {
		if !isName(row.Action, "_.-") || row.Action == s.Create || len(row.From) == 0 {
			return false
		}
		for _, from := range row.From {
			i := slices.Index(s.States, from)
			j := i
			if row.To != "" {
				j = slices.Index(s.States, row.To)
			}
			if i < 0 || j < 0 {
				return false
			}
			reach[i][j] = true
			if row.Action == s.Cancel {
				cancellable[i] = slices.Contains(s.Ends, s.States[j])
			}
			key := fmt.Sprintf("%s/%s", from, row.Action)
			if rows[key]++; rows[key] > 1 {
				return false
			}
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	for i, state := range s.States {
		toEnd := false
		for _, end := range s.Ends {
			toEnd = toEnd || reach[i][slices.Index(s.States, end)]
		}
		if !reach[slices.Index(s.States, s.Initial)][i] || !toEnd {
			return false
		}
		if s.Cancel != "" && !slices.Contains(s.Ends, state) && !slices.Contains(s.NoCancel, state) && !cancellable[i] {
			return false
		}
	}
	return true
}

// randomSpec makes specs of which some hold and some do not.
func randomSpec(r *rand.Rand) itsm.LifecycleSpec {
	names := []itsm.State{"a", "b", "c", "d", "e", "A_1"}
	pick := func() itsm.State {
		if r.IntN(150) == 0 {
			return []itsm.State{"", "x y", "ü", "a.b", "lost"}[r.IntN(5)]
		}
		return names[r.IntN(len(names))]
	}
	s := itsm.LifecycleSpec{Name: "random", Create: "create"}
	names = names[:1+r.IntN(len(names))]
	s.States = slices.Clone(names)
	if r.IntN(40) == 0 {
		s.States = append(s.States, pick())
	}
	s.Initial = pick()
	for range 1 + r.IntN(2) {
		s.Ends = append(s.Ends, pick())
	}
	s.Ends = slices.Compact(s.Ends)
	actions := []string{"go", "stop", "note", "cancel", "turn", "z.1-2_3"}
	for range r.IntN(4 * len(names)) {
		row := itsm.Transition{Action: actions[r.IntN(len(actions))], To: pick()}
		if r.IntN(4) == 0 {
			row.To = ""
		}
		if r.IntN(100) == 0 {
			row.Action = []string{"create", "", "a b"}[r.IntN(3)]
		}
		for range r.IntN(3) + min(1, r.IntN(60)) {
			row.From = append(row.From, pick())
		}
		// Most clashes are avoided, or hardly anything would be accepted.
		if r.IntN(20) > 0 {
			row.From = slices.DeleteFunc(row.From, func(f itsm.State) bool {
				return slices.ContainsFunc(s.Transitions, func(have itsm.Transition) bool {
					return have.Action == row.Action && slices.Contains(have.From, f)
				})
			})
			slices.Sort(row.From)
			row.From = slices.Compact(row.From)
			if len(row.From) == 0 {
				continue
			}
		}
		s.Transitions = append(s.Transitions, row)
	}
	if r.IntN(3) == 0 {
		s.Cancel = "cancel"
		for _, state := range s.States {
			if r.IntN(6) == 0 {
				s.NoCancel = append(s.NoCancel, state)
			}
		}
	}
	switch r.IntN(300) {
	case 0:
		s.Name = ""
	case 1:
		s.Create = ""
	case 2:
		s.Ends = nil
	}
	return s
}

func TestLifecycleVerificationIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	const runs = 20_000
	for range runs {
		s := randomSpec(r)
		want := acceptable(s)
		l, err := itsm.NewLifecycle(s)
		if want != (err == nil) {
			data, _ := json.MarshalIndent(s, "", " ")
			t.Fatalf("acceptable %v, NewLifecycle says %v:\n%s", want, err, data)
		}
		if err == nil {
			accepted++
			for _, row := range s.Transitions {
				for _, from := range row.From {
					want := row.To
					if want == "" {
						want = from
					}
					to, ok := l.Can(from, row.Action)
					require.True(t, ok)
					require.Equal(t, want, to)
				}
			}
		}
	}
	require.Greater(t, accepted, runs/50, "enough of both kinds")
	require.Less(t, accepted, runs/2)
	t.Logf("%d of %d accepted", accepted, runs)
}

func FuzzParseLifecycle(f *testing.F) {
	for _, l := range []*itsm.Lifecycle{toyLifecycle(), incident.DefaultLifecycle()} {
		data, err := json.Marshal(l)
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(`{"name":"x","create":"c","initial":"a","states":["a"],"ends":["a"],"transitions":null}`))
	f.Add([]byte(`{"states":["a","a",{}],"ends":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := itsm.ParseLifecycle(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, err.Error())
			return
		}
		require.True(t, acceptable(l.Spec()))
		again, err := json.Marshal(l)
		require.NoError(t, err)
		same, err := itsm.ParseLifecycle(again)
		require.NoError(t, err)
		require.True(t, itsm.Diff(l, same).Empty())
		require.Equal(t, l.DOT(), same.DOT())
	})
}

func TestQuestionsDoNotAllocate(t *testing.T) {
	l := incident.DefaultLifecycle()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if _, ok := l.Can(incident.InProgress, "resolve"); !ok {
			t.Error("cannot resolve")
		}
	}))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		n := 0
		for range l.Permitted(incident.InProgress) {
			n++
		}
		if n == 0 {
			t.Error("nothing is permitted")
		}
	}))
}

func BenchmarkCan(b *testing.B) {
	l := incident.DefaultLifecycle()
	b.ReportAllocs()
	for b.Loop() {
		l.Can(incident.InProgress, "resolve")
	}
}

func BenchmarkPermitted(b *testing.B) {
	l := incident.DefaultLifecycle()
	b.ReportAllocs()
	for b.Loop() {
		for range l.Permitted(incident.InProgress) {
		}
	}
}

func BenchmarkNext(b *testing.B) {
	l := incident.DefaultLifecycle()
	b.ReportAllocs()
	for b.Loop() {
		l.Next(incident.InProgress, "resolve")
	}
}

// What is usual in one state is permitted in others once, and what leads elsewhere is
// not.
func TestAllowLike(t *testing.T) {
	s := itsm.LifecycleSpec{}
	s.Allow("note", "", "open", "done")
	s.Allow("close", "done", "open")
	s.Allow("link", "", "open")
	itsm.AllowLike("open", "new", "done")(&s)
	require.Equal(t, []itsm.Transition{
		{Action: "note", From: []itsm.State{"open", "done"}}, {Action: "close", From: []itsm.State{"open"}, To: "done"},
		{Action: "link", From: []itsm.State{"open"}},
		{Action: "note", From: []itsm.State{"new"}}, {Action: "link", From: []itsm.State{"new", "done"}},
	}, s.Transitions)
	before := len(s.Transitions)
	s.Stay("note", "new", "open")
	require.Len(t, s.Transitions, before)
}
