package incident_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// fixedMatcher always finds the same.
type fixedMatcher struct {
	ids  []itsm.ID
	fail error
}

func (m fixedMatcher) Match(context.Context, incident.Incident) (all []incident.Proposal, err error) {
	for _, id := range m.ids {
		all = append(all, incident.Proposal{To: itsm.Ref{Kind: "article", ID: id}, Reason: string(id)})
	}
	return all, m.fail
}

// What several find is taken in turn, and who fails does not hide the others.
func TestMatchers(t *testing.T) {
	down := errors.New("the index is down")
	all := incident.Matchers{fixedMatcher{ids: []itsm.ID{"a", "b", "c", "d"}}, fixedMatcher{fail: down}, fixedMatcher{ids: []itsm.ID{"x", "a", "y"}}}
	found, err := all.Match(t.Context(), incident.Incident{})
	require.ErrorIs(t, err, down)
	var ids []itsm.ID
	for _, p := range found {
		ids = append(ids, p.To.ID)
	}
	require.Equal(t, []itsm.ID{"a", "x", "b", "c", "y", "d"}, ids)

	d := newDesk(t, incident.Config{Matcher: all})
	inc := d.open()
	require.Len(t, inc.Proposals, 6)
	found, err = incident.Matchers{}.Match(t.Context(), inc)
	require.NoError(t, err)
	require.Empty(t, found)
}
