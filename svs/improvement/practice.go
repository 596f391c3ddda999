package improvement

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// A Metric computes a value over a window, such as a figure of a
// [github.com/go-itsm/itsm/valuechain.Report]. An error of its is returned as it is,
// and nothing was written.
type Metric func(ctx context.Context, from, to time.Time) (float64, error)

// Config is what a host decides for its improvements. The zero value is ready: values
// are what people say, and rank is benefit by effort.
type Config struct {
	itsm.Config

	// Lifecycle is the host's own; nil means [DefaultLifecycle].
	Lifecycle *itsm.Lifecycle
	// Actions holds a value of each action type of the host's own. Their names must be
	// in the Lifecycle.
	Actions []itsm.Action[Improvement]
	// Metrics are what the host can measure, by name. A baseline or a result by one of
	// them is computed when it is set, and kept: a replay computes nothing.
	Metrics map[string]Metric
	// Rank orders the register from benefit, effort and risk; more comes first. It is
	// kept with the score. Nil means 100 by benefit by effort.
	Rank func(benefit, effort, risk int) int
}

// A Practice is continual improvement: the improvement register. It is safe for
// concurrent use. Beside what stands here it has every call of [itsm.Practice]: Do,
// Get, Check, WhyNot, History, At, Decode, List, RunDue and so on.
type Practice struct {
	*itsm.Practice[Improvement]
	cfg Config
}

// NewPractice returns the practice over a store. It returns an [itsm.ErrInvalid] with
// every finding if the host's lifecycle and actions do not fit together.
func NewPractice(store itsm.Store[Improvement], cfg Config) (*Practice, error) {
	if cfg.Lifecycle == nil {
		cfg.Lifecycle = DefaultLifecycle()
	}
	kernel, err := itsm.NewPractice(itsm.Definition[Improvement]{
		Prefix:    "imp",
		Lifecycle: cfg.Lifecycle,
		Actions:   slices.Concat(actions(), cfg.Actions),
		Derived:   []itsm.Action[Improvement]{AutoResume{}, MissDue{}},
		Next:      cfg.next,
		Prepare:   cfg.prepare,
	}, store, cfg.Config)
	if err != nil {
		return nil, err
	}
	return &Practice{kernel, cfg}, nil
}

// Over returns the same practice over another store, such as one bound to a transaction
// of the host's.
func (p *Practice) Over(store itsm.Store[Improvement]) *Practice {
	return &Practice{p.Practice.Over(store), p.cfg}
}

// actions lists the practice's actions in the order of an improvement's life.
func actions() []itsm.Action[Improvement] {
	return []itsm.Action[Improvement]{
		Log{}, Describe{}, SetScope{}, SetScore{}, SetOwner{},
		SetVision{}, SetBaseline{}, SetTarget{},
		Assess{}, Approve{}, Reject{},
		SetPlan{}, Start{}, PutOnHold{}, Resume{}, Note{},
		Measure{}, Close{}, Cancel{},
		Reassess{}, Replan{}, Rework{}, Reopen{}, Reconsider{},
		Link{}, Unlink{}, SetFields{},
	}
}

// Open puts an idea into the register. It is Create with the type that it takes.
func (p *Practice) Open(ctx context.Context, idea Log) (Improvement, error) {
	return p.Create(ctx, idea)
}

// next says what time brings: the end of a hold, the day of a target.
func (cfg Config) next(r *Improvement) (time.Time, itsm.Action[Improvement]) {
	first := itsm.Earliest[Improvement]{Lifecycle: cfg.Lifecycle, State: r.State}
	if r.Hold != nil {
		first.Take(r.Hold.Until, AutoResume{})
	}
	if r.Target != nil && !r.Late {
		first.Take(r.Target.Due, MissDue{})
	}
	return first.Due, first.Action
}

// prepare resolves the host's configuration into an action.
func (cfg Config) prepare(ctx context.Context, _ *itsm.Tx[Improvement], _ *Improvement, action itsm.Action[Improvement]) (itsm.Action[Improvement], error) {
	switch a := action.(type) {
	case SetScore:
		a.Rank = cfg.rank(a)
		return a, nil
	case SetBaseline:
		m, err := cfg.measure(ctx, reading(a))
		return SetBaseline(m), err
	case Measure:
		m, err := cfg.measure(ctx, reading(a))
		return Measure(m), err
	}
	return nil, nil // nothing to resolve
}

func (cfg Config) rank(a SetScore) int {
	switch {
	case cfg.Rank != nil:
		return cfg.Rank(a.Benefit, a.Effort, a.Risk)
	case a.Effort > 0:
		return 100 * a.Benefit / a.Effort
	}
	return 0
}

// measure computes a value, if the host can.
func (cfg Config) measure(ctx context.Context, m reading) (reading, error) {
	metric := cfg.Metrics[m.Metric]
	m.Measured = metric != nil
	if metric == nil || !m.From.Before(m.To) { // which is a finding
		return m, nil
	}
	value, err := metric(ctx, m.From, m.To)
	if err == nil && (math.IsNaN(value) || math.IsInf(value, 0)) {
		err = &itsm.FieldError{Field: "metric", Reason: fmt.Sprintf("has no value in this window: %v", value)}
	}
	m.Value = value
	return m, err
}

// Momentum is how a register moves.
type Momentum struct {
	// Logged, Closed, Rejected and Cancelled came to that state in the window; Open is
	// how many are open at its end.
	Logged    int `json:"logged"`
	Closed    int `json:"closed"`
	Rejected  int `json:"rejected"`
	Cancelled int `json:"cancelled"`
	Open      int `json:"open"`
	// Outcomes counts what came of those that were closed.
	Outcomes map[Outcome]int `json:"outcomes,omitempty"`
	// Cycle is the mean time from log to close of those that were closed; JSON:
	// nanoseconds. With Closed 0 it is not defined.
	Cycle time.Duration `json:"cycle,omitempty"`
	// Skipped lists those that were closed with a step left out, by id, and Stalled the
	// open ones to which nothing happened in the whole window.
	Skipped map[itsm.ID][]Skip `json:"skipped,omitempty"`
	Stalled []itsm.ID          `json:"stalled,omitempty"`
}

// Delivered is how many of those that were closed reached their target; it is not
// defined if none was closed.
func (m Momentum) Delivered() (float64, bool) {
	if m.Closed == 0 {
		return 0, false
	}
	return float64(m.Outcomes[Achieved]) / float64(m.Closed), true
}

// MomentumOf sums up a register in the window [from, to), as of its records now: what
// was reopened since is open. It returns the error with which the records end, if any.
func MomentumOf(register iter.Seq2[Improvement, error], from, to time.Time) (Momentum, error) {
	var m Momentum
	var cycle time.Duration // in two parts, because the sum may not fit
	var cycles []time.Duration
	in := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	for r, err := range register {
		if err != nil {
			return Momentum{}, err
		}
		if in(r.Created) {
			m.Logged++
		}
		switch r.State {
		case Closed:
			if !in(r.Milestones.Ended) {
				continue
			}
			m.Closed++
			if m.Outcomes == nil {
				m.Outcomes = map[Outcome]int{}
			}
			m.Outcomes[r.Outcome]++
			cycles = append(cycles, r.Milestones.Ended.Sub(r.Created))
			if skipped := r.Skipped(); len(skipped) > 0 {
				if m.Skipped == nil {
					m.Skipped = map[itsm.ID][]Skip{}
				}
				m.Skipped[r.ID] = skipped
			}
		case Rejected:
			if in(r.Milestones.Ended) {
				m.Rejected++
			}
		case Cancelled:
			if in(r.Milestones.Ended) {
				m.Cancelled++
			}
		default:
			if !r.Created.Before(to) {
				continue
			}
			m.Open++
			if r.Changed.Before(from) {
				m.Stalled = append(m.Stalled, r.ID)
			}
		}
	}
	for _, c := range cycles {
		m.Cycle += c / time.Duration(len(cycles))
		cycle += c % time.Duration(len(cycles))
	}
	if len(cycles) > 0 {
		m.Cycle += cycle / time.Duration(len(cycles))
	}
	return m, nil
}
