package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// columns is how wide the story is.
const columns = 78

// with is what stands for the placeholders of a text.
type with map[string]any

// A narrator tells the story in one language.
type narrator struct {
	out   io.Writer
	words *texts
	pause func(time.Duration)
}

// How long it waits, for those who read along.
const (
	afterLine      = 60 * time.Millisecond
	afterParagraph = 900 * time.Millisecond
	afterChapter   = 3 * time.Second
)

// line prints a line as it is.
func (n *narrator) line(s string) {
	_, _ = fmt.Fprintln(n.out, strings.TrimRight(s, " "))
	n.pause(afterLine)
}

// text returns a text with its placeholders filled in.
func (n *narrator) text(key string, values ...with) string {
	text := n.words.text(key)
	for _, v := range values {
		for name, value := range v {
			text = strings.ReplaceAll(text, "{"+name+"}", n.spell(value))
		}
	}
	return text
}

// say prints a text as paragraphs.
func (n *narrator) say(key string, values ...with) {
	for i, p := range strings.Split(n.text(key, values...), "\n\n") {
		if i > 0 {
			n.line("")
		}
		n.hang("", p)
	}
	n.line("")
	n.pause(afterParagraph)
}

// point prints a text as a point of a list.
func (n *narrator) point(key string, values ...with) { n.quote(n.text(key, values...)) }

// quote prints as a point what the library or the data say.
func (n *narrator) quote(s string) { n.hang("  - ", s) }

// hang prints a text with something before its first line, below which its other lines
// begin.
func (n *narrator) hang(first, text string) {
	for _, l := range wrap(text, columns-width(first)) {
		n.line(first + l)
		first = strings.Repeat(" ", width(first))
	}
}

// heading prints a heading of a part of a chapter.
func (n *narrator) heading(key string, values ...with) {
	n.line("── " + n.text(key, values...) + " ──")
}

// rows prints a table.
func (n *narrator) rows(rows [][]string) {
	for _, l := range table(rows) {
		n.line("  " + l)
	}
	n.line("")
}

// spell writes a value as people of the language do.
func (n *narrator) spell(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case time.Time:
		return n.date(v) + " " + v.In(seoul()).Format("15:04")
	case time.Duration:
		return n.length(v)
	case []string:
		return strings.Join(v, ", ")
	case []itsm.ID:
		all := make([]string, len(v))
		for i, id := range v {
			all[i] = string(id)
		}
		return strings.Join(all, ", ")
	case float64:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

// date spells a day.
func (n *narrator) date(t time.Time) string {
	t = t.In(seoul())
	if n.words.lang == "ko" {
		days := [...]string{"일", "월", "화", "수", "목", "금", "토"}
		return fmt.Sprintf("%d월 %d일(%s)", t.Month(), t.Day(), days[t.Weekday()])
	}
	return t.Format("Mon 2 Jan")
}

// length spells a length of time.
func (n *narrator) length(d time.Duration) string {
	units := [...]string{"d", "h", "min", "s"}
	gap := " "
	if n.words.lang == "ko" {
		units, gap = [...]string{"일", "시간", "분", "초"}, ""
	}
	if d < 0 {
		return "-" + n.length(-d)
	}
	d = d.Round(time.Second)
	if d >= time.Hour {
		d = d.Round(time.Minute)
	}
	var parts []string
	for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		if i == 0 && d%unit != 0 && d < 2*unit {
			continue // 26 hours rather than a day and two
		}
		if part := d / unit; part > 0 {
			parts = append(parts, fmt.Sprint(int64(part))+gap+units[i])
			d -= part * unit
		}
	}
	if len(parts) == 0 {
		return "0" + gap + units[2]
	}
	return strings.Join(parts, " ")
}

// verbatim prints what the library draws or lists, line by line.
func (n *narrator) verbatim(text string) {
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\n")
		body := strings.TrimLeft(l, " ")
		n.hang("  "+l[:len(l)-len(body)], body)
	}
	n.line("")
}

// findings prints each thing that the library says is wrong.
func (n *narrator) findings(err error) {
	for _, f := range itsm.Findings(err) {
		n.quote("“" + f.Error() + "”")
	}
	n.line("")
}

// terms prints terms of the glossary in both languages, two beside each other.
func (n *narrator) terms(names []string) {
	var cells []string
	first := 0
	for _, en := range names {
		t, ok := n.words.term(en)
		if !ok {
			t = term{"{" + en + "}", ""}
		}
		cells = append(cells, t.en, t.ko)
		first = max(first, width(t.en))
	}
	half := (len(names) + 1) / 2
	var rows [][]string
	for i := range half {
		row := slices.Clone(cells[2*i : 2*i+2])
		if j := i + half; j < len(names) {
			row = append(row, cells[2*j:2*j+2]...)
		}
		rows = append(rows, row)
	}
	lines := table(rows)
	for _, l := range lines {
		if width(l)+2 > columns { // too wide for two
			rows = rows[:0]
			for i := range names {
				rows = append(rows, cells[2*i:2*i+2])
			}
			break
		}
	}
	n.rows(rows)
}

// seoul is where the story happens. The country has had no other time since 1988.
func seoul() *time.Location { return time.FixedZone("KST", 9*60*60) }
