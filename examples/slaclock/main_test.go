package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// Friday afternoon. The goal is 16 hours in which the office is open:
	//   Fri 2026-03-27 15:00:00 +01:00  Fri 2026-03-27 17:00:00 +01:00  2h0m0s                          open
	//                                   running at                      Fri 2026-03-27 17:00:00 +01:00  2h0m0s of 16h0m0s, calendar office@1
	//                                   deadline                        Tue 2026-03-31 15:00:00 +02:00  14h0m0s left
	//
	// It waits for the caller, so it has no deadline; nobody promised to do without an answer:
	//   Fri 2026-03-27 15:00:00 +01:00  Fri 2026-03-27 17:00:00 +01:00  2h0m0s                          open
	//   Fri 2026-03-27 17:00:00 +01:00  Fri 2026-03-27 17:30:00 +01:00  -                               paused: caller
	//                                   paused at                       Fri 2026-03-27 17:30:00 +01:00  2h0m0s of 16h0m0s, calendar office@1
	//                                   deadline                        none                            14h0m0s left
	//
	// The answer resumed it. On Saturday the office is closed:
	//   Fri 2026-03-27 15:00:00 +01:00  Fri 2026-03-27 17:00:00 +01:00  2h0m0s                          open
	//   Fri 2026-03-27 17:00:00 +01:00  Fri 2026-03-27 17:30:00 +01:00  -                               paused: caller
	//   Fri 2026-03-27 17:30:00 +01:00  Fri 2026-03-27 18:00:00 +01:00  30m0s                           open
	//   Fri 2026-03-27 18:00:00 +01:00  Sat 2026-03-28 10:00:00 +01:00  -                               outside hours
	//                                   running at                      Sat 2026-03-28 10:00:00 +01:00  2h30m0s of 16h0m0s, calendar office@1
	//                                   deadline                        Tue 2026-03-31 15:30:00 +02:00  13h30m0s left
	//
	// Now nobody gets any mail: priority 1 means 72 hours by the clock on the wall. The
	// change counts from the start, and the pause is kept:
	//   Fri 2026-03-27 15:00:00 +01:00  Fri 2026-03-27 17:00:00 +01:00  2h0m0s                          open
	//   Fri 2026-03-27 17:00:00 +01:00  Fri 2026-03-27 17:30:00 +01:00  -                               paused: caller
	//   Fri 2026-03-27 17:30:00 +01:00  Sat 2026-03-28 10:00:00 +01:00  16h30m0s                        open
	//                                   running at                      Sat 2026-03-28 10:00:00 +01:00  18h30m0s of 72h0m0s, calendar always@1
	//                                   deadline                        Mon 2026-03-30 16:30:00 +02:00  53h30m0s left
	//
	// In the night to Sunday Berlin went from 02:00 to 03:00, an hour that never was.
	// The deadline is the Monday of 72 real hours, half an hour of pause, and one on the clock:
	//   Fri 2026-03-27 15:00:00 +01:00  Fri 2026-03-27 17:00:00 +01:00  2h0m0s                          open
	//   Fri 2026-03-27 17:00:00 +01:00  Fri 2026-03-27 17:30:00 +01:00  -                               paused: caller
	//   Fri 2026-03-27 17:30:00 +01:00  Mon 2026-03-30 09:00:00 +02:00  62h30m0s                        open
	//                                   running at                      Mon 2026-03-30 09:00:00 +02:00  64h30m0s of 72h0m0s, calendar always@1
	//                                   deadline                        Mon 2026-03-30 16:30:00 +02:00  7h30m0s left
	//
	// Restored, and in time. What is met stays met:
	//   Fri 2026-03-27 15:00:00 +01:00  Fri 2026-03-27 17:00:00 +01:00  2h0m0s                          open
	//   Fri 2026-03-27 17:00:00 +01:00  Fri 2026-03-27 17:30:00 +01:00  -                               paused: caller
	//   Fri 2026-03-27 17:30:00 +01:00  Mon 2026-03-30 09:00:00 +02:00  62h30m0s                        open
	//                                   met at                          Tue 2026-04-07 09:00:00 +02:00  64h30m0s of 72h0m0s, calendar always@1
	//                                   deadline                        Mon 2026-03-30 16:30:00 +02:00  7h30m0s left
	//
	// What the history says about the clock:
	//   Fri 15:00  start
	//   Fri 17:00  pause            caller
	//   Fri 17:30  resume
	//   Sat 10:00  set_calendar
	//   Sat 10:00  set_goal
	//   Mon 09:00  passed 50%, due Sun 04:30
	//   Mon 09:00  passed 75%, due Sun 22:30
	//   Mon 09:00  told the head of operations
	//   Mon 09:00  stop             resolved
}
