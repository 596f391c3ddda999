package itsm_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func TestCheckRevisions(t *testing.T) {
	event := func(id, record itsm.ID, v itsm.Version) itsm.Event {
		return itsm.Event{ID: id, Record: record, Version: v}
	}
	rev := func(id itsm.ID, base, version itsm.Version, events ...itsm.Event) itsm.Revision[Ticket] {
		r := itsm.Revision[Ticket]{Base: base, Events: events}
		r.Record.ID, r.Record.Version = id, version
		return r
	}
	for _, tt := range []struct {
		name string
		revs []itsm.Revision[Ticket]
		want []string
	}{
		{"one", []itsm.Revision[Ticket]{rev("a", 0, 1, event("e1", "a", 1))}, nil},
		{"two of two events", []itsm.Revision[Ticket]{
			rev("a", 4, 6, event("e1", "a", 5), event("e2", "a", 6)),
			rev("b", 0, 2, event("e3", "b", 1), event("e4", "b", 2)),
		}, nil},
		{"none", nil, []string{"there is no revision to commit"}},
		{"no events", []itsm.Revision[Ticket]{rev("a", 1, 1)}, []string{"revisions[0].events must not be empty"}},
		{"everything", []itsm.Revision[Ticket]{
			rev("", 1, 5, event("", "x", 2)),
			rev("b", 3, 5, event("e1", "b", 4), event("e1", "b", 6)),
			rev("b", 3, 4, event("e1", "b", 4)),
		}, []string{
			"revisions[0].record.id must not be empty",
			"revisions[0].record.version must be 2, the base plus the number of events, is 5",
			"revisions[0].events[0].id must not be empty",
			"revisions[0].events[0].record must be the record's id",
			"revisions[1].events[1].id is in this commit twice",
			"revisions[1].events[1].version must be 5, is 6",
			"revisions[2].record.id is in this commit twice",
			"revisions[2].events[0].id is in this commit twice",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := itsm.CheckRevisions(tt.revs...)
			require.Equal(t, tt.want, messages(err))
			if err != nil {
				require.ErrorIs(t, err, itsm.ErrInvalid)
			}
		})
	}
	err := itsm.CheckRevisions(itsm.Revision[int]{})
	require.Equal(t, []string{"revisions[0].record must embed itsm.Meta"}, messages(err))
}

func TestQuerySize(t *testing.T) {
	require.Equal(t, 100, itsm.Query{}.Size())
	require.Equal(t, 100, itsm.Query{Limit: -1}.Size())
	require.Equal(t, 7, itsm.Query{Limit: 7}.Size())
}
