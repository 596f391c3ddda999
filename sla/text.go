package sla

import (
	"encoding/csv"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// columns lays out a table for people: the first columns flush left, the others
// flush right. The first row is its head.
func columns(left int, rows [][]string) string {
	width := []int{}
	for _, row := range rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			row[i] = oneLine(cell)
			width[i] = max(width[i], cells(row[i]))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i > 0 {
				line.WriteString("  ")
			}
			pad := strings.Repeat(" ", width[i]-cells(cell))
			if i < left {
				line.WriteString(cell + pad)
			} else {
				line.WriteString(pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

// oneLine makes text from outside safe for a table and a terminal: what would
// break the line, move the cursor or turn the direction of writing is replaced.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// cells returns how wide text is on a terminal: Korean, Chinese and Japanese
// letters take two cells, marks that combine with others none.
func cells(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case wide(r):
			n += 2
		default:
			n++
		}
	}
	return n
}

func wide(r rune) bool {
	return unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana) && r != '･' ||
		r >= 0x3000 && r <= 0x303e || r >= 0xff01 && r <= 0xff60 || r >= 0xffe0 && r <= 0xffe6 ||
		r >= 0x1f300 && r <= 0x1faff
}

// csvText writes a table as RFC 4180 has it, with CRLF.
func csvText(rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	_ = w.WriteAll(rows) // a strings.Builder takes everything
	return b.String()
}

// csvCell makes text from outside safe for a spreadsheet: text that it might take
// for a formula gets an apostrophe in front, as OWASP advises ("CSV injection").
// So such text does not come back from a CSV file as it was; JSON brings it back.
func csvCell(s string) string {
	s = strings.ToValidUTF8(s, string(utf8.RuneError))
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// seconds writes a duration as an exact number of seconds.
func seconds(d time.Duration) string {
	return string(exactly(big.NewRat(int64(d), int64(time.Second))))
}

// blankOr returns a percentage for a machine: nothing where it is undefined.
func (f Fraction) blankOr(places int) string {
	if !f.Defined() {
		return ""
	}
	return f.Percent(places)
}

// withSign returns a percentage for people.
func (f Fraction) withSign(places int) string {
	if !f.Defined() {
		return f.Percent(places)
	}
	return f.Percent(places) + " %"
}

// Text returns the report as a table for people, with times in its location.
// Percentages are rounded down to two digits, durations to the second. Text from outside stays on its line.
func (r Report) Text() string {
	basis := "counted by outcome"
	if r.Basis == OnStop {
		basis = "counted by end"
	}
	head := make([]string, 0, len(r.By)+12)
	for _, d := range r.By {
		head = append(head, string(d))
	}
	if len(head) == 0 {
		head = append(head, "")
	}
	left := len(head)
	head = append(head, "counted", "met", "missed", "breached", "compliance", "mean", "median", "p90", "p95", "cancelled", "open")
	rows := [][]string{head}
	line := func(key []string, row Row) {
		out := make([]string, left, len(head))
		copy(out, key)
		out = append(out, fmt.Sprint(row.Counted()), fmt.Sprint(row.Met), fmt.Sprint(row.Missed), fmt.Sprint(row.Breached),
			row.Compliance().withSign(2))
		for _, d := range []time.Duration{row.Times.Mean, row.Times.Median, row.Times.P90, row.Times.P95} {
			if row.Times.Of == 0 {
				out = append(out, "undefined")
			} else {
				out = append(out, short(d.Round(time.Second)))
			}
		}
		cancelled := fmt.Sprint(row.Cancelled)
		if row.CancelledLate > 0 {
			cancelled += fmt.Sprintf(" (%d late)", row.CancelledLate)
		}
		rows = append(rows, append(out, cancelled, fmt.Sprint(row.Open)))
	}
	for _, row := range r.Rows {
		line(row.Key, row)
	}
	line([]string{"total"}, r.Total)
	return fmt.Sprintf("%s (%s), %s\n", r.Period, oneLine(r.Zone), basis) + columns(left, rows)
}

// CSV returns the rows and the total, told apart by the column scope, for other
// programs. Percentages are rounded down to three digits and durations are in
// seconds; what is undefined is empty. A text that a spreadsheet might take for a
// formula has an apostrophe in front.
func (r Report) CSV() string {
	head := r.csvHead("scope")
	head = append(head, "counted", "met", "missed", "breached", "compliance_percent", "timed",
		"mean_seconds", "median_seconds", "p90_seconds", "p95_seconds", "cancelled", "cancelled_late", "open")
	rows := [][]string{head}
	r.each(func(scope string, key []string, row Row) {
		out := append(append([]string{scope}, key...),
			fmt.Sprint(row.Counted()), fmt.Sprint(row.Met), fmt.Sprint(row.Missed), fmt.Sprint(row.Breached),
			row.Compliance().blankOr(3), fmt.Sprint(row.Times.Of))
		for _, d := range []time.Duration{row.Times.Mean, row.Times.Median, row.Times.P90, row.Times.P95} {
			if row.Times.Of == 0 {
				out = append(out, "")
			} else {
				out = append(out, seconds(d))
			}
		}
		rows = append(rows, append(out, fmt.Sprint(row.Cancelled), fmt.Sprint(row.CancelledLate), fmt.Sprint(row.Open)))
	})
	return csvText(rows)
}

// SeriesCSV returns the series of all rows and of the total, one line for each
// part of the period, in the manner of [Report.CSV]. Times are in RFC 3339.
func (r Report) SeriesCSV() string {
	rows := [][]string{append(r.csvHead("from", "to", "scope"), "met", "counted", "compliance_percent")}
	r.each(func(scope string, key []string, row Row) {
		for i, p := range r.Parts {
			var f Fraction
			if i < len(row.Series) {
				f = row.Series[i]
			}
			out := append([]string{p.From.Format(time.RFC3339Nano), p.To.Format(time.RFC3339Nano), scope}, key...)
			rows = append(rows, append(out, fmt.Sprint(f.Part), fmt.Sprint(f.Of), f.blankOr(3)))
		}
	})
	return csvText(rows)
}

func (r Report) csvHead(first ...string) []string {
	for _, d := range r.By {
		first = append(first, csvCell(string(d)))
	}
	return first
}

// each calls f for every row and the total, with keys that fit the head.
func (r Report) each(f func(scope string, key []string, row Row)) {
	for _, row := range r.Rows {
		key := make([]string, len(r.By))
		for i, k := range row.Key[:min(len(key), len(row.Key))] {
			key[i] = csvCell(k)
		}
		f("row", key, row)
	}
	f("total", make([]string, len(r.By)), r.Total)
}
