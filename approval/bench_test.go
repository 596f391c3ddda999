package approval_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/approval"
)

// BenchmarkDecide counts the ballots of a board of five, of a usual policy in steps,
// and of the largest electorate.
func BenchmarkDecide(b *testing.B) {
	board := electorate(approval.Rule{Need: approval.Majority, Of: approval.Persons(names(5)...)})
	steps, err := approval.ParsePolicy([]byte(normalChange))
	require.NoError(b, err)
	stepped, err := approval.Resolve(steps, opened, people(map[string][]string{
		"computed line manager": {"lee"}, "role head": {"kim"}, "role cab": {"ann", "bob", "cho"}, "duty author": {"ann"}, "duty implementer": {"zoe"},
	}))
	require.NoError(b, err)
	crowd, votes := electorate(approval.Rule{Need: approval.Share(2, 3), Of: []approval.Member{{Role: "all"}}}), []approval.Ballot(nil)
	crowd.Answers = []approval.Answer{{Kind: approval.Role, Name: "all"}}
	for i := range 1000 {
		name := fmt.Sprintf("p%03d", i)
		crowd.Answers[0].People = append(crowd.Answers[0].People, name)
		if i < 500 {
			votes = append(votes, approval.Ballot{By: name, Vote: approval.Approve, At: opened.Add(time.Duration(i) * time.Second)})
		}
	}
	for _, bb := range []struct {
		name    string
		e       approval.Electorate
		ballots []approval.Ballot
	}{
		{"board", board, cast("ann approve", "bob reject", "cho approve")},
		{"decided", board, cast("ann approve", "bob reject", "cho approve", "dan approve")},
		{"steps", stepped, cast("lee approve", "bob approve")},
		{"thousand", crowd, votes},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := approval.Decide(bb.e, bb.ballots, at(60)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
