// Package sqlite keeps records in an SQLite file: the engine for a program on one
// machine that wants its data to survive without running a server. It needs no C
// compiler, and is a module of its own because of the driver.
//
// A file holds the records of any number of practices and tenants, each in a
// [Space]:
//
//	db, err := sqlite.Open(ctx, "desk.db", sqlite.Config{})
//	defer db.Close()
//	desk, err := incident.NewPractice(
//		sqlite.NewStore[incident.Incident](db, sqlite.Space{Practice: "incident"}), incident.Config{})
//
// # What is promised
//
// Everything that package itsm asks of an [itsm.Store], an [itsm.Lister], an
// [itsm.Feeder] and an [itsm.DueStore]; package storage/storagetest checks it.
// Beyond that:
//
//   - Loads, histories and commits of a record are linearizable, through any number
//     of handles to the file, in one process or in several on one machine.
//   - What was acknowledged survives the death of the process at any moment, and
//     the loss of power if the disk keeps what it says it keeps. What was
//     not acknowledged is there whole or not at all.
//   - When the disk fails while a transaction is being written, the answer is
//     [itsm.ErrUnknown], and the same commit can be sent again: practices do so by
//     themselves. Every other error means that nothing was done.
//   - Commits that come at the same time share a transaction, and so a sync of the
//     disk. What one of them is refused does not touch the others.
//   - Lists are in the order in which the records were created, along an index.
//   - The feed has the events in the order of their commits, because one
//     transaction writes at a time. A cursor lasts as long as the file, and is refused
//     by an older copy of it, rather than skipping what comes there in its place.
//   - Due records are handed to every caller that asks, without a lease.
//   - Sequences are read in parts, and hold neither a connection nor a lock while
//     their reader thinks. A slow reader holds up nobody.
//   - No goroutine is started, but by database/sql.
//
// # A transaction of the host's own
//
// A host that has an SQLite database already makes the tables there with [Migrate],
// and commits in its own transactions with [Within]:
//
//	tx, err := host.BeginTx(ctx, nil) // over a connection with _txlock=immediate
//	desk := desk.Over(sqlite.Within[incident.Incident](tx, sqlite.Space{Practice: "incident"}))
//	inc, err := desk.Open(ctx, report)
//	…
//	err = tx.Commit()
//
// # The tables
//
// They are in schema/*.sql, all of them named "itsm_…", and made and brought up to
// date by [Open]. A program that is older than the tables does not touch them
// ([ErrNewer]). Hosts may read them, and add views and indexes of their own:
// records and what was done to them are JSON, so that SQL can look into them
// (body ->> '$.priority'). What hosts write there is not looked at by anybody.
//
// # Limits, size, growth
//
// One machine, and one transaction that writes at a time: on two shared cores and a
// disk that syncs in a quarter of a millisecond, 3,000 commits a second by one
// client and 11,000 by sixteen, and 300,000 events a second out of the feed
// (go test -bench .). A record takes its JSON, twice its keys, and 300 bytes for
// itself and its first event's indexes; every later event takes its JSON and about
// 250 bytes. A service desk with a million tickets of ten events has a file of some
// five gigabytes. Nothing is ever removed.
//
// The log beside the file (desk.db-wal) grows to about 4 MB, and further only while
// a transaction of the host's own stays open. On Linux, Fdatasync(true) of
// modernc.org/sqlite makes commits cheaper for the whole process, and as safe.
//
// # Backup and restore
//
// [DB.Backup] writes a copy while everything goes on. Copying the file itself is
// safe only while it is closed. To restore, put the copy in the file's place while
// that is closed, and remove "-wal" and "-shm" beside it; who has followed the feed
// further than the copy is told so, and begins anew.
package sqlite
