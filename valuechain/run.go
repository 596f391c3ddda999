package valuechain

import (
	"iter"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// Options says how a run follows work. The zero value is ready.
type Options struct {
	// Elapsed measures how much time lies between two instants, the first not
	// after the second: the Between of a calendar counts service hours only. It is
	// a pure function, and adds up. Nil means real time.
	Elapsed func(from, to time.Time) time.Duration
	// Links returns the links that an event adds to its record. Nil means [LinksOf].
	Links func(e itsm.Event) []itsm.Link
	// Edition verifies a stream in an edition of the host's own. Nil means the one
	// that the stream names.
	Edition *Edition
}

// A Run is real work on its way through a stream: the fold of the events of a feed.
// Each piece of work ([Item]) begins with an event that a watch of one of the first
// steps is for, and goes on with the events of that record and of those that are
// joined to it ([Stream.Joins]). The same events in the same order always give the
// same run; a host keeps nothing of it but reads the feed again.
//
// What an event does to an item:
//
//   - What it finishes comes before what it begins. Work that is finished hands over
//     its outputs, and arrives in the steps that they go to.
//   - Only work that is in a step can be finished, paused or started there. If an
//     event starts steps and the work is in none of them, the work arrives in the
//     first; if it only finishes steps and the work is in none of them, it counts as
//     done in the last, all at once. Such visits are Unplanned, unless it is the
//     demand that comes in.
//   - Work that was abandoned is taken up again by events of the record with which it
//     began, and not by those of joined records.
//   - A later event never counts as earlier than the one before it, whatever the
//     clocks of several hosts say.
//
// A run is not safe for concurrent use.
type Run struct {
	stream  Stream
	opts    Options
	first   []bool // of each step: whether the demand comes in there
	watched map[string][]watchAt
	outputs [][]handover
	joins   map[Join]bool
	known   map[string]bool // practices whose events mean anything
	items   []*item
	of      map[itsm.Ref][]*item
	origins map[itsm.Ref]bool
	joined  map[itsm.Ref][]itsm.Ref // by links that were seen
	seen    map[itsm.Ref]itsm.Version
}

// watchAt is a watch and the number of its step.
type watchAt struct {
	step int
	*Watch
}

// handover is an output: the number of the step that it goes to, or -1.
type handover struct {
	to    int
	what  string
	back  bool
	value bool
}

type item struct {
	origin itsm.Ref
	visits []visit
	at     []int // of each step: its open visit, or -1
	last   time.Time
	// delivered is when value was delivered last, by which visit; abandoned is when
	// it was given up. Zero while it goes on.
	delivered, abandoned time.Time
	by                   int
	rejected             bool
}

type visit struct {
	step      int
	available time.Time
	ended     time.Time
	worked    []Span
	working   bool // in the last of them
	unplanned bool
	abandoned bool
	forward   bool // has handed over something to use
	returned  bool // which could not be used
}

// NewRun returns a run of a stream in which there is no work yet. It returns an
// [itsm.ErrInvalid] with everything that is wrong with the stream; one of the steps
// where the demand comes in must watch for something that begins.
func NewRun(s Stream, opts Options) (*Run, error) {
	var err error
	if opts.Edition != nil {
		err = s.ValidateIn(*opts.Edition)
	} else {
		err = s.Validate()
	}
	if err != nil {
		return nil, err
	}
	if opts.Elapsed == nil {
		opts.Elapsed = func(from, to time.Time) time.Duration { return to.Sub(from) }
	}
	if opts.Links == nil {
		opts.Links = LinksOf
	}
	r := &Run{
		stream: s.clone(), opts: opts, first: make([]bool, len(s.Steps)), watched: map[string][]watchAt{}, joins: map[Join]bool{}, known: map[string]bool{},
		of: map[itsm.Ref][]*item{}, origins: map[itsm.Ref]bool{}, joined: map[itsm.Ref][]itsm.Ref{}, seen: map[itsm.Ref]itsm.Version{},
	}
	g := r.stream.graph()
	begins := false
	for _, i := range g.first {
		r.first[i] = true
		begins = begins || slices.ContainsFunc(s.Steps[i].Watch, func(w Watch) bool { return w.Does.begins() })
	}
	if !begins {
		return nil, &itsm.FieldError{Field: "steps", Reason: "watch for nothing with which the demand comes in"}
	}
	for i := range r.stream.Steps {
		t := &r.stream.Steps[i]
		for j := range t.Watch {
			w := &t.Watch[j]
			r.known[w.Practice] = true
			r.watched[w.Practice] = append(r.watched[w.Practice], watchAt{i, w})
		}
		var outs []handover
		for _, out := range t.Outputs {
			outs = append(outs, handover{r.stream.index(out.To), out.What, out.Back, out.To == ValueNode})
		}
		r.outputs = append(r.outputs, outs)
	}
	for _, j := range r.stream.Joins {
		r.joins[j], r.known[j.From] = true, true
	}
	return r, nil
}

// begins reports whether a mark can be the first of a piece of work.
func (m Mark) begins() bool { return m == Arrive || m == Start || m == Finish }

// clone copies what a run looks at again.
func (s Stream) clone() Stream {
	s.Steps, s.Joins = slices.Clone(s.Steps), slices.Clone(s.Joins)
	for i := range s.Steps {
		t := &s.Steps[i]
		t.Watch, t.Inputs, t.Outputs = slices.Clone(t.Watch), slices.Clone(t.Inputs), slices.Clone(t.Outputs)
	}
	return s
}

// Add lets the next event of the feed move the work. Events of records that have
// nothing to do with the stream do nothing, and neither does an event that came
// before. The event is not kept.
func (r *Run) Add(e itsm.Event) {
	watched := r.watched[e.Practice]
	ref := itsm.Ref{Kind: e.Practice, ID: e.Record}
	if !r.known[e.Practice] {
		return
	}
	if e.Version != 0 {
		if e.Version <= r.seen[ref] {
			return
		}
		r.seen[ref] = e.Version
	}
	if len(r.joins) > 0 {
		for _, l := range r.opts.Links(e) {
			if r.joins[Join{e.Practice, l.Rel, l.To.Kind}] && l.To != ref {
				r.link(ref, l.To)
			}
		}
	}
	var hits []watchAt
	for _, w := range watched {
		if w.matches(&e) {
			hits = append(hits, w)
		}
	}
	if len(hits) == 0 {
		return
	}
	if len(r.of[ref]) == 0 && slices.ContainsFunc(hits, func(w watchAt) bool { return r.first[w.step] && w.Does.begins() }) {
		it := &item{origin: ref, at: make([]int, len(r.stream.Steps))}
		for i := range it.at {
			it.at[i] = -1
		}
		r.items = append(r.items, it)
		r.origins[ref] = true
		r.join(ref, it, true)
	}
	for _, it := range r.of[ref] {
		if it.abandoned.IsZero() || it.origin == ref {
			r.move(it, hits, e.At)
		}
	}
}

// link remembers that two records belong together, and lets each bring the other.
func (r *Run) link(a, b itsm.Ref) {
	if slices.Contains(r.joined[a], b) {
		return
	}
	r.joined[a] = append(r.joined[a], b)
	r.joined[b] = append(r.joined[b], a)
	for _, it := range slices.Clone(r.of[a]) {
		r.join(b, it, false)
	}
	for _, it := range slices.Clone(r.of[b]) {
		r.join(a, it, false)
	}
}

// join adds a record, and those joined to it, to a piece of work. A record with
// which another piece of work began stays there.
func (r *Run) join(ref itsm.Ref, it *item, origin bool) {
	if slices.Contains(r.of[ref], it) || r.origins[ref] && !origin {
		return
	}
	r.of[ref] = append(r.of[ref], it)
	for _, other := range r.joined[ref] {
		r.join(other, it, false)
	}
}

// move does what an event means for an item.
func (r *Run) move(it *item, hits []watchAt, at time.Time) {
	if at.Before(it.last) {
		at = it.last
	}
	it.last = at
	fresh := len(it.visits) == 0
	r.finish(it, hits, at, fresh)
	for _, w := range hits {
		if w.Does == Reject {
			r.reject(it, w.step, at)
		}
	}
	r.begin(it, hits, at, Arrive, fresh)
	for _, w := range hits {
		if w.Does == Pause && it.at[w.step] >= 0 {
			it.visits[it.at[w.step]].stop(at)
		}
	}
	for _, step := range r.begin(it, hits, at, Start, fresh) {
		it.visits[it.at[step]].start(at)
	}
	if slices.ContainsFunc(hits, func(w watchAt) bool { return w.Does == Abandon }) {
		r.abandon(it, at)
	}
}

// finish ends visits and hands over.
func (r *Run) finish(it *item, hits []watchAt, at time.Time, fresh bool) {
	var open, none []watchAt // the first watch of each step counts
	begins := false
	for i, w := range hits {
		switch {
		case w.Does == Start || w.Does == Arrive || w.Does == Reject:
			begins = true
		case w.Does != Finish || slices.ContainsFunc(hits[:i], func(o watchAt) bool { return o.step == w.step && o.Does == Finish }):
		case it.at[w.step] >= 0:
			open = append(open, w)
		case !fresh || r.first[w.step]:
			none = append(none, w)
		}
	}
	if len(open) == 0 && len(none) > 0 && (fresh || !begins) {
		w := none[len(none)-1]
		r.arrive(it, w.step, at, !fresh)
		open = append(open, w)
	}
	for _, w := range open {
		i := it.at[w.step]
		it.at[w.step] = -1
		it.visits[i].stop(at)
		it.visits[i].ended = at
		for _, out := range r.outputs[w.step] {
			if w.Output == "" && out.back || w.Output != "" && w.Output != out.what {
				continue
			}
			switch {
			case out.back:
				it.giveBack(out.to)
			case out.value:
				it.delivered, it.by = at, i
				it.visits[i].forward = true
			default:
				it.visits[i].forward = true
			}
			if out.to >= 0 {
				r.arrive(it, out.to, at, false)
			}
		}
	}
}

// giveBack says of what a step handed over last that it could not be used.
func (it *item) giveBack(step int) {
	for i := len(it.visits) - 1; i >= 0; i-- {
		if v := &it.visits[i]; v.step == step && v.forward {
			v.returned = true
			return
		}
	}
}

// reject takes work up again that was delivered.
func (r *Run) reject(it *item, step int, at time.Time) {
	delivered := !it.delivered.IsZero()
	if delivered {
		it.visits[it.by].returned = true
		it.rejected = true
		it.delivered = time.Time{}
	}
	r.arrive(it, step, at, !delivered && it.abandoned.IsZero())
}

// begin lets work arrive in steps, and returns those in which it is then.
func (r *Run) begin(it *item, hits []watchAt, at time.Time, does Mark, fresh bool) []int {
	first := -1
	var in []int
	for _, w := range hits {
		if w.Does != does {
			continue
		}
		if first < 0 {
			first = w.step
		}
		if it.at[w.step] >= 0 && !slices.Contains(in, w.step) {
			in = append(in, w.step)
		}
	}
	if first >= 0 && len(in) == 0 {
		r.arrive(it, first, at, !fresh || !r.first[first])
		in = append(in, first)
	}
	return in
}

// arrive opens a visit unless there is one.
func (r *Run) arrive(it *item, step int, at time.Time, unplanned bool) {
	it.abandoned = time.Time{}
	if it.at[step] < 0 {
		it.at[step] = len(it.visits)
		it.visits = append(it.visits, visit{step: step, available: at, unplanned: unplanned})
	}
}

// abandon ends everything without value.
func (r *Run) abandon(it *item, at time.Time) {
	for step, i := range it.at {
		if i >= 0 {
			it.visits[i].stop(at)
			it.visits[i].ended, it.visits[i].abandoned = at, true
			it.at[step] = -1
		}
	}
	if it.delivered.IsZero() {
		it.abandoned = at
	}
}

func (v *visit) start(at time.Time) {
	if !v.working {
		v.working = true
		v.worked = append(v.worked, Span{From: at})
	}
}

func (v *visit) stop(at time.Time) {
	if v.working {
		v.working = false
		v.worked[len(v.worked)-1].To = at
	}
}

// A Span is a stretch of time; To is zero while it goes on.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"`
}

// An Item is a piece of work on its way through a stream.
type Item struct {
	// Origin is the record with which it began.
	Origin itsm.Ref `json:"origin"`
	// Began is when the demand came in.
	Began time.Time `json:"began"`
	// Delivered is when value was delivered, the last time if it was rejected in
	// between; zero if it was not, or was rejected since.
	Delivered time.Time `json:"delivered,omitzero"`
	// Rejected says that value was delivered that could not be used.
	Rejected bool `json:"rejected,omitempty"`
	// Abandoned is when it was given up without value.
	Abandoned time.Time `json:"abandoned,omitzero"`
	// Visits lists the steps that it was in, in the order in which it came there.
	Visits []Visit `json:"visits"`
}

// A Visit is one time that a piece of work was in a step.
type Visit struct {
	Step string `json:"step"`
	// Available is when it was there to be worked on, Ended when it was handed over
	// or abandoned; zero while it is there.
	Available time.Time `json:"available"`
	Ended     time.Time `json:"ended,omitzero"`
	// Worked lists when somebody worked on it.
	Worked []Span `json:"worked,omitempty"`
	// Unplanned says that the work came there by no output of another step.
	Unplanned bool `json:"unplanned,omitempty"`
	// Abandoned says that it ended with the whole piece of work.
	Abandoned bool `json:"abandoned,omitempty"`
	// Returned says that what it handed over could not be used.
	Returned bool `json:"returned,omitempty"`
}

// Stream returns the stream. It belongs to the run and must not be changed.
func (r *Run) Stream() Stream { return r.stream }

// Items yields every piece of work in the order in which they began. Each belongs to
// the caller.
func (r *Run) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		for _, it := range r.items {
			if !yield(r.view(it)) {
				return
			}
		}
	}
}

// ItemsOf returns the pieces of work that a record is part of, in the order in which
// they began.
func (r *Run) ItemsOf(ref itsm.Ref) []Item {
	var all []Item
	for _, it := range r.of[ref] {
		all = append(all, r.view(it))
	}
	slices.SortStableFunc(all, func(a, b Item) int { return a.Began.Compare(b.Began) })
	return all
}

func (r *Run) view(it *item) Item {
	out := Item{Origin: it.origin, Began: it.visits[0].available, Delivered: it.delivered, Rejected: it.rejected, Abandoned: it.abandoned}
	for i := range it.visits {
		v := &it.visits[i]
		out.Visits = append(out.Visits, Visit{
			Step: r.stream.Steps[v.step].Name, Available: v.available, Ended: v.ended, Worked: slices.Clone(v.worked),
			Unplanned: v.unplanned, Abandoned: v.abandoned, Returned: v.returned,
		})
	}
	return out
}
