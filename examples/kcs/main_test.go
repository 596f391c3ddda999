package main

// The whole story: what the program prints, word for word.
func Example() {
	main()
	// Output:
	// Nobody knows what to do about the first one.
	// inc-1: "Outlook asks for my password again and again"
	//   mia looks for "outlook password": 0 found
	//   mia captures kba-1: wip
	//   mia solves it, says how, and publishes: published, not_validated
	//
	// The next ones are told.
	// inc-2: "Password: Outlook asks for it every minute"
	//   proposed: knowledge:kba-1 (title: Password, Outlook, asks, for; issue: Password, Outlook, asks, for, it; resolution: Password; same service: mail)
	// inc-3: "Outlook keeps asking me again for the new password"
	//   proposed: knowledge:kba-1 (title: Outlook, again, for, the, password; issue: Outlook, again, for, the, password; resolution: the, password; same service: mail)
	//   used 2 times, so it is validated
	//
	// Others than the desk could help themselves.
	//   user looks for "outlook password": 0 found
	//   jin may not publish to them: knowledge kba-1: jin may not set_audience: itsm: denied: that takes a publisher, and jin is candidate
	//   user looks for "outlook password": 1 found
	//
	// Flag it or fix it.
	//   edition 2, open flags: 0
	//   - resolution: Delete the stored password in the control panel.
	//   + resolution: Delete the stored password in the settings, under Credentials.
	//
	// In Korean.
	// inc-4: "암호를 바꿨는데 아웃룩이 암호를 계속 물어봐요"
	//   proposed: knowledge:kba-2 (title: 암호를, 아웃룩이, 계속; resolution: 암호를; same service: mail)
	//   kba-2 covers edition 2 of kba-1: its source has a newer edition
	//
	// A month later.
	//   lee looks for "VPN token lost": 0 found
	//   lee looks for "lost VPN token": 0 found
	// inc-5: "No network on the third floor"
	//   link rate         4 of 5 (80.00 %)
	//   known             3 of 4 (75.00 %)
	//   reused            2 of 2 (100.00 %)
	//   time to publish   1m30s (of 2)
	//   stale             1 of 2 (50.00 %)
	//   flags closed      1 of 1 (100.00 %)
	//   missing: "lost VPN token", looked for 2 times
	//
	// What nobody has looked at for sixty days is due.
	//   2 articles are due for a review
	//   kba-1 is published, and due again on 2026-07-10
	//   its history: [capture improve publish record_use validate set_audience flag improve adopt_translation improve fall_due complete_review]
}
