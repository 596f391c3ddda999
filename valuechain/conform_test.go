package valuechain_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// ticket is a small lifecycle: new, open, done, closed.
func ticket(t testing.TB) *itsm.Lifecycle {
	s := itsm.LifecycleSpec{Name: "ticket", Create: "report", Initial: "new", States: []itsm.State{"new", "open", "done", "closed"}, Ends: []itsm.State{"closed"}}
	s.Allow("start", "open", "new", "done")
	s.Allow("finish", "done", "new", "open")
	s.Allow("close", "closed", "done")
	s.Allow("note", "", "new", "open", "done", "closed")
	l, err := itsm.NewLifecycle(s)
	require.NoError(t, err)
	return l
}

// Hand-made logs whose tokens were counted by hand.
func TestConformanceByHand(t *testing.T) {
	for _, tt := range []struct {
		log        string
		opts       valuechain.ConformOptions
		tokens     valuechain.Tokens
		fitness    float64
		deviations []string
	}{
		{"report start finish close", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 5, Consumed: 5}, 1, nil},
		{"report note start note finish close note", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 8, Consumed: 8}, 1, nil},
		{"report start close", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 4, Consumed: 4, Missing: 1, Remaining: 1}, 0.75,
			[]string{`entry 3: "close" is not permitted in state "open"; permitted there: finish`}},
		{"report start", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 3, Consumed: 3, Missing: 1, Remaining: 1}, 2.0 / 3,
			[]string{`it stops in state "open", which is no end`}},
		{"report start", valuechain.ConformOptions{Open: true}, valuechain.Tokens{Produced: 3, Consumed: 3}, 1, nil},
		{"start finish close", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 4, Consumed: 4, Missing: 1, Remaining: 1}, 0.75,
			[]string{`entry 1: "start" is not permitted before it was created; permitted there: report`}},
		{"report reboot finish close", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 5, Consumed: 5, Missing: 1, Remaining: 1}, 0.8,
			[]string{`entry 2: "reboot" is not known to the lifecycle`}},
		// The token in open that the early close left is used by the later finish.
		{"report start close finish close", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 6, Consumed: 6, Missing: 1, Remaining: 1}, 5.0 / 6,
			[]string{`entry 3: "close" is not permitted in state "open"; permitted there: finish`}},
		{"report report finish close", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 5, Consumed: 5, Missing: 1, Remaining: 1}, 0.8,
			[]string{`entry 2: "report" is not permitted in state "new"; permitted there: finish, start`}},
		{"report finish close start", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 5, Consumed: 5, Missing: 1, Remaining: 1}, 0.8,
			[]string{`entry 4: "start" is not permitted in state "closed"; permitted there: nothing is`}},
		{"", valuechain.ConformOptions{}, valuechain.Tokens{Produced: 1, Consumed: 1, Missing: 1, Remaining: 1}, 0,
			[]string{"it stops before it was created, which is no end"}},
		{"", valuechain.ConformOptions{Open: true}, valuechain.Tokens{Produced: 1, Consumed: 1}, 1, nil},

		{"new open open done closed closed", valuechain.ConformOptions{States: true}, valuechain.Tokens{Produced: 5, Consumed: 5}, 1, nil},
		{"new open closed", valuechain.ConformOptions{States: true}, valuechain.Tokens{Produced: 4, Consumed: 4, Missing: 1, Remaining: 1}, 0.75,
			[]string{`entry 3: "closed" is not permitted in state "open"; permitted there: done`}},
		{"new -100 done closed", valuechain.ConformOptions{States: true}, valuechain.Tokens{Produced: 5, Consumed: 5, Missing: 1, Remaining: 1}, 0.8,
			[]string{`entry 2: "-100" is not known to the lifecycle`}},
	} {
		c := valuechain.Conform(ticket(t), logOf(tt.log), tt.opts)
		require.Equal(t, tt.tokens, c.Tokens, tt.log)
		require.InDelta(t, tt.fitness, c.Fitness(), 1e-12, tt.log)
		var have []string
		for _, d := range c.Deviating {
			require.Equal(t, "c1", d.Case)
			require.Equal(t, tt.tokens, d.Tokens)
			for _, x := range d.Deviations {
				have = append(have, x.String())
			}
		}
		require.Equal(t, tt.deviations, have, tt.log)
		require.Equal(t, tt.deviations == nil, c.Fitting == 1)
	}
	require.Equal(t, 1.0, valuechain.Tokens{}.Fitness())
}

func TestCauses(t *testing.T) {
	c := valuechain.Conform(ticket(t), logOf("report start close", "report finish close", "report start close close", "report"), valuechain.ConformOptions{})
	require.Equal(t, 4, c.Cases)
	require.Equal(t, 1, c.Fitting)
	require.Equal(t, []valuechain.Cause{
		{Kind: valuechain.NotPermitted, State: "open", Activity: "close", Times: 2, Cases: 2},
		{Kind: valuechain.NotEnded, State: "new", Times: 1, Cases: 1},
		{Kind: valuechain.NotPermitted, State: "closed", Activity: "close", Times: 1, Cases: 1},
	}, c.Causes())
	// One case's list is not another's.
	c = valuechain.Conform(ticket(t), logOf("report", "report"), valuechain.ConformOptions{})
	c.Deviating[0].Deviations[0].Entry = 99
	require.Zero(t, c.Deviating[1].Deviations[0].Entry)
}

// petri is a net with everything spelled out: places, transitions with a place before
// and one after, and a marking that counts tokens by the moment they came.
type petri struct {
	transitions []struct{ label, before, after string }
	ends        map[string]bool
	repeats     map[string]string // labels that say nothing at a place
}

// petriOf makes the net that token replay is defined on.
func petriOf(l *itsm.Lifecycle, states bool) petri {
	p := petri{ends: map[string]bool{}, repeats: map[string]string{}}
	add := func(label, before, after string) {
		p.transitions = append(p.transitions, struct{ label, before, after string }{label, before, after})
	}
	spec := l.Spec()
	name := func(action string, to itsm.State) string {
		if states {
			return string(to)
		}
		return action
	}
	add(name(spec.Create, spec.Initial), "source", "p:"+string(spec.Initial))
	for _, tr := range spec.Transitions {
		for _, from := range tr.From {
			to := tr.To
			if to == "" {
				to = from
			}
			if states && to == from {
				continue
			}
			add(name(tr.Action, to), "p:"+string(from), "p:"+string(to))
		}
	}
	for _, s := range spec.States {
		if states {
			p.repeats["p:"+string(s)] = string(s)
		}
		p.ends["p:"+string(s)] = l.IsEnd(s)
	}
	return p
}

// replay is the definition of token replay, with a marking of tokens numbered as they
// come.
func (p petri) replay(labels []string, open bool) (k valuechain.Tokens) {
	clock := 0
	marking := map[string][]int{} // place → when its tokens came
	put := func(place string) {
		clock++
		k.Produced++
		marking[place] = append(marking[place], clock)
	}
	latest := func(accept func(place string) bool) string {
		best, when := "", 0
		for place, tokens := range marking {
			if len(tokens) > 0 && accept(place) && tokens[len(tokens)-1] > when {
				best, when = place, tokens[len(tokens)-1]
			}
		}
		return best
	}
	take := func(place string) {
		k.Consumed++
		if tokens := marking[place]; len(tokens) > 0 {
			marking[place] = tokens[:len(tokens)-1]
		} else {
			k.Missing++
		}
	}
	put("source")
	for i, label := range labels {
		here := latest(func(place string) bool { return !strings.HasPrefix(place, "astray") })
		if r, ok := p.repeats[here]; ok && r == label {
			continue
		}
		first := -1
		from := latest(func(place string) bool {
			return slices.ContainsFunc(p.transitions, func(t struct{ label, before, after string }) bool { return t.label == label && t.before == place })
		})
		for j, tr := range p.transitions {
			if tr.label == label && (from == "" || tr.before == from) {
				first = j
				break
			}
		}
		if first < 0 { // a transition of its own
			take(fmt.Sprint("nowhere", i))
			put(fmt.Sprint("astray", i))
			continue
		}
		take(p.transitions[first].before)
		put(p.transitions[first].after)
	}
	end := latest(func(place string) bool { return !strings.HasPrefix(place, "astray") && (open || p.ends[place]) })
	if end == "" {
		end = "no end"
	}
	take(end)
	for _, tokens := range marking {
		k.Remaining += len(tokens)
	}
	return k
}

// compare replays a log by the definition, case by case.
func compare(t *testing.T, l *itsm.Lifecycle, log valuechain.Log, opts valuechain.ConformOptions) valuechain.Conformance {
	t.Helper()
	p := petriOf(l, opts.States)
	c := valuechain.Conform(l, log, opts)
	var total valuechain.Tokens
	deviating := map[string]valuechain.CaseConformance{}
	var order []string
	for _, d := range c.Deviating {
		deviating[d.Case] = d
		order = append(order, d.Case)
	}
	var want []string
	for _, tr := range log.Traces {
		var labels []string
		for _, e := range tr.Entries {
			labels = append(labels, e.Activity)
		}
		k := p.replay(labels, opts.Open)
		total.Produced, total.Consumed = total.Produced+k.Produced, total.Consumed+k.Consumed
		total.Missing, total.Remaining = total.Missing+k.Missing, total.Remaining+k.Remaining
		if k.Missing+k.Remaining > 0 {
			want = append(want, tr.Case)
			d := deviating[tr.Case]
			require.Equal(t, k, d.Tokens, "%s: %v", tr.Case, labels)
			require.InDelta(t, 0.5*(1-float64(k.Missing)/float64(k.Consumed))+0.5*(1-float64(k.Remaining)/float64(k.Produced)), d.Fitness(), 1e-12)
			require.Len(t, d.Deviations, k.Missing) // every one is explained
			for _, x := range d.Deviations {
				require.NotEmpty(t, x.String())
			}
		}
	}
	require.Equal(t, want, order)
	require.Equal(t, total, c.Tokens)
	require.Equal(t, len(log.Traces)-len(want), c.Fitting)
	require.Equal(t, len(log.Traces), c.Cases)
	return c
}

func TestConformanceIsTokenReplay(t *testing.T) {
	l := ticket(t)
	for seed := range uint64(rounds(2000)) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		opts := valuechain.ConformOptions{States: rnd.IntN(2) == 0, Open: rnd.IntN(2) == 0}
		alphabet := words("report start finish close note reboot")
		if opts.States {
			alphabet = words("new open done closed -100")
		}
		var cases []string
		for range 1 + rnd.IntN(3) {
			c := ""
			state := itsm.State("")
			for range rnd.IntN(9) {
				label := alphabet[rnd.IntN(len(alphabet))]
				if !opts.States && rnd.IntN(4) > 0 { // mostly what is permitted
					label = l.Create()
					for action, to := range l.Permitted(state) {
						label = action
						if rnd.IntN(2) == 0 {
							state = to
							break
						}
					}
				}
				c += label + " "
			}
			cases = append(cases, c)
		}
		compare(t, l, logOf(cases...), opts)
	}
}

// incidentLife is the superset of states that the sample of the UCI log keeps to, more
// or less.
func incidentLife(t testing.TB) *itsm.Lifecycle {
	s := itsm.LifecycleSpec{Name: "incident", Create: "report", Initial: "new", States: []itsm.State{"new", "active", "on_hold", "resolved", "closed"}, Ends: []itsm.State{"closed"}}
	s.Allow("start", "active", "new", "on_hold")
	s.Allow("hold", "on_hold", "new", "active")
	s.Allow("resolve", "resolved", "new", "active", "on_hold")
	s.Allow("reopen", "active", "resolved")
	s.Allow("close", "closed", "resolved")
	l, err := itsm.NewLifecycle(s)
	require.NoError(t, err)
	return l
}

// incidentState calls the UCI log's states by those of incidentLife; one, -100, means
// nothing to it.
func incidentState(e valuechain.Entry) string {
	if strings.HasPrefix(e.Activity, "Awaiting") {
		return "on_hold"
	}
	return strings.ToLower(e.Activity)
}

func TestConformanceOfTheUCISample(t *testing.T) {
	log := uci(t).Map(incidentState)
	c := compare(t, incidentLife(t), log, valuechain.ConformOptions{States: true})
	require.Equal(t, 500, c.Cases)
	require.Less(t, c.Fitting, 500)
	require.Greater(t, c.Fitness(), 0.9)
	t.Logf("%d of %d cases fit, fitness %.4f; most often: %v", c.Fitting, c.Cases, c.Fitness(), c.Causes()[:3])
	// Every state that the lifecycle does not have is a finding, and of none that it has.
	unknown := 0
	for _, tr := range log.Traces {
		for _, e := range tr.Entries {
			if e.Activity == "-100" {
				unknown++
			}
		}
	}
	for _, cause := range c.Causes() {
		if cause.Kind == valuechain.NotKnown {
			require.Equal(t, "-100", cause.Activity)
			unknown -= cause.Times
		}
	}
	require.Zero(t, unknown)
}

func TestConformanceOfTheVolvoLog(t *testing.T) {
	s := itsm.LifecycleSpec{Name: "problem", Create: "open", Initial: "Queued", States: []itsm.State{"Queued", "Accepted", "Completed"}, Ends: []itsm.State{"Completed"}}
	s.Allow("accept", "Accepted", "Queued")
	s.Allow("queue", "Queued", "Accepted")
	s.Allow("complete", "Completed", "Accepted")
	l, err := itsm.NewLifecycle(s)
	require.NoError(t, err)
	log := volvo(t).Map(func(e valuechain.Entry) string {
		status, _, _ := strings.Cut(e.Activity, "/")
		return status
	})
	c := compare(t, l, log, valuechain.ConformOptions{States: true})
	require.Equal(t, 1487, c.Cases)
	require.Less(t, c.Fitting, 1487)
	t.Logf("%d of %d cases fit, fitness %.4f; most often: %v", c.Fitting, c.Cases, c.Fitness(), c.Causes()[:3])
}
