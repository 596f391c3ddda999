package approval

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-itsm/itsm/internal/found"
)

var (
	// ErrInvalid says that a value is wrong in itself: a policy, an electorate,
	// a ballot. [Findings] lists everything that is wrong with it.
	ErrInvalid = errors.New("approval: invalid")
	// ErrRefused says that a ballot may be fine in itself but does not count. A
	// [Refusal] says why.
	ErrRefused = errors.New("approval: ballot refused")
)

// A Finding is one thing that is wrong with a value. It is an [ErrInvalid].
type Finding struct {
	// Field is the path of the JSON field: "rule.of[1].weight", "within". It is
	// empty when the value as a whole is meant.
	Field string `json:"field,omitempty"`
	// Reason says what is wrong with it, as a sentence without its subject:
	// "must not be empty".
	Reason string `json:"reason"`
}

func (f *Finding) Error() string {
	if f.Field == "" {
		return f.Reason
	}
	return f.Field + " " + f.Reason
}

// Is reports that a finding is an [ErrInvalid].
func (f *Finding) Is(target error) bool { return target == ErrInvalid }

// Finding returns field and reason, for those who gather findings of several packages.
func (f *Finding) Finding() (field, reason string) { return f.Field, f.Reason }

// Findings lists what is wrong with a value, in the order of its fields. It
// returns nil for an error that is no [ErrInvalid].
func Findings(err error) []*Finding {
	var one *Finding
	var all findings
	switch {
	case errors.As(err, &all):
		return all
	case errors.As(err, &one):
		return []*Finding{one}
	}
	return nil
}

// findings collects them, so that a value is refused with all of them at once.
type findings []*Finding

// add adds a finding.
func (f *findings) add(at path, format string, args ...any) {
	*f = append(*f, &Finding{Field: at.String(), Reason: fmt.Sprintf(format, args...)})
}

// check adds a finding unless ok.
func (f *findings) check(ok bool, at path, reason string) {
	if !ok {
		*f = append(*f, &Finding{Field: at.String(), Reason: reason})
	}
}

// err returns nil if nothing was found.
func (f findings) err() error {
	switch len(f) {
	case 0:
		return nil
	case 1:
		return f[0]
	}
	return f
}

func (f findings) Error() string { return found.Line(f) }

func (f findings) Is(target error) bool { return target == ErrInvalid }

func (f findings) Unwrap() []error { return found.Errors(f) }

const (
	// maxName is the most characters of a name of a person, role or duty.
	maxName = 200
	// maxComment is the most characters of a comment.
	maxComment = 10_000
)

// name checks a name, which must be there.
func (f *findings) name(name string, at path) {
	f.check(name != "", at, "must not be empty")
	f.text(name, at, maxName)
}

// text checks a text that records keep.
func (f *findings) text(text string, at path, most int) {
	if len(text) <= most && isPlain(text) {
		return
	}
	f.check(utf8.ValidString(text) && !strings.Contains(text, "\x00"), at, "must be valid UTF-8 without NUL")
	if n := utf8.RuneCountInString(text); n > most {
		f.add(at, "must have at most %d characters, has %d", most, n)
	}
}

// isPlain reports that a text is printable ASCII, as most names are.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// names checks a list of names, each of which may be there once.
func (f *findings) names(names []string, at *path, field string) {
	rising := true // as long as they are, none is there twice
	for i, name := range names {
		item := at.item(field, i)
		f.name(name, item)
		rising = rising && (i == 0 || names[i-1] < name)
		if !rising && slices.Contains(names[:i], name) {
			f.add(item, "is there twice: %q", name)
		}
	}
}

// A path is the way to a JSON field. It is spelled only if something is wrong
// there, because a valid policy is checked whenever votes are counted.
type path struct {
	up   *path
	name string
	i    int // of an element, or -1
}

// field is a member of the object at the path, and item an element of a list in it.
func (p *path) field(name string) path       { return path{p, name, -1} }
func (p *path) item(name string, i int) path { return path{p, name, i} }

// String spells the path: "rule.of[1].weight".
func (p *path) String() string {
	var b strings.Builder
	b.Grow(32)
	p.write(&b)
	return b.String()
}

func (p *path) write(b *strings.Builder) {
	if p.up != nil {
		p.up.write(b)
	}
	if p.name != "" && b.Len() > 0 {
		b.WriteByte('.')
	}
	b.WriteString(p.name)
	if p.up != nil && p.i >= 0 {
		b.WriteString("[" + strconv.Itoa(p.i) + "]")
	}
}
