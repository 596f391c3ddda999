package valuechain_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// made is a random stream with what its random work really did, in minutes.
type made struct {
	stream valuechain.Stream
	starts []bool // of each step: whether anybody says when work begins
	effort []int
	items  []*truth
	events []timed
}

// truth is a piece of work as it was.
type truth struct {
	began, delivered, abandoned int // -1 if not
	rejected                    bool
	visits                      []*stay
	by                          *stay
}

type stay struct {
	step, from, to     int // to -1 while it is there
	worked             [][2]int
	forward, returned  bool
	abandoned, unknown bool
}

type timed struct {
	minute int
	tell   func(f *feeder)
}

// randomStream makes a chain of steps with ways around and ways back, each output with
// an action of its own.
func randomStream(rnd *rand.Rand) *made {
	n := 1 + rnd.IntN(6)
	m := &made{stream: valuechain.Stream{
		Name: "random", Demand: valuechain.End{Who: "users", What: "x"}, Value: valuechain.End{Who: "users", What: "y"},
		Joins: []valuechain.Join{{From: "work", Rel: "uses", To: "part"}},
	}, starts: make([]bool, n), effort: make([]int, n)}
	for i := range n {
		practice := []string{"work", "part"}[i%2]
		s := valuechain.Step{Name: fmt.Sprint("s", i), Activity: valuechain.DeliverSupport}
		watch := func(action string, does valuechain.Mark, output string) {
			s.Watch = append(s.Watch, valuechain.Watch{Practice: practice, Action: action, Does: does, Output: output})
		}
		if i == 0 {
			s.Activity = valuechain.Engage
			s.Inputs = []valuechain.Input{{What: "x", From: "demand"}}
			watch("open", valuechain.Arrive, "")
		}
		m.starts[i] = rnd.IntN(4) > 0
		if m.starts[i] {
			watch(fmt.Sprint("start", i), valuechain.Start, "")
		} else if rnd.IntN(2) == 0 {
			m.effort[i] = 1 + rnd.IntN(30)
			s.Effort = time.Duration(m.effort[i]) * time.Minute
		}
		watch(fmt.Sprint("pause", i), valuechain.Pause, "")
		out := func(to int, back bool) {
			what, name := fmt.Sprintf("o%d-%d", i, to), fmt.Sprint("s", to)
			if to == n {
				name = "value"
			}
			s.Outputs = append(s.Outputs, valuechain.Output{What: what, To: name, Back: back})
			watch(what, valuechain.Finish, what)
		}
		out(i+1, false)
		for to := i + 2; to <= n; to++ {
			if rnd.IntN(4) == 0 {
				out(to, false)
			}
		}
		for to := 0; to <= i; to++ {
			if rnd.IntN(4) == 0 {
				out(to, true)
			}
		}
		m.stream.Steps = append(m.stream.Steps, s)
	}
	for _, s := range m.stream.Steps {
		for _, o := range s.Outputs {
			for k := range m.stream.Steps {
				if t := &m.stream.Steps[k]; t.Name == o.To {
					t.Inputs = append(t.Inputs, valuechain.Input{What: o.What, From: s.Name})
				}
			}
		}
	}
	// Rejections and cancellations come from the record with which the work began.
	first := &m.stream.Steps[0]
	first.Watch = append(first.Watch, valuechain.Watch{Practice: "work", Action: "reject", Does: valuechain.Reject},
		valuechain.Watch{Practice: "work", Action: "cancel", Does: valuechain.Abandon})
	return m
}

// work lets a random piece of work go through the stream until a minute.
func (m *made) work(rnd *rand.Rand, k, until int) {
	work, part := fmt.Sprint("work:w", k), fmt.Sprint("part:p", k)
	now := rnd.IntN(until)
	it := &truth{began: now, delivered: -1, abandoned: -1}
	tell := func(record, action string) {
		minute := now
		m.events = append(m.events, timed{minute, func(f *feeder) { f.do(minute, record, action, "", nil) }})
	}
	step := 0
	arrive := func() *stay {
		v := &stay{step: step, from: now, to: -1, unknown: !m.starts[step]}
		it.visits = append(it.visits, v)
		return v
	}
	m.items = append(m.items, it)
	tell(work, "open")
	minute := now
	m.events = append(m.events, timed{minute, func(f *feeder) { f.link(minute, work, "uses", part) }})
	v := arrive()
	for {
		record := []string{work, part}[step%2]
		for spans := rnd.IntN(3); spans > 0 && m.starts[step]; spans-- {
			now += rnd.IntN(20)
			began := now
			if now < until {
				tell(record, fmt.Sprint("start", step))
				v.worked = append(v.worked, [2]int{began, -1})
			}
			now += rnd.IntN(20)
			if now < until && began < until {
				tell(record, fmt.Sprint("pause", step))
				v.worked[len(v.worked)-1][1] = now
			}
		}
		now += rnd.IntN(30)
		if now >= until {
			return
		}
		if rnd.IntN(20) == 0 {
			tell(work, "cancel")
			v.to, v.abandoned = now, true
			it.abandoned = now
			return
		}
		outs := m.stream.Steps[step].Outputs
		o := outs[rnd.IntN(len(outs))]
		tell(record, o.What)
		v.to = now
		if o.Back {
			for i := len(it.visits) - 1; i >= 0; i-- {
				if old := it.visits[i]; m.stream.Steps[old.step].Name == o.To && old.forward {
					old.returned = true
					break
				}
			}
		} else {
			v.forward = true
		}
		if o.To != "value" {
			step = slices.IndexFunc(m.stream.Steps, func(s valuechain.Step) bool { return s.Name == o.To })
			v = arrive()
			continue
		}
		it.delivered, it.by = now, v
		now += rnd.IntN(100)
		if rnd.IntN(5) > 0 || now >= until {
			return
		}
		tell(work, "reject")
		it.by.returned, it.rejected, it.delivered, step = true, true, -1, 0
		v = arrive()
	}
}

// process is the definition of process time, in minutes.
func (m *made) process(v *stay) (int, bool) {
	sum := 0
	for _, w := range v.worked {
		to := w[1]
		if to < 0 {
			to = v.to
		}
		sum += to - w[0]
	}
	switch {
	case len(v.worked) > 0:
		return sum, true
	case v.to == v.from:
		return 0, true
	case m.effort[v.step] > 0:
		return min(m.effort[v.step], v.to-v.from), true
	}
	return 0, false
}

// stretch is one visit, or one piece of work, as the definitions see it.
type stretch struct {
	from, to, gone int // gone when it was abandoned; -1 each
	process        int
	known          bool
	forward        bool
	returned       bool
	idle           func(minute int) bool
}

// define computes a flow from its definition, minute by minute.
func define(all []stretch, from, to int) (f valuechain.Flow, lead, process, wait []int) {
	minutes, idle := 0, 0
	for _, s := range all {
		end := max(s.to, s.gone)
		if s.from >= from && s.from < to {
			f.Arrived++
		}
		if s.gone >= from && s.gone < to && s.gone >= 0 {
			f.Abandoned++
		}
		if s.from < from && (end < 0 || end >= from) {
			f.Begin++
		}
		if s.from < to && (end < 0 || end >= to) {
			f.End++
		}
		for minute := max(from, s.from); minute < to && (end < 0 || minute < end); minute++ {
			minutes++
			if s.idle != nil && s.idle(minute) {
				idle++
			}
		}
		if s.to < from || s.to >= to || s.to < 0 {
			continue
		}
		f.Finished++
		lead = append(lead, s.to-s.from)
		if s.known {
			process, wait = append(process, s.process), append(wait, s.to-s.from-s.process)
		}
		if s.forward {
			f.Usable.Of++
			if !s.returned {
				f.Usable.Good++
			}
		}
	}
	f.Over = time.Duration(to-from) * time.Minute
	f.WIP, f.Queue = float64(minutes)/float64(to-from), float64(idle)/float64(to-from)
	return f, lead, process, wait
}

func sum(all []int) (s int) {
	for _, x := range all {
		s += x
	}
	return s
}

func requireSpread(t *testing.T, minutes []int, have valuechain.Spread) {
	t.Helper()
	require.Equal(t, len(minutes), have.N)
	if len(minutes) == 0 {
		return
	}
	slices.Sort(minutes)
	n := len(minutes)
	require.Equal(t, time.Duration(minutes[0])*time.Minute, have.Least)
	require.Equal(t, time.Duration(minutes[n-1])*time.Minute, have.Most)
	require.Equal(t, time.Duration(minutes[(n-1)/2]+minutes[n/2])*time.Minute/2, have.Median)
	rank := 0
	for 10*rank < 9*n { // the first rank that is not below nine tenths
		rank++
	}
	require.Equal(t, time.Duration(minutes[rank-1])*time.Minute, have.P90)
	total := new(big.Int).Mul(big.NewInt(int64(sum(minutes))), big.NewInt(int64(time.Minute)))
	require.Equal(t, time.Duration(total.Div(total, big.NewInt(int64(n))).Int64()), have.Mean)
}

// near compares figures that were added up in different orders.
func near(t *testing.T, want, have float64) {
	t.Helper()
	require.InDelta(t, want, have, 1e-9*max(1, want))
}

func requireFlow(t *testing.T, all []stretch, from, to int, have valuechain.Flow) {
	t.Helper()
	want, lead, process, wait := define(all, from, to)
	require.Equal(t, want.Arrived, have.Arrived)
	require.Equal(t, want.Finished, have.Finished)
	require.Equal(t, want.Abandoned, have.Abandoned)
	require.Equal(t, want.Begin, have.Begin)
	require.Equal(t, want.End, have.End)
	require.Equal(t, have.Begin+have.Arrived-have.Finished-have.Abandoned, have.End)
	require.Equal(t, want.Usable, have.Usable)
	require.Equal(t, want.Over, have.Over)
	near(t, want.WIP, have.WIP)
	requireSpread(t, lead, have.Lead)
	requireSpread(t, process, have.Process)
	requireSpread(t, wait, have.Wait)
	efficiency, ok := have.Efficiency()
	require.Equal(t, len(lead) > 0 && len(lead) == len(process) && sum(lead) > 0, ok)
	if ok {
		near(t, float64(sum(process))/float64(sum(lead)), efficiency)
	}
	throughput, ok := have.Throughput(time.Hour)
	require.True(t, ok)
	near(t, float64(want.Finished)*60/float64(to-from), throughput)
	if little, ok := have.Little(); ok {
		near(t, float64(sum(lead))/float64(to-from), little)
	} else {
		require.Empty(t, lead)
	}
}

// The figures of 1,000 random streams, each with random work and a random window, are
// what their definitions say.
func TestFlowIsWhatItsDefinitionsSay(t *testing.T) {
	count := rounds(1000)
	finished, returned, unknown, rejected := 0, 0, 0, 0
	for seed := range uint64(count) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		m := randomStream(rnd)
		until := 50 + rnd.IntN(400)
		for k := range 1 + rnd.IntN(12) {
			m.work(rnd, k, until)
		}
		slices.SortStableFunc(m.events, func(a, b timed) int { return a.minute - b.minute })
		r := newRun(t, m.stream, valuechain.Options{})
		f := newFeeder(r.Add)
		for _, e := range m.events {
			e.tell(f)
		}
		from := rnd.IntN(until)
		to := from + 1 + rnd.IntN(until)
		if rnd.IntN(3) == 0 {
			from, to = 0, until
		}
		rep := r.Report(at(from), at(to))

		steps := make([][]stretch, len(m.stream.Steps))
		var whole []stretch
		for _, it := range m.items {
			w := stretch{from: it.began, to: it.delivered, gone: it.abandoned, known: true, forward: true, returned: it.rejected}
			for _, v := range it.visits {
				s := stretch{from: v.from, to: v.to, gone: -1, forward: v.forward, returned: v.returned}
				if v.abandoned {
					s.to, s.gone = -1, v.to
				}
				s.idle = func(minute int) bool {
					return !slices.ContainsFunc(v.worked, func(w [2]int) bool {
						return minute >= w[0] && (w[1] < 0 || minute < w[1])
					})
				}
				if v.to >= 0 {
					s.process, s.known = m.process(v)
				}
				steps[v.step] = append(steps[v.step], s)
				if !v.abandoned && v.to >= 0 && v.to <= it.delivered {
					w.process, w.known = w.process+s.process, w.known && s.known
				}
			}
			whole = append(whole, w)
		}
		requireFlow(t, whole, from, to, rep.Whole)
		rolled, judged := 1.0, false
		all, longest := 0.0, 0.0
		for i := range steps {
			requireFlow(t, steps[i], from, to, rep.Steps[i].Flow)
			want, _, _, _ := define(steps[i], from, to)
			near(t, want.Queue, rep.Steps[i].Queue)
			holds := 0
			for _, it := range m.items {
				for _, v := range it.visits {
					for minute := max(from, v.from); v.step == i && minute < to && (v.to < 0 || minute < v.to) && (it.delivered < 0 || minute < it.delivered); minute++ {
						if !slices.ContainsFunc(v.worked, func(w [2]int) bool { return minute >= w[0] && (w[1] < 0 || minute < w[1]) }) {
							holds++
						}
					}
				}
			}
			near(t, float64(holds)/float64(to-from), rep.Steps[i].Holds)
			all, longest = all+rep.Steps[i].Holds, max(longest, rep.Steps[i].Holds)
			if want.Usable.Of > 0 {
				rolled, judged = rolled*float64(want.Usable.Good)/float64(want.Usable.Of), true
			}
			require.Zero(t, rep.Steps[i].Unplanned)
			finished, returned = finished+want.Finished, returned+want.Usable.Of-want.Usable.Good
			unknown += rep.Steps[i].Lead.N - rep.Steps[i].Process.N
		}
		near(t, all, rep.Whole.Queue)
		have, ok := rep.Rolled()
		require.Equal(t, judged, ok)
		if judged {
			near(t, rolled, have)
		}
		require.Equal(t, longest > 0, rep.Constraint != nil)
		if rep.Constraint != nil {
			near(t, longest, rep.Constraint.Holds)
			near(t, longest/all, rep.Constraint.Share)
		}
		rejected += rep.Whole.Usable.Of - rep.Whole.Usable.Good
	}
	// Everything happened.
	require.Greater(t, finished, 10*count/2)
	require.Greater(t, returned, count/2)
	require.Greater(t, unknown, count/10)
	require.Greater(t, rejected, count/10)
}

// The same feed gives the same run, and a run that went on from a cursor is one that
// read all at once.
func TestARunIsTheFoldOfTheFeed(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	m := randomStream(rnd)
	for k := range 20 {
		m.work(rnd, k, 500)
	}
	slices.SortStableFunc(m.events, func(a, b timed) int { return a.minute - b.minute })
	var events []itsm.Event
	f := newFeeder(func(e itsm.Event) { events = append(events, e) })
	for _, e := range m.events {
		e.tell(f)
	}
	once, twice := newRun(t, m.stream, valuechain.Options{}), newRun(t, m.stream, valuechain.Options{})
	for i, e := range events {
		once.Add(e)
		twice.Add(e)
		twice.Add(events[rnd.IntN(i+1)]) // what came before changes nothing
	}
	require.Equal(t, slices.Collect(once.Items()), slices.Collect(twice.Items()))
	require.Equal(t, once.Report(day, at(500)), twice.Report(day, at(500)))
}
