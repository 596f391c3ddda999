package main

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	out := bufio.NewWriter(w)
	labels := slices.Sorted(maps.Keys(r.ByPriority))
	labels = append([]string{"all"}, slices.DeleteFunc(labels, func(l string) bool { return l == "all" })...)
	groups := make([]*Group, len(labels))
	for i, label := range labels {
		groups[i] = r.ByPriority[label]
	}
	inferred := 0
	for _, n := range r.Lifecycle.Inferred {
		inferred += n.Count
	}
	fmt.Fprintf(out, "SERVICE DESK REPORT: %s\n", r.Source)
	fmt.Fprintf(out, "%s rows about %s incidents, replayed as %s actions, of which %s inferred\n",
		number(groups[0].Rows), number(groups[0].Incidents), number(r.Lifecycle.Actions), number(inferred))

	section(out, "Incidents", labels, groups, []line{
		{"reported", func(g *Group) string { return number(g.Incidents) }},
		{"rows", func(g *Group) string { return number(g.Rows) }},
		{"ever on hold", func(g *Group) string { return g.OnHold.String() }},
		{"reopened", func(g *Group) string { return g.ReopenedRows.String() }},
		{"  times", func(g *Group) string { return number(g.ReopenMoves) }},
		{"reassigned", func(g *Group) string { return g.ReassignedField.String() }},
		{"  to another group", func(g *Group) string { return g.ReassignedGroup.String() }},
		{"  times", func(g *Group) string { return number(g.Reassignments) }},
		{"resolved first time", func(g *Group) string { return g.FirstTime.String() }},
		{"kept its agreement", func(g *Group) string { return g.MadeSLA.String() }},
	})
	section(out, "Time to resolve (clock on the wall)", labels, groups, times(func(g *Group) *Times { return &g.ResolveField.Wall }))
	section(out, "Time to resolve (Mon-Fri 09:00-17:00)", labels, groups, times(func(g *Group) *Times { return &g.ResolveField.Business }))
	section(out, "Median time from opened (wall)", labels, groups, []line{
		median("first Resolved", func(g *Group) *Times { return &g.FirstResolved.Wall }),
		median("last Resolved", func(g *Group) *Times { return &g.LastResolved.Wall }),
		median("Closed", func(g *Group) *Times { return &g.Close.Wall }),
	})
	r.printBacklog(out, labels[1:])
	r.DirectlyFollows.print(out)
	r.Lifecycle.print(out)
	r.Agreements.print(out)
	if r.MadeSLA != nil {
		r.MadeSLA.print(out)
	}
	return out.Flush()
}

// A line is one figure of every group.
type line struct {
	name string
	of   func(*Group) string
}

func section(w io.Writer, title string, labels []string, groups []*Group, lines []line) {
	t := table{append([]string{title}, labels...)}
	for _, l := range lines {
		row := []string{"  " + l.name}
		for _, g := range groups {
			row = append(row, l.of(g))
		}
		t = append(t, row)
	}
	t.print(w, 38, 13)
}

func times(of func(*Group) *Times) []line {
	return []line{
		{"resolved", func(g *Group) string { return number(of(g).N) }},
		{"sum", func(g *Group) string { return inHours(whole(of(g).Sum)) }},
		{"mean", func(g *Group) string { return inHours(of(g).Mean) }},
		{"median", func(g *Group) string { return inHours(of(g).Median) }},
		{"90 % within (nearest rank)", func(g *Group) string { return inHours(of(g).P90) }},
		{"90 % within (linear)", func(g *Group) string { return inHours(of(g).P90Linear) }},
	}
}

func median(name string, of func(*Group) *Times) line {
	return line{"to " + name, func(g *Group) string { return inHours(of(g).Median) }}
}

func (r *Report) printBacklog(w io.Writer, labels []string) {
	t := table{append([]string{"Backlog at the end of", "opened", "not closed", "not done"}, labels...)}
	for _, m := range r.Backlog {
		row := []string{"  " + m.Month, number(m.Opened), number(m.NotClosed), number(m.NotDone)}
		for _, label := range labels {
			row = append(row, number(m.NotDoneByPr[label]))
		}
		t = append(t, row)
	}
	t.print(w, 38, 13)
}

// print writes a matrix, the states in the order of an incident's life.
func (f *DirectlyFollows) print(w io.Writer) {
	states := []string{"New", "Active", "Awaiting User Info", "Awaiting Vendor", "Awaiting Problem", "Awaiting Evidence", "Resolved", "Closed"}
	counts := map[[2]string]int{}
	for _, one := range f.Transitions {
		counts[[2]string{one.From, one.To}] = one.Count
		for _, s := range []string{one.From, one.To} {
			if !slices.Contains(states, s) {
				states = append(states, s)
			}
		}
	}
	heading := []string{"Next row's state, by the state before"}
	for i := range states {
		heading = append(heading, "to "+letter(i))
	}
	t := table{heading}
	for i, from := range states {
		row := []string{"  " + letter(i) + " " + from}
		for _, to := range states {
			n := "."
			if count := counts[[2]string{from, to}]; count > 0 {
				n = number(count)
			}
			row = append(row, n)
		}
		t = append(t, row)
	}
	t.print(w, 0, 0)
}

func letter(i int) string {
	if i > 25 {
		return strconv.Itoa(i)
	}
	return string(rune('a' + i))
}

func (c *Conformance) print(w io.Writer) {
	fmt.Fprintf(w, "\nThe default lifecycle permits %s of %s moves%s\n", number(c.Permitted), number(c.Moves), percent(c.Permitted, c.Moves))
	for _, f := range c.NotPermitted {
		instead := "the record stays where it is"
		if len(f.Instead) > 0 {
			instead = "replayed as " + strings.Join(f.Instead, ", ")
		}
		fmt.Fprintf(w, "  not %-40s %6s  %s\n", f.From+" -> "+f.To, number(f.Count), instead)
	}
	fmt.Fprintf(w, "  incidents whose first row is past New: %s\n", number(c.BeginLater))
	fmt.Fprintf(w, "  inferred actions: %s\n", listed(c.Inferred))
	fmt.Fprintf(w, "  refused actions: %s\n", listed(c.Refused))
	fmt.Fprintf(w, "  rows that the record could not follow: %s\n", number(c.Kept))
}

func listed(counts []NamedCount) string {
	if len(counts) == 0 {
		return "none"
	}
	var parts []string
	for _, n := range counts {
		parts = append(parts, n.Name+" "+number(n.Count))
	}
	return strings.Join(parts, ", ")
}

func (a *Agreements) print(w io.Writer) {
	fmt.Fprint(w, "\nDo our records agree with the log?\n")
	for _, one := range []struct {
		name string
		*Agreement
	}{
		{"times reopened, on every row", &a.Reopens},
		{"priority by the matrix, on every row", &a.Matrix},
		{"last resolved, in our history", &a.LastResolved},
		{"last resolved, our milestone", &a.Resolved},
		{"closed, our milestone", &a.Closed},
		{"closed, last row in Closed", &a.ClosedRow},
		{"our histories, replayed, with our records", &a.Replay},
	} {
		fmt.Fprintf(w, "  %-42s %7s of %7s\n", one.name, number(one.Equal), number(one.Compared))
		for _, d := range one.Differences[:min(3, len(one.Differences))] {
			fmt.Fprintf(w, "    %s\n", d)
		}
		if more := one.Compared - one.Equal - 3; more > 0 {
			fmt.Fprintf(w, "    and %s more\n", number(more))
		}
	}
}

// A table is printed with its first column to the left and the others to the
// right, each as wide as it needs but not less than some, so that one table can
// stand under another.
type table [][]string

func (t table) print(w io.Writer, first, others int) {
	widths := []int{first}
	for _, row := range t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, others)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	fmt.Fprintln(w)
	for _, row := range t {
		fmt.Fprintf(w, "%-*s", widths[0], row[0])
		for i, cell := range row[1:] {
			fmt.Fprintf(w, "  %*s", widths[i+1], cell)
		}
		fmt.Fprintln(w)
	}
}

// String is the count and, if there is one, the share.
func (s Share) String() string { return number(s.Count) + percent(s.Count, s.Of) }

func percent(count, of int) string {
	if of == 0 {
		return ""
	}
	return fmt.Sprintf(" (%.1f %%)", 100*float64(count)/float64(of))
}

// inHours spells seconds.
func inHours(seconds figure) string {
	x, err := strconv.ParseFloat(string(seconds), 64)
	if err != nil {
		return "-"
	}
	return grouped(strconv.FormatFloat(x/3600, 'f', 1, 64)) + " h"
}

func number(n int) string { return grouped(strconv.Itoa(n)) }

// grouped sets commas between thousands.
func grouped(s string) string {
	end := strings.IndexByte(s+".", '.')
	for i := end - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
