package sla_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

const goldJSON = `{
  "name": "gold", "version": 3, "kind": "sla", "service": "mail", "customer": "sales",
  "outcome": "people reach each other", "from": "2026-01-01T00:00:00Z", "until": "2027-01-01T01:00:00+01:00",
  "applies": [{"service": ["mail"]}, {"ci": ["mx-1", "mx-2"]}],
  "metrics": [{
    "name": "resolution", "calendar": "day", "start": [{"group": ["*"]}], "from": "condition",
    "pause": [{"state": ["on_hold"], "hold": ["caller"]}], "stop": [{"state": ["resolved", "closed"]}],
    "cancel": [{"state": ["cancelled"]}], "reset": [{"reply": ["staff"]}], "reopen": "count", "base": "now",
    "goals": [{"when": {"priority": ["1"]}, "within": "4h", "calendar": "around"}, {"when": {"vip": ["*"]}, "by": "promised"}, {"within": 144000000000000}],
    "thresholds": [{"percent": 75, "do": [{"do": "hierarchical", "to": "head"}]}, {"name": "late", "after": "1h", "every": "30m", "times": 4}]
  }]
}`

func TestParseAgreement(t *testing.T) {
	a, err := sla.ParseAgreement([]byte(goldJSON))
	require.NoError(t, err)
	require.Equal(t, "gold@3", a.Ref())
	require.Equal(t, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), a.Until)
	m := a.Metrics[0]
	require.Equal(t, 4*time.Hour, m.Goals[0].Within)
	require.Equal(t, 40*time.Hour, m.Goals[2].Within)
	require.Equal(t, sla.Threshold{Name: "late", After: time.Hour, Every: 30 * time.Minute, Times: 4}, m.Thresholds[1])
	data, err := json.Marshal(a)
	require.NoError(t, err)
	again, err := sla.ParseAgreement(data)
	require.NoError(t, err)
	require.Equal(t, a, again)
}

// Whatever is wrong with an agreement is said at once.
func TestAgreementFindings(t *testing.T) {
	for name, tt := range map[string]struct {
		json string
		want []string
	}{
		"not JSON":      {`{`, []string{"must be JSON: unexpected end of JSON input"}},
		"not an object": {`[]`, []string{"must be an object"}},
		"null":          {`null`, []string{"must be an object"}},
		"empty":         {`{}`, []string{"kind must be sla, ola or uc, is \"\"", "metrics must not be empty", "name must not be empty"}},
		"types": {`{"name":1,"version":"x","kind":"sla","from":"now","metrics":[{"name":"m","calendar":"c","goals":[{"within":"soon","when":{"a":1}}],"thresholds":[{"percent":1.5,"after":true}]}]}`,
			[]string{
				"name must be text", "version must be a whole number of at most 64 bits", "from must be a time in RFC 3339, such as 2026-03-29T02:30:00Z",
				"metrics[0].goals[0].within must be a duration, such as \"1h30m\", or nanoseconds", "metrics[0].goals[0].when.a must be a list",
				"metrics[0].thresholds[0].percent must be a whole number of at most 64 bits", "metrics[0].thresholds[0].after must be a duration, such as \"1h30m\", or nanoseconds",
			}},
		"unknown and twice": {`{"name":"a","name":"b","color":"red","kind":"sla","metrics":[{"name":"m","calendar":"c","goals":[{}],"x":1}]}`,
			[]string{"name is there twice", "color is not known", "metrics[0].x is not known"}},
		"everything": {`{"name":"a@b","version":-1,"kind":"sla","supports":"x","from":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z",
			"applies":[{"":["x"],"y":[]}],
			"metrics":[{"name":"m","goals":[{"within":"-1h"},{"within":"1h","by":"x"}],"from":"x","reopen":"x","base":"x",
				"thresholds":[{"percent":-1,"after":"1h"},{"percent":50,"after":"1h"},{"percent":50},{"every":"1h"},{"name":"breach"},{"times":101,"every":"-1h"},{"name":"a#1","do":[{"do":"shout"}]}]},
				{"name":"m","calendar":"c","goals":[]}]}`,
			[]string{
				"name must not contain @ or /", "version must not be negative", "supports must be empty: an SLA supports none", "until must be after from",
				"applies[0] must not ask for a fact without a name", "applies[0].y must list a value: nothing is among none",
				"metrics[0].from must be condition or empty, is \"x\"", "metrics[0].reopen must be count, restart, never or empty, is \"x\"", "metrics[0].base must be now or empty, is \"x\"",
				"metrics[0].goals[0].within must not be negative", "metrics[0].goals[0].calendar must be given here or for the metric",
				"metrics[0].goals[1].by and within must not be given together", "metrics[0].goals[1].calendar must be given here or for the metric",
				"metrics[0].thresholds[0].percent must not be negative",
				"metrics[0].thresholds[0].after and percent must not be given together",
				"metrics[0].thresholds[1].after and percent must not be given together",
				"metrics[0].thresholds[2].name is there twice: \"50%\"",
				"metrics[0].thresholds[3].times must be 2 or more with every, and 0 or 1 without",
				"metrics[0].thresholds[4].name is there twice: \"breach\"",
				"metrics[0].thresholds[5].name is there twice: \"+0m\"",
				"metrics[0].thresholds[5].every must not be negative", "metrics[0].thresholds[5].times must be 2 or more with every, and 0 or 1 without", "metrics[0].thresholds[5].times must be at most 100",
				"metrics[0].thresholds[6].name must not contain #, which numbers repetitions",
				"metrics[0].thresholds[6].do[0].do must be notify, functional or hierarchical, is \"shout\"", "metrics[0].thresholds[6].do[0].to must not be empty",
				"metrics[1].name is there twice: \"m\"", "metrics[1].goals must not be empty",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sla.ParseAgreement([]byte(tt.json))
			require.ErrorIs(t, err, sla.ErrInvalid)
			var got []string
			for _, f := range sla.Findings(err) {
				got = append(got, f.Error())
			}
			require.ElementsMatch(t, tt.want, got)
		})
	}
}

func TestConditions(t *testing.T) {
	f := sla.FactMap{"state": "on_hold", "hold": "vendor"}
	for _, tt := range []struct {
		c    sla.Condition
		want bool
	}{
		{nil, true},
		{sla.Condition{"state": {"on_hold"}}, true},
		{sla.Condition{"state": {"new", "on_hold"}, "hold": {"vendor"}}, true},
		{sla.Condition{"state": {"on_hold"}, "hold": {"caller"}}, false},
		{sla.Condition{"hold": {"*"}}, true},
		{sla.Condition{"group": {"*"}}, false},
		{sla.Condition{"group": {""}}, true},
		{sla.Condition{"hold": {"!caller"}}, true},
		{sla.Condition{"hold": {"!caller", "!vendor"}}, false},
		{sla.Condition{"group": {"!messaging"}}, true},
		{sla.Condition{"hold": {"!caller", "vendor"}}, true},
		{sla.Condition{"hold": {"!caller", "parts"}}, false},
		{sla.Condition{"hold": {}}, false},
	} {
		require.Equal(t, tt.want, tt.c.Holds(f), "%v", tt.c)
	}
	require.Equal(t, "hold vendor or parts and state on_hold", sla.Condition{"state": {"on_hold"}, "hold": {"vendor", "parts"}}.String())
}

func FuzzAgreement(f *testing.F) {
	f.Add([]byte(goldJSON))
	f.Add([]byte(`{"name":"a","kind":"uc","metrics":[{"name":"m","calendar":"c","goals":[{}]}]}`))
	f.Add([]byte(`{"metrics":[{"goals":[{"when":{"a":["\u0000"]}}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := sla.ParseAgreement(data)
		if err != nil {
			require.ErrorIs(t, err, sla.ErrInvalid)
			require.NotEmpty(t, sla.Findings(err))
			return
		}
		out, err := json.Marshal(a)
		require.NoError(t, err)
		again, err := sla.ParseAgreement(out)
		require.NoError(t, err)
		require.Equal(t, a.Ref(), again.Ref())
		twice, err := json.Marshal(again)
		require.NoError(t, err)
		require.JSONEq(t, string(out), string(twice))
	})
}

func said(all []*sla.Finding) string {
	var lines []string
	for _, f := range all {
		lines = append(lines, f.Error())
	}
	return strings.Join(lines, "\n")
}

func TestLint(t *testing.T) {
	rare := sla.Calendar{Name: "rare", Zone: "UTC", Rules: sla.Rules{Exceptions: map[sla.Date][]sla.Window{{Year: 2026, Month: 5, Day: 1}: {{Open: 9 * time.Hour, Close: 10 * time.Hour}}}}}
	m := resolution(
		sla.GoalRule{When: sla.Condition{"priority": {"1"}}, Within: 2 * time.Hour, Calendar: "rare"},
		sla.GoalRule{Within: 3000 * time.Hour},
		sla.GoalRule{When: sla.Condition{"priority": {"4"}}, Within: time.Hour},
	)
	m.Thresholds = []sla.Threshold{{Percent: 50}, {Percent: 50, Name: "half"}, {After: -2 * time.Hour}, {Name: "now"}}
	ola := gold(resolution(sla.GoalRule{Within: time.Hour}))
	ola.Name, ola.Kind, ola.Supports = "team", sla.OperationalLevel, "silver"
	vague := gold(m)
	vague.Name, vague.Service, vague.Outcome = "vague", "", ""
	b, err := sla.NewBook(append([]*sla.Hours{compile(t, rare)}, calendars()...), []sla.Agreement{vague, ola, gold(resolution(sla.GoalRule{Within: time.Hour}))})
	require.NoError(t, err)
	require.Equal(t, strings.Join([]string{
		`team@1.supports is not in the book: "silver"`,
		`vague@1.service is not given: an SLA is about a defined service`,
		`vague@1.outcome is not given: what do its users get?`,
		`vague@1.resolution.goals[0] is longer than rare@0 ever opens: 2h0m0s`,
		`vague@1.resolution.goals[1] takes until 2027-06-09 in day@0: more than a year`,
		`vague@1.resolution.goals[2] never applies: goals[1] always does`,
		`vague@1.resolution.thresholds[1] comes together with thresholds[0]`,
		`vague@1.resolution.thresholds[2] is passed as soon as a clock of 2h0m0s starts`,
		`vague@1.resolution.thresholds[2] is passed as soon as a clock of 1h0m0s starts`,
		`vague@1.resolution.thresholds[3] is passed at the deadline, like 100 %: give percent or after`,
	}, "\n"), said(b.Lint(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))))
}

// What underpins an SLA has to fit into it, whenever something is reported.
func TestAlignment(t *testing.T) {
	from, to := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)
	p1, rest := sla.Condition{"priority": {"1"}}, sla.Condition{"priority": {"2", "3"}}
	contract := func(kind sla.Kind, name string, goals ...sla.GoalRule) sla.Agreement {
		a := gold(resolution(goals...))
		a.Kind, a.Name, a.Supports = kind, name, "gold"
		return a
	}
	promised := gold(resolution(sla.GoalRule{When: p1, Within: 8 * time.Hour, Calendar: "around"}, sla.GoalRule{When: rest, Within: 16 * time.Hour}),
		sla.Metric{Name: "response", Calendar: "day", Goals: []sla.GoalRule{{Within: time.Hour}}})

	b := book(t, promised, contract(sla.OperationalLevel, "team", sla.GoalRule{When: p1, Within: 2 * time.Hour, Calendar: "around"}, sla.GoalRule{Within: 8 * time.Hour}),
		contract(sla.UnderpinningContract, "vendor", sla.GoalRule{When: p1, Within: 6 * time.Hour, Calendar: "around"}, sla.GoalRule{Within: 8 * time.Hour}))
	require.Empty(t, b.Alignment(from, to), "together they take just as long as is promised")

	b = book(t, promised, contract(sla.OperationalLevel, "team", sla.GoalRule{When: p1, Within: 2 * time.Hour}, sla.GoalRule{When: rest, Within: 16*time.Hour + 1}),
		contract(sla.OperationalLevel, "other", sla.GoalRule{When: p1, Within: 0}))
	misfits := b.Alignment(from, to)
	require.Len(t, misfits, 3)
	// Two hours of the team's day are more than eight hours around the clock when
	// it is Friday evening: Berlin closes at 16:00 UTC and opens on Monday at 8:00.
	worst := misfits[0]
	require.Equal(t, sla.FactMap{"priority": "1"}, worst.Facts)
	require.Equal(t, "other@1, then team@1 take longer than is promised", worst.Reason)
	require.Equal(t, time.Friday, worst.Start.Weekday())
	require.Equal(t, worst.Start.Add(8*time.Hour), worst.Deadline)
	require.Equal(t, time.Monday, worst.Chain.Weekday())
	require.Equal(t, "other@1 has no goal for it", misfits[1].Reason)
	require.Equal(t, sla.FactMap{"priority": "2"}, misfits[1].Facts)

	// Twice the newest version counts, and what is not measured by others is
	// nobody's misfit.
	old := contract(sla.OperationalLevel, "team", sla.GoalRule{Within: 100 * time.Hour})
	old.Version = 0
	b = book(t, promised, old, contract(sla.OperationalLevel, "team", sla.GoalRule{Within: 0}))
	require.Empty(t, b.Alignment(from, to))
}

// What is no text has one spelling as a fact, which conditions and promised dates read.
func TestFactSpelling(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 500_000_000, time.FixedZone("", 3600))
	facts := sla.FactMap{"yes": sla.Yes(true), "no": sla.Yes(false), "one": sla.Number(1), "none": sla.Number(0), "at": sla.Instant(at), "never": sla.Instant(time.Time{})}
	require.True(t, sla.Condition{"yes": {"yes"}, "no": {""}, "one": {"1"}, "none": {""}, "never": {""}, "at": {"*"}}.Holds(facts))
	read, err := time.Parse(time.RFC3339, facts["at"])
	require.NoError(t, err)
	require.True(t, at.Equal(read))
}
