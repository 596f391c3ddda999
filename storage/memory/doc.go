// Package memory keeps records in the memory of the process: the reference for
// what a store does, the store of tests and examples, and a fast one for what
// may be lost.
//
// One store holds the records of one practice for one tenant:
//
//	store := memory.New[incident.Incident]()
//	desk, err := incident.NewPractice(store, incident.Config{})
//
// # What is promised
//
// Everything that package itsm asks of an [itsm.Store], an [itsm.Lister], an
// [itsm.Feeder] and an [itsm.DueStore]; package storage/storagetest checks it.
// Beyond that:
//
//   - It shares nothing with its callers: records and events are copied on
//     their way in and on their way out.
//   - Lists are in the order in which the records were created, and indexed by
//     state and by every key of an [itsm.Indexed] record, in any combination.
//     What was committed since the last list is indexed by the next.
//   - Histories, the feed and what is due are read as they were when the
//     reading began. A slow reader holds up nobody.
//   - Due records are handed to every caller that asks, without a lease.
//   - No context is looked at after a call has begun, because none waits for
//     anything but the lock.
//
// # What is lost
//
// Everything, when the process ends. Cursors end with it too: another store
// answers [itsm.ErrInvalid] to them instead of skipping what it has in their
// place.
//
// # What it costs
//
// A record is kept once, in its latest version, and so is each of its events,
// packed, with its time in UTC and whole microseconds; nothing is ever removed,
// so memory grows with the history. Besides what the records and events
// themselves hold, count about 200 bytes for a record and 32 for each of its
// keys, 50 for an event, and 200 for each distinct key.
package memory
