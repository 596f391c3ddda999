package request_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/storage/memory"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagram in doc.go")

func TestDiagramsAreGolden(t *testing.T) {
	l := request.DefaultLifecycle()
	for name, text := range map[string]string{"lifecycle.mmd": l.Mermaid(), "lifecycle.dot": l.DOT()} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		golden, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(golden), text, "go test ./request -update rewrites %s", path)
	}
}

// The diagram in the package's documentation is the generated one.
func TestDocShowsTheDiagram(t *testing.T) {
	const begin, end = "//\tstateDiagram-v2\n", "//\n"
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	head, rest, ok := strings.Cut(string(source), begin)
	require.True(t, ok)
	shown, tail, ok := strings.Cut(rest, end)
	require.True(t, ok)
	var want strings.Builder
	for line := range strings.Lines(request.DefaultLifecycle().Mermaid()) {
		want.WriteString("//\t" + line)
	}
	if *update {
		require.NoError(t, os.WriteFile("doc.go", []byte(head+want.String()+end+tail), 0o644))
		return
	}
	require.Equal(t, want.String(), begin+shown, "go test ./request -update rewrites it")
}

// Every action that an actor can ask for is in the documentation's list.
func TestDocListsEveryAction(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	types := map[string]string{"hold": "PutOnHold", "return": "ReturnItem"}
	d := newDesk(t, request.Config{})
	options, err := d.WhyNot(mia, d.order(chair).ID)
	require.NoError(t, err)
	require.Greater(t, len(options), 30)
	for _, o := range options {
		name, ok := types[o.Action]
		if !ok {
			for word := range strings.SplitSeq(o.Action, "_") {
				name += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		require.Contains(t, string(source), "["+name+"]")
	}
}

// edge is a step between two states.
type edge struct{ from, to itsm.State }

// moves lists the actions on every edge of a lifecycle that leads elsewhere.
func moves(l *itsm.Lifecycle) map[edge][]string {
	all := map[edge][]string{}
	for from := range l.States() {
		for action, to := range l.Permitted(from) {
			if from != to {
				all[edge{from, to}] = append(all[edge{from, to}], action)
			}
		}
	}
	return all
}

// superset is what the products' requests may do, typed in from the survey of them:
// 42 edges.
var superset = map[edge][]string{
	{"draft", "submitted"}:                 {"submit"},
	{"draft", "cancelled"}:                 {"cancel", "reclassify"},
	{"submitted", "awaiting_approval"}:     {"seek_approval"},
	{"submitted", "approved"}:              {"approve"},
	{"submitted", "assigned"}:              {"assign"},
	{"submitted", "in_fulfilment"}:         {"start"},
	{"submitted", "on_hold"}:               {"hold"},
	{"submitted", "fulfilled"}:             {"fulfil"},
	{"submitted", "rejected"}:              {"reject"},
	{"submitted", "cancelled"}:             {"auto_cancel", "cancel", "reclassify"},
	{"awaiting_approval", "approved"}:      {"approve"},
	{"awaiting_approval", "rejected"}:      {"refuse"},
	{"awaiting_approval", "in_fulfilment"}: {"proceed"},
	{"awaiting_approval", "on_hold"}:       {"hold"},
	{"awaiting_approval", "cancelled"}:     {"auto_cancel", "cancel", "reclassify"},
	{"approved", "assigned"}:               {"assign"},
	{"approved", "in_fulfilment"}:          {"begin", "start"},
	{"approved", "on_hold"}:                {"hold"},
	{"approved", "fulfilled"}:              {"fulfil"},
	{"approved", "cancelled"}:              {"auto_cancel", "cancel", "reclassify"},
	{"rejected", "submitted"}:              {"submit"},
	{"assigned", "in_fulfilment"}:          {"start"},
	{"assigned", "on_hold"}:                {"hold"},
	{"assigned", "fulfilled"}:              {"auto_fulfil", "fulfil"},
	{"assigned", "cancelled"}:              {"auto_cancel", "cancel", "reclassify"},
	{"in_fulfilment", "assigned"}:          {"assign"},
	{"in_fulfilment", "awaiting_approval"}: {"seek_approval"},
	{"in_fulfilment", "on_hold"}:           {"hold"},
	{"in_fulfilment", "fulfilled"}:         {"auto_fulfil", "fulfil"},
	{"in_fulfilment", "cancelled"}:         {"auto_cancel", "cancel", "reclassify"},
	{"on_hold", "submitted"}:               {"resume_submitted"},
	{"on_hold", "awaiting_approval"}:       {"resume_approval"},
	{"on_hold", "approved"}:                {"resume_approved"},
	{"on_hold", "assigned"}:                {"assign", "resume_assigned"},
	{"on_hold", "in_fulfilment"}:           {"resume"},
	{"on_hold", "fulfilled"}:               {"auto_fulfil", "fulfil"},
	{"on_hold", "cancelled"}:               {"auto_cancel", "cancel", "reclassify"},
	{"fulfilled", "closed"}:                {"auto_close", "close"},
	{"fulfilled", "assigned"}:              {"reject_fulfilment"},
	{"fulfilled", "in_fulfilment"}:         {"reopen"},
	{"fulfilled", "cancelled"}:             {"cancel", "reclassify"},
	{"closed", "in_fulfilment"}:            {"reopen"},
}

func TestEveryEdgeHasANamedAction(t *testing.T) {
	require.Len(t, superset, 42)
	require.Equal(t, superset, moves(request.DefaultLifecycle()))
}

// survey is the machine-readable form of what was read in other products.
type survey struct {
	Canonical map[string]machine `json:"canonical"`
	Products  []product          `json:"products"`
}

type machine struct {
	Init     []itsm.State                `json:"init"`
	Terminal []itsm.State                `json:"terminal"`
	Edges    map[itsm.State][]itsm.State `json:"edges"`
}

type product struct {
	Name     string                `json:"name"`
	Practice string                `json:"practice"`
	Map      map[string]itsm.State `json:"map"`
	Edges    map[string][]string   `json:"edges"`
}

func readSurvey(t *testing.T) survey {
	dir := os.Getenv("ITSM_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(dir, "mappings.json"))
	if err != nil {
		t.Skip("there is no mappings.json; ITSM_SHARED says in which directory it is")
	}
	var s survey
	require.NoError(t, json.Unmarshal(data, &s))
	return s
}

func TestSurveyAgrees(t *testing.T) {
	canonical := readSurvey(t).Canonical["request"]
	l := request.DefaultLifecycle()
	// Who submits at once is submitted in the commit that creates the request.
	require.Equal(t, []itsm.State{l.Initial(), request.Submitted}, canonical.Init)
	var want, have []edge
	for from, tos := range canonical.Edges {
		for _, to := range tos {
			want = append(want, edge{from, to})
		}
	}
	for e := range moves(l) {
		have = append(have, e)
	}
	require.ElementsMatch(t, want, have)
	for s := range l.States() {
		require.Equal(t, slices.Contains(canonical.Terminal, s), l.IsEnd(s), "%s", s)
	}
}

// Every step that another product's requests take is one of ours, or stays in
// its state: its history can be told in our terms.
func TestOtherProductsMapOntoTheLifecycle(t *testing.T) {
	// The steps of products that have no counterpart. iTop forgets in its
	// "escalated_tto" whether the request was approved: only its history tells.
	exceptions := map[string][][2]string{"itop.UserRequest": {{"approved", "escalated_tto"}}}

	s := readSurvey(t)
	l := request.DefaultLifecycle()
	legal := moves(l)
	machines, steps := 0, 0
	for _, p := range s.Products {
		if p.Practice != "request" {
			continue
		}
		machines++
		for from, tos := range p.Edges {
			for _, to := range tos {
				steps++
				a, b := p.Map[from], p.Map[to]
				require.True(t, l.Has(a) && l.Has(b), "%s: %s → %s", p.Name, from, to)
				ok := a == b || legal[edge{a, b}] != nil
				excepted := slices.Contains(exceptions[p.Name], [2]string{from, to})
				require.Equal(t, !excepted, ok, "%s: %s → %s is %s → %s", p.Name, from, to, a, b)
			}
		}
	}
	require.GreaterOrEqual(t, machines, 2)
	t.Logf("%d machines, %d steps", machines, steps)
}

func TestStates(t *testing.T) {
	l := request.DefaultLifecycle()
	require.Equal(t, request.States(), slices.Collect(l.States()))
	require.Equal(t, "request", l.Name())
	require.Equal(t, "order", l.Create())
	data, err := json.Marshal(l)
	require.NoError(t, err)
	again, err := itsm.ParseLifecycle(data)
	require.NoError(t, err)
	require.True(t, itsm.Diff(l, again).Empty())
}

func TestNewPracticeRefuses(t *testing.T) {
	store := memory.New[request.Request]()
	unknown, err := request.DefaultLifecycle().With(func(s *itsm.LifecycleSpec) {
		s.Allow("teleport", request.Closed, request.Draft)
	})
	require.NoError(t, err)
	for _, c := range []struct {
		name     string
		cfg      request.Config
		findings []string
	}{
		{"Policies", request.Config{RollUp: "x", ReopenWindow: -1}, []string{"roll_up is unknown", "reopen_window must not be negative"}},
		{"ActionWithoutType", request.Config{Lifecycle: unknown}, []string{
			`lifecycle has the action "teleport", for which there is no type`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := request.NewPractice(store, c.cfg)
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.Equal(t, c.findings, said(err))
		})
	}
	_, err = request.NewPractice(nil, request.Config{})
	require.ErrorIs(t, err, itsm.ErrInvalid)
}
