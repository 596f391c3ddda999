package found_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/internal/found"
)

type finding string

func (f finding) Error() string { return string(f) }

func TestFindings(t *testing.T) {
	all := []finding{"a is empty", "b is wrong"}
	require.Equal(t, "a is empty; b is wrong", found.Line(all))
	require.Empty(t, found.Line([]finding{}))
	joined := errors.Join(found.Errors(all)...)
	for _, one := range all {
		require.ErrorIs(t, joined, one)
	}
	require.Empty(t, found.Errors([]finding(nil)))
}
