package valuechain

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm/internal/mermaid"
)

// A Graph is the directly-follows graph of a log: what happens, what happens right
// after what, and how often.
type Graph struct {
	Cases int `json:"cases"`
	// Entries is how many entries the log has.
	Entries int `json:"entries"`
	// Activities are sorted by how often they happen, then by name.
	Activities []Frequency `json:"activities"`
	// Arcs are sorted by how often they happen, then by the names.
	Arcs []Arc `json:"arcs"`
	// Empty is how many cases have no entry.
	Empty int `json:"empty,omitempty"`
}

// A Frequency says how often an activity happens.
type Frequency struct {
	Activity string `json:"activity"`
	Count    int    `json:"count"`
	// Cases is in how many cases.
	Cases int `json:"cases"`
	// First and Last are in how many cases it comes first and last.
	First int `json:"first,omitempty"`
	Last  int `json:"last,omitempty"`
}

// An Arc says how often one activity comes right after another in the same case.
type Arc struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Count int    `json:"count"`
	// Timed is how many of them have a time at both ends, Mean and Most what lies
	// between; JSON: nanoseconds. A time that goes back counts as no time passed.
	Timed int           `json:"timed,omitempty"`
	Mean  time.Duration `json:"mean,omitempty"`
	Most  time.Duration `json:"most,omitempty"`
}

// Arc returns the arc between two activities; its Count is 0 if there is none.
func (g Graph) Arc(from, to string) Arc {
	for _, a := range g.Arcs {
		if a.From == from && a.To == to {
			return a
		}
	}
	return Arc{From: from, To: to}
}

// pair is two activities by number.
type pair struct{ from, to int32 }

type arcSum struct {
	count, timed int
	seconds      int64 // of between, with the rest below
	rest         int64 // nanoseconds
	most         time.Duration
}

// DirectlyFollows discovers the directly-follows graph of a log. It costs time in proportion
// to the entries.
func DirectlyFollows(l Log) Graph {
	names := interner{}
	var freq []Frequency
	var seenIn []int // the last case of an activity, from 1
	arcs := map[pair]*arcSum{}
	g := Graph{Cases: len(l.Traces)}
	for c := range l.Traces {
		entries := l.Traces[c].Entries
		g.Entries += len(entries)
		if len(entries) == 0 {
			g.Empty++
		}
		last := int32(-1)
		for i := range entries {
			e := &entries[i]
			n := names.number(e.Activity)
			if int(n) == len(freq) {
				freq = append(freq, Frequency{Activity: e.Activity})
				seenIn = append(seenIn, 0)
			}
			f := &freq[n]
			f.Count++
			if seenIn[n] != c+1 {
				seenIn[n] = c + 1
				f.Cases++
			}
			if i == 0 {
				f.First++
			} else {
				a := arcs[pair{last, n}]
				if a == nil {
					a = new(arcSum)
					arcs[pair{last, n}] = a
				}
				a.add(entries[i-1].At, e.At)
			}
			last = n
		}
		if last >= 0 {
			freq[last].Last++
		}
	}
	g.Arcs = make([]Arc, 0, len(arcs))
	for p, a := range arcs {
		arc := Arc{From: freq[p.from].Activity, To: freq[p.to].Activity, Count: a.count, Timed: a.timed, Most: a.most}
		if n := int64(a.timed); n > 0 {
			arc.Mean = time.Duration(a.seconds/n)*time.Second + time.Duration((a.seconds%n*int64(time.Second)+a.rest)/n)
		}
		g.Arcs = append(g.Arcs, arc)
	}
	slices.SortFunc(g.Arcs, func(a, b Arc) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	slices.SortFunc(freq, func(a, b Frequency) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Activity, b.Activity)) })
	g.Activities = freq
	return g
}

func (a *arcSum) add(from, to time.Time) {
	a.count++
	if from.IsZero() || to.IsZero() {
		return
	}
	a.timed++
	between := max(0, to.Sub(from))
	a.seconds += int64(between / time.Second)
	a.rest += int64(between % time.Second)
	if a.rest >= int64(time.Second) {
		a.seconds, a.rest = a.seconds+1, a.rest-int64(time.Second)
	}
	a.most = max(a.most, between)
}

// interner numbers texts.
type interner map[string]int32

func (in interner) number(text string) int32 {
	n, ok := in[text]
	if !ok {
		n = int32(len(in))
		in[text] = n
	}
	return n
}

// Mermaid returns the graph as a Mermaid flowchart: how often activities and arcs
// happen, and where cases begin and end. Arcs that happen less often than least are
// left out. The text is the same for the same graph.
func (g Graph) Mermaid(least int) string {
	var b strings.Builder
	b.WriteString("flowchart TD\n    begin((\" \"))\n    finish(((\" \")))\n")
	number := map[string]int{}
	for i, f := range g.Activities {
		number[f.Activity] = i
		fmt.Fprintf(&b, "    a%d[\"%s<br/>%d\"]\n", i, mermaid.Escape(f.Activity), f.Count)
	}
	for i, f := range g.Activities {
		if f.First > 0 && f.First >= least {
			fmt.Fprintf(&b, "    begin -->|%d| a%d\n", f.First, i)
		}
	}
	for _, a := range g.Arcs {
		if a.Count >= least {
			fmt.Fprintf(&b, "    a%d -->|%d| a%d\n", number[a.From], a.Count, number[a.To])
		}
	}
	for i, f := range g.Activities {
		if f.Last > 0 && f.Last >= least {
			fmt.Fprintf(&b, "    a%d -->|%d| finish\n", i, f.Last)
		}
	}
	return b.String()
}

// A Variant is a sequence of activities, and the cases that have it.
type Variant struct {
	Activities []string `json:"activities"`
	// Cases are in the order of the log.
	Cases []string `json:"cases"`
}

// Variants lists the different sequences of a log: those of most cases first, then
// by the activities.
func Variants(l Log) []Variant {
	all := variants(l)
	out := make([]Variant, len(all))
	for i, v := range all {
		entries := l.Traces[v.traces[0]].Entries
		out[i].Activities = make([]string, len(entries))
		for j := range entries {
			out[i].Activities[j] = entries[j].Activity
		}
		out[i].Cases = make([]string, len(v.traces))
		for j, t := range v.traces {
			out[i].Cases[j] = l.Traces[t].Case
		}
	}
	slices.SortStableFunc(out, func(a, b Variant) int {
		return cmp.Or(len(b.Cases)-len(a.Cases), slices.Compare(a.Activities, b.Activities))
	})
	return out
}

// variant is the traces, by number, that have one sequence.
type variant struct{ traces []int }

// variants groups the traces of a log by their activities, in the order in which
// they come up.
func variants(l Log) []variant {
	var all []variant
	names, at := interner{}, map[string]int{}
	var key []byte
	for t := range l.Traces {
		key = key[:0]
		for i := range l.Traces[t].Entries {
			n := names.number(l.Traces[t].Entries[i].Activity)
			key = append(key, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
		}
		i, ok := at[string(key)]
		if !ok {
			i = len(all)
			at[string(key)] = i
			all = append(all, variant{})
		}
		all[i].traces = append(all[i].traces, t)
	}
	return all
}

// A Rework says how often an activity comes again in the same case after another
// one came in between. What is done twice in a row is one go.
type Rework struct {
	Activity string `json:"activity"`
	// Cases is in how many cases it comes again, Again how many times in sum.
	Cases int `json:"cases"`
	Again int `json:"again"`
}

// FindRework lists the activities that come again: those of most cases first, then
// by name.
func FindRework(l Log) []Rework {
	sums := map[string]*Rework{}
	goes := map[string]int{}
	for t := range l.Traces {
		clear(goes)
		entries := l.Traces[t].Entries
		for i := range entries {
			if a := entries[i].Activity; i == 0 || entries[i-1].Activity != a {
				goes[a]++
			}
		}
		for a, n := range goes {
			if n < 2 {
				continue
			}
			if sums[a] == nil {
				sums[a] = &Rework{Activity: a}
			}
			sums[a].Cases++
			sums[a].Again += n - 1
		}
	}
	out := make([]Rework, 0, len(sums))
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b Rework) int { return cmp.Or(b.Cases-a.Cases, cmp.Compare(a.Activity, b.Activity)) })
	return out
}

// A PingPong is two who hand a case to and fro.
type PingPong struct {
	// Between are the two, in the order of their names.
	Between [2]string `json:"between"`
	// Cases lists the cases in which one of them got it back from the other, in the
	// order of the log; Times is how often that happened.
	Cases []string `json:"cases"`
	Times int      `json:"times"`
}

// FindPingPong lists who hands cases to and fro: those with the most times first,
// then by name. Who says who has a case with an entry, such as [Entry.Group]'s value;
// an entry for which it says nothing leaves the case where it was. A case goes to
// and fro once for each time that somebody gets it from one whom they gave it.
func FindPingPong(l Log, who func(Entry) string) []PingPong {
	sums := map[[2]string]*PingPong{}
	for t := range l.Traces {
		before, now := "", ""
		for _, e := range l.Traces[t].Entries {
			w := who(e)
			if w == "" || w == now {
				continue
			}
			if w == before {
				key := [2]string{min(w, now), max(w, now)}
				p := sums[key]
				if p == nil {
					p = &PingPong{Between: key}
					sums[key] = p
				}
				p.Times++
				if id := l.Traces[t].Case; len(p.Cases) == 0 || p.Cases[len(p.Cases)-1] != id {
					p.Cases = append(p.Cases, id)
				}
			}
			before, now = now, w
		}
	}
	out := make([]PingPong, 0, len(sums))
	for _, p := range sums {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b PingPong) int {
		return cmp.Or(b.Times-a.Times, cmp.Compare(a.Between[0], b.Between[0]), cmp.Compare(a.Between[1], b.Between[1]))
	})
	return out
}
