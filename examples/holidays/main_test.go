package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// The desk in Golden Week, in UTC:
	//   Mon 27 Apr  00:00 to 16:00
	//   Tue 28 Apr  00:00 to 16:00
	//   Wed 29 Apr  07:00 to 16:00
	//   Thu 30 Apr  00:00 to 16:00
	//   Fri  1 May  00:00 to 09:00
	//   Sat  2 May
	//   Sun  3 May
	//   Mon  4 May  07:00 to 16:00
	//   Tue  5 May  07:00 to 16:00
	//   Wed  6 May  07:00 to 16:00
	//   Thu  7 May  00:00 to 16:00
	//
	// Why nobody is there:
	//   Fri  1 May 12:00  Berlin: Tag der Arbeit; Tokyo: outside hours
	//   Mon  4 May 03:00  Berlin: outside hours; Tokyo: Greenery Day
	//
	// A mail server breaks down on Thursday, 30 April, at 15:00 UTC. Eight hours later it is
	//   Fri  1 May 07:00 UTC for both teams
	//   Mon  4 May 14:00 UTC for Berlin alone
}
