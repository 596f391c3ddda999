// Package practicetest proves a practice right, or says what is wrong with it: one of a
// vendor's own, or one of the library's with a vendor's states and actions in it.
//
// What every practice has to keep is taken apart into rules, each a sentence ([Rules]).
// They need no examples: the suite makes records and does anything to them by chance, and
// knows from the rules what must come of it.
//
//	func TestAssets(t *testing.T) {
//		practicetest.Test(t, practicetest.Harness[Asset]{}, NewAssets)
//	}
//
// Most practices have more to say: which input makes sense, so that more is reached, and
// what is always true of a record ([Harness]).
//
// [Check] does the same without a [testing.T]. [Whole] proves of one call that it happens
// as a whole or not at all, however the store fails. A [Desk] is where tests of single
// actions work: with a clock that stands, ids that count, and a comparison of every record
// with its replay.
//
// The same seeds make the same worlds, so that a failure comes again, as long as the
// practice itself is pure. What many do at once is different each time.
package practicetest
