// Package sla says whether a service gives its users what was agreed: calendars
// of service hours, clocks that measure against a goal in them, agreements that
// say which goals apply to what, and reports on how they were kept.
//
// # In short
//
// A [Calendar] is data; compiled, it answers questions:
//
//	office := sla.Calendar{Zone: "Europe/Berlin", Rules: sla.Rules{
//		Weekly:   sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}),
//		Holidays: []sla.Holiday{{On: "12-25", Name: "Christmas Day"}, {On: "easter+1", Name: "Easter Monday"}},
//	}}
//	hours, err := office.Compile()
//	due := hours.Add(reported, 8*time.Hour)
//
// A [Clock] measures one thing, with pauses, and explains its figure:
//
//	clock, err := sla.NewClock(sla.Goal{Within: 8 * time.Hour}, hours, sla.Mark{At: reported, Do: sla.Start})
//	reading := clock.At(now) // state, elapsed, remaining, deadline, breach
//	fmt.Println(clock.Explain(now))
//
// An [Agreement] says what is measured for whom; a [Book] of agreements follows
// records, starts their clocks, pauses and stops them, and says when a threshold
// is passed. The practices of this module do that by themselves: give the book to
// the practice's Config.
//
// # Service hours
//
// Windows are half-open in civil time: ["09:00", "17:00"] is open at nine and not
// at five. "24:00" ends a day. A window that closes at or before its opening runs
// into the next day and belongs to the date on which it starts: that date's holiday
// cancels it, and its tail survives the next date's holiday. An exception replaces
// everything about its date and beats a holiday. Versions take effect on a date
// ([Edition]); calendars of different zones are combined by [Union], [Intersection]
// and [Difference].
//
// Elapsed time is real time. On the day on which clocks are set forward an hour
// that does not exist does not count, and one that comes twice counts twice.
//
// # Clocks
//
// A clock is the fold of its marks over a goal and a calendar, each of a version,
// and keeps no counter. So a change of priority, goal or calendar measures anew
// from the start, with the same pauses, or from now on, as was agreed ([Base]); a
// backdated mark is as if it had been there; and a repair is never needed.
//
// A goal is met when it is reached exactly, and missed only after that. The
// deadline is the earliest moment at which the goal is reached, which may be the
// end of a working day; the breach is from the next opening on, so that nobody is
// woken at midnight by a clock that stands still. While a clock is paused it has no
// deadline, only one that it would have ([Clock.IfResumed]). A pause outside the
// service hours adds nothing. What was once past its goal stays on record
// ([Reading].FirstBreach).
//
// # Agreements
//
// SLA, OLA and contract are values with versions. A record is measured by the
// version that was in force when it was opened, whatever is agreed later. Which
// records, what starts, pauses, stops, resets and cancels a clock are conditions on
// facts, as data ([Condition]); a practice says which facts it has. Metrics do not
// overrule each other, and a metric without a pause has a deadline that nothing
// moves. [Book.Lint] says what is most likely not meant, and [Book.Alignment]
// whether the agreements behind an SLA fit into it.
//
// What a record keeps of it is a [Target]: goal, calendar and marks. What a book
// decides is a [Move], which can be applied without any book, so that a history of
// moves rebuilds the record on its own.
//
// # Purity
//
// Everything here is a value or a pure function of values. The time is always
// passed in; the only thing that is read from outside is the time zone database,
// when a calendar is compiled, and a host may pass its own ([Horizon]). Compiled
// hours and books are immutable and safe for concurrent use. The package imports none
// of the module's other packages that can be used, so that it can be used alone.
//
// The terms are those of ITIL 4's service level management; the rules for clocks
// were chosen against the complaints of users of a dozen products, each of which is
// a test of package incident.
package sla
