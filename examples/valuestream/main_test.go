package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// The way of an incident:
	//   register  Mon 09:00 to Mon 09:00
	//   triage    Mon 09:00 to Mon 09:30  came back
	//   repair    Mon 09:30 to Mon 12:30  worked Mon 12:00 to Mon 12:30
	//   triage    Mon 12:30 to Mon 13:00
	//   repair    Mon 13:00 to Wed 09:00  worked Wed 08:00 to Wed 09:00  came back
	//   confirm   Wed 09:00 to Thu 08:00
	//   repair    Wed 22:00 to Thu 02:00  worked Wed 22:00 to Thu 02:00
	//
	// How the work flowed:
	// incident, 2026-03-02 00:00:00 to 2026-03-07 00:00:00
	//   in  out  at end   lead  process   wait  efficiency     %C&A   WIP  queue  per day  step
	//    5    5       0   0:00     0:00   0:00           -  100.0 %  0.00   0.00     1.00  register
	//    7    7       0   0:43     0:05   0:38      11.7 %   71.4 %  0.04   0.04     1.40  triage
	//    8    7       1  21:43     1:26  20:17       6.6 %   80.0 %  1.43   1.34     1.40  repair
	//    4    4       0  10:38        -      -           -  100.0 %  0.35   0.35     0.80  confirm
	//    5    4       1  42:15     2:38  39:38       6.2 %   75.0 %  1.57   1.52     0.80  demand to value
	// rolled %C&A 57.1 %; Little's law gives 1.41 in work, there were 1.57 (not stable)
	// constraint: repair, because on average 1.34 wait in "Restore the service" on their way to value, which is 88 % of all that do; of 21:43 that a visit takes, nobody works on it for 20:17
	//
	// What happens, without knowing the stream:
	//   2 × [report assign start resolve close]
	//   1 × [report assign]
	//   start comes again in 2 of 5
	//   resolve comes again in 1 of 5
	//   5 of 5 keep to the lifecycle, fitness 1.00: the practice lets nobody leave it
	//
	// The stream:
	// flowchart LR
	//     demand(["users: a service that does not work"])
	//     s1["1. Register the call<br/>engage"]:::a_engage
	//     s2["2. Find who can repair it<br/>deliver_support"]:::a_deliver_support
	//     s3["3. Restore the service<br/>deliver_support"]:::a_deliver_support
	//     s4["4. Hear that it works<br/>engage"]:::a_engage
	//     value(["users: people get on with their work"])
	//     demand -->|"a service that does not work"| s1
	//     s1 -->|"registered incident"| s2
	//     s2 -->|"assigned incident"| s3
	//     s3 -->|"restored service"| value
	//     s3 -->|"restored service"| s4
	//     s3 -.->|"incident for others"| s2
	//     o1(["improve"])
	//     s4 -->|"what to do better"| o1
}
