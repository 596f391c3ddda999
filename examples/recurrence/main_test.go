package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// Five good tickets, each within the agreement, and each quicker than the one before:
	//   Mon  2 Mar  inc-1: down for 1h40m0s, restarted
	//   Mon  9 Mar  inc-2: down for 1h25m0s, restarted
	//   Mon 16 Mar  inc-3: down for 1h10m0s, restarted
	//   Mon 23 Mar  inc-4: down for 55m0s, restarted
	//   Mon 30 Mar  inc-5: down for 40m0s, restarted
	//
	// And with a problem, a known error and a change:
	//   Mon  2 Mar  inc-1: down for 1h40m0s, restarted
	//   Mon  9 Mar  inc-2: down for 1h25m0s, restarted
	//               proposed: 2 incidents of mail with "no mail" within 14 days, 1h40m0s down so far
	//               prb-1, identified: P2, 240h0m0s in 30 days: 4 × 60h0m0s
	//                 Mail stops on Mondays
	//                   why? the queue's disk is full [df on both Mondays]
	//                     why? the weekly report is mailed to everybody at eight [cron]
	//                       remedy: mail a link
	//                     why? nothing watches that disk [the monitoring's configuration]
	//                       remedy: an alert, and a larger disk
	//               ke-1 is published, and there is no cure yet
	//   Mon 16 Mar  inc-3: the desk is told of known_error:ke-1 (same service mail; symptom words: mail; a whole symptom)
	//               down for 10m0s, by the workaround
	//   Wed 18 Mar  chg-1 is successful, prb-1 is monitoring until 1 April
	//   Mon  6 Apr  prb-1 is closed, ke-1 is closed
	//
	// after five weeks                     five good tickets    somebody asked why
	// outages                              5                    3
	// within the agreement                 5 of 5               3 of 3
	// mail was down                        5h50m0s              3h15m0s
	// mean time to restore                 1h10m0s              1h5m0s
	// work of the desk                     5h50m0s              3h15m0s
	// work on the problem                  0s                   9h0m0s
	// incidents that nothing explains      5 of 5 (100.00 %)    0 of 3 (0.00 %)
	// problem performance index            undefined            1 of 1 (100.00 %)
	// outages, 14 days before the fix      nobody asked         2
	// outages, 14 days after the fix       nobody asked         0
	//
	// The history of prb-1:
	//   register, assess_risk, investigate, analyse, identify, start_fix, resolve, monitor, end_observation
}
