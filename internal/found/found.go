// Package found has what lists of findings have in common, whatever a finding is.
package found

import "strings"

// Line is [errors.Join] on one line.
func Line[E error](all []E) string {
	var b strings.Builder
	for i, one := range all {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(one.Error())
	}
	return b.String()
}

// Errors returns them for an Unwrap.
func Errors[E error](all []E) []error {
	errs := make([]error, len(all))
	for i, one := range all {
		errs[i] = one
	}
	return errs
}
