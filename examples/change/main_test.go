package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// chg-1, "Patch of the mail servers", is scheduled: peer decided.
	//
	// chg-2, "Database 16", has a risk: high, 9 points: likelihood: possible +2, impact: everybody +4, critical service +3.
	// At Mon 21:00 it collides: service:mail, which depends on ci:db-1, is touched by chg-1 from 2026-03-02 19:00 to 2026-03-02 21:00 UTC.
	// So nobody is asked about it: it collides: service:mail, which depends on ci:db-1, is touched by chg-1 from 2026-03-02 19:00 to 2026-03-02 21:00 UTC
	// The next two hours that are free: Mon 22:00 to Tue 00:00 (true).
	//
	// The CAB is asked: [ann bob cai].
	//   ann votes reject: open, authorize
	//   bob votes approve: open, authorize
	//   ann votes approve: approved, scheduled
	//   cai is late: it came after the decision
	//
	// At Mon 22:49 it is backed_out, in review.
	// It cannot be closed: it has to be reviewed: backed_out
	// After the review it is closed. Lesson: test with data of real size.
	//
	// Fail rate 1 of 1 (100.00 %); service was back after 42m0s.
	//
	// Its history:
	//   Mon 09:05  mia  propose            draft
	//   Mon 09:06  mia  submit             assess
	//   Mon 09:07  mia  start_planning     planning
	//   Mon 09:08  mia  set_plan           planning
	//   Mon 09:09  mia  set_tasks          planning
	//   Mon 09:10  mia  assess_risk        planning
	//   Mon 09:11  mia  set_window         planning
	//   Mon 09:12  mia  set_window         planning
	//   Mon 09:13  mia  request_approval   authorize
	//   Mon 09:14  ann  vote               authorize
	//   Mon 09:15  bob  vote               authorize
	//   Mon 09:16  ann  vote               authorize
	//   Mon 09:16  ann  authorize          scheduled
	//   Mon 22:01  mia  start              implement
	//   Mon 22:02  mia  complete_task      implement
	//   Mon 22:03  mia  complete_task      implement
	//   Mon 22:04  mia  start_testing      testing
	//   Mon 22:05  mia  complete_task      testing
	//   Mon 22:06  mia  record_validation  testing
	//   Mon 22:07  mia  start_back_out     testing
	//   Mon 22:48  mia  complete_task      testing
	//   Mon 22:49  mia  complete_back_out  review
	//   Mon 22:50  kim  start_review       review
	//   Mon 22:51  kim  add_action_item    review
	//   Mon 22:52  kim  complete_review    review
	//   Mon 22:53  kim  close              closed
}
