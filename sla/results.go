package sla

import (
	"iter"
	"time"
)

// Result returns what the present cycle of a target came to, or how it stands now;
// the record, its service and
// its priority are the caller's to fill in. Its errors
// are those of [Calendars.Clock].
func (b *Book) Result(t Target, now time.Time) (Result, error) {
	c, err := b.Clock(t)
	if err != nil {
		return Result{}, err
	}
	r := c.At(later(now, c.tail.since))
	return Result{
		Agreement: t.Agreement, Version: t.Version, Metric: t.Metric, State: r.State,
		Start: r.Started, Stop: r.Stopped, Breach: r.Breach, Elapsed: r.Elapsed, Goal: r.Goal,
	}, nil
}

// Results folds the moves in one record's history, oldest first, and returns what
// every cycle of every target came to, those that have ended before those that
// stand now: the input of a [Report]. Its errors are those of the history and of
// [Calendars.Clock].
func (b *Book) Results(history iter.Seq2[[]Move, error], now time.Time) ([]Result, error) {
	var all []Result
	add := func(t Target) error {
		r, err := b.Result(t, now)
		if err == nil {
			all = append(all, r)
		}
		return err
	}
	var ts Targets
	for moves, err := range history {
		if err != nil {
			return nil, err
		}
		for _, m := range moves {
			if t, ok := ts.Find(m.Agreement, m.Metric); ok && m.Open != nil {
				if err := add(t); err != nil {
					return nil, err
				}
			}
			ts = ts.Apply([]Move{m})
		}
	}
	for _, t := range ts {
		if err := add(t); err != nil {
			return nil, err
		}
	}
	return all, nil
}
