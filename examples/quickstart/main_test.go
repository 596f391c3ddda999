package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// inc-1 "Checkout answers 503" is resolved: P1, restored after 12m0s by mina
	//
	// Its history:
	//   1  09:06  jin   report   {"title":"Checkout answers 503","service":"webshop","impact":1,"urgency":1,"priority":1}
	//   2  09:12  mina  start    {}
	//   3  09:18  mina  resolve  {"code":"workaround","note":"Switched to the other payment gateway"}
	//
	// Ten minutes in, it was in_progress with mina.
	//
	// What now?
	//   resolve               no: action "resolve" is not permitted in state "resolved", from which lead on: cancel, close, merge, reject_resolution, reopen
	//   close                 yes, to closed
	//   reopen                yes, to in_progress, given its reason
	//   complete_action_item  no: its review has no action item that is open
	//
	// A report without a title?
	//   - title must not be empty
	//   - urgency and impact must be judged together
	//
	// The life of an incident:
	// stateDiagram-v2
	//     [*] --> new: report
	//     new --> assigned: assign / escalate_functional
	//     new --> in_progress: start
	//     new --> on_hold: hold
	//     new --> resolved: resolve
	//     new --> cancelled: cancel / merge
	//     assigned --> new: unassign
	//     assigned --> in_progress: start
	//     assigned --> on_hold: hold
	//     assigned --> resolved: resolve
	//     assigned --> cancelled: cancel / merge
	//     in_progress --> assigned: assign / escalate_functional
	//     in_progress --> on_hold: hold
	//     in_progress --> resolved: resolve
	//     in_progress --> cancelled: cancel / merge
	//     on_hold --> assigned: assign / escalate_functional
	//     on_hold --> in_progress: auto_resume / resume
	//     on_hold --> resolved: resolve
	//     on_hold --> cancelled: cancel / merge
	//     resolved --> assigned: reject_resolution
	//     resolved --> in_progress: reopen
	//     resolved --> closed: auto_close / close
	//     resolved --> cancelled: cancel / merge
	//     closed --> assigned: reject_resolution
	//     closed --> in_progress: reopen
	//     closed --> [*]
	//     cancelled --> [*]
}
