package request_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestCatalogueJSON(t *testing.T) {
	data, err := json.Marshal(office(t))
	require.NoError(t, err)
	again, err := request.ParseCatalogue(data)
	require.NoError(t, err)
	twice, err := json.Marshal(again)
	require.NoError(t, err)
	require.JSONEq(t, string(data), string(twice))
	_, err = request.ParseCatalogue([]byte(`{"offerings":[{"naem":"x","version":"1"}],"offerings":[]}`))
	require.Equal(t, []string{"offerings[0].naem is not known", "offerings[0].version must be a whole number of at most 64 bits", "offerings is there twice"}, practicetest.Said(err))

	o, ok := again.Offering("laptop", 0)
	require.True(t, ok)
	require.Equal(t, 2, o.Version)
	o.Options[0].Name = "changed"
	o, _ = again.Offering("laptop", 2)
	require.Equal(t, "dock", o.Options[0].Name, "it is a copy")
	_, ok = again.Offering("laptop", 3)
	require.False(t, ok, "a draft is not offered")
}

// Everything that is wrong with a catalogue is told at once.
func TestBadCatalogues(t *testing.T) {
	spec := request.CatalogueSpec{
		Zone:     "Atlantis/Centre",
		Policies: map[string]approval.Policy{"nobody": {}},
		Models: []request.Model{
			{Name: "m", RollUp: "x", Without: []string{"hold", "hold", "submit", "auto_fulfil"}, Approvals: []request.Approver{{Policy: "none", From: request.Price{{Value: "x"}}}},
				Eligible: sla.Conditions{{"": {"x"}, "y": {}}},
				Tasks: []request.TaskModel{
					{Key: "a", Title: "A", Needs: []string{"b"}}, {Key: "b", Title: "B", Needs: []string{"c", "c"}},
					{Key: "c", Title: "C", Needs: []string{"a", "lost"}, When: sla.Condition{"task.a": {"1"}, "task.b": {"1"}}},
					{Key: "d", Title: "", Needs: []string{"d"}, Within: -1, Automation: "x", Change: "y", Undo: &request.Undo{}},
					{Key: "a", Title: "again", Opens: "when"},
				}},
			{Name: "m"},
		},
		Offerings: []request.Offering{
			{Name: "o", Version: 0, Status: "new", Kind: "x", Model: "lost", MaxQuantity: -1,
				Price:   request.Price{{Value: "-1", Currency: "eur"}, {Value: "1.0000000001", Currency: "EUR", Per: "day"}, {Value: "1", Currency: "eur"}},
				Options: []request.Option{{Name: "x"}, {Name: "x"}}, Expiry: request.Expiry{Variable: "x", After: -1}},
			{Name: "o", Title: "O", Version: 0, Status: request.Published, Model: "m", Form: request.Form{Variables: []request.Variable{{Name: "v", Type: request.Text, Required: true}}}},
			{Name: "b", Title: "B", Version: 1, Status: request.Published, Form: request.Form{Variables: []request.Variable{{Name: "v", Type: request.Boolean}}},
				Bundle: []request.Component{{Offering: "o", Options: []string{"z"}, Values: itsm.Fields{"u": []byte("1")}}, {Offering: "o"}, {Offering: "b"}, {Offering: "none"}}},
			{Name: "p", Title: "P", Version: 1, Status: request.Published},
		},
	}
	_, err := request.NewCatalogue(spec)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Subset(t, practicetest.Said(err), []string{
		`zone is not known: "Atlantis/Centre"`,
		"policies.nobody.rule.of must not be empty: nobody approves nothing",
		`models[0].eligible[0] must not ask for a fact without a name`, `models[0].eligible[0].y must list a value: nothing is among none`,
		`models[0].approvals[0].policy is no policy of the catalogue: "none"`, `models[0].approvals[0].from[0].value must be a decimal number such as 12.50`,
		`models[0].approvals[0].from[0].currency must be three capital letters, such as EUR`,
		`models[0].roll_up is unknown: "x"`, `models[0].without[1] is there twice: "hold"`, `models[0].without[2] must not be submit: nothing could be ordered`,
		`models[0].without[3] must not be auto_fulfil, which happens by itself`,
		`models[0].tasks[3].title must not be empty`, `models[0].tasks[3].change must not be given beside automation`, `models[0].tasks[3].within must not be negative`, `models[0].tasks[3].undo.title must not be empty`,
		`models[0].tasks[4].key is there twice: "a"`, `models[0].tasks[1].needs[1] is there twice: "c"`, `models[0].tasks[2].needs[1] is no task of the model: "lost"`,
		`models[0].tasks[2].when asks for the result of "b", which it does not need`,
		`models[0].tasks must not need each other in a circle: d needs d`,
		`models[1].name is there twice: "m"`,
		`offerings[0].version must be 1 or more`, `offerings[0].status must be draft, published or retired, is "new"`, `offerings[0].title must not be empty`, `offerings[0].kind is unknown: "x"`,
		`offerings[0].price[0].value must not be negative`, `offerings[0].price[0].currency must be three capital letters, such as EUR`, `offerings[0].price[1].value must have at most 15 digits before and 9 behind the point`,
		`offerings[0].price[1].per must be month, year or empty, is "day"`, `offerings[0].price[2] has the currency and period of another amount`,
		`offerings[0].max_quantity must be from 0 to 10000`, `offerings[0].options[1].name is there twice: "x"`, `offerings[0].expiry.after must not be negative`,
		`offerings[0].expiry must have a variable or a time after which it ends, not both`, `offerings[0].expiry.variable must be a variable of type date or time: "x"`, `offerings[0].model is no model of the catalogue: "lost"`,
		`offerings[1].version is there twice: o@0`,
		`offerings[2].bundle[0].options[0] is no option of o: "z"`, `offerings[2].bundle[0].values.u is not a variable of the form`, `offerings[2].bundle[0] takes "v" from the bundle's form, where it is a boolean and not a text`,
		`offerings[2].bundle[1].offering is there twice: "o"`, `offerings[2].bundle[2].offering is a bundle itself: "b"`, `offerings[2].bundle[3].offering is not in the catalogue: "none"`,
		`offerings[3].model must be given for what is no bundle`,
	})
	require.True(t, slices.ContainsFunc(practicetest.Said(err), func(s string) bool {
		return strings.HasPrefix(s, "models[0].tasks must not need each other in a circle: ") && strings.Contains(s, " needs b")
	}), practicetest.Said(err))
}

// Each model leaves a lifecycle of its own, which is proved when the practice is made.
func TestEveryModelIsALifecycle(t *testing.T) {
	for _, m := range officeSpec().Models {
		l, err := m.Lifecycle(request.DefaultLifecycle())
		require.NoError(t, err, m.Name)
		for s := range l.States() {
			to, ok := l.Can(s, "cancel")
			require.True(t, l.IsEnd(s) || ok && l.IsEnd(to), "%s %s", m.Name, s)
		}
		require.Equal(t, m.Name != "talk", l.Has(request.OnHold) && l.Has(request.AwaitingApproval), m.Name)
	}
	for _, c := range []struct {
		without []string
		says    string
	}{
		{[]string{"teleport"}, `without[0] is no action of the lifecycle: "teleport"`},
		{[]string{"cancel"}, "without[0] must not be cancel: everything that is open can be cancelled"},
		{[]string{"assign", "start", "fulfil", "reject", "seek_approval", "hold"}, ""},
	} {
		_, err := request.Model{Name: "m", Without: c.without}.Lifecycle(request.DefaultLifecycle())
		if c.says == "" {
			require.NoError(t, err, "it can still be cancelled")
			continue
		}
		require.Equal(t, []string{c.says}, practicetest.Said(err))
		catalogue, err := request.NewCatalogue(request.CatalogueSpec{Models: []request.Model{{Name: "m", Without: c.without}}})
		require.NoError(t, err)
		_, err = request.NewPractice(memory.New[request.Request](), request.Config{Catalogue: catalogue})
		require.Equal(t, []string{"catalogue.models[0] (m) " + c.says}, practicetest.Said(err))
	}
}

// The whole table of the roll-up, by its definition in words.
func TestRollUp(t *testing.T) {
	parts := []request.Outcome{request.Open, request.Complete, request.WithIssues, request.Failed, request.Withdrawn, request.Skipped}
	require.Equal(t, request.Outcomes(), parts)
	n := 0
	for _, policy := range request.RollUpPolicies() {
		for k := range 6 * 6 * 6 * 6 {
			of := []request.Outcome{parts[k%6], parts[k/6%6], parts[k/36%6], parts[k/216]}[:k%5]
			var counted []request.Outcome
			for _, p := range of {
				if p != request.Skipped {
					counted = append(counted, p)
				}
			}
			is := func(o request.Outcome) int {
				return len(slices.DeleteFunc(slices.Clone(counted), func(p request.Outcome) bool { return p != o }))
			}
			want := request.Failed
			switch {
			case is(request.Open) > 0:
				want = request.Open
			case is(request.Complete) == len(counted):
				want = request.Complete
			case is(request.Withdrawn) == len(counted):
				want = request.Withdrawn
			case policy == request.Taint && is(request.Complete)+is(request.WithIssues) > 0:
				want = request.WithIssues
			case policy == request.Majority && is(request.Complete) > len(counted)-is(request.Complete):
				want = request.Complete
			}
			require.Equal(t, want, request.RollUp(policy, of...), "%s %v", policy, of)
			n++
		}
	}
	// The default, as people say it.
	require.Equal(t, request.Complete, request.RollUp("", request.Complete, request.Complete))
	require.Equal(t, request.WithIssues, request.RollUp("", request.Complete, request.Withdrawn))
	require.Equal(t, request.WithIssues, request.RollUp("", request.Complete, request.Failed))
	require.Equal(t, request.Withdrawn, request.RollUp("", request.Withdrawn, request.Withdrawn))
	t.Logf("%d combinations", n)
}

func TestPrices(t *testing.T) {
	p := request.Price{{Value: "0.10", Currency: "EUR"}, {Value: "9.995", Currency: "EUR", Per: request.Monthly}, {Value: "7", Currency: "KRW"}}
	require.Equal(t, "0.30 EUR + 29.985 EUR a month + 21 KRW", request.Total(p.Times(3)).String())
	require.Equal(t, "0.40 EUR + 39.980 EUR a month + 28 KRW", request.Total(p, p.Times(2), p).String())
	require.Equal(t, "free", request.Total(nil, request.Price{}).String())
	require.Nil(t, request.Price(nil).Times(2))
	require.Len(t, request.Statuses(), 3)
	require.Len(t, request.Kinds(), 4)
	for _, s := range request.TaskStates() {
		require.Contains(t, request.Outcomes(), s.Outcome())
	}
}

// A day begins with its first moment, also where there is no midnight, or two, and
// access that lasts until a day ends with that day.
func TestDaysBeginAndEnd(t *testing.T) {
	for _, c := range []struct{ zone, until string }{
		{"Europe/Berlin", "2026-03-28"}, {"Europe/Berlin", "2026-10-25"}, {"America/Santiago", "2026-09-05"}, {"America/Santiago", "2026-04-04"},
		{"America/Havana", "2026-03-07"}, {"America/Havana", "2026-10-31"}, {"Atlantic/Azores", "2026-03-28"}, {"Asia/Seoul", "2026-12-31"}, {"UTC", "2028-02-28"},
	} {
		spec := officeSpec()
		spec.Zone = c.zone
		catalogue, err := request.NewCatalogue(spec)
		require.NoError(t, err)
		d := newDesk(t, request.Config{Catalogue: catalogue})
		until := d.order(folder("read", c.until)).Items[0].Until
		zone, err := time.LoadLocation(c.zone)
		require.NoError(t, err)
		require.Greater(t, sla.DateOf(until.In(zone)).String(), c.until, "%v", c)
		// No second before is a later day, however the clocks go.
		for back := time.Second; back < 50*time.Hour; back += 61 * time.Second {
			require.LessOrEqual(t, sla.DateOf(until.Add(-back).In(zone)).String(), c.until, "%v", c)
		}
	}
}

// A bundle's prices add up, and the words of a price say so.
func ExamplePrice() {
	laptop := request.Price{{Value: "1200.00", Currency: "EUR"}, {Value: "9.90", Currency: "EUR", Per: request.Monthly}}
	phone := request.Price{{Value: "399", Currency: "EUR"}, {Value: "20", Currency: "EUR", Per: request.Monthly}}
	fmt.Println(request.Total(laptop.Times(2), phone))
	// Output: 2799.00 EUR + 39.80 EUR a month
}
