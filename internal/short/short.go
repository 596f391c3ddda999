// Package short keeps messages readable where a text comes from outside.
package short

import "strings"

// Text returns the first 60 characters of a text, with "…" where there are more, and
// without what is no UTF-8.
func Text[S ~string](long S) string {
	const most = 60
	valid, n := strings.ToValidUTF8(string(long), ""), 0
	for i := range valid {
		if n == most {
			return valid[:i] + "…"
		}
		n++
	}
	return valid
}
