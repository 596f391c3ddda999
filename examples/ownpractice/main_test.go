package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// Monday. Two notebooks are in stock; jin's own stays dark.
	// Mina starts, orders a panel, and lends jin N-17 until Wednesday.
	//   inc-1 is awaiting_parts: a panel, expected on Thursday
	// Thursday. The panel is there; N-17 is not.
	//   due actions done: 1
	//   due actions done: 0
	// N-17 comes back, with a dent. May it go?
	//   no: asset ast-1: there is still data on N-17
	//   yes, once it is wiped: N-17 is retired
	//
	// What the vendor's practice remembers of N-17:
	//   Mon 09:00  mina    register     in_stock        {"tag":"N-17","model":"13 inch"}
	//   Mon 10:00  mina    lend         on_loan         {"to":"jin","until":"2026-03-04T10:00:00Z"}
	//   Thu 10:00  system  remind       on_loan         {}
	//   Thu 10:00  mina    return       in_stock        {}
	//   Thu 10:00  mina    wipe         in_stock        {}
	//   Thu 10:00  mina    retire       retired         {}
	//
	// What the library's practice remembers of the incident:
	//   Mon 09:00  jin     report       new             {"title":"My notebook stays dark","ci":"N-03"}
	//   Mon 10:00  mina    start        in_progress     {}
	//   Mon 10:00  mina    order_parts  awaiting_parts  {"part":"panel","expected":"2026-03-05T10:00:00Z"}
	//   Mon 10:00  mina    link         awaiting_parts  {"rel":"replaced_meanwhile_by","to":{"kind":"asset","id":"ast-1"}}
	//   Thu 10:00  mina    start        in_progress     {}
	//   Thu 10:00  mina    resolve      resolved        {"code":"fixed","note":"New panel"}
	//
	// What the host's state did to the life of an incident:
	//   + in_progress --order_parts--> awaiting_parts
	//   + awaiting_parts --cancel--> cancelled
	//   + awaiting_parts --start--> in_progress
	//
	// The life of an asset:
	// stateDiagram-v2
	//     [*] --> in_stock: register
	//     in_stock --> on_loan: lend
	//     in_stock --> retired: retire
	//     on_loan --> in_stock: return
	//     retired --> [*]
}
