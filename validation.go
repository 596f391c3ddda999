package itsm

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm/internal/found"
	"github.com/go-itsm/itsm/internal/short"
)

// A Validation collects findings, so that an input is refused with all that is
// wrong with it at once. The zero value is ready:
//
//	var v itsm.Validation
//	v.Text("title", r.Title, 1, 200)
//	v.Check(r.Spent > 0, "spent", "must be positive")
//	return v.Err()
type Validation struct {
	findings []error
}

// Check adds a [FieldError] unless ok.
func (v *Validation) Check(ok bool, field, reason string) {
	if !ok {
		v.findings = append(v.findings, &FieldError{Field: field, Reason: reason})
	}
}

// Rule adds a [RuleError] unless ok.
func (v *Validation) Rule(ok bool, reason string) {
	if !ok {
		v.findings = append(v.findings, &RuleError{Reason: reason})
	}
}

// Text checks that a text has at least minimum and at most maximum characters
// (Unicode code points).
func (v *Validation) Text(field, text string, minimum, maximum int) {
	if len(text) >= minimum && len(text) <= maximum && minimum <= 1 {
		return // a character has a byte at least
	}
	switch n := utf8.RuneCountInString(text); {
	case n < minimum && minimum == 1:
		v.Check(false, field, "must not be empty")
	case n < minimum:
		v.Check(false, field, fmt.Sprintf("must have at least %d characters, has %d", minimum, n))
	case n > maximum:
		v.Check(false, field, fmt.Sprintf("must have at most %d characters, has %d", maximum, n))
	}
}

// Texts checks a list of texts, such as names: that there are at most so many, that
// each has at least one and at most longest characters, and that none is there twice.
func (v *Validation) Texts(field string, texts []string, most, longest int) {
	v.Check(len(texts) <= most, field, fmt.Sprintf("must be at most %d", most))
	seen := map[string]bool{}
	for i, text := range texts[:min(len(texts), most)] {
		at := fmt.Sprintf("%s[%d]", field, i)
		v.Text(at, text, 1, longest)
		v.Check(!seen[text], at, fmt.Sprintf("%q is there twice", short.Text(text)))
		seen[text] = true
	}
}

// Ref checks that a reference says what it points to, with a kind of at most 100 and
// an id of at most 500 characters.
func (v *Validation) Ref(field string, to Ref) {
	v.Text(field+".kind", to.Kind, 1, 100)
	v.Text(field+".id", string(to.ID), 1, 500)
}

// NotAfter checks that a time, if it is set, is not after a limit.
func (v *Validation) NotAfter(field string, t, limit time.Time, limitIs string) {
	v.Check(!t.After(limit), field, "must not be after "+limitIs)
}

// Add adds what another check found, if anything.
func (v *Validation) Add(err error) {
	if err != nil {
		v.findings = append(v.findings, Findings(err)...)
	}
}

// Err returns nil if nothing was found, else an error for which [Findings]
// lists everything, and which is an [ErrInvalid], an [ErrNotAllowed] or both.
func (v *Validation) Err() error {
	switch len(v.findings) {
	case 0:
		return nil
	case 1:
		return v.findings[0]
	}
	return findings(v.findings)
}

// findings is errors.Join on one line.
type findings []error

func (f findings) Error() string { return found.Line(f) }

func (f findings) Unwrap() []error { return f }

// CheckText is [Validation.Text] for an input of which nothing else is to be checked.
func CheckText(field, text string, minimum, maximum int) error {
	var v Validation
	v.Text(field, text, minimum, maximum)
	return v.Err()
}

// Refuse returns a [RuleError]: the way for an action to say that the record
// does not admit it.
func Refuse(format string, args ...any) error {
	return &RuleError{Reason: fmt.Sprintf(format, args...)}
}
