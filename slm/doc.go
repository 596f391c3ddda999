// Package slm is service level management for any practice: it joins the
// agreements and clocks of package sla to the records and histories of the kernel.
//
// A practice of this module has it built in, and a host only gives it a book of
// agreements. A vendor's own practice gets the same clocks in four places:
//
//	type Asset struct {
//		itsm.Meta
//		slm.Clocks // what is promised about it, and how that stands
//		…
//	}
//
//	levels := slm.Levels[Asset]{Book: book, Facts: facts, Escalate: escalate}
//	lifecycle, err := own.With(slm.Permit)
//	practice, err := itsm.NewPractice(itsm.Definition[Asset]{
//		Lifecycle: lifecycle,
//		Derived:   slm.Derived[Asset](),
//		Follow:    levels.Follow,
//		Prepare:   levels.Prepare,
//		Next:      levels.Next,
//		…
//	}, store, itsm.Config{})
//
// From then on every action is followed, in the same commit, by what it means for
// the clocks ([MoveClocks]), and a threshold is a due action that any host's runner
// passes, once ([PassThreshold]). Both hold what was decided, so that a replay of the
// history needs neither agreements nor calendars.
package slm
