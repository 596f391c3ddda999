package short_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/internal/short"
)

func TestText(t *testing.T) {
	type name string
	for _, tt := range []struct{ long, want string }{
		{"", ""},
		{"mail", "mail"},
		{strings.Repeat("x", 60), strings.Repeat("x", 60)},
		{strings.Repeat("x", 61), strings.Repeat("x", 60) + "…"},
		{strings.Repeat("메", 60), strings.Repeat("메", 60)},
		{strings.Repeat("메", 100), strings.Repeat("메", 60) + "…"},
		{"a\xffb", "ab"},
		{strings.Repeat("\xff", 100), ""},
		{strings.Repeat("x\xff", 61), strings.Repeat("x", 60) + "…"},
	} {
		require.Equal(t, tt.want, short.Text(name(tt.long)), "%q", tt.long)
	}
}
