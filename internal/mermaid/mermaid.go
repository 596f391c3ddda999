// Package mermaid writes texts into drawings in the language of Mermaid.
package mermaid

import (
	"fmt"
	"strings"
)

// Escape keeps a text from outside from becoming part of the drawing.
func Escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r < ' ' || r == 0x7f:
			b.WriteByte(' ')
		case strings.ContainsRune("\"#<>&;`\\|", r):
			fmt.Fprintf(&b, "#%d;", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
