// Package jetstream keeps records in NATS JetStream: for those who outgrow one
// machine, or have NATS already.
//
// One store holds the records of one practice for one tenant, in a stream of its
// own:
//
//	nc, err := nats.Connect("nats://n1,nats://n2,nats://n3", nats.MaxReconnects(-1))
//	store, err := jetstream.Open[incident.Incident](ctx, nc, jetstream.Options{Stream: "INCIDENTS", Replicas: 3})
//	desk, err := incident.NewPractice(store, incident.Config{})
//
// Any number of hosts open the same stream. The store starts no goroutines and
// has nothing to close: it ends with the connection, which is the host's to
// drain. Servers must be of NATS 2.12 or newer.
//
// # How it is kept
//
// One message is one revision, the record and its events together, so that a
// commit is one publish, and is written whole or not at all. Its subject is the
// record's; the server compares where the subject was when the decision was made,
// and refuses what came too late. Several revisions in one commit are an atomic
// batch. A record's history is its subject; the feed is the stream, and a cursor
// a place in it. A message is a few lines of text, the events and the record as
// JSON, for any NATS client to read ([Options.Tenant] says in which stream).
// Nothing is ever removed: streams are made to refuse that.
//
// What asks for records as they are now, lists and due times, reads from an index
// that each store keeps in memory, made from the stream: whoever asks has it
// catch up with the end of the stream first. Schedules of the server were
// decided against: one is a second message for every commit, which makes each a
// batch, and says nothing about the next due time or a list.
//
// # What is promised
//
// Everything that package itsm asks of an [itsm.Store], an [itsm.Lister], an
// [itsm.Feeder] and an [itsm.DueStore]; package storage/storagetest checks it on
// one node and on three, with handles at different nodes. Beyond that, and with
// the one exception:
//
//	Commit     linearizable: compared and acknowledged by the leader of the
//	           stream with a majority of its nodes
//	Load       as the leader has it: linearizable, but for a leader that was cut
//	           off from the others and has not noticed yet, which takes it at
//	           most some seconds. What is decided on such a record is refused.
//	Events     as Load; never with a gap
//	Feed       everything acknowledged before it was asked for, as Load; no event
//	           ever appears behind a cursor
//	List       one page is a snapshot of that; in the order of creation
//	Due        the same, handed to every caller that asks, without a lease
//	event ids  a store trusts that they are unique, unless its stream was made
//	           with [Options.UniqueEventIDs]: this one rule is the caller's to keep
//
// # Which failures it survives
//
//	a host dies             what it was told is written; a commit that was under
//	                        way is there whole or not at all
//	the connection is cut   the same commit is sent again until it is known to be
//	                        there, or [Options.Patience] ends: [itsm.ErrUnknown].
//	                        Sent again it still happens once
//	1 of 3 nodes, 2 of 5    calls wait for a new leader: some seconds
//	a majority of nodes     calls wait, and fail after Patience; nothing is lost
//	all nodes               the same
//	power, everywhere       with sync_interval: always, nothing is lost. By
//	                        default servers sync every two minutes, and what is
//	                        acknowledged survives only as long as a majority of
//	                        the nodes keeps its power; one node alone loses up to
//	                        two minutes
//	a disk                  as a node: it is filled again from the others
//
// So run the servers with
//
//	jetstream { store_dir: /var/lib/nats, sync_interval: always }
//
// # What it costs
//
// On two shared cores with servers, disks and clients together, syncing always
// (go test -bench . measures it, beside bare publishes in the same run): a single
// node takes 2,600 commits/s from one client and 4,700 from sixteen, three
// nodes 1,400 and 8,200: 96 to 99 of 100 bare publishes. The feed gives 250,000
// events/s in constant memory. A Load is one question to the leader, 0.1 to 0.2 ms.
//
// A batch is slower: on three nodes by a half, on a single one it takes 5 ms
// however small it is, because servers there write a file for each. Several
// revisions in a commit are rare; [Options.UniqueEventIDs] makes every commit a
// batch.
//
// # Limits, and how it grows
//
//   - A revision, with its events and as JSON, must fit into a message: 1 MB unless
//     the servers' max_payload says otherwise. A commit has at most 1,000 revisions.
//   - The id of a record has at most 1,024 bytes, counting three for each that is
//     no letter, digit, - or _.
//   - Every revision keeps the whole record: count 1 to 2 KB for one of an
//     incident, on each node. Servers keep the subjects of all records in memory,
//     and hosts that list or run what is due 300 bytes for each and its keys. A
//     host's first list reads the whole stream, 100,000 messages/s.
//   - Nobody else may be permitted to publish to the stream's subjects. What others
//     write there is passed over by lists and the feed, but a record that it is
//     written over cannot be read any more.
//   - A tenant is a stream, and with three nodes a group of them that elects its
//     leader: fine for some thousand tenants in a cluster, not for millions.
//
// # Backup and restore
//
// nats stream backup INCIDENTS dir writes the stream while it is used, and nats
// stream restore dir brings it back, cursors included. A mirror in another place
// is a copy that follows. To check one, or to move to another engine, read the
// feed: its events rebuild every record ([itsm.Practice.Replay]).
package jetstream
