package itsm_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func TestAssignment(t *testing.T) {
	type a = itsm.Assignment
	for _, tt := range []struct {
		had, now a
		taken    bool
	}{
		{a{}, a{}, false}, {a{}, a{"g", "p"}, false}, {a{"g", ""}, a{"g", "p"}, false}, {a{"", "p"}, a{"g", "p"}, false}, {a{"g", "p"}, a{"g", "p"}, false},
		{a{"g", ""}, a{"h", ""}, true}, {a{"g", "p"}, a{"g", "q"}, true}, {a{"g", "p"}, a{"g", ""}, true}, {a{"g", "p"}, a{"h", "p"}, true}, {a{"", "p"}, a{"g", ""}, true},
	} {
		require.Equal(t, tt.taken, tt.now.TakenFrom(tt.had), "%v after %v", tt.now, tt.had)
	}
	mine := a{Group: "g"}
	mine.Take(itsm.Moment{Actor: itsm.Actor{ID: "kim"}})
	require.Equal(t, a{"g", "kim"}, mine)
	mine.Take(itsm.Moment{Actor: itsm.Actor{ID: "lee"}})
	require.Equal(t, a{"g", "kim"}, mine)

	require.NoError(t, a{Group: "g"}.Validate())
	require.NoError(t, a{Person: strings.Repeat("p", 200)}.Validate())
	require.EqualError(t, a{}.Validate(), "group or person must be given")
	require.EqualError(t, a{strings.Repeat("g", 201), strings.Repeat("p", 201)}.Validate(),
		"group must have at most 200 characters, has 201; person must have at most 200 characters, has 201")
}
