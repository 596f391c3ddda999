package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// Everything that is wrong with an order is told at once, and nothing is stored:
	//   - lines[0].values.login must match ^[a-z]+$
	//   - lines[0].values.until must be a date such as 2026-03-29
	//   - lines[0].leave[0] must not be left out: laptop
	//
	// req-1: Everything for a newcomer for ara, 1350.50 EUR + 9.90 EUR a month
	//   awaiting_approval
	//     1 An account
	//         waiting   Create the account
	//     2 A laptop
	//         waiting   Look into the store room
	//         waiting   Buy one
	//         waiting   Set it up
	//         waiting   Hand it over
	//     3 A shared folder  until 2026-09-01 00:00
	//         waiting   Open the folder
	//
	// The last vote approves, and what is automatic begins in the same commit:
	//   in_fulfilment
	//     1 An account
	//         running   Create the account
	//     2 A laptop
	//         ready     Look into the store room
	//         waiting   Buy one
	//         waiting   Set it up
	//         waiting   Hand it over
	//     3 A shared folder  until 2026-09-01 00:00
	//         running   Open the folder
	//
	// The automation reads what to run:
	//   create_account("ara")
	//   standard change std-access for ara, started by request:req-1
	//
	// There was one in the store room, so none was bought. The last task fulfils:
	//   fulfilled complete
	//     1 An account      complete
	//         done      Create the account
	//     2 A laptop        complete
	//         done      Look into the store room
	//         skipped   Buy one
	//         done      Set it up
	//         done      Hand it over
	//     3 A shared folder complete until 2026-09-01 00:00
	//         done      Open the folder
	//
	// closed, a week before the end: jin asks that it lasts until 2026-10-01 00:00; kim is asked for a vote.
	//
	// On the last day ara still has access:
	//   closed complete
	//     1 An account      complete
	//         done      Create the account
	//     2 A laptop        complete
	//         done      Look into the store room
	//         skipped   Buy one
	//         done      Set it up
	//         done      Hand it over
	//     3 A shared folder complete until 2026-10-01 00:00
	//         done      Open the folder
	//
	// A minute later it is over. The request stays closed, and the return opens:
	//   standard change std-access-off for ara, started by request:req-1
	//   closed complete
	//     1 An account      complete
	//         done      Create the account
	//     2 A laptop        complete
	//         done      Look into the store room
	//         skipped   Buy one
	//         done      Set it up
	//         done      Hand it over
	//     3 A shared folder complete until 2026-10-01 00:00, return: expired
	//         done      Open the folder
	//         done      Close the folder
	//
	// Ara gives the laptop back. What was done is taken back, the last first:
	//   desk: Collect it
	//   desk: Wipe it
	//
	// What the history says:
	//    1  02 Mar 09:00  jin         order          draft
	//    2  02 Mar 09:00  jin         submit         submitted
	//    3  02 Mar 09:00  jin         seek_approval  awaiting_approval
	//    4  02 Mar 11:00  kim         vote           awaiting_approval
	//    5  02 Mar 11:00  kim         approve        approved
	//    6  02 Mar 11:00  kim         begin          in_fulfilment
	//    7  02 Mar 11:00  kim         run_task       in_fulfilment
	//    8  02 Mar 11:00  kim         run_task       in_fulfilment
	//    9  02 Mar 11:00  automation  complete_task  in_fulfilment
	//   10  02 Mar 11:00  automation  track_task     in_fulfilment
	//   11  02 Mar 11:00  automation  complete_task  in_fulfilment
	//   12  02 Mar 13:00  mia         complete_task  in_fulfilment
	//   13  02 Mar 15:00  mia         complete_task  in_fulfilment
	//   14  02 Mar 17:00  mia         complete_task  in_fulfilment
	//   15  02 Mar 17:00  mia         auto_fulfil    fulfilled
	//   16  24 Aug 09:00  system      auto_close     closed
	//   17  24 Aug 11:00  jin         extend         closed
	//   18  24 Aug 13:00  kim         vote           closed
	//   19  24 Aug 13:00  kim         prolong        closed
	//   20  01 Oct 00:00  system      expire         closed
	//   21  01 Oct 00:00  system      run_task       closed
	//   22  01 Oct 00:00  automation  track_task     closed
	//   23  01 Oct 00:00  automation  complete_task  closed
	//   24  01 Oct 11:00  jin         return         closed
	//   25  01 Oct 13:00  mia         complete_task  closed
	//   26  01 Oct 15:00  mia         complete_task  closed
	//
	// Replayed without the catalogue: closed at version 26, 3 items, 9 tasks.
}
