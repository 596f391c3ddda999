package approval_test

import (
	"encoding/json"
	"errors"
	"flag"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
)

// reasons spells findings as they are printed.
func reasons(err error) []string {
	var all []string
	for _, f := range approval.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

const normalChange = `{
  "name": "normal change",
  "rule": {"sequence": true, "of": [
    {"computed": "line manager", "substitutes": [{"role": "head", "after": "24h"}]},
    {"rule": {"name": "CAB", "need": "more than 1/2", "base": "entitled", "of": [
      {"role": "cab"},
      {"person": "ciso", "weight": 2, "veto": true}
    ]}}
  ]},
  "exclude": ["author", "implementer"],
  "distinct": true,
  "comment": ["reject"],
  "within": "48h",
  "silence": "reject",
  "recount": true
}`

func TestParsePolicy(t *testing.T) {
	p, err := approval.ParsePolicy([]byte(normalChange))
	require.NoError(t, err)
	require.Equal(t, approval.Policy{
		Name: "normal change",
		Rule: approval.Rule{Sequence: true, Of: []approval.Member{
			{Computed: "line manager", Substitutes: []approval.Substitute{{Role: "head", After: 24 * time.Hour}}},
			{Rule: &approval.Rule{Name: "CAB", Need: approval.Majority, Base: approval.Entitled, Of: []approval.Member{
				{Role: "cab"},
				{Person: "ciso", Weight: 2, Veto: true},
			}}},
		}},
		Exclude: []string{"author", "implementer"}, Distinct: true, Comment: []approval.Vote{approval.Reject},
		Within: 48 * time.Hour, Silence: approval.Reject, Recount: true,
	}, p)
	require.Equal(t, "normal change: all in sequence of (line manager, or in their place role head after 24h0m0s, "+
		"CAB: more than 1/2 entitled of (role cab, ciso ×2 with veto)); not by the author or the implementer; "+
		"each vote by another person; with a comment to reject; within 48h0m0s; silence counts as reject; "+
		"votes may change after the decision", p.String())
	require.Equal(t, "CAB: more than 1/2 entitled of (role cab, ciso ×2 with veto)", p.Rule.Of[1].Rule.String())

	data, err := json.Marshal(p)
	require.NoError(t, err)
	again, err := approval.ParsePolicy(data)
	require.NoError(t, err)
	require.Equal(t, p, again)
}

func TestParsePolicyFindsEverything(t *testing.T) {
	for name, tt := range map[string]struct {
		json string
		want []string
	}{
		"no JSON":  {`{"rule":`, []string{"must be JSON: unexpected end of JSON input"}},
		"a list":   {`[]`, []string{"must be an object"}},
		"null":     {` null`, []string{"must be an object"}},
		"no UTF-8": {"{\"name\":\"\xff\"}", []string{"must be valid UTF-8"}},
		"too much": {`"` + strings.Repeat("x", 1<<20) + `"`, []string{"must have at most 1048576 bytes, has 1048578"}},
		"too deep": {strings.Repeat("[", 101) + strings.Repeat("]", 101), []string{"must be nested at most 100 deep"}},
		"nothing":  {`{}`, []string{"rule.of must not be empty: nobody approves nothing"}},
		"types and names": {
			`{"name":1,"rule":{"need":true,"of":[{"person":"ann","veto":"yes","weight":1.5},3,{"person":"ann"}],"quorum":2,"of":[]},` +
				`"within":"soon","recount":1,"exclude":"author","comment":[null],"x":{}}`,
			[]string{
				"name must be text", "rule.need must be text", "rule.of[0].veto must be true or false",
				"rule.of[0].weight must be a whole number of at most 64 bits", "rule.of[1] must be an object", "rule.quorum is not known",
				"rule.of is there twice", `within must be a duration, such as "1h30m", or nanoseconds`,
				"recount must be true or false", "exclude must be a list", "x is not known",
				`rule.of[2].person is there twice: "ann"`,
				`comment[0] must be approve, reject, abstain or withdraw, is ""`,
			},
		},
		"values": {
			`{"name":"` + strings.Repeat("n", 201) + `","rule":{"base":"half","of":[{},{"person":"ann","role":"cab"},` +
				`{"rule":{"need":"2","of":[{"person":"\u0000"}]},"substitutes":[{"person":"bob"}]},` +
				`{"person":"cho","weight":-1,"substitutes":[{"person":"cho","after":"-1h"},{"person":"dan","after":"1h"},{}]},` +
				`{"person":"eve","weight":1000001},{"role":"cab"},{"role":"cab"},{"computed":"x"},{"computed":"x"},` +
				`{"rule":{"need":"any","base":"cast","of":[{"role":"x"}]}}]},` +
				`"exclude":["author","","author"],"comment":["reject","reject","maybe"],"within":"1h","silence":"withdraw"}`,
			[]string{
				"name must have at most 200 characters, has 201",
				`rule.base must be entitled, cast or empty, is "half"`,
				"rule.of[0] must have exactly one of person, role, computed or rule, has 0",
				"rule.of[1] must have exactly one of person, role, computed or rule, has 2",
				"rule.of[2].substitutes must be empty: they stand in for people, not for a rule",
				`rule.of[2].rule.need must be "all", "any", "at least 2", "at least 2/3" or "more than 1/2", is "2"`,
				"rule.of[2].rule.of[0].person must be valid UTF-8 without NUL",
				"rule.of[3].weight must be from 0 to 1000000, is -1",
				"rule.of[3].substitutes[0].person must be another than the member",
				"rule.of[3].substitutes[0].after must not be negative",
				"rule.of[3].substitutes[1].after must be before the deadline",
				"rule.of[3].substitutes[2] must have exactly one of person, role or computed, has 0",
				"rule.of[4].weight must be from 0 to 1000000, is 1000001",
				`rule.of[6].role is there twice: "cab"`,
				`rule.of[8].computed is there twice: "x"`,
				"rule.of[9].rule.base must be empty where the need is no share",
				"exclude[1] must not be empty", `exclude[2] is there twice: "author"`,
				`comment[1] is there twice: "reject"`, `comment[2] must be approve, reject, abstain or withdraw, is "maybe"`,
				`silence must be approve, reject, abstain or empty, is "withdraw"`,
			},
		},
		"nobody can satisfy it": {
			`{"rule":{"need":"any","of":[{"person":"ann"},{"rule":{"need":"at least 4","of":[{"person":"ann","weight":2},{"person":"bob"}]}}]},"within":-1}`,
			[]string{
				"rule.of[1].rule.need must be at most 3, which is what all members weigh, is 4",
				"within must not be negative",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := approval.ParsePolicy([]byte(tt.json))
			require.ErrorIs(t, err, approval.ErrInvalid)
			require.Equal(t, tt.want, reasons(err))
			require.Zero(t, p)
			require.Equal(t, strings.Join(tt.want, "; "), err.Error())
		})
	}
	require.Nil(t, approval.Findings(nil))
	require.Nil(t, approval.Findings(errors.New("another")))
}

// A rule that contains itself, or has too many members, is found out and not followed
// for ever.
func TestPolicyWithoutEnd(t *testing.T) {
	r := &approval.Rule{Of: approval.Persons("ann", "bob")}
	r.Of = append(r.Of, approval.Member{Rule: r}, approval.Member{Rule: r})
	p := approval.Policy{Rule: *r}
	err := p.Validate()
	require.ErrorIs(t, err, approval.ErrInvalid)
	all := reasons(err)
	require.Contains(t, all, "rule must have at most 1000 members and substitutes in all")
	require.True(t, slices.ContainsFunc(all, func(s string) bool { return strings.HasSuffix(s, "must be at most 16 deep") }))
	require.Contains(t, p.String(), "…")
	require.NotEmpty(t, p.Mermaid())
	_, err = approval.Decide(approval.Electorate{Policy: p, Opened: opened}, nil, opened)
	require.ErrorIs(t, err, approval.ErrInvalid)

	many := approval.Member{Person: "ann", Substitutes: make([]approval.Substitute, 1000)}
	require.Equal(t, []string{"rule must have at most 1000 members and substitutes in all"},
		reasons(approval.Policy{Rule: approval.Rule{Of: []approval.Member{many}}}.Validate()))
}

// Long lists are refused without being compared with themselves.
func TestLongListsAreRefusedAtOnce(t *testing.T) {
	var exclude []string
	var comment []approval.Vote
	var answers []approval.Answer
	for i := range 50_000 {
		name := strconv.Itoa(200_000 - i)
		exclude, comment = append(exclude, name), append(comment, approval.Vote(name))
		answers = append(answers, approval.Answer{Kind: approval.Role, Name: name})
	}
	p := approval.Policy{Rule: approval.Rule{Of: approval.Persons("ann")}, Exclude: exclude, Comment: comment}
	all := reasons(p.Validate())
	require.Equal(t, "exclude must be at most 100, are 50000", all[0])
	require.Equal(t, "comment must be at most 4, are 50000", all[len(all)-1])
	require.Len(t, all, 6)
	p.Exclude, p.Comment = nil, nil
	require.Equal(t, []string{"answers must be at most 1100, are 50000"},
		reasons(approval.Electorate{Policy: p, Answers: answers, Opened: opened}.Validate()))
}

func TestNeed(t *testing.T) {
	for _, need := range []approval.Need{"", approval.All, approval.Any, approval.Majority, approval.AtLeast(3),
		approval.Share(2, 3), approval.Share(1, 1), approval.MoreThan(0, 1), approval.MoreThan(999_999, 1_000_000)} {
		p := approval.Policy{Rule: approval.Rule{Need: need, Of: approval.Persons("ann", "bob", "cho")}}
		require.NoError(t, p.Validate(), need)
	}
	for need, reason := range map[approval.Need]string{
		"at least 0":         "must not be reached by nothing",
		"at least 0/3":       "must not be reached by nothing",
		"at least 4/3":       "must be a share that can be reached",
		"more than 1/1":      "must be a share that can be reached",
		"more than 0/0":      "must be a share that can be reached",
		"at least 1000001/1": "must have numbers of at most 1000000",
		"at least 1/1000001": "must have numbers of at most 1000000",
	} {
		p := approval.Policy{Rule: approval.Rule{Need: need, Of: approval.Persons("ann")}}
		require.Equal(t, []string{"rule.need " + reason}, reasons(p.Validate()), need)
	}
	for _, need := range []approval.Need{"most", "ALL", "at least", "at least ", "at least -1", "at least 01", "at least 1/", "at least /2",
		"at least 1/2/3", "at least 2 ", "at least +2", "more than 1", "at least 1.5", "at least 99999999999", "60%"} {
		p := approval.Policy{Rule: approval.Rule{Need: need, Of: approval.Persons("ann")}}
		require.Equal(t, []string{`rule.need must be "all", "any", "at least 2", "at least 2/3" or "more than 1/2", is "` + string(need) + `"`},
			reasons(p.Validate()), need)
	}
}

// Shares are exact: they agree with fractions of whole numbers of any size.
func TestNothingIsRounded(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		q := 1 + rnd.IntN(1_000_000)
		p := rnd.IntN(q)
		weights := [2]int{1 + rnd.IntN(1_000_000), 1 + rnd.IntN(1_000_000)}
		if rnd.IntN(2) == 0 { // close to the share, on either side
			weights[0], weights[1] = max(p, 1), max(q-p+rnd.IntN(3)-1, 1)
		}
		members := approval.Persons("ann", "bob")
		members[0].Weight, members[1].Weight = weights[0], weights[1]
		have := big.NewRat(int64(weights[0]), int64(weights[0]+weights[1]))
		for _, tt := range []struct {
			need approval.Need
			want bool
		}{
			{approval.MoreThan(p, q), have.Cmp(big.NewRat(int64(p), int64(q))) > 0},
			{approval.Share(max(p, 1), q), have.Cmp(big.NewRat(int64(max(p, 1)), int64(q))) >= 0},
		} {
			_, outcome := approval.States(electorate(approval.Rule{Need: tt.need, Of: members}))
			require.Equal(t, tt.want, outcome([]approval.Vote{approval.Approve, approval.Reject}) == approval.Approved,
				"%s of %v", tt.need, weights)
		}
	}
}

func TestLists(t *testing.T) {
	require.Len(t, approval.Bases(), 3)
	require.Len(t, approval.Votes(), 4)
	require.Len(t, approval.Kinds(), 3)
	require.Len(t, approval.Codes(), 6)
	require.Len(t, approval.Outcomes(), 7)
}

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestMermaid(t *testing.T) {
	p, err := approval.ParsePolicy([]byte(normalChange))
	require.NoError(t, err)
	golden(t, "policy.mermaid", p.Mermaid())
	// What comes from outside does not become part of the drawing.
	p = approval.Policy{Rule: approval.Rule{Name: "a\"] --> b[\"\n;<b>&`\\#", Of: approval.Persons("ann")}}
	require.Equal(t, "flowchart TD\n    n0[\"a#34;] --#62; b[#34; #59;#60;b#62;#38;#96;#92;#35; (all)\"]\n    n1([\"ann\"])\n    n0 --> n1\n", p.Mermaid())
}
