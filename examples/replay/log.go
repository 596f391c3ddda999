package main

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
)

// A Row is one line of the log: an incident as it was at a moment, and what the
// export added from its end. What the log does not say is zero.
type Row struct {
	Line    int // in the file, where 1 is the header
	Number  string
	State   string
	Opened  time.Time
	Updated time.Time // the row's own time

	Impact        itsm.Impact
	Urgency       itsm.Urgency
	Priority      itsm.Priority
	PriorityLabel string

	Group, Person           string
	Caller, Opener, Updater string
	Channel, Category, CI   string
	Symptom, Location       string
	Subcategory, Vendor     string
	Problem, RFC, CausedBy  string
	Knowledge, MadeSLA      bool
	Code                    string

	// Reopens and Reassignments are what the log has counted so far; notSaid
	// if it does not say.
	Reopens, Reassignments int
	// Resolved and Closed were known only in the end; every row has them.
	Resolved, Closed time.Time
}

const (
	missing = "?" // how the log spells what it does not say
	notSaid = -1
	maxText = 200 // characters of a value, as the practice takes them
)

// A column of the log: its name in the header, and how its text gets into a row.
type column struct {
	name     string
	required bool
	set      func(r *Row, text string) error
}

var columns = []column{
	{"number", true, text(func(r *Row) *string { return &r.Number })},
	{"incident_state", true, text(func(r *Row) *string { return &r.State })},
	{"opened_at", true, clock(func(r *Row) *time.Time { return &r.Opened })},
	{"sys_updated_at", true, clock(func(r *Row) *time.Time { return &r.Updated })},
	{"resolved_at", true, clock(func(r *Row) *time.Time { return &r.Resolved })},
	{"closed_at", true, clock(func(r *Row) *time.Time { return &r.Closed })},
	{"reopen_count", true, count(func(r *Row) *int { return &r.Reopens })},
	{"reassignment_count", true, count(func(r *Row) *int { return &r.Reassignments })},
	{"made_sla", true, flagged(func(r *Row) *bool { return &r.MadeSLA })},
	{"impact", true, func(r *Row, s string) error {
		n, err := level(s, len(matrix))
		r.Impact = itsm.Impact(n)
		return err
	}},
	{"urgency", true, func(r *Row, s string) error {
		n, err := level(s, len(matrix[0]))
		r.Urgency = itsm.Urgency(n)
		return err
	}},
	{"priority", true, func(r *Row, s string) error {
		n, err := level(s, 99)
		r.Priority, r.PriorityLabel = itsm.Priority(n), s
		return err
	}},
	{"assignment_group", true, text(func(r *Row) *string { return &r.Group })},
	{"assigned_to", false, text(func(r *Row) *string { return &r.Person })},
	{"caller_id", false, text(func(r *Row) *string { return &r.Caller })},
	{"opened_by", false, text(func(r *Row) *string { return &r.Opener })},
	{"sys_updated_by", false, text(func(r *Row) *string { return &r.Updater })},
	{"contact_type", false, text(func(r *Row) *string { return &r.Channel })},
	{"category", false, text(func(r *Row) *string { return &r.Category })},
	{"cmdb_ci", false, text(func(r *Row) *string { return &r.CI })},
	{"u_symptom", false, text(func(r *Row) *string { return &r.Symptom })},
	{"location", false, text(func(r *Row) *string { return &r.Location })},
	{"subcategory", false, text(func(r *Row) *string { return &r.Subcategory })},
	{"vendor", false, text(func(r *Row) *string { return &r.Vendor })},
	{"knowledge", false, flagged(func(r *Row) *bool { return &r.Knowledge })},
	{"problem_id", false, text(func(r *Row) *string { return &r.Problem })},
	{"rfc", false, text(func(r *Row) *string { return &r.RFC })},
	{"caused_by", false, text(func(r *Row) *string { return &r.CausedBy })},
	{"closed_code", false, text(func(r *Row) *string { return &r.Code })},
}

func text(field func(*Row) *string) func(*Row, string) error {
	return func(r *Row, s string) error {
		*field(r) = s
		return nil
	}
}

func clock(field func(*Row) *time.Time) func(*Row, string) error {
	return func(r *Row, s string) error {
		t, err := time.Parse("2/1/2006 15:04", s)
		if err != nil || t.Year() < 1900 || t.Year() > 2199 {
			return fmt.Errorf("must be a time like 29/2/2016 09:48, is %q", s)
		}
		*field(r) = t
		return nil
	}
}

func count(field func(*Row) *int) func(*Row, string) error {
	return func(r *Row, s string) error {
		n, err := strconv.ParseUint(s, 10, 31)
		if err != nil {
			return fmt.Errorf("must be a number from 0, is %q", s)
		}
		*field(r) = int(n)
		return nil
	}
}

func flagged(field func(*Row) *bool) func(*Row, string) error {
	return func(r *Row, s string) error {
		*field(r) = s == "true"
		if s != "true" && s != "false" {
			return fmt.Errorf("must be true or false, is %q", s)
		}
		return nil
	}
}

// level reads the number in front of a label such as "2 - Medium".
func level(s string, most int) (int, error) {
	digits, _, _ := strings.Cut(s, " ")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("must begin with a number from 1 to %d, is %q", most, s)
	}
	return n, nil
}

// ReadLog yields the rows of a log, plain or compressed. What is wrong with it
// comes instead of rows: an [itsm.ErrInvalid] that says where it is and after which
// the sequence goes on, so that its reader can collect all findings; after any
// other error it ends.
func ReadLog(in io.Reader) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		table, at, err := openLog(in)
		if err != nil {
			yield(nil, err)
			return
		}
		kept := map[string]string{} // each text once, however many rows have it
		for {
			fields, err := table.Read()
			var fault *csv.ParseError
			var row *Row
			switch {
			case errors.Is(err, io.EOF):
				return
			case errors.As(err, &fault):
				err = &itsm.FieldError{Field: fmt.Sprintf("line %d", fault.Line), Reason: "is no row: " + fault.Err.Error()}
			case err != nil:
				yield(nil, readError(err))
				return
			default:
				line, _ := table.FieldPos(0)
				row, err = newRow(line, fields, at, kept)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// openLog reads as far as the header, and returns where in a row each column is.
func openLog(in io.Reader) (*csv.Reader, []int, error) {
	plain, err := decompress(bufio.NewReaderSize(in, 1<<16))
	if err != nil {
		return nil, nil, err
	}
	if bom, _ := plain.Peek(3); string(bom) == "\uFEFF" {
		_, _ = plain.Discard(len(bom)) // cannot fail: it was peeked
	}
	if head, _ := plain.Peek(1 << 12); bytes.IndexByte(head, 0) >= 0 {
		return nil, nil, errors.New("this is no text")
	}
	table := csv.NewReader(plain)
	table.ReuseRecord = true
	header, err := table.Read()
	if errors.Is(err, io.EOF) {
		return nil, nil, errors.New("the log is empty")
	}
	if err != nil {
		return nil, nil, readError(err)
	}
	at, err := places(header)
	return table, at, err
}

// newRow reads the fields of one row and returns all that is wrong with them.
func newRow(line int, fields []string, at []int, kept map[string]string) (*Row, error) {
	r := &Row{Line: line, Reopens: notSaid, Reassignments: notSaid}
	var v itsm.Validation
	for i := range columns {
		if at[i] < 0 {
			continue
		}
		s := fields[at[i]]
		if s == "" || s == missing {
			continue
		}
		if have, ok := kept[s]; ok {
			s = have
		} else {
			s = strings.Clone(s)
			kept[s] = s
		}
		err := sound(s)
		if err == nil {
			err = columns[i].set(r, s)
		}
		if err != nil {
			v.Check(false, fmt.Sprintf("line %d: %s", line, columns[i].name), err.Error())
		}
	}
	if r.Number == "" {
		v.Check(false, fmt.Sprintf("line %d: number", line), "must not be missing")
	}
	return r, v.Err()
}

// sound refuses text that no action would take.
func sound(s string) error {
	switch {
	case !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0:
		return errors.New("must be UTF-8 without NUL")
	case utf8.RuneCountInString(s) > maxText:
		return fmt.Errorf("must have at most %d characters", maxText)
	}
	return nil
}

// places finds each of the columns in the header, -1 where it is not there. Order
// and further columns do not matter.
func places(header []string) ([]int, error) {
	found := map[string][]int{}
	for i, name := range header {
		name = strings.TrimSpace(name)
		found[name] = append(found[name], i)
	}
	var v itsm.Validation
	at := make([]int, len(columns))
	for i, c := range columns {
		at[i] = -1
		if places := found[c.name]; len(places) > 0 {
			at[i] = places[0]
			v.Check(len(places) == 1, "header: column "+c.name, "is there twice")
		} else if c.required {
			v.Check(false, "header: column "+c.name, "is missing")
		}
	}
	return at, v.Err()
}

// decompress looks at the first bytes and not at the file's name, so that it works
// for standard input too.
func decompress(in *bufio.Reader) (*bufio.Reader, error) {
	if magic, _ := in.Peek(2); string(magic) != "\x1f\x8b" {
		return in, nil
	}
	unzip, err := gzip.NewReader(in)
	if err != nil {
		return nil, readError(err)
	}
	return bufio.NewReaderSize(unzip, 1<<16), nil
}

func readError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the compressed log ends in the middle")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.As(err, &corrupt):
		return errors.New("the compressed log is damaged")
	}
	return fmt.Errorf("reading the log: %w", err)
}
