package svs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
)

// A week in which the servers ran and the mail did not: a certificate had run out,
// three times, and each time somebody put in another one.
func TestViews(t *testing.T) {
	now := monday
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{Config: itsm.Config{Now: func() time.Time { return now }}})
	require.NoError(t, err)
	at := func(day, hour int) time.Time { return time.Date(2026, 3, 2+day, hour, 0, 0, 0, time.UTC) }
	outage := func(from, to time.Time, who string, code incident.ResolutionCode, score int, more ...itsm.Action[incident.Incident]) {
		t.Helper()
		now = from
		inc, err := desk.Open(jin, incident.Report{Title: "No mail", Service: "mail", Category: "certificate", Started: from})
		require.NoError(t, err)
		for _, a := range more {
			_, err = desk.Do(jin, inc.ID, a)
			require.NoError(t, err)
		}
		now = to
		if code == "" {
			return
		}
		ctx := itsm.As(t.Context(), who)
		_, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: code, Note: "a new certificate"})
		require.NoError(t, err)
		if score > 0 {
			_, err = desk.Do(jin, inc.ID, incident.Rate{Score: score})
			require.NoError(t, err)
		}
	}
	outage(at(0, 9), at(0, 11), "mia", incident.Fixed, 2)
	outage(at(1, 9), at(1, 13), "mia", incident.Workaround, 4)
	outage(at(2, 9), at(2, 10), "ben", incident.Fixed, 0,
		incident.Link{Link: itsm.Link{Rel: incident.SymptomOf, To: itsm.Ref{Kind: "problem", ID: "prb-1"}}})
	outage(at(3, 9), at(3, 9), "jin", "", 0, incident.Cancel{Reason: "it was a test"})
	var all []incident.Incident
	for inc, err := range desk.All(jin, itsm.Query{}) {
		require.NoError(t, err)
		all = append(all, inc)
	}
	require.Len(t, all, 4)

	calendar, err := sla.ParseCalendar([]byte(`{"name": "office", "tz": "UTC", "weekly": {"mon": [["09:00", "17:00"]],
		"tue": [["09:00", "17:00"]], "wed": [["09:00", "17:00"]], "thu": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]]}}`))
	require.NoError(t, err)
	office, err := calendar.Compile()
	require.NoError(t, err)
	facts := svs.Facts{
		Period: sla.Period{From: at(0, 0), To: at(7, 0)}, // a week: 168 hours, 40 of them agreed
		Elements: []svs.Element{
			{Name: "mx-1"},
			{Name: "mx-2", Down: []sla.Period{{From: at(-1, 20), To: at(0, 2)}, {From: at(5, 0), To: at(5, 1)}}}, // 3 hours in the week
		},
		Services: []svs.AgreedService{
			{Name: "mail", Hours: office, Percent: "99"},
			{Name: "files", Percent: "99.9"},
		},
		Incidents: all,
		Tariff: sla.Tariff{Model: sla.FixedPrice, Places: 2,
			Elements: map[string]sla.Decimal{"server": "40.00"},
			Levels:   map[string]sla.LevelPrice{"gold": {PerUser: "1.50"}}},
		Consumed: []sla.Consumption{{Service: "mail", Elements: map[string]sla.Decimal{"server": "2"}, Level: "gold", Users: 100}},
	}
	views, err := facts.Views()
	require.NoError(t, err)
	hour := int64(time.Hour)
	require.Equal(t, sla.Fraction{Part: 333 * hour, Of: 336 * hour}, views.Up)
	require.Equal(t, sla.Fraction{Part: (40 - 7 + 168) * hour, Of: (40 + 168) * hour}, views.Delivered)
	require.Equal(t, sla.Fraction{Part: 1, Of: 2}, views.AsAgreed)
	require.Equal(t, sla.Fraction{Part: 2, Of: 3}, views.ByTheBusiest)
	require.Equal(t, sla.Fraction{Part: 1, Of: 3}, views.WithKnowledge)
	require.Equal(t, sla.Mean{Value: 2*time.Hour + 20*time.Minute, Of: 3}, views.Restore)
	require.Equal(t, sla.Fraction{Part: 2, Of: 3}, views.Repeated)
	require.Equal(t, sla.Fraction{Part: 1, Of: 2}, views.Understood)
	require.Equal(t, sla.Fraction{Part: 1, Of: 2}, views.Satisfied)
	require.Equal(t, strings.TrimPrefix(`
                       IT operations                    service management
what is looked at      elements ran 99.1 % of the time  services were there 96.6 % of the time agreed, 1 of 2 as agreed
how it is restored     2 of 3 restored by one person    1 of 3 restored with what was known
what is done about it  restored in 2h20m (of 3)         2 of 3 had been there before, 1 of 2 of these understood
what is charged        by element: 80.00                by level: 150.00
how it is judged       elements ran 99.1 % of the time  1 of 2 callers satisfied
`, "\n"), views.Text())
}

// Where there is nothing to see, nothing is shown.
func TestNoViews(t *testing.T) {
	views, err := svs.Facts{Period: sla.Period{From: monday, To: monday.Add(time.Hour)}}.Views()
	require.NoError(t, err)
	require.Empty(t, views.Rows)
	require.Equal(t, "nothing was restored", views.Restore.Undefined)
}

func TestFactsFindings(t *testing.T) {
	_, err := svs.Facts{
		Period:   sla.Period{From: monday, To: monday},
		Elements: []svs.Element{{}, {Name: "x"}, {Name: "x", Down: []sla.Period{{From: monday, To: monday.Add(2)}, {From: monday.Add(1), To: monday.Add(3)}, {From: monday.Add(9), To: monday}}}},
		Services: []svs.AgreedService{{Users: -1, Percent: "many"}, {Name: "y", Percent: "100.1"}, {Name: "y", Percent: "1"}},
		Tariff:   sla.Tariff{Model: "gift"}, Consumed: []sla.Consumption{{Service: "y", Level: "gold", Users: 1}},
	}.Views()
	require.ErrorIs(t, err, itsm.ErrInvalid)
	var fields []string
	for _, f := range itsm.Findings(err) {
		var field *itsm.FieldError
		require.ErrorAs(t, f, &field)
		fields = append(fields, field.Field)
	}
	require.Equal(t, []string{"period", "elements[0].name", "elements[2].name", "elements[2].down[1]", "elements[2].down[2]",
		"services[0].name", "services[0].users", "services[0].percent", "services[1].percent", "services[2].name", "tariff.model", "consumed[0].level"}, fields)
}
