package itsm

import "time"

// Earliest finds the first of what time brings to a record, which is what
// [Definition].Next answers. What the lifecycle does not permit in the record's state
// is left out.
//
//	first := itsm.Earliest[Ticket]{Lifecycle: lifecycle, State: r.State}
//	first.Take(r.Hold.Until, Resume{})
//	first.Take(r.CloseAt, Close{})
//	return first.Due, first.Action
type Earliest[R any] struct {
	Lifecycle *Lifecycle
	State     State
	// Due is when that happens, zero if nothing does, and Action what it is.
	Due    time.Time
	Action Action[R]
}

// Take takes what happens at a time, unless the time is zero, nothing happens (nil), or
// something else comes first; of two at the same time, the first that was offered does.
func (e *Earliest[R]) Take(t time.Time, a Action[R]) {
	if a == nil || t.IsZero() || !e.Due.IsZero() && !t.Before(e.Due) {
		return
	}
	if _, ok := e.Lifecycle.Can(e.State, a.Action()); ok {
		e.Due, e.Action = t, a
	}
}
