package itsm

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"
)

// A Store keeps the records of one practice and their history for one tenant.
// It decides nothing: it reads, compares one number and writes. Hosts implement
// it over the tables they have; package storage/memory is the reference and
// package storage/storagetest proves an implementation right.
//
// A store may be able to do more: [Lister], [Feeder] and [DueStore] are found
// by type assertion.
//
// What is JSON in a record or an event ([Fields], Event.Data) it keeps as it is, or as
// json.Marshal writes it: in another order or with other spaces, as some databases have
// it, a record would not be what its history leads to.
//
// Every method is safe for concurrent use, and returns the context's error,
// having done nothing, if the context has ended before it begins; a sequence
// begins when it is ranged over. While a sequence is read the store may be used,
// by its reader too, and the reader may stop at any element.
type Store[R any] interface {
	// Load returns the record, which belongs to the caller from then on:
	// nothing that the caller does to it shows in the store. It sees every
	// commit that was acknowledged before Load was called.
	//
	// Errors: [ErrNotFound].
	Load(ctx context.Context, id ID) (R, error)

	// Commit writes all the revisions or none, and each record together with
	// its events. What the caller does to the revisions afterwards does not
	// show in the store.
	//
	// Committing revisions that are all in the history already, with the same
	// event ids, writes nothing and returns nil, so that a commit of unknown
	// outcome can be sent again.
	//
	// Errors: [ErrInvalid] for what [CheckRevisions] refuses; [ErrExists] if
	// Base is 0 and the record is there, or if the id of an event is taken by
	// another event, unless the store says that it does not look for that in
	// all of its history; [ErrConflict] if the record is not at version Base,
	// or not there at all; [ErrUnknown] if it cannot be known what happened;
	// [ErrSingleRevision] if there are several and the store takes one.
	Commit(ctx context.Context, revs ...Revision[R]) error

	// Events yields the history of a record after the given version, oldest
	// first; after 0, all of it. The events belong to the caller. A record
	// that is not there has no events. An error ends the sequence.
	Events(ctx context.Context, id ID, after Version) iter.Seq2[Event, error]
}

// A Revision is a new state of one record and how it came to be.
type Revision[R any] struct {
	// Base is the version that the decision was based on: the store compares
	// it with what it has. 0 creates the record.
	Base Version
	// Record is the new state. Its version is Base plus the number of events.
	Record R
	// Events are one or more, with the versions Base+1, Base+2 and so on.
	Events []Event
}

// maxVersion keeps versions within what databases have for whole numbers.
const maxVersion = math.MaxInt64

// CheckRevisions returns an [ErrInvalid] with every finding if revisions cannot
// be committed by any store. Implementations of [Store.Commit] begin with it.
func CheckRevisions[R any](revs ...Revision[R]) error {
	if len(revs) == 1 && revs[0].sound() {
		return nil
	}
	var v Validation
	v.Check(len(revs) > 0, "", "there is no revision to commit")
	records, events := map[ID]bool{}, map[ID]bool{}
	for i := range revs {
		rev := &revs[i]
		field := fmt.Sprintf("revisions[%d]", i)
		m := MetaOf(&rev.Record)
		if m == nil {
			v.Check(false, field+".record", "must embed itsm.Meta")
			continue
		}
		v.Check(m.ID != "", field+".record.id", "must not be empty")
		v.Check(!records[m.ID], field+".record.id", "is in this commit twice")
		records[m.ID] = true
		v.Check(len(rev.Events) > 0, field+".events", "must not be empty")
		v.Check(rev.Base <= maxVersion, field+".base", "must be less than 2^63")
		v.Check(m.Version == rev.Base+Version(len(rev.Events)), field+".record.version",
			fmt.Sprintf("must be %d, the base plus the number of events, is %d", rev.Base+Version(len(rev.Events)), m.Version))
		for j, e := range rev.Events {
			field := fmt.Sprintf("%s.events[%d]", field, j)
			v.Check(e.ID != "", field+".id", "must not be empty")
			v.Check(!events[e.ID], field+".id", "is in this commit twice")
			events[e.ID] = true
			v.Check(e.Record == m.ID, field+".record", "must be the record's id")
			v.Check(e.Version == rev.Base+Version(j)+1, field+".version",
				fmt.Sprintf("must be %d, is %d", rev.Base+Version(j)+1, e.Version))
		}
	}
	return v.Err()
}

// sound is the common case of [CheckRevisions], without its bookkeeping.
func (rev *Revision[R]) sound() bool {
	m := MetaOf(&rev.Record)
	if m == nil || m.ID == "" || len(rev.Events) != 1 || m.Version != rev.Base+1 || rev.Base > maxVersion {
		return false
	}
	e := &rev.Events[0]
	return e.ID != "" && e.Record == m.ID && e.Version == m.Version
}

// A Lister is a store that can list records.
type Lister[R any] interface {
	// List returns a page of the records that match, in an order that a change
	// to a record does not change. A record that matches from the first page
	// to the last is listed exactly once, whatever is committed in between.
	//
	// Errors: [ErrInvalid] for a cursor that the store did not make.
	List(ctx context.Context, q Query) (Page[R], error)
}

// A Query says which records to list. The zero value lists all.
type Query struct {
	// States lists records in any of these states; empty, in every state.
	States []State
	// Where lists records that have every one of these keys ([Indexed]).
	Where []Key
	// After is the Next of the page before; empty for the first page.
	After Cursor
	// Limit is the most records to return; 0 means 100.
	Limit int
}

// Size returns how many records a page may have: Limit, or 100.
func (q Query) Size() int {
	if q.Limit <= 0 {
		return 100
	}
	return q.Limit
}

// A Page is part of a list.
type Page[R any] struct {
	Records []R
	// Next continues the list; empty at its end.
	Next Cursor
}

// A Cursor is a place in a list or a feed. Only the store that made it can
// read it; it may be kept for as long as the store exists.
type Cursor string

// A Feeder is a store whose events, of all records together, can be read in the
// order of their commits: the outbox for everything that must not miss an event.
type Feeder interface {
	// Feed yields the events after a cursor, or from the beginning, in commit
	// order, and ends with the last one that there is; the events of one record
	// in the order of their versions. No event ever appears behind a cursor
	// that was handed out, for which an event may be held back a little while
	// other transactions are open. To go on, call it again with the last
	// cursor.
	//
	// Errors end the sequence: [ErrInvalid] for a cursor that the store did
	// not make.
	Feed(ctx context.Context, after Cursor) iter.Seq2[Delivery, error]
}

// A Delivery is an event of a feed and the cursor to continue after it.
type Delivery struct {
	Event  Event
	Cursor Cursor
}

// A DueStore is a store that can say for which records it is time.
type DueStore interface {
	// Due yields the records whose [Meta.Due] is set and not after now,
	// earliest first. Each is handed out to at least one caller until its due
	// time changes; a store may keep it from the others for a while. That it
	// is dealt with once comes from the commit, not from here.
	Due(ctx context.Context, now time.Time) iter.Seq2[Wake, error]

	// NextDue returns the earliest due time after a moment, zero if there is
	// none.
	NextDue(ctx context.Context, after time.Time) (time.Time, error)
}

// A Wake is a record and the time at which something is to happen to it.
type Wake struct {
	ID  ID
	Due time.Time
}
