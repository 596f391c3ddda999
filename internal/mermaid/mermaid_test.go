package mermaid_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/internal/mermaid"
)

// What is escaped is read back as it was, and holds nothing that Mermaid understands.
func TestEscape(t *testing.T) {
	require.Equal(t, "plain 메일 (x) [y] {z}", mermaid.Escape("plain 메일 (x) [y] {z}"))
	require.Equal(t, "a b c", mermaid.Escape("a\nb\x7fc"))
	for _, text := range []string{`end"]; click n1 "x"`, "a|b", "<b>&amp;</b>", "#35;", "`\\`", ""} {
		drawn := mermaid.Escape(text)
		entity := regexp.MustCompile(`#(\d+);`)
		require.NotRegexp(t, "[\"<>&`\\\\|]", drawn)
		require.Equal(t, strings.Count(drawn, "#"), len(entity.FindAllString(drawn, -1)), "no # and ; but those of entities")
		require.Equal(t, text, html.UnescapeString(entity.ReplaceAllString(drawn, "&#$1;")))
	}
}
