// Package postgres keeps records in PostgreSQL, version 15 or newer: the engine for
// programs that run on several hosts, and for those that keep their tickets beside
// data of their own. It is a module of its own because of the driver, pgx.
//
// A database holds the records of any number of practices and tenants, each in a
// [Space]:
//
//	db, err := postgres.Open(ctx, "postgres://desk@db/desk", postgres.Config{})
//	defer db.Close()
//	desk, err := incident.NewPractice(
//		postgres.NewStore[incident.Incident](db, postgres.Space{Practice: "incident"}), incident.Config{})
//
// # What is promised
//
// Everything that package itsm asks of an [itsm.Store], an [itsm.Lister], an
// [itsm.Feeder] and an [itsm.DueStore]; package storage/storagetest checks it.
// Beyond that:
//
//   - Loads, histories and commits of a record are linearizable, from any number of
//     hosts, over the primary server. Over a standby, reads may be old.
//   - What was acknowledged survives the death of the program, and that of the
//     server as far as its own settings go: a crash and a loss of power with the
//     usual ones (fsync and synchronous_commit on), the loss of the machine with
//     synchronous replication. What was not acknowledged is there whole or not at
//     all.
//   - When the connection dies while a commit is on its way, or the context ends,
//     the answer is [itsm.ErrUnknown], and the same commit can be sent again:
//     practices do so by themselves. Every other error means that nothing was done.
//   - A commit is one statement, or several in one round trip: record, keys and
//     events together. Several records are locked in the order of their ids, so that
//     commits do not wait for one another in a circle.
//   - Lists are in the order of the ids, byte by byte, along an index.
//   - No event appears in the feed behind a cursor that was handed out, although
//     transactions end in another order than they begin: the feed ends before the
//     oldest transaction that writes and has not ended, anywhere on the server.
//     The events of a record are in the order of their versions.
//   - Due records are claimed with SKIP LOCKED, by one caller at a time for the
//     length of [Config].Lease, so that hosts share the work rather than racing
//     for it.
//   - Sequences are read in parts, and hold neither a connection nor a lock while
//     their reader thinks.
//
// # A transaction of the host's own
//
// [Within] commits in a transaction of the host's:
//
//	tx, err := pool.Begin(ctx)
//	desk := desk.Over(postgres.Within[incident.Incident](tx, postgres.Space{Practice: "incident"}, postgres.Config{}))
//	inc, err := desk.Open(ctx, report)
//	…
//	err = tx.Commit(ctx)
//
// As long as it is open, it holds up the feed.
//
// # Tenants
//
// Every statement names tenant and practice. Who wants the database itself to hold
// the wall turns on [RowSecurity], and sets it in [Config]: the program then connects
// as a role that is no superuser, and sees one tenant at a time.
//
// # The tables
//
// They are in schema/*.sql, all of them named "itsm_…", in the schema that is first
// in the search path, and made and brought up to date by [Open], or by [Migrate]
// where another role has to. A program that is older than the tables does not touch
// them ([ErrNewer]). Hosts may read them, and add views and indexes of their own:
// records and what was done to them are JSON (body ->> 'priority'). They are
// plain tables whose keys begin with the tenant, so that they can be partitioned or
// distributed by it.
//
// CockroachDB, YugabyteDB and Citus were not run. The feed needs xid8 and
// pg_snapshot_xmin, which servers that only speak PostgreSQL's protocol may lack, and
// on several servers it would need one order of transactions for all.
//
// # Limits, size, growth
//
// Texts are UTF-8 without zero bytes; what is not is refused with
// [itsm.ErrInvalid]. A record that many hosts change at once takes a few hundred
// commits a second, others as many as the server can sync. A record takes its JSON
// and half as much again, each of its keys 100 bytes, and an event its JSON and
// 350 bytes. Nothing is ever removed; autovacuum sees to what updates leave behind,
// and wants to keep up with a busy itsm_record.
//
// # Backup and restore
//
// As with any database: pg_basebackup with archived logs, or pg_dump. After a dump
// was restored on another server, [Open] or [Migrate] gives its events new places
// in the feed, in the same order, because their places were made of the numbers of
// the old server's transactions. Who has followed the feed is told so, and begins
// anew.
package postgres
