package valuechain_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/valuechain"
)

func classics() []valuechain.Stream {
	return []valuechain.Stream{valuechain.DevelopmentStream(), valuechain.RestorationStream()}
}

// The two classic streams hold, in the book's steps and activities, describe every
// step, and are drawn as they were.
func TestTheClassicStreams(t *testing.T) {
	activities := map[string]string{
		"development": "engage plan design_transition obtain_build design_transition deliver_support",
		"restoration": "engage deliver_support obtain_build design_transition deliver_support engage improve",
	}
	for _, s := range classics() {
		require.NoError(t, s.Validate())
		require.Empty(t, s.Warnings(valuechain.ITIL4()))
		var have []string
		for _, step := range s.Steps {
			have = append(have, string(step.Activity))
			require.NotEmpty(t, step.Practices)
			require.NotEmpty(t, step.Actions)
			require.NotEmpty(t, step.Roles)
			require.NotEmpty(t, step.Trigger)
			require.NotEmpty(t, step.Watch, step.Name)
		}
		require.Equal(t, words(activities[s.Name]), have)
		golden(t, s.Name+".mmd", s.Mermaid())

		// As JSON, and back.
		data, err := s.JSON()
		require.NoError(t, err)
		back, err := valuechain.ParseStream(data)
		require.NoError(t, err)
		require.Equal(t, s, back)

		// What one caller does to it, another does not see.
		s.Steps[0].Inputs[0].What = "changed"
		s.Steps[0].Watch[0].Action = "changed"
		for _, fresh := range classics() {
			require.NoError(t, fresh.Validate())
			require.NotEqual(t, "changed", fresh.Steps[0].Watch[0].Action)
		}
	}
	_, ok := valuechain.RestorationStream().Step("fix")
	require.True(t, ok)
	_, ok = valuechain.RestorationStream().Step("nothing")
	require.False(t, ok)
}

// line is the shortest stream: users, one step, users.
func line() valuechain.Stream {
	return valuechain.Stream{
		Name: "line", Demand: valuechain.End{Who: "users", What: "x"}, Value: valuechain.End{Who: "users", What: "y"},
		Steps: []valuechain.Step{{
			Name: "one", Activity: valuechain.Engage,
			Inputs:  []valuechain.Input{{What: "x", From: "demand"}},
			Outputs: []valuechain.Output{{What: "y", To: "value"}},
			Watch:   []valuechain.Watch{{Practice: "p", Action: "open", Does: valuechain.Start}, {Practice: "p", Action: "done", Does: valuechain.Finish}},
		}},
	}
}

// Each rule is broken once, and is found.
func TestStreamsThatDoNotHold(t *testing.T) {
	require.NoError(t, line().Validate())
	two := func(s *valuechain.Stream) {
		s.Steps[0].Outputs = []valuechain.Output{{What: "z", To: "two"}}
		s.Steps = append(s.Steps, valuechain.Step{
			Name: "two", Activity: valuechain.DeliverSupport,
			Inputs:  []valuechain.Input{{What: "z", From: "one"}},
			Outputs: []valuechain.Output{{What: "y", To: "value"}},
		})
	}
	for name, tt := range map[string]struct {
		change func(s *valuechain.Stream)
		want   []string
	}{
		"two steps":       {two, nil},
		"unknown edition": {func(s *valuechain.Stream) { s.Edition = "3" }, []string{`edition is unknown: "3"`}},
		"no steps": {func(s *valuechain.Stream) { s.Steps = nil }, []string{"steps must not be empty",
			"steps do not start with the demand: no step has an input from it", "steps do not end in value: no step has an output to it"}},
		"nobody": {func(s *valuechain.Stream) { s.Demand.Who, s.Value.Who = "", "x" }, []string{
			`demand.who must be a party or an activity, is ""`, `value.who must be a party or an activity, is "x"`}},
		"no demand": {func(s *valuechain.Stream) { s.Steps[0].Inputs[0].From = "users" }, []string{
			"steps do not start with the demand: no step has an input from it"}},
		"no value": {func(s *valuechain.Stream) { s.Steps[0].Outputs[0].To = "users" }, []string{
			"steps do not end in value: no step has an output to it"}},
		"the demand past engage": {func(s *valuechain.Stream) { s.Steps[0].Activity = valuechain.ObtainBuild }, []string{
			"steps[0].inputs[0].from crosses the border to users outside of [engage]", "steps[0].outputs[0].to crosses the border to users outside of [engage]"}},
		"deliver and support gives services to users": {func(s *valuechain.Stream) { two(s) }, nil},
		"a supplier past engage": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[1].Inputs = append(s.Steps[1].Inputs, valuechain.Input{What: "parts", From: "suppliers"})
		}, []string{"steps[1].inputs[1].from crosses the border to suppliers outside of [engage]"}},
		"a supplier of parts": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[1].Activity, s.Value.Who = valuechain.ObtainBuild, "governing_body"
			s.Steps[1].Inputs = append(s.Steps[1].Inputs, valuechain.Input{What: "parts", From: "suppliers"})
		}, nil},
		"an orphan": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Outputs = append(s.Steps[0].Outputs, valuechain.Output{What: "w", To: "two"})
		}, []string{`steps[0].outputs[1] is an orphan: "two" takes no "w" from this step`}},
		"an input of nobody": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[1].Inputs = append(s.Steps[1].Inputs, valuechain.Input{What: "w", From: "one"})
		}, []string{`steps[1].inputs[1] "w" is no output of "one" to this step`}},
		"nowhere": {func(s *valuechain.Stream) {
			s.Steps[0].Inputs = append(s.Steps[0].Inputs, valuechain.Input{What: "w", From: "here"})
			s.Steps[0].Outputs = append(s.Steps[0].Outputs, valuechain.Output{What: "w", To: "there"}, valuechain.Output{What: "y", To: "value", Back: true})
		}, []string{`steps[0].inputs[1].from is no step, no party and no activity: "here"`, `steps[0].outputs[1].to is no step, no party and no activity: "there"`,
			"steps[0].outputs[2] is there twice", "steps[0].outputs[2].back leads to no step"}},
		"a step that nothing leads to": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Outputs[0] = valuechain.Output{What: "y", To: "value"}
			s.Steps[1].Inputs[0] = valuechain.Input{What: "z", From: "plan"}
		}, []string{`steps[1] "two" cannot be reached from the demand`}},
		"a step that leads to nothing": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Outputs = append(s.Steps[0].Outputs, valuechain.Output{What: "y", To: "value"})
			s.Steps[1].Outputs = []valuechain.Output{{What: "news", To: "users"}}
		}, []string{`steps[1] "two" leads neither to value nor to another stream`}},
		"a step that another stream goes on with": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Outputs = append(s.Steps[0].Outputs, valuechain.Output{What: "y", To: "value"})
			s.Steps[1].Outputs = []valuechain.Output{{What: "idea", To: "improve"}}
		}, nil},
		"a loop": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Inputs = append(s.Steps[0].Inputs, valuechain.Input{What: "again", From: "two"})
			s.Steps[1].Outputs = append(s.Steps[1].Outputs, valuechain.Output{What: "again", To: "one"})
		}, []string{`steps[0] "one" comes back to itself by outputs that do not go back`, `steps[1] "two" comes back to itself by outputs that do not go back`}},
		"a loop that says so": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Inputs = append(s.Steps[0].Inputs, valuechain.Input{What: "again", From: "two"}, valuechain.Input{What: "once more", From: "one"})
			s.Steps[0].Outputs = append(s.Steps[0].Outputs, valuechain.Output{What: "once more", To: "one", Back: true})
			s.Steps[1].Outputs = append(s.Steps[1].Outputs, valuechain.Output{What: "again", To: "one", Back: true})
		}, nil},
		"back to what comes after": {func(s *valuechain.Stream) {
			two(s)
			s.Steps[0].Outputs = append(s.Steps[0].Outputs, valuechain.Output{What: "w", To: "two", Back: true})
			s.Steps[1].Inputs = append(s.Steps[1].Inputs, valuechain.Input{What: "w", From: "one"})
		}, []string{`steps[0].outputs[1].back does not go back: one does not get here from "two"`}},
		"names": {func(s *valuechain.Stream) {
			two(s)
			s.Name, s.Version, s.Steps[1].Name, s.Steps[1].Effort = "a b", -1, "one", -1
			s.Steps[1].Activity = "operate"
			s.Joins = []valuechain.Join{{From: "p", Rel: "r", To: "q"}, {From: "p", Rel: "r", To: "q"}, {}}
		}, []string{
			`name must be a name of at most 64 letters, digits, _, . and -, is "a b"`, "version must not be negative",
			`steps[0].outputs[0].to is no step, no party and no activity: "two"`,
			`steps[1].name is there twice: "one"`, `steps[1].activity is none of edition 4: "operate"`, "steps[1].effort must not be negative",
			`steps[1].inputs[0] "z" is no output of "one" to this step`,
			"joins[1] is there twice", "joins[2].from must not be empty", "joins[2].rel must not be empty", "joins[2].to must not be empty",
			`steps[0] "one" leads neither to value nor to another stream`, `steps[1] "one" cannot be reached from the demand`,
		}},
		"a step named like a party": {func(s *valuechain.Stream) { s.Steps[0].Name = "users" }, []string{`steps[0].name must not be that of a party or an activity, is "users"`}},
		"a step named like an end":  {func(s *valuechain.Stream) { s.Steps[0].Name = "value" }, []string{`steps[0].name must not be that of a party or an activity, is "value"`}},
		"watches": {func(s *valuechain.Stream) {
			s.Steps[0].Watch = append(s.Steps[0].Watch, valuechain.Watch{}, valuechain.Watch{Practice: "p", To: "s", Does: "finish", Output: "w"},
				valuechain.Watch{Practice: "p", Action: "a", Does: "start", Output: "y"})
		}, []string{"steps[0].watch[2].practice must not be empty", `steps[0].watch[2].does must be one of [arrive start pause finish reject abandon], is ""`,
			"steps[0].watch[2] must name an action or a state", `steps[0].watch[3].output is none of the step's outputs: "w"`, "steps[0].watch[4].output is handed over by finish only"}},
		"texts": {func(s *valuechain.Stream) {
			s.Demand.What, s.Value.What = "", strings.Repeat("é", 301)
			p := &s.Steps[0]
			p.Title, p.Roles, p.Constraints, p.Metrics = strings.Repeat("x", 301), []string{""}, make([]string, 101), []string{"ok"}
			for i := range p.Constraints {
				p.Constraints[i] = "c"
			}
			p.Practices, p.Actions = []valuechain.PracticeUse{{}}, []valuechain.Work{{Tasks: []string{""}}}
			p.Exceptions = []valuechain.Exception{{To: "nowhere"}}
		}, []string{"demand.what must not be empty", "value.what must have at most 300 characters, has 301", "steps[0].title must have at most 300 characters, has 301",
			"steps[0].roles[0] must not be empty", "steps[0].constraints must be at most 100", "steps[0].practices[0].practice must not be empty",
			"steps[0].actions[0].what must not be empty", "steps[0].actions[0].tasks[0] must not be empty",
			"steps[0].exceptions[0].when must not be empty", `steps[0].exceptions[0].to is no step: "nowhere"`}},
		"empty": {func(s *valuechain.Stream) { s.Steps[0].Inputs, s.Steps[0].Outputs = nil, nil }, []string{"steps[0].inputs must not be empty", "steps[0].outputs must not be empty",
			"steps do not start with the demand: no step has an input from it", "steps do not end in value: no step has an output to it"}},
		"too many": {func(s *valuechain.Stream) { s.Steps = make([]valuechain.Step, 201) }, []string{"steps must be at most 200"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := line()
			tt.change(&s)
			err := s.Validate()
			require.Equal(t, tt.want, findings(err))
			if tt.want != nil {
				require.ErrorIs(t, err, itsm.ErrInvalid)
			}
			_, err = valuechain.NewRun(s, valuechain.Options{})
			require.Equal(t, tt.want, findings(err))
		})
	}
}

// A stream in an edition of the host's own, and in the newer one, which has no rule
// of contact.
func TestStreamsInOtherEditions(t *testing.T) {
	s := line()
	s.Edition, s.Steps[0].Activity = "5", valuechain.Build
	require.NoError(t, s.Validate())
	require.Empty(t, s.Warnings(valuechain.Version5()))
	own := valuechain.Edition{Name: "ours", Activities: []valuechain.ActivityRole{{Activity: "sell"}, {Activity: "make"}}, Contact: []valuechain.Activity{"sell"}}
	s.Edition, s.Steps[0].Activity = "ours", "make"
	require.Equal(t, []string{"steps[0].inputs[0].from crosses the border to users outside of [sell]", "steps[0].outputs[0].to crosses the border to users outside of [sell]"},
		findings(s.ValidateIn(own)))
	_, err := valuechain.NewRun(s, valuechain.Options{Edition: &own})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	data, err := s.JSON()
	require.NoError(t, err)
	_, err = valuechain.ParseStreamIn(own, data)
	require.Len(t, findings(err), 2)
	_, err = valuechain.ParseStreamIn(own, []byte(`{"nme":1}`))
	require.Equal(t, []string{"nme is not known"}, findings(err))
	s.Steps[0].Activity = "sell"
	_, err = valuechain.NewRun(s, valuechain.Options{Edition: &own})
	require.NoError(t, err)
	data, err = s.JSON()
	require.NoError(t, err)
	back, err := valuechain.ParseStreamIn(own, data)
	require.NoError(t, err)
	require.Equal(t, s, back)
	_, err = valuechain.ParseStream(data)
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// What the table does not have is told and not refused.
func TestWarnings(t *testing.T) {
	s := line()
	s.Demand.Who, s.Value.Who = "governing_body", "improve"
	s.Steps[0].Outputs[0].To = "two"
	s.Steps = append(s.Steps, valuechain.Step{
		Name: "two", Activity: valuechain.DeliverSupport,
		Inputs:  []valuechain.Input{{What: "y", From: "one"}, {What: "w", From: "improve"}},
		Outputs: []valuechain.Output{{What: "v", To: "value"}, {What: "u", To: "plan"}},
	})
	require.NoError(t, s.Validate())
	var have []string
	for _, w := range s.Warnings(valuechain.ITIL4()) {
		have = append(have, w.String())
	}
	require.Equal(t, []string{
		"steps[0].inputs[0] passes something from governing_body to engage, which the table of edition 4 has not",
		"steps[1].outputs[1] passes something from deliver_support to plan, which the table of edition 4 has not",
	}, have)
}

// Everything that is wrong with the JSON is told at once; lengths of time are text.
func TestParseStream(t *testing.T) {
	data, err := json.Marshal(line())
	require.NoError(t, err)
	s, err := valuechain.ParseStream([]byte(strings.Replace(string(data), `"activity":"engage"`, `"activity":"engage","effort":"1h30m"`, 1)))
	require.NoError(t, err)
	require.Equal(t, 90*time.Minute, s.Steps[0].Effort)
	_, err = valuechain.ParseStream([]byte(`{"name":"x","nme":1,"steps":[{"name":"a","inputs":[{"what":1}]}]}`))
	require.ErrorIs(t, err, itsm.ErrInvalid)
	have := findings(err)
	for _, want := range []string{"nme is not known", "steps[0].inputs[0].what must be text", "demand.what must not be empty", `steps[0].activity is none of edition 4: ""`} {
		require.Contains(t, have, want)
	}
}

// Texts from outside do not become part of a drawing.
func TestMermaidEscapes(t *testing.T) {
	s := line()
	s.Steps[0].Title, s.Steps[0].Outputs[0].What = "a\"]\n|b<i>", `x"| y`
	s.Steps[0].Exceptions = []valuechain.Exception{{When: "never", To: "one"}, {When: "or not"}}
	s.Steps[0].Inputs = append(s.Steps[0].Inputs, valuechain.Input{What: "advice", From: "suppliers"})
	require.Equal(t, `flowchart LR
    demand(["users: x"])
    s1["1. a#34;] #124;b#60;i#62;<br/>engage"]:::a_engage
    value(["users: y"])
    demand -->|"x"| s1
    o1(["suppliers"])
    o1 -->|"advice"| s1
    s1 -->|"x#34;#124; y"| value
    s1 -. "never" .-> s1
`, s.Mermaid())
}

// The actions and states that the classic streams watch for are those of the practices'
// default lifecycles.
func TestTheClassicStreamsWatchForWhatHappens(t *testing.T) {
	lifecycles := map[string]*itsm.Lifecycle{"incident": incident.DefaultLifecycle(), "change": change.DefaultLifecycle(), "request": request.DefaultLifecycle(), "problem": problem.DefaultLifecycle()}
	watched := 0
	for _, s := range classics() {
		for _, step := range s.Steps {
			for _, w := range step.Watch {
				l := lifecycles[w.Practice]
				require.NotNil(t, l, w.Practice)
				watched++
				happens := w.Action == l.Create() && (w.To == "" || w.To == l.Initial())
				for state := range l.States() {
					for action, to := range l.Permitted(state) {
						happens = happens || (w.Action == "" || w.Action == action) && (w.To == "" || w.To == to && to != state)
					}
				}
				require.True(t, happens, "%s of %s: %+v", step.Name, s.Name, w)
			}
		}
	}
	require.Greater(t, watched, 20)
}
