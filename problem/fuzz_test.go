package problem_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/problem"
)

// FuzzDecode lets anything come in from outside. It is an action or refused; the action
// is done or refused; and whatever was done, the record is what its history leads to.
func FuzzDecode(f *testing.F) {
	o := newOffice(f, problem.Config{})
	w := whys()
	for i, a := range []action{identify, fixing, fixed, problem.Monitor{}, problem.Analyse{Analysis: problem.Analysis{FiveWhys: &w}}, problem.Close{Code: problem.FixApplied, Note: "n"}} {
		data, err := o.Encode(a)
		require.NoError(f, err)
		f.Add(data, uint8(i))
	}
	for i, a := range []errorAction{fallback, problem.Publish{}, problem.RecordUse{Number: 1, Worked: true, Incident: incident}} {
		data, err := o.errors.Encode(a)
		require.NoError(f, err)
		f.Add(data, uint8(i))
	}
	for _, s := range []string{``, `{`, `null`, `{"action":"resume"}`, `{"action":"absorb"}`, `{"action":"register","data":{"title":"t"}}`, `{"action":"document","data":{"title":"t"}}`,
		`{"action":"accept_risk","data":{"owner":"a","reason":"r","review":"9999-12-31T23:59:59Z"}}`, `{"action":"monitor","data":{"until":"0001-01-01T00:00:00Z"}}`,
		`{"action":"analyse","data":{"fault_tree":{"top":"a","events":[{"name":"a","probability":1e-400}]}}}`} {
		f.Add([]byte(s), uint8(3))
	}
	states := [][]action{nil, {problem.Investigate{}}, {problem.Investigate{}, identify}, {problem.Investigate{}, identify, fixing}, fixedActions(), {problem.Cancel{Reason: "r"}}, {problem.StartAssessment{}, problem.PutOnHold{Reason: "r"}}}
	refused := func(t *testing.T, err error) {
		require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed), "%v", err)
		if err != nil {
			require.NotEmpty(t, itsm.Findings(err))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, way uint8) {
		o := newOffice(t, problem.Config{})
		p := o.open(states[int(way)%len(states)]...)
		k := o.document(p, fallback)
		if a, err := o.Decode(data); err != nil {
			refused(t, err)
		} else {
			_, err := o.Do(as("ann"), p.ID, a)
			refused(t, err)
			_, err = o.Create(kim, a)
			refused(t, err)
		}
		if a, err := o.errors.Decode(data); err != nil {
			refused(t, err)
		} else {
			_, err := o.errors.Do(as("ann"), k.ID, a)
			refused(t, err)
			_, err = o.errors.Create(kim, a)
			refused(t, err)
		}
		o.Due(time.Hour)
		o.errors.Due(time.Hour)
		o.Replays(p.ID)
		o.errors.Replays(k.ID)
	})
}

// FuzzParse lets anything be a definition, and an event.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"name":"a","version":1,"rising":150,"falling":50,"bands":[{"priority":1,"from":"2h"}]}`, `{"repeats":3,"window":"24h"}`,
		`{"fault_tree":{"top":"t","gates":[{"name":"t","kind":"at_least","least":1,"inputs":["a","b"]}],"events":[{"name":"a","probability":0.5},{"name":"b","probability":1}]}}`,
		`{"five_whys":{"problem":"p","whys":[{"because":"b","whys":[{"because":"c"}]}]}}`, `{"timeline":{"entries":[{"at":"2026-03-02T08:00:00Z","kind":"change","text":"t"}]}}`,
		`{"comparison":{"deviation":"d","rows":[{"aspect":"what","is":"i"}],"candidates":[{"cause":"c","answers":[{"explains":true}]}]}}`,
		`{"pareto":{"title":"t","items":[{"name":"a","count":1,"impact":2}]},"ishikawa":{"effect":"e","bones":[{"category":"c","causes":[{"cause":"x"}]}]}}`,
		`{"service":"mail","category":"down","started":"2026-03-02T08:00:00Z","rel":"solved_by","to":{"kind":"known_error","id":"ke-1"},"spent":1,"milestone":"restored"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		check := func(err error) {
			require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid), "%v", err)
		}
		policy, err := problem.ParseRiskPolicy(data)
		check(err)
		if err == nil {
			require.NotZero(t, policy.Assess(problem.Estimate{Frequency: 3, Harm: time.Hour}).Priority)
		}
		r, err := problem.ParseRules(data)
		check(err)
		d, err := problem.NewDetector(r, nil)
		check(err)
		for _, action := range []string{"report", "classify", "link", "resolve", "mark", "log_time", "reopen", "unlink", "accept_major", "report"} {
			_, err := d.Event(itsm.Event{Practice: "incident", Action: action, Record: "a", At: morning, Data: data})
			check(err)
		}
		a, err := problem.ParseAnalysis(data)
		check(err)
		for _, technique := range a.Techniques() {
			_, _, _ = technique.Marks(), technique.Mermaid(), technique.String()
		}
		if err == nil && a.FaultTree != nil {
			p, err := a.FaultTree.Probability()
			require.True(t, err != nil || p >= 0 && p <= 1.0000001, "%v", p)
		}
	})
}
