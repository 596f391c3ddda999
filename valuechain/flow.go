package valuechain

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Report is how work flowed through a stream in a window of time.
type Report struct {
	Stream string    `json:"stream"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	// Whole is from the demand to value: its work is pieces of work.
	Whole Flow `json:"whole"`
	// Steps is each step, in the order of the stream: its work is visits.
	Steps []StepFlow `json:"steps"`
	// Constraint is the step that holds the others up; nil if nothing waited.
	Constraint *Constraint `json:"constraint,omitempty"`
}

// A StepFlow is the flow through one step.
type StepFlow struct {
	Step     string   `json:"step"`
	Title    string   `json:"title,omitempty"`
	Activity Activity `json:"activity"`
	Flow
	// Holds is the part of Queue that holds up value: what waited before its value was
	// delivered. After that nobody waits for it.
	Holds float64 `json:"holds"`
	// Unplanned is how many of those that arrived came by no output of a step.
	Unplanned int `json:"unplanned,omitempty"`
}

// A Flow is the figures of a step, or of a whole stream, in a window. All lengths
// of time are those that [Options.Elapsed] measures.
//
// Work counts as arrived when it became available to the step (for the whole: when
// the demand came in), and as finished when it was handed over (for the whole: when
// value was delivered, the last time if it was rejected in between), each in
// [From, To). What was abandoned is not finished. What became of it later counts
// whenever it is known: a report of last month may change when a resolution is
// rejected today.
type Flow struct {
	Arrived   int `json:"arrived"`
	Finished  int `json:"finished"`
	Abandoned int `json:"abandoned,omitempty"`
	// Begin and End are how much there was at the two ends of the window.
	Begin int `json:"begin"`
	End   int `json:"end"`
	// Lead is from available to finished, waiting included, of what was finished.
	Lead Spread `json:"lead"`
	// Process is the time in which somebody worked on it: from a start to the next
	// pause or to the end, added up; or the step's Effort, but not more than the
	// lead time, where no start was seen. It is of those of Lead for which it is
	// known. For the whole it is the sum over the visits that ended by then, and
	// known if all of theirs are.
	Process Spread `json:"process"`
	// Wait is lead time less process time, of the same as Process. For the whole it
	// is negative where people worked on the same piece of work side by side.
	Wait Spread `json:"wait"`
	// Usable is how many of those that were finished and handed over something to
	// use did not come back: percent complete and accurate, judged by who received
	// it. What only sends work back is not counted.
	Usable Share `json:"usable"`
	// WIP is how much was in work on average: the area under it, through the window.
	WIP float64 `json:"wip"`
	// Queue is the part of WIP on which nobody worked; of a step of which no start
	// is ever seen, all of it. For the whole it is the sum over the steps of what they
	// hold up, which may be more than WIP where work waits in several at once.
	Queue float64 `json:"queue"`
	// Over is the length of the window; JSON: nanoseconds.
	Over time.Duration `json:"over"`
}

// Efficiency is process time by lead time, both in sum: the flow efficiency, or
// activity ratio. It is not the mean of the ratios. It is not defined if nothing was
// finished, if process time is not known for all that was, or if no time passed.
func (f Flow) Efficiency() (float64, bool) {
	if f.Lead.N == 0 || f.Process.N != f.Lead.N || f.Lead.sum == 0 {
		return 0, false
	}
	return f.Process.sum / f.Lead.sum, true
}

// Throughput is how much was finished in a unit of time: per 24*time.Hour, a day.
// It is not defined for a window without length.
func (f Flow) Throughput(per time.Duration) (float64, bool) {
	if f.Over <= 0 {
		return 0, false
	}
	return float64(f.Finished) * (float64(per) / float64(f.Over)), true
}

// Little is what should be in work by Little's law: throughput by mean lead time. In
// a stable system it is WIP. It is not defined if nothing was finished, or for a
// window without length.
func (f Flow) Little() (float64, bool) {
	if f.Over <= 0 || f.Lead.N == 0 {
		return 0, false
	}
	return f.Lead.sum / f.Over.Seconds(), true
}

// Stable reports whether as much left as came, within a tenth of what came: what
// Little's law needs. It is false if nothing came.
func (f Flow) Stable() bool {
	gap := f.Arrived - f.Finished - f.Abandoned
	return f.Arrived > 0 && 10*max(gap, -gap) <= f.Arrived
}

// A Share is a number of so many.
type Share struct {
	Good int `json:"good"`
	Of   int `json:"of"`
}

// Value is Good by Of; it is not defined of nothing.
func (s Share) Value() (float64, bool) {
	if s.Of == 0 {
		return 0, false
	}
	return float64(s.Good) / float64(s.Of), true
}

// A Spread is what lengths of time were like; JSON: nanoseconds. With N 0 nothing else
// is defined.
type Spread struct {
	N    int           `json:"n"`
	Mean time.Duration `json:"mean,omitempty"`
	// Median is the middle one, or the mean of the middle two; P90 the one at the
	// rank ceil(0.9 N).
	Median time.Duration `json:"median,omitempty"`
	P90    time.Duration `json:"p90,omitempty"`
	Least  time.Duration `json:"least,omitempty"`
	Most   time.Duration `json:"most,omitempty"`
	// sum is in seconds: those of a large log are more than a Duration can hold.
	sum float64
}

// spread describes lengths of time, which it sorts.
func spread(all []time.Duration) Spread {
	n := len(all)
	if n == 0 {
		return Spread{}
	}
	slices.Sort(all)
	s := Spread{N: n, Least: all[0], Most: all[n-1], P90: all[(9*n+9)/10-1], Median: all[n/2]}
	if n%2 == 0 {
		s.Median = all[n/2-1] + (all[n/2]-all[n/2-1])/2
	}
	// In two parts, because the sum may not fit.
	var rest time.Duration
	for _, d := range all {
		s.Mean += d / time.Duration(n)
		rest += d % time.Duration(n)
		s.sum += d.Seconds()
	}
	s.Mean += rest / time.Duration(n)
	return s
}

// A Constraint is the step that holds the others up, by the theory of constraints:
// where work piles up on its way to value. To improve any other step only adds to the
// pile.
type Constraint struct {
	Step string `json:"step"`
	// Holds is how much waited there on average before its value was delivered, and
	// Share its part of all that did so in the stream.
	Holds float64 `json:"holds"`
	Share float64 `json:"share"`
	// Reason says why it is this one, in a sentence.
	Reason string `json:"reason"`
}

// Rolled is the rolled percent complete and accurate: the product of that of every
// step for which it is defined, the share of work that goes through all of them
// without correction. It assumes that they do not depend on each other, and is not
// defined if none of them is.
func (r Report) Rolled() (float64, bool) {
	rolled, any := 1.0, false
	for _, s := range r.Steps {
		if v, ok := s.Usable.Value(); ok {
			rolled, any = rolled*v, true
		}
	}
	return rolled, any
}

// tally gathers the figures of a flow.
type tally struct {
	flow                Flow
	lead, process, wait []time.Duration
	area, queue, holds  float64 // seconds
}

// Report computes the figures of the window [from, to), which should be over: what is
// in work counts until its end. It costs time in proportion to all visits so far.
func (r *Run) Report(from, to time.Time) Report {
	rep := Report{Stream: r.stream.Name, From: from, To: to}
	var over time.Duration
	if from.Before(to) {
		over = r.opts.Elapsed(from, to)
	}
	whole := tally{}
	steps := make([]tally, len(r.stream.Steps))
	unplanned := make([]int, len(steps))
	in := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	for _, it := range r.items {
		for i := range it.visits {
			v := &it.visits[i]
			s := &steps[v.step]
			s.count(in, v.available, v.ended, v.abandoned, from, to)
			s.area += r.overlap(v.available, v.ended, from, to)
			s.queue += r.waiting(v, from, to)
			if until := it.delivered; until.IsZero() || until.After(to) {
				s.holds += r.waiting(v, from, to)
			} else {
				s.holds += r.waiting(v, from, until)
			}
			if v.unplanned && in(v.available) {
				unplanned[v.step]++
			}
			if v.abandoned || !in(v.ended) || v.ended.IsZero() {
				continue
			}
			lead := r.opts.Elapsed(v.available, v.ended)
			s.lead = append(s.lead, lead)
			if process, ok := r.process(v, lead); ok {
				s.process, s.wait = append(s.process, process), append(s.wait, lead-process)
			}
			if v.forward {
				s.flow.Usable.Of++
				if !v.returned {
					s.flow.Usable.Good++
				}
			}
		}
		r.tallyItem(&whole, it, in, from, to)
	}
	for i := range steps {
		t := &r.stream.Steps[i]
		f := StepFlow{Step: t.Name, Title: t.Title, Activity: t.Activity, Flow: steps[i].done(over), Unplanned: unplanned[i]}
		if over > 0 {
			f.Holds = max(0, steps[i].holds) / over.Seconds()
		}
		whole.queue += steps[i].holds
		rep.Steps = append(rep.Steps, f)
	}
	rep.Whole = whole.done(over)
	rep.Constraint = r.constraint(&rep)
	return rep
}

// tallyItem adds a piece of work to the figures of the whole.
func (r *Run) tallyItem(whole *tally, it *item, in func(time.Time) bool, from, to time.Time) {
	began, ended := it.visits[0].available, it.delivered
	if ended.IsZero() {
		ended = it.abandoned
	}
	abandoned := !it.abandoned.IsZero()
	whole.count(in, began, ended, abandoned, from, to)
	whole.area += r.overlap(began, ended, from, to)
	if abandoned || ended.IsZero() || !in(ended) {
		return
	}
	lead := r.opts.Elapsed(began, ended)
	whole.lead = append(whole.lead, lead)
	var process time.Duration
	known := true
	for i := range it.visits {
		v := &it.visits[i]
		if v.abandoned || v.ended.IsZero() || v.ended.After(ended) {
			continue
		}
		p, ok := r.process(v, r.opts.Elapsed(v.available, v.ended))
		process, known = process+p, known && ok
	}
	if known {
		whole.process, whole.wait = append(whole.process, process), append(whole.wait, lead-process)
	}
	whole.flow.Usable.Of++
	if !it.rejected {
		whole.flow.Usable.Good++
	}
}

// count counts what came and went.
func (t *tally) count(in func(time.Time) bool, available, ended time.Time, abandoned bool, from, to time.Time) {
	f := &t.flow
	there := func(at time.Time) bool { return available.Before(at) && (ended.IsZero() || !ended.Before(at)) }
	if in(available) {
		f.Arrived++
	}
	if !ended.IsZero() && in(ended) {
		if abandoned {
			f.Abandoned++
		} else {
			f.Finished++
		}
	}
	if there(from) {
		f.Begin++
	}
	if there(to) {
		f.End++
	}
}

// process returns the process time of a visit that has ended.
func (r *Run) process(v *visit, lead time.Duration) (time.Duration, bool) {
	effort := r.stream.Steps[v.step].Effort
	switch {
	case len(v.worked) > 0:
		var sum time.Duration
		for _, w := range v.worked {
			sum += r.opts.Elapsed(w.From, w.To)
		}
		return sum, true
	case lead == 0:
		return 0, true
	case effort > 0:
		return min(effort, lead), true
	}
	return 0, false
}

// overlap is how much of a stretch lies in the window, in seconds. An end that is
// zero has not come yet.
func (r *Run) overlap(a, b, from, to time.Time) float64 {
	if a.Before(from) {
		a = from
	}
	if b.IsZero() || b.After(to) {
		b = to
	}
	if !a.Before(b) {
		return 0
	}
	return r.opts.Elapsed(a, b).Seconds()
}

// waiting is how much of a visit lies in the window while nobody worked on it, in
// seconds.
func (r *Run) waiting(v *visit, from, to time.Time) float64 {
	sum := r.overlap(v.available, v.ended, from, to)
	for _, w := range v.worked {
		sum -= r.overlap(w.From, w.To, from, to)
	}
	return sum
}

func (t *tally) done(over time.Duration) Flow {
	f := t.flow
	f.Lead, f.Process, f.Wait, f.Over = spread(t.lead), spread(t.process), spread(t.wait), over
	if over > 0 {
		f.WIP, f.Queue = t.area/over.Seconds(), max(0, t.queue)/over.Seconds()
	}
	return f
}

// constraint names the step that holds up most, the earlier one if several do.
func (r *Run) constraint(rep *Report) *Constraint {
	best := -1
	for i := range rep.Steps {
		if h := rep.Steps[i].Holds; h > 0 && (best < 0 || h > rep.Steps[best].Holds) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	s := &rep.Steps[best]
	c := &Constraint{Step: s.Step, Holds: s.Holds, Share: s.Holds / rep.Whole.Queue}
	c.Reason = fmt.Sprintf("on average %.2f wait in %q on their way to value, which is %.0f %% of all that do", s.Holds, r.stream.Steps[best].title(), 100*c.Share)
	if s.Wait.N > 0 {
		c.Reason += fmt.Sprintf("; of %s that a visit takes, nobody works on it for %s", clock(s.Lead.Mean), clock(s.Wait.Mean))
	}
	return c
}

// String is the report as text, for people: lengths of time in hours and minutes,
// "-" for what is not defined.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s to %s\n", r.Stream, r.From.UTC().Format(time.DateTime), r.To.UTC().Format(time.DateTime))
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "in\tout\tat end\tlead\tprocess\twait\tefficiency\t%C&A\tWIP\tqueue\tper day\t  step\n")
	line := func(name string, f Flow) {
		efficiency, ok := f.Efficiency()
		usable, judged := f.Usable.Value()
		perDay, lasts := f.Throughput(24 * time.Hour)
		fmt.Fprintf(w, "%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%s\t  %s\n", f.Arrived, f.Finished, f.End,
			mean(f.Lead), mean(f.Process), mean(f.Wait), percent(efficiency, ok), percent(usable, judged), f.WIP, f.Queue, number(perDay, lasts), name)
	}
	for _, s := range r.Steps {
		line(s.Step, s.Flow)
	}
	line("demand to value", r.Whole)
	_ = w.Flush() // a strings.Builder takes everything
	rolled, ok := r.Rolled()
	fmt.Fprintf(&b, "rolled %%C&A %s", percent(rolled, ok))
	if little, ok := r.Whole.Little(); ok {
		stable := "stable"
		if !r.Whole.Stable() {
			stable = "not stable"
		}
		fmt.Fprintf(&b, "; Little's law gives %.2f in work, there were %.2f (%s)", little, r.Whole.WIP, stable)
	}
	b.WriteString("\n")
	if r.Constraint != nil {
		fmt.Fprintf(&b, "constraint: %s, because %s\n", r.Constraint.Step, r.Constraint.Reason)
	}
	return b.String()
}

func mean(s Spread) string {
	if s.N == 0 {
		return "-"
	}
	return clock(s.Mean)
}

// clock spells a length of time in hours and minutes.
func clock(d time.Duration) string {
	minutes := int64(d.Round(time.Minute) / time.Minute)
	sign := ""
	if minutes < 0 {
		sign, minutes = "-", -minutes
	}
	return fmt.Sprintf("%s%d:%02d", sign, minutes/60, minutes%60)
}

func percent(v float64, ok bool) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}

func number(v float64, ok bool) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}
