// Package transfer brings records and their histories from one store to another,
// as when a program outgrows its engine.
//
// It follows the source's feed, and can be repeated: copy while the program runs,
// which may take long; stop the program, copy again from where the first copy
// ended, which does not; start it over the new store.
//
//	at, err := transfer.Copy(ctx, old, new, "")
//	…
//	at, err = transfer.Copy(ctx, old, new, at.Cursor) // nobody writes to old any more
//
// Each record is compared, in both stores, with its history, once it is there.
// Records keep their ids, versions and histories. What is not kept is what belongs to
// the engine: cursors, so that who follows the feed begins anew, and the order of
// events of different records in the feed, where all events of a record that were
// copied at once come together.
package transfer
