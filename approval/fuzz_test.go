package approval_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
)

// FuzzParsePolicy lets anything come in from outside. It is a policy or refused with
// findings; a policy is written and read again as the same, can be shown, and can be
// satisfied if each of its roles has enough people.
func FuzzParsePolicy(f *testing.F) {
	for _, s := range []string{normalChange, ``, `null`, `{}`, `{"rule":{"of":[{"person":"ann"}]}}`, `{"rule":{"need":"at least 2/3","base":"cast","of":[{"role":"a"},{"rule":{"of":[{"person":"b"}]}}]}}`,
		`{"rule":{"need":"more than 0/1","of":[{"person":"\ud800"}]},"within":1e3}`, `{"rule":{"of":[{"rule":null}]},"rule":{}}`, `{"rule":{"of":[{"person":"a","substitutes":[{"person":"b","after":"9h"}]}]},"within":"9h"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := approval.ParsePolicy(data)
		if err != nil {
			require.ErrorIs(t, err, approval.ErrInvalid)
			require.NotEmpty(t, approval.Findings(err))
			require.NotEmpty(t, err.Error())
			return
		}
		require.NoError(t, p.Validate())
		written, err := json.Marshal(p)
		require.NoError(t, err)
		again, err := approval.ParsePolicy(written)
		require.NoError(t, err)
		require.Equal(t, p.String(), again.String())
		rewritten, err := json.Marshal(again)
		require.NoError(t, err)
		require.Equal(t, string(written), string(rewritten))
		require.NotEmpty(t, p.Mermaid())
		e, err := approval.Resolve(p, opened, func(kind approval.Kind, name string) ([]string, error) {
			if kind == approval.Duty {
				return nil, nil
			}
			return []string{string(kind) + name}, nil
		})
		if err != nil {
			require.ErrorIs(t, err, approval.ErrInvalid) // too few people, or a name that got too long
			return
		}
		require.Equal(t, approval.Open, decide(t, e, nil, opened).Outcome)
	})
}

// FuzzDecide makes up policies and ballots. Whatever they are, the decision is one of
// the four, what was final stays so, the same ballots give the same decision, and all
// that is asked for may be cast.
func FuzzDecide(f *testing.F) {
	f.Add([]byte(`{"need":"any","of":[{"person":"ann","veto":true},{"rule":{"sequence":true,"of":[{"person":"bob"},{"person":"cho","weight":3}]}}]}`), []byte{1, 2, 3, 40, 50, 60, 77}, uint8(3))
	f.Add([]byte(`{"need":"more than 1/2","base":"cast","of":[{"person":"ann"},{"person":"bob","substitutes":[{"person":"eve","after":"3m"}]},{"person":"cho"}]}`), []byte{9, 8, 7, 6, 5, 4, 3, 2, 1}, uint8(255))
	f.Fuzz(func(t *testing.T, rule, moves []byte, options uint8) {
		var p approval.Policy
		if json.Unmarshal(rule, &p.Rule) != nil || len(moves) > 50 {
			return
		}
		p.Recount, p.Distinct = options&1 > 0, options&2 > 0
		if options&4 > 0 {
			p.Comment = []approval.Vote{approval.Reject}
		}
		p.Silence = append(approval.Votes()[:3], "")[options>>3&3]
		e := approval.Electorate{Policy: p, Opened: opened}
		if options&32 > 0 {
			e.Deadline = at(10)
		}
		if options&64 > 0 {
			e.Policy.Exclude = []string{"author"}
			e.Answers = []approval.Answer{{Kind: approval.Duty, Name: "author", People: []string{"dan"}}}
		}
		if options&128 > 0 {
			e.Delegations = []approval.Delegation{{Of: "ann", To: "dan"}, {Of: "bob", To: "eve", From: at(3)}}
		}
		if err := e.Validate(); err != nil {
			require.ErrorIs(t, err, approval.ErrInvalid)
			if _, err := approval.Decide(e, nil, opened); err != nil {
				require.ErrorIs(t, err, approval.ErrInvalid)
				return
			}
		}
		var ballots []approval.Ballot
		before := decide(t, e, nil, opened)
		now := opened
		for _, move := range moves {
			now = now.Add(time.Duration(move>>6) * time.Minute)
			b := approval.Ballot{By: names(5)[move%5], Vote: approval.Votes()[move/5%4], At: now}
			if move&32 > 0 {
				b.For = names(5)[move/8%5]
			}
			if len(before.Needed.May) > 0 && move%7 == 0 {
				turn := before.Needed.May[int(move)%len(before.Needed.May)]
				b.By, b.For = turn.By[int(move)%len(turn.By)], turn.Person
				b.Comment = "asked for"
			}
			refused := approval.Admit(e, ballots, b)
			ballots = append(ballots, b)
			d := decide(t, e, ballots, now)
			require.Contains(t, approval.Outcomes()[:4], d.Outcome)
			require.Equal(t, refused != nil, len(d.Uncounted) > 0 && d.Uncounted[len(d.Uncounted)-1].Index == len(ballots)-1)
			if now.Equal(ballots[max(len(ballots)-2, 0)].At) && b.Comment != "" && !before.Final {
				require.NoError(t, refused, "asked for and refused")
			}
			if before.Final {
				require.True(t, d.Final)
				require.Equal(t, before.Outcome, d.Outcome)
				require.Equal(t, before.Why, d.Why)
			}
			require.Equal(t, d.Outcome == approval.Open, len(d.Needed.May) > 0)
			require.Equal(t, d.Outcome == approval.Open, len(d.Needed.Enough) > 0)
			require.True(t, d.Next.IsZero() || d.Next.After(now))
			require.NotEmpty(t, d.String())
			before = d
		}
		written, err := json.Marshal(e)
		require.NoError(t, err)
		if again, err := approval.ParseElectorate(written); err == nil {
			require.Equal(t, decide(t, e, ballots, now), decide(t, again, ballots, now), "from storage")
		}
	})
}
