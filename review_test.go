package itsm_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

// A review has a beginning and an end; what it wants done may be done after it.
func TestReview(t *testing.T) {
	var r itsm.Review
	spare := itsm.ActionItem{Title: "spare", Owner: "kim", Due: monday}
	require.EqualError(t, r.Going(), "its review was not started")
	require.EqualError(t, r.Add(spare), "its review was not started")
	require.Empty(t, r.Actions)
	r = itsm.Review{Lead: "kim", Started: monday}
	require.NoError(t, r.Going())
	require.EqualError(t, r.Wants(), "its review has no action item that is open")
	require.NoError(t, r.Add(spare))
	require.NoError(t, r.Add(itsm.ActionItem{Number: 7, Title: "alert", Owner: "lee"}))
	require.NoError(t, r.Wants())
	r.Completed = monday.Add(time.Hour)
	require.EqualError(t, r.Going(), "its review is completed")
	require.ErrorIs(t, r.Going(), itsm.ErrNotAllowed)

	for _, number := range []int{-1, 0, 3} {
		require.Equal(t, &itsm.FieldError{Field: "number", Reason: "is not that of an action item"}, r.Complete(number, monday))
	}
	done := monday.Add(2 * time.Hour)
	require.NoError(t, r.Complete(1, done))
	require.EqualError(t, r.Complete(1, done.Add(1)), "action item 1 is done already")
	require.NoError(t, r.Wants())
	require.NoError(t, r.Complete(2, done))
	require.ErrorIs(t, r.Wants(), itsm.ErrNotAllowed)
	spare.Number, spare.Done = 1, done
	require.Equal(t, []itsm.ActionItem{spare, {Number: 2, Title: "alert", Owner: "lee", Done: done}}, r.Actions)

	for range 198 {
		require.NoError(t, r.Add(spare))
	}
	require.EqualError(t, r.Add(spare), "its review has 200 action items already")
	require.Len(t, r.Actions, 200)
	require.EqualError(t, itsm.ActionItem{}.Validate(), "title must not be empty; owner must not be empty")
}
