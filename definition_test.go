package itsm_test

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// A Box keeps the last action of each kind, so that what an action loses on its
// way through the history shows in the record.
type Box struct {
	itsm.Meta
	Pack Pack `json:"pack,omitzero"`
	Tree Tree `json:"tree,omitzero"`
}

// Pack has a field of every kind that an action may have.
type Pack struct {
	Wrapping
	Text   string            `json:"text,omitempty"`
	Kind   Kind              `json:"kind,omitempty"`
	Flag   bool              `json:"flag,omitempty"`
	Int    int8              `json:"int,omitempty"`
	Uint   uint16            `json:"uint,omitempty"`
	Float  float64           `json:"float,omitempty"`
	At     time.Time         `json:"at,omitzero"`
	Span   time.Duration     `json:"span,omitempty"`
	Level  Level             `json:"level,omitempty"`
	Items  []Item            `json:"items,omitempty"`
	ByName map[Kind]Item     `json:"by_name,omitempty"`
	Next   *Item             `json:"next,omitempty"`
	Times  []time.Time       `json:"times,omitempty"`
	Ends   [2]Item           `json:"ends,omitzero"`
	Raw    json.RawMessage   `json:"raw,omitempty"`
	Raws   itsm.Fields       `json:"raws,omitempty"`
	Blob   []byte            `json:"blob,omitempty"`
	Lists  [][]string        `json:"lists,omitempty"`
	Maps   map[string]string // without a tag
}

type Wrapping struct {
	Paper string   `json:"paper,omitempty"`
	Bows  []string `json:"bows,omitempty"`
}

type Kind string

type Item struct {
	Name  string    `json:"name,omitempty"`
	At    time.Time `json:"at,omitzero"`
	Tags  []string  `json:"tags,omitempty"`
	Count *int      `json:"count,omitempty"`
}

// Level has a JSON form of its own.
type Level int

func (l Level) MarshalText() ([]byte, error) {
	return []byte([]string{"low", "high"}[l&1]), nil
}

func (l *Level) UnmarshalText(text []byte) error {
	switch string(text) {
	case "low":
		*l = 0
	case "high":
		*l = 1
	default:
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (Pack) Action() string                      { return "pack" }
func (a Pack) Apply(r *Box, _ itsm.Moment) error { r.Pack = a; return nil }

// Tree contains itself in every way.
type Tree struct {
	Name string           `json:"name,omitempty"`
	Kids []Tree           `json:"kids,omitempty"`
	Next *Tree            `json:"next,omitempty"`
	Map  map[string]*Tree `json:"map,omitempty"`
	Tags Tags             `json:"tags,omitempty"`
}

type Tags []Tag2

type Tag2 struct {
	Text string `json:"text"`
	Tags Tags   `json:"tags,omitempty"`
}

func (Tree) Action() string                      { return "tree" }
func (a Tree) Apply(r *Box, _ itsm.Moment) error { r.Tree = a; return nil }

// Hidden is derived.
type Hidden struct{}

func (Hidden) Action() string                    { return "hidden" }
func (Hidden) Apply(_ *Box, _ itsm.Moment) error { return nil }

// Checked can refuse itself.
type Checked struct {
	N int    `json:"n"`
	S string `json:"s"`
}

func (Checked) Action() string                    { return "checked" }
func (Checked) Apply(_ *Box, _ itsm.Moment) error { return nil }

func (a Checked) Validate() error {
	var v itsm.Validation
	v.Check(a.N > 0, "n", "must be positive")
	v.Text("s", a.S, 1, 3)
	return v.Err()
}

// NaN has a JSON form until it is a number that has none.
type NaN struct {
	F float64 `json:"f"`
}

func (NaN) Action() string                    { return "nan" }
func (NaN) Apply(_ *Box, _ itsm.Moment) error { return nil }

func boxLifecycle(t testing.TB, actions ...string) *itsm.Lifecycle {
	t.Helper()
	s := itsm.LifecycleSpec{Name: "box", Create: "pack", Initial: "full", States: []itsm.State{"full"}, Ends: []itsm.State{"full"}}
	for _, a := range actions {
		s.Allow(a, "", "full")
	}
	l, err := itsm.NewLifecycle(s)
	require.NoError(t, err)
	return l
}

func boxDefinition(t testing.TB) itsm.Definition[Box] {
	t.Helper()
	return itsm.Definition[Box]{
		Prefix: "box", Lifecycle: boxLifecycle(t, "tree", "hidden", "checked", "nan"),
		Actions: []itsm.Action[Box]{Pack{}, Tree{}, Checked{}, NaN{}},
		Derived: []itsm.Action[Box]{Hidden{}},
	}
}

func newBoxes(t testing.TB) *itsm.Practice[Box] {
	t.Helper()
	p, err := itsm.NewPractice(boxDefinition(t), memory.New[Box](), itsm.Config{})
	require.NoError(t, err)
	return p
}

// What a definition must not have.
type (
	pointed struct{}
	private struct{ secret string }
	dashed  struct {
		Lost string `json:"-"`
		Kept string `json:"kept"`
	}
	boundless struct {
		Any    any
		Fun    func()
		Chan   []chan int
		Writer map[string]io.Writer
		Z      *complex128
		Keys   map[int]string
	}
	nested struct {
		Inner struct{ private }
	}
	embedded struct{ *Wrapping }
	impostor struct{ N int }
	word     string
)

func (*pointed) Action() string                     { return "pointed" }
func (*pointed) Apply(_ *Box, _ itsm.Moment) error  { return nil }
func (a private) Action() string                    { return "private" + a.secret }
func (private) Apply(_ *Box, _ itsm.Moment) error   { return nil }
func (dashed) Action() string                       { return "dashed" }
func (dashed) Apply(_ *Box, _ itsm.Moment) error    { return nil }
func (boundless) Action() string                    { return "boundless" }
func (boundless) Apply(_ *Box, _ itsm.Moment) error { return nil }
func (nested) Action() string                       { return "nested" }
func (nested) Apply(_ *Box, _ itsm.Moment) error    { return nil }
func (embedded) Action() string                     { return "embedded" }
func (embedded) Apply(_ *Box, _ itsm.Moment) error  { return nil }
func (impostor) Action() string                     { return "pack" }
func (impostor) Apply(_ *Box, _ itsm.Moment) error  { return nil }
func (word) Action() string                         { return "word" }
func (word) Apply(_ *Box, _ itsm.Moment) error      { return nil }

type notARecord struct{ ID itsm.ID }

type lonely struct{}

func (lonely) Action() string                           { return "pack" }
func (lonely) Apply(_ *notARecord, _ itsm.Moment) error { return nil }

type uncopyable struct {
	itsm.Meta
	F func()
}

type lonelier struct{}

func (lonelier) Action() string                           { return "pack" }
func (lonelier) Apply(_ *uncopyable, _ itsm.Moment) error { return nil }

func TestDefinitionRefusesWithAllFindings(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*itsm.Definition[Box])
		want   []string
	}{
		{"nothing wrong", func(*itsm.Definition[Box]) {}, nil},
		{"the same type twice is one", func(d *itsm.Definition[Box]) { d.Actions = append(d.Actions, Pack{Text: "again"}) }, nil},
		{"prefix", func(d *itsm.Definition[Box]) { d.Prefix = "a_b" }, []string{"prefix must be a name of letters, digits and -"}},
		{"no prefix, no lifecycle", func(d *itsm.Definition[Box]) { d.Prefix, d.Lifecycle = "", nil }, []string{
			"prefix must be a name of letters, digits and -", "lifecycle must not be nil"}},
		{"prefix of events", func(d *itsm.Definition[Box]) { d.Prefix = "evt" }, []string{"prefix must not be that of events"}},
		{"missing types", func(d *itsm.Definition[Box]) { d.Actions, d.Derived = nil, nil }, []string{
			`lifecycle has the action "checked", for which there is no type`,
			`lifecycle has the action "hidden", for which there is no type`,
			`lifecycle has the action "nan", for which there is no type`,
			`lifecycle has the action "pack", for which there is no type`,
			`lifecycle has the action "tree", for which there is no type`,
		}},
		{"not structs", func(d *itsm.Definition[Box]) {
			d.Actions = append(d.Actions, &pointed{}, nil, word("x"), &Pack{})
		}, []string{
			"actions[4] must be a struct and not a pointer, is *itsm_test.pointed",
			"actions[5] must be a struct and not a pointer, is <nil>",
			"actions[6] must be a struct and not a pointer, is itsm_test.word",
			"actions[7] must be a struct and not a pointer, is *itsm_test.Pack",
		}},
		{"a name for two types", func(d *itsm.Definition[Box]) { d.Derived = append(d.Derived, impostor{}) }, []string{
			`derived[1] (pack) is itsm_test.impostor, but "pack" is itsm_test.Pack already`,
		}},
		{"fields that the history would lose", func(d *itsm.Definition[Box]) {
			d.Actions = append(d.Actions, private{}, dashed{}, nested{}, embedded{})
		}, []string{
			"private.secret is not exported: the history would lose it",
			"dashed.Lost has no JSON form: the history would lose it",
			"nested.Inner.private.secret is not exported: the history would lose it",
			"embedded.Wrapping is embedded and no struct",
		}},
		{"fields that cannot be read back", func(d *itsm.Definition[Box]) { d.Actions = append(d.Actions, boundless{}) }, []string{
			"actions[4] (boundless) must have a JSON form",
			"boundless.Any is a interface, which cannot be read back from JSON",
			"boundless.Fun is a func, which cannot be read back from JSON",
			"boundless.Chan[] is a chan, which cannot be read back from JSON",
			"boundless.Writer[] is a interface, which cannot be read back from JSON",
			"boundless.Z is a complex128, which cannot be read back from JSON",
			"boundless.Keys must be a map with text keys",
		}},
		{"several at once", func(d *itsm.Definition[Box]) {
			d.Prefix = "evt"
			d.Actions = append(d.Actions[:1:1], dashed{}, Checked{}, NaN{})
		}, []string{
			"prefix must not be that of events",
			"dashed.Lost has no JSON form: the history would lose it",
			`lifecycle has the action "tree", for which there is no type`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := boxDefinition(t)
			tt.change(&d)
			p, err := itsm.NewPractice(d, memory.New[Box](), itsm.Config{})
			require.Equal(t, tt.want, messages(err))
			require.Equal(t, tt.want == nil, p != nil)
			if tt.want != nil {
				require.ErrorIs(t, err, itsm.ErrInvalid)
			}
		})
	}

	_, err := itsm.NewPractice(boxDefinition(t), nil, itsm.Config{})
	require.Equal(t, []string{"store must not be nil"}, messages(err))

	_, err = itsm.NewPractice(itsm.Definition[notARecord]{
		Prefix: "box", Lifecycle: boxLifecycle(t), Actions: []itsm.Action[notARecord]{lonely{}},
	}, struct{ itsm.Store[notARecord] }{}, itsm.Config{})
	require.Equal(t, []string{"record itsm_test.notARecord must embed itsm.Meta"}, messages(err))

	_, err = itsm.NewPractice(itsm.Definition[uncopyable]{
		Prefix: "box", Lifecycle: boxLifecycle(t), Actions: []itsm.Action[uncopyable]{lonelier{}},
	}, struct{ itsm.Store[uncopyable] }{}, itsm.Config{})
	require.Equal(t, []string{"record"}, fields(err))
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

// The definition belongs to the practice from then on.
func TestDefinitionIsCopied(t *testing.T) {
	d := boxDefinition(t)
	p, err := itsm.NewPractice(d, memory.New[Box](), itsm.Config{})
	require.NoError(t, err)
	d.Actions[0], d.Derived[0] = NaN{}, NaN{}
	require.Equal(t, "box", p.Name())
	require.Same(t, d.Lifecycle, p.Lifecycle())
	_, err = p.Create(as(t, "jin"), Pack{})
	require.NoError(t, err)
}

func TestActions(t *testing.T) {
	p := newBoxes(t)
	require.Equal(t, []itsm.Action[Box]{Pack{}, Tree{}, Checked{}, NaN{}}, slices.Collect(p.Actions()), "not the derived ones")
	for a := range p.Actions() {
		require.Equal(t, Pack{}, a)
		break
	}
}

func keep(t *testing.T, p *itsm.Practice[Box], a itsm.Action[Box]) (stored, replayed Box) {
	t.Helper()
	r, err := p.Create(as(t, "jin"), Pack{})
	require.NoError(t, err)
	if a.Action() == "pack" {
		r, err = p.Create(as(t, "jin"), a)
	} else {
		r, err = p.Do(as(t, "jin"), r.ID, a)
	}
	require.NoError(t, err)
	stored, err = p.Get(t.Context(), r.ID)
	require.NoError(t, err)
	require.Equal(t, r, stored)
	replayed, err = p.Replay(p.History(context.Background(), r.ID))
	require.NoError(t, err)
	return stored, replayed
}

func TestAdmit(t *testing.T) {
	p := newBoxes(t)
	seoul := time.FixedZone("KST", 9*3600)
	at := time.Date(2026, 3, 2, 18, 0, 0, 1999, seoul)
	clean := time.Date(2026, 3, 2, 9, 0, 0, 1000, time.UTC)
	seven := 7
	given := func() Pack {
		return Pack{
			Wrapping: Wrapping{Paper: "red", Bows: []string{}},
			Text:     "글\u2028<&>", Kind: "k", Flag: true, Int: -128, Uint: 65535, Float: 0.1, At: at, Span: 90 * time.Minute, Level: 1,
			Items:  []Item{{Name: "a", At: at, Tags: []string{}, Count: &seven}, {Tags: []string{"x"}}},
			ByName: map[Kind]Item{"one": {At: at}, "two": {Tags: []string{}}},
			Next:   &Item{At: at, Tags: []string{}},
			Times:  []time.Time{at, {}},
			Ends:   [2]Item{{At: at}, {Tags: []string{}}},
			Raw:    json.RawMessage(" { \"a\" : \"<\" } "),
			Raws:   itsm.Fields{"a": json.RawMessage("[ 1 ]")},
			Blob:   []byte{0, 255},
			Lists:  [][]string{{}, {"x"}, nil},
			Maps:   map[string]string{},
		}
	}
	want := Pack{
		Wrapping: Wrapping{Paper: "red"},
		Text:     "글\u2028<&>", Kind: "k", Flag: true, Int: -128, Uint: 65535, Float: 0.1, At: clean, Span: 90 * time.Minute, Level: 1,
		Items:  []Item{{Name: "a", At: clean, Count: &seven}, {Tags: []string{"x"}}},
		ByName: map[Kind]Item{"one": {At: clean}, "two": {}},
		Next:   &Item{At: clean},
		Times:  []time.Time{clean, {}},
		Ends:   [2]Item{{At: clean}, {}},
		Raw:    json.RawMessage(`{"a":"\u003c"}`),
		Raws:   itsm.Fields{"a": json.RawMessage("[1]")},
		Blob:   []byte{0, 255},
		Lists:  [][]string{nil, {"x"}, nil},
	}
	action := given()
	stored, replayed := keep(t, p, action)
	require.Equal(t, want, stored.Pack, "times in UTC and microseconds, nothing empty beside nothing")
	require.Equal(t, stored, replayed)
	require.Equal(t, given(), action, "the caller's own is as it was")

	// A pointer to an action is an action.
	byPointer, replayed := keep(t, p, &action)
	require.Equal(t, want, byPointer.Pack)
	require.Equal(t, byPointer, replayed)
	small := &Pack{Int: 1}
	byPointer, _ = keep(t, p, small)
	require.Equal(t, *small, byPointer.Pack)

	for _, nothing := range []itsm.Action[Box]{nil, (*Pack)(nil)} {
		_, err := p.Create(as(t, "jin"), nothing)
		require.Equal(t, []string{"action must not be nil"}, messages(err))
	}
	_, err := p.Create(as(t, "jin"), impostor{})
	require.Equal(t, []string{"action itsm_test.impostor is not among the practice's actions"}, messages(err))
	_, err = p.Create(as(t, "jin"), dashed{})
	require.Equal(t, []string{"action itsm_test.dashed is not among the practice's actions"}, messages(err))
}

// What an action points to is its own from the moment that it comes in: a
// caller or another action that changes it later changes nothing.
func TestAdmitDoesNotAlias(t *testing.T) {
	tags := []string{"a", "b"}[:1]
	labels := map[string]string{"k": "v"}
	store := memory.New[Ticket]()
	p := newToy(t, store, itsm.Config{})
	var made Ticket
	require.NoError(t, p.Update(as(t, "jin"), func(tx *itsm.Tx[Ticket]) (err error) {
		made, err = tx.Create(File{Title: "x", Tags: tags, Labels: labels})
		if err != nil {
			return err
		}
		tags[0], labels["k"] = "spoiled", "spoiled"
		made.Tags[0], made.Labels["k"] = "spoiled", "spoiled"
		got, err := tx.Do(made.ID, Tag{Tags: []string{"c"}})
		got.Tags[1] = "spoiled"
		return err
	}))
	require.Equal(t, "b", tags[:2][1], "nothing was appended to the caller's slice")
	stored, err := p.Get(t.Context(), made.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, stored.Tags)
	require.Equal(t, map[string]string{"k": "v"}, stored.Labels)
}

func TestAdmitRefusesTextThatWouldBeLost(t *testing.T) {
	p := newBoxes(t)
	bad, nul := "a\xffb", "a\x00b"
	far := time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name   string
		action itsm.Action[Box]
		want   []string
	}{
		{"text", Pack{Text: bad}, []string{"text must be valid UTF-8"}},
		{"NUL in a text of its own type", Pack{Kind: Kind(nul)}, []string{"kind must not contain NUL"}},
		{"both at once, in order", Pack{Wrapping: Wrapping{Paper: bad, Bows: []string{"", nul}}, Text: bad + nul}, []string{
			"paper must be valid UTF-8", "bows[1] must not contain NUL", "text must be valid UTF-8", "text must not contain NUL"}},
		{"deep", Pack{
			Items: []Item{{}, {Tags: []string{"", bad}}}, Next: &Item{Name: nul}, Ends: [2]Item{{}, {Name: bad}},
			Lists: [][]string{{}, {bad}}, ByName: map[Kind]Item{"one": {Name: nul}},
		}, []string{
			"items[1].tags[1] must be valid UTF-8", "by_name.one.name must not contain NUL", "next.name must not contain NUL",
			"ends[1].name must be valid UTF-8", "lists[1][0] must be valid UTF-8"}},
		{"keys", Pack{Maps: map[string]string{nul: ""}}, []string{"Maps." + nul + " must be valid UTF-8 without NUL"}},
		{"times", Pack{At: far, Times: []time.Time{{}, time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)}}, []string{
			"at must be in the years 0 to 9999", "times[1] must be in the years 0 to 9999"}},
		{"raw JSON", Pack{Raw: json.RawMessage("{"), Raws: itsm.Fields{"a": json.RawMessage("\"\xff\"")}}, []string{
			"raw must be JSON", "raws.a must be valid UTF-8"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := p.Create(as(t, "jin"), tt.action)
			require.Equal(t, tt.want, messages(err))
			require.ErrorIs(t, err, itsm.ErrInvalid)
			_, err = p.Encode(tt.action)
			require.Equal(t, tt.want, messages(err))
		})
	}
	r, err := p.Create(as(t, "jin"), Pack{})
	require.NoError(t, err)
	nan := NaN{}
	nan.F /= nan.F
	_, err = p.Do(as(t, "jin"), r.ID, nan)
	require.Equal(t, []string{"data"}, fields(err))
	_, err = p.Encode(nan)
	require.Equal(t, []string{"data"}, fields(err))

	// 256 KiB is the most that one event keeps.
	long := make([]byte, 256<<10)
	for i := range long {
		long[i] = 'x'
	}
	_, err = p.Create(as(t, "jin"), Pack{Text: string(long)})
	require.Equal(t, []string{"data must have at most 262144 bytes as JSON, has 262167"}, messages(err))
}

func TestAdmitReachesEveryLevelOfATree(t *testing.T) {
	p := newBoxes(t)
	bad := Tree{Name: "a\x00"}
	for range 3 {
		bad = Tree{Kids: []Tree{{}, bad}}
	}
	far := Tree{Next: &Tree{Next: &Tree{Next: &Tree{Name: "\xff"}}}}
	wide := Tree{Map: map[string]*Tree{"a": {Map: map[string]*Tree{"b": {Name: "\xff"}}}}}
	tags := Tree{Tags: Tags{{Tags: Tags{{Text: "\xff"}}}}}
	r, err := p.Create(as(t, "jin"), Pack{})
	require.NoError(t, err)
	for _, tt := range []struct {
		tree Tree
		want string
	}{
		{bad, "kids[1].kids[1].kids[1].name must not contain NUL"},
		{far, "next.next.next.name must be valid UTF-8"},
		{wide, "map.a.map.b.name must be valid UTF-8"},
		{tags, "tags[0].tags[0].text must be valid UTF-8"},
	} {
		_, err := p.Do(as(t, "jin"), r.ID, tt.tree)
		require.Equal(t, []string{tt.want}, messages(err))
	}
	deep := Tree{Next: &Tree{Next: &Tree{Kids: []Tree{}, Tags: Tags{{Tags: Tags{}}}}}, Kids: []Tree{{Kids: []Tree{{Kids: []Tree{}}}}}}
	stored, replayed := keep(t, p, deep)
	require.Equal(t, Tree{Next: &Tree{Next: &Tree{Tags: Tags{{}}}}, Kids: []Tree{{Kids: []Tree{{}}}}}, stored.Tree)
	require.Equal(t, stored, replayed)
	deep.Next.Next.Name = "spoiled"
	again, err := p.Get(t.Context(), stored.ID)
	require.NoError(t, err)
	require.Equal(t, stored, again)
}
