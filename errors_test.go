package itsm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

func sentinels() []error {
	return []error{
		itsm.ErrNotFound, itsm.ErrExists, itsm.ErrConflict, itsm.ErrUnknown, itsm.ErrDenied, itsm.ErrNoActor,
		itsm.ErrInvalid, itsm.ErrNotAllowed, itsm.ErrUnsupported, itsm.ErrSingleRevision,
	}
}

func TestSentinelsAreDistinct(t *testing.T) {
	for i, a := range sentinels() {
		require.True(t, strings.HasPrefix(a.Error(), "itsm: "), a.Error())
		for j, b := range sentinels() {
			require.Equal(t, i == j, errors.Is(a, b), "%v is %v", a, b)
		}
	}
}

func TestDetailsAreTheirSentinels(t *testing.T) {
	for _, tt := range []struct {
		err  error
		is   error
		says string
	}{
		{&itsm.FieldError{Field: "title", Reason: "must not be empty"}, itsm.ErrInvalid, "title must not be empty"},
		{&itsm.FieldError{Reason: "must be JSON"}, itsm.ErrInvalid, "must be JSON"},
		{&itsm.RuleError{Reason: "two children are open"}, itsm.ErrNotAllowed, "two children are open"},
		{itsm.Refuse("%d children are open", 2), itsm.ErrNotAllowed, "2 children are open"},
		{&itsm.TransitionError{Action: "close", State: "new", Instead: []string{"assign", "cancel"}}, itsm.ErrNotAllowed,
			`action "close" is not permitted in state "new", from which lead on: assign, cancel`},
		{&itsm.TransitionError{Action: "close", State: "closed"}, itsm.ErrNotAllowed,
			`action "close" is not permitted in state "closed", from which nothing leads on`},
		{&itsm.TransitionError{Action: "close", Instead: []string{"report"}}, itsm.ErrNotAllowed,
			`action "close" does not create a record; that does report`},
	} {
		require.EqualError(t, tt.err, tt.says)
		for _, s := range sentinels() {
			require.Equal(t, s == tt.is, errors.Is(tt.err, s), "%v is %v", tt.err, s)
			require.Equal(t, s == tt.is, errors.Is(fmt.Errorf("x: %w", tt.err), s))
		}
	}
}

func TestValidation(t *testing.T) {
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var v itsm.Validation
	require.NoError(t, v.Err())
	v.Check(true, "a", "is fine")
	v.Rule(true, "fine")
	v.Text("b", "", 0, 3)
	v.Text("b", "äöü", 3, 3)
	v.NotAfter("c", noon, noon, "noon")
	v.NotAfter("c", time.Time{}, noon, "noon")
	v.Add(nil)
	require.NoError(t, v.Err(), "nothing found")

	v.Check(false, "a", "must be even")
	one := v.Err()
	require.Equal(t, &itsm.FieldError{Field: "a", Reason: "must be even"}, one, "a single finding is itself")
	require.NotErrorIs(t, one, itsm.ErrNotAllowed)

	v.Text("b", "", 1, 3)
	v.Text("b", "ä", 2, 3)
	v.Text("b", "äöüß", 0, 3)
	v.NotAfter("c", noon.Add(1), noon, "noon")
	v.Rule(false, "it is closed")
	v.Add(fmt.Errorf("deep: %w", errors.Join(itsm.Refuse("x"), &itsm.FieldError{Field: "d", Reason: "y"})))
	err := v.Err()
	require.Equal(t, []string{
		"a must be even", "b must not be empty", "b must have at least 2 characters, has 1",
		"b must have at most 3 characters, has 4", "c must not be after noon", "it is closed", "x", "d y",
	}, messages(err))
	require.EqualError(t, err, strings.Join(messages(err), "; "))
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	var field *itsm.FieldError
	require.ErrorAs(t, err, &field)
	require.Equal(t, "a", field.Field)
}

func TestFindings(t *testing.T) {
	field := &itsm.FieldError{Field: "a", Reason: "b"}
	rule := &itsm.RuleError{Reason: "c"}
	step := &itsm.TransitionError{Action: "d"}
	other := errors.New("other")
	wrapped := fmt.Errorf("why: %w", other)
	for _, tt := range []struct {
		name string
		err  error
		want []error
	}{
		{"nil", nil, nil},
		{"one", field, []error{field}},
		{"wrapped", fmt.Errorf("x: %w", fmt.Errorf("y: %w", rule)), []error{rule}},
		{"joined", errors.Join(field, errors.Join(rule, step)), []error{field, rule, step}},
		{"wrapped, joined, wrapped", fmt.Errorf("x: %w", errors.Join(fmt.Errorf("y: %w", field), rule)), []error{field, rule}},
		{"something else", other, []error{other}},
		{"something else keeps what wraps it", wrapped, []error{wrapped}},
		{"something else beside a finding", errors.Join(wrapped, field), []error{wrapped, field}},
		{"several wrapped at once", fmt.Errorf("%w: %w", itsm.ErrDenied, rule), []error{itsm.ErrDenied, rule}},
		{"no finding among several", errors.Join(other, itsm.ErrDenied), []error{errors.Join(other, itsm.ErrDenied)}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, itsm.Findings(tt.err)) })
	}
}

// What packages sla and approval find is found like what the kernel finds.
func TestFindingsOfOtherPackages(t *testing.T) {
	_, calendar := sla.ParseCalendar([]byte(`{"tz":7,"weekly":{"mon":[["09:00","25:00"]],"mno":[]}}`))
	_, policy := approval.ParsePolicy([]byte(`{"x":1,"rule":{"of":[]}}`))
	refused := approval.Admit(approval.Electorate{Policy: approval.Policy{Rule: approval.Rule{Need: approval.Any, Of: approval.Persons("ann")}}, Opened: time.Unix(0, 0)},
		nil, approval.Ballot{By: "bob", Vote: approval.Approve, At: time.Unix(0, 0)})
	require.ErrorIs(t, refused, approval.ErrRefused)
	require.Equal(t, []error{
		&itsm.FieldError{Field: "tz", Reason: "must be text"},
		&itsm.FieldError{Field: "weekly.mon[0][1]", Reason: `must be a time of day in whole seconds from "00:00" to "24:00"`},
		&itsm.FieldError{Field: "weekly.mno", Reason: "is not known"},
		&itsm.FieldError{Field: "x", Reason: "is not known"},
		&itsm.FieldError{Field: "rule.of", Reason: "must not be empty: nobody approves nothing"},
		&itsm.RuleError{Reason: refused.Error()},
	}, itsm.Findings(errors.Join(calendar, fmt.Errorf("policy: %w", policy), refused)))
}

// What a type that reads itself finds is told where it stands.
func TestParseJSONTellsWhatOthersFind(t *testing.T) {
	type shop struct {
		Open map[string]sla.Week `json:"open"`
	}
	_, err := itsm.ParseJSON[shop]([]byte(`{"open":{"a":{"mon":[["09:00","17:00"],null]},"b":{"tue":["x"]}}}`))
	require.Equal(t, []error{
		&itsm.FieldError{Field: "open.a.mon[1]", Reason: "must not be null"},
		&itsm.FieldError{Field: "open.b.tue[0]", Reason: `must be a window, such as ["09:00","17:00"]`},
	}, itsm.Findings(err))
}

// A money reads itself and says by the kernel's own words what is wrong with it.
type money struct{ cents int }

func (m *money) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"free"`:
		return &itsm.FieldError{Field: "currency", Reason: "must be EUR"}
	case `"odd"`:
		var v itsm.Validation
		v.Check(false, "", "must be even")
		v.Check(false, "parts[1]", "must be positive")
		v.Rule(false, "the shop is closed")
		return fmt.Errorf("money: %w", v.Err())
	case `"shut"`:
		return itsm.Refuse("the shop is closed")
	case `"lost"`:
		return errors.New("lost")
	}
	return json.Unmarshal(data, &m.cents)
}

// What the kernel itself finds is, too.
func TestParseJSONTellsWhatTheKernelFinds(t *testing.T) {
	type offer struct {
		Price  *money           `json:"price"`
		By     map[string]money `json:"by"`
		Matrix itsm.Matrix      `json:"pr"`
	}
	for in, want := range map[string][]string{
		`{"price":"free"}`: {"price.currency must be EUR"},
		`{"by":{"a":"odd","b":7,"c":"free"}}`: {
			"by.a must be even", "by.a.parts[1] must be positive", "by.a the shop is closed", "by.c.currency must be EUR"},
		`{"price":"shut","by":{"a":"lost"}}`: {"price the shop is closed", `by.a does not fit: "lost"`},
		`{"pr":[[2,1],[0,"x"]]}`:             {"pr[1][1] must be a whole number from 0 of at most 16 bits"},
		`{"pr":[[2,1],[0,3,4]]}`: {
			"pr[0][1] is P1, above the P2 of a higher urgency", "pr[1] must have a priority for each of 2 urgencies, has 3",
			"pr[1][0] must be 1 or more", "pr[1][0] is -, above the P2 of a higher impact"},
		`{"pr":7,"price":"free"}`: {"pr must be a list", "price.currency must be EUR"},
	} {
		_, err := itsm.ParseJSON[offer]([]byte(in))
		require.Equal(t, want, messages(err), in)
		require.ErrorIs(t, err, itsm.ErrInvalid, in)
		require.NotErrorIs(t, err, itsm.ErrNotAllowed, "there is no record yet")
	}
	_, err := itsm.ParseJSON[itsm.Matrix]([]byte(`[[300]]`))
	require.Equal(t, []string{"[0][0] must be at most 255"}, messages(err))
}

func TestUnder(t *testing.T) {
	var v itsm.Validation
	v.Check(false, "of[1]", "is wrong")
	v.Check(false, "", "is empty")
	v.Check(false, "[2]", "is there twice")
	v.Rule(false, "it is closed")
	under := itsm.Under("policy", fmt.Errorf("wrapped: %w", v.Err()))
	require.Equal(t, []error{
		&itsm.FieldError{Field: "policy.of[1]", Reason: "is wrong"}, &itsm.FieldError{Field: "policy", Reason: "is empty"},
		&itsm.FieldError{Field: "policy[2]", Reason: "is there twice"}, &itsm.RuleError{Reason: "it is closed"},
	}, itsm.Findings(under))
	require.ErrorIs(t, under, itsm.ErrInvalid)
	require.ErrorIs(t, under, itsm.ErrNotAllowed)
	require.Equal(t, itsm.Findings(v.Err()), itsm.Findings(itsm.Under("", v.Err())))
	require.NoError(t, itsm.Under("policy", nil))
	other := fmt.Errorf("disk: %w", errors.New("full"))
	require.Equal(t, other, itsm.Under("policy", other))
}

func TestTextsAndRefs(t *testing.T) {
	var v itsm.Validation
	v.Texts("names", []string{"ann", "bob"}, 2, 3)
	v.Texts("names", nil, 0, 3)
	v.Ref("to", itsm.Ref{Kind: "ci", ID: "db1"})
	require.NoError(t, v.Err())
	require.NoError(t, itsm.CheckText("note", "", 0, 3))
	require.Equal(t, &itsm.FieldError{Field: "note", Reason: "must not be empty"}, itsm.CheckText("note", "", 1, 3))

	v.Texts("names", []string{"", "ann", "anna", "ann", "never looked at"}, 4, 3)
	v.Ref("to", itsm.Ref{Kind: strings.Repeat("x", 101)})
	require.EqualError(t, v.Err(), `names must be at most 4; names[0] must not be empty; names[2] must have at most 3 characters, has 4; `+
		`names[3] "ann" is there twice; to.kind must have at most 100 characters, has 101; to.id must not be empty`)
}

func TestActor(t *testing.T) {
	_, err := itsm.ActorFrom(context.Background())
	require.ErrorIs(t, err, itsm.ErrNoActor)
	_, err = itsm.ActorFrom(itsm.As(context.Background(), ""))
	require.ErrorIs(t, err, itsm.ErrNoActor, "nobody is no actor")
	a, err := itsm.ActorFrom(itsm.WithActor(itsm.As(context.Background(), "jin"), itsm.Actor{ID: "mia", Name: "Mia"}))
	require.NoError(t, err)
	require.Equal(t, itsm.Actor{ID: "mia", Name: "Mia"}, a, "the innermost counts")
	require.Equal(t, itsm.Actor{ID: "system"}, itsm.System())
}

// A stranger's finding is what another package finds.
type strangersFinding struct{}

func (strangersFinding) Error() string                   { return "points are odd" }
func (strangersFinding) Finding() (field, reason string) { return "points", "are odd" }

// strange is an action that lets another package judge.
type strange struct {
	Where string `json:"where"`
}

func (strange) Action() string { return "strange" }

func (a strange) Apply(*Ticket, itsm.Moment) error {
	if a.Where == "apply" {
		return strangersFinding{}
	}
	return nil
}

// What another package finds is a finding, wherever a practice returns it.
func TestFindingsOfOthers(t *testing.T) {
	def := toyDefinition(10)
	spec := toySpec()
	spec.Allow("strange", "", spec.States...)
	l, err := itsm.NewLifecycle(spec)
	require.NoError(t, err)
	def.Lifecycle, def.Actions = l, append(def.Actions, strange{})
	prepare, cascade := def.Prepare, def.Cascade
	def.Prepare = func(ctx context.Context, tx *itsm.Tx[Ticket], r *Ticket, a itsm.Action[Ticket]) (itsm.Action[Ticket], error) {
		if s, ok := a.(strange); ok && s.Where == "prepare" {
			return nil, strangersFinding{}
		}
		return prepare(ctx, tx, r, a)
	}
	def.Follow = func(_ context.Context, _ *itsm.Tx[Ticket], _ *Ticket, a itsm.Action[Ticket]) ([]itsm.Action[Ticket], error) {
		if s, ok := a.(strange); ok && s.Where == "follow" {
			return nil, strangersFinding{}
		}
		return nil, nil
	}
	def.Cascade = func(ctx context.Context, tx *itsm.Tx[Ticket], r *Ticket, a itsm.Action[Ticket], e itsm.Event) error {
		if s, ok := a.(strange); ok && s.Where == "cascade" {
			return strangersFinding{}
		}
		return cascade(ctx, tx, r, a, e)
	}
	p, err := itsm.NewPractice(def, memory.New[Ticket](), itsm.Config{})
	require.NoError(t, err)
	r := file(t, p, "one")
	for _, where := range []string{"prepare", "apply", "follow", "cascade"} {
		_, err := p.Do(as(t, "jin"), r.ID, strange{where})
		require.ErrorIs(t, err, itsm.ErrInvalid, where)
		require.Equal(t, []error{&itsm.FieldError{Field: "points", Reason: "are odd"}}, itsm.Findings(err), where)
		require.ErrorContains(t, err, string(r.ID), where)
	}
	_, err = p.Do(as(t, "jin"), r.ID, strange{"nowhere"})
	require.NoError(t, err)
}
