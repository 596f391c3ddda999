package itsm_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

func TestMetaOf(t *testing.T) {
	var r Ticket
	require.Same(t, &r.Meta, itsm.MetaOf(&r))
	require.Nil(t, itsm.MetaOf(new(int)))
	require.Equal(t, "problem:prb_1", itsm.Ref{Kind: "problem", ID: "prb_1"}.String())
}

func TestFields(t *testing.T) {
	var f itsm.Fields
	var cost int
	require.NoError(t, f.Get("cost", &cost), "nothing there")
	require.NoError(t, f.Set("cost", 7))
	require.NoError(t, f.Set("site", map[string]string{"city": "Seoul"}))
	require.Equal(t, itsm.Fields{"cost": json.RawMessage("7"), "site": json.RawMessage(`{"city":"Seoul"}`)}, f)
	require.NoError(t, f.Get("cost", &cost))
	require.Equal(t, 7, cost)

	err := f.Set("bad", func() {})
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{"bad"}, fields(err))
	require.NotContains(t, f, "bad")
	var site string
	err = f.Get("site", &site)
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.Equal(t, []string{"site"}, fields(err))
}

func TestSetFields(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	r := file(t, p, "one")
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }

	r = do(t, p, r.ID, SetFields{Fields: itsm.Fields{"a": raw(` { "x" : [ 1 , 2 ] } `), "b": raw("null"), "c": raw("3")}})
	require.Equal(t, itsm.Fields{"a": raw(`{"x":[1,2]}`), "c": raw("3")}, r.Fields, "compact, and null is nothing")
	r = do(t, p, r.ID, SetFields{Fields: itsm.Fields{"a": raw(" null "), "b": raw(`"x"`)}})
	require.Equal(t, itsm.Fields{"b": raw(`"x"`), "c": raw("3")}, r.Fields)
	r = do(t, p, r.ID, SetFields{Fields: itsm.Fields{"b": raw("null"), "c": raw("null")}})
	require.Nil(t, r.Fields)

	for _, tt := range []struct {
		name   string
		fields itsm.Fields
		want   []string
	}{
		{"none", nil, []string{"fields must not be empty"}},
		{"several", itsm.Fields{
			"": raw("1"), strings.Repeat("n", 101): raw("1"), "big": raw(`"` + strings.Repeat("x", 16<<10) + `"`),
		}, []string{
			"fields. must not be empty",
			"fields.big must have at most 16384 bytes",
			"fields." + strings.Repeat("n", 101) + " must have at most 100 characters, has 101",
		}},
		{"no JSON", itsm.Fields{"a": raw("{"), "b": raw("\"\xff\"")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.Do(as(t, "jin"), r.ID, SetFields{Fields: tt.fields})
			require.ErrorIs(t, err, itsm.ErrInvalid)
			if tt.want != nil {
				require.ElementsMatch(t, tt.want, messages(err))
			}
			require.ErrorIs(t, SetFields{Fields: tt.fields}.Validate(), itsm.ErrInvalid, "as Validate says")
		})
	}
	require.Len(t, events(t, p, r.ID), 4)

	// No more than 200, however they come.
	for i := range 5 {
		many := itsm.Fields{}
		for j := range 50 {
			many[fmt.Sprintf("f%d_%d", i, j)] = raw("1")
		}
		_, err := p.Do(as(t, "jin"), r.ID, SetFields{Fields: many})
		if i < 4 {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, itsm.ErrNotAllowed)
		}
	}
	r, err := p.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Len(t, slices.Collect(maps.Keys(r.Fields)), 200)
	require.Error(t, SetFields{Fields: itsm.Fields{"x": raw("{")}}.Apply(new(Ticket), itsm.Moment{}), "Apply needs no Validate before it")
}

// What the history keeps of a value must be what the record has, to the byte.
func TestSetFieldsSurvivesReplay(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	for _, value := range []string{
		`"a<b> & c"`, "\"line\u2028separator\"", `"\u003c"`, `1e400`, `-0`, `1.0`, `"\ud800"`, `{"b":1,"a":2,"b":3}`, `[ ]`, `""`, `0`, `false`,
		`{"<":[null]}`,
	} {
		r := file(t, p, "one")
		r = do(t, p, r.ID, SetFields{Fields: itsm.Fields{"x": json.RawMessage(value)}})
		replayed, err := p.Replay(p.History(t.Context(), r.ID))
		require.NoError(t, err)
		require.Equal(t, string(r.Fields["x"]), string(replayed.Fields["x"]), "the replay of %s", value)
	}
}

func TestLinks(t *testing.T) {
	p := newToy(t, memory.New[Ticket](), itsm.Config{})
	r := file(t, p, "one")
	one := itsm.Link{Rel: "caused_by", To: itsm.Ref{Kind: "change", ID: "chg_1"}}
	two := itsm.Link{Rel: "caused_by", To: itsm.Ref{Kind: "change", ID: "chg_2"}}
	r = do(t, p, r.ID, Link{Link: one}, Link{Link: two})
	require.Equal(t, []itsm.Link{one, two}, r.Links)
	_, err := p.Do(as(t, "jin"), r.ID, Link{Link: one})
	require.Equal(t, []string{"the link caused_by change:chg_1 is there already"}, messages(err))
	_, err = p.Do(as(t, "jin"), r.ID, Link{})
	require.Equal(t, []string{"rel must not be empty", "to.kind must not be empty", "to.id must not be empty"}, messages(err))
	r = do(t, p, r.ID, Unlink{Link: one})
	require.Equal(t, []itsm.Link{two}, r.Links)
	_, err = p.Do(as(t, "jin"), r.ID, Unlink{Link: one})
	require.ErrorIs(t, err, itsm.ErrNotAllowed)
	r = do(t, p, r.ID, Unlink{Link: two})
	require.Nil(t, r.Links)

	full := Ticket{}
	for i := range 1000 {
		require.NoError(t, Link{Link: itsm.Link{Rel: "r", To: itsm.Ref{Kind: "k", ID: itsm.ID(fmt.Sprint(i))}}}.Apply(&full, itsm.Moment{}))
	}
	require.ErrorIs(t, Link{Link: one}.Apply(&full, itsm.Moment{}), itsm.ErrNotAllowed)
}

func TestFieldsText(t *testing.T) {
	f := itsm.Fields{"text": json.RawMessage(`"a\u0062"`), "number": json.RawMessage(`12.50`), "yes": json.RawMessage(`true`), "null": json.RawMessage(`null`)}
	for name, want := range map[string]string{"text": "ab", "number": "12.50", "yes": "true", "null": "", "missing": ""} {
		require.Equal(t, want, f.Text(name), name)
	}
	require.Empty(t, itsm.Fields(nil).Text("x"))
}
