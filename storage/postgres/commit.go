package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/go-itsm/itsm"
)

// A revision is one of itsm's, in the form of the tables. Nothing in it is the
// caller's any more.
type revision struct {
	id            string
	base, version int64
	state         string
	due           *time.Time
	keys          string
	body          string
	events        events
}

// events are columns of new events.
type events struct {
	ids, names, actions, from, to, actors, actorNames, causes []string
	versions                                                  []int64
	at                                                        []time.Time
	data                                                      []*string
}

// keepable reports whether the database can keep a text: it has UTF-8 without
// zero bytes only.
func keepable(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

// encode brings revisions that were checked into the form of the tables. It returns
// an ErrInvalid for what cannot be kept.
func encode[R any](revs []itsm.Revision[R]) ([]revision, error) {
	var v itsm.Validation
	all := make([]revision, len(revs))
	for i := range revs {
		r, m := &all[i], itsm.MetaOf(&revs[i].Record)
		field := func(name string) string { return fmt.Sprintf("revisions[%d].%s", i, name) }
		text := func(name, text string) string {
			if !keepable(text) {
				v.Check(false, field(name), "must be UTF-8 without zero bytes")
			}
			return text
		}
		body, err := json.Marshal(&revs[i].Record)
		if err != nil {
			v.Check(false, field("record"), "has no JSON form: "+err.Error())
			continue
		}
		*r = revision{
			id: text("record.id", string(m.ID)), base: int64(revs[i].Base), version: int64(m.Version), state: text("record.state", string(m.State)),
			keys: keysOf(&revs[i].Record), body: string(body),
		}
		if !m.Due.IsZero() {
			r.due = &m.Due
		}
		for j := range revs[i].Events {
			e := &revs[i].Events[j]
			in := func(name, value string) string { return text(fmt.Sprintf("events[%d].%s", j, name), value) }
			var data *string
			if e.Data != nil {
				text := in("data", string(e.Data))
				v.Check(json.Valid(e.Data), field(fmt.Sprintf("events[%d].data", j)), "must be JSON")
				data = &text
			}
			r.events.add(in("id", string(e.ID)), in("practice", e.Practice), int64(e.Version), in("action", e.Action), in("from", string(e.From)),
				in("to", string(e.To)), e.At, in("actor.id", e.Actor.ID), in("actor.name", e.Actor.Name), in("cause", string(e.Cause)), data)
		}
	}
	return all, v.Err()
}

func (e *events) add(id, name string, version int64, action, from, to string, at time.Time, actor, actorName, cause string, data *string) {
	e.ids, e.names, e.versions = append(e.ids, id), append(e.names, name), append(e.versions, version)
	e.actions, e.from, e.to = append(e.actions, action), append(e.from, from), append(e.to, to)
	e.at, e.actors, e.actorNames = append(e.at, at), append(e.actors, actor), append(e.actorNames, actorName)
	e.causes, e.data = append(e.causes, cause), append(e.data, data)
}

// keyOf returns a key as itsm_key has it: ["assignee","jin"].
func keyOf(k itsm.Key) string {
	text, _ := json.Marshal([2]string{k.Field, k.Value}) // never fails on texts
	return string(text)
}

// keysOf returns the keys of a record as a JSON array of what keyOf returns,
// sorted, and each once.
func keysOf[R any](r *R) string {
	indexed, ok := any(r).(itsm.Indexed)
	if !ok {
		return "[]"
	}
	keys := []string{}
	for _, k := range indexed.AppendKeys(nil) {
		keys = append(keys, keyOf(k))
	}
	slices.Sort(keys)
	text, _ := json.Marshal(slices.Compact(keys)) // never fails on texts
	return string(text)
}

// One statement writes a record and its events. Alone it returns on how many
// records it has written, 0 or 1; together with others ($21 is set) it fails where
// that is 0, so that the others are undone.
const (
	insertEvents = `INSERT INTO itsm_event
			(tenant, practice, record, id, name, version, action, from_state, to_state, at, actor, actor_name, cause, data)
		SELECT $1, $2, done.id, e.id, e.name, e.version, e.action, e.from_state, e.to_state, e.at, e.actor, e.actor_name, e.cause, e.data::json
		FROM done, unnest($10::text[], $11::text[], $12::bigint[], $13::text[], $14::text[], $15::text[], $16::timestamptz[],
				$17::text[], $18::text[], $19::text[], $20::text[]) WITH ORDINALITY
			AS e (id, name, version, action, from_state, to_state, at, actor, actor_name, cause, data, place)
		ORDER BY e.place`

	count = `SELECT count(*), 1 / CASE WHEN $21::bool AND count(*) = 0 THEN 0 ELSE 1 END FROM done`

	create = `WITH done AS (
		INSERT INTO itsm_record (tenant, practice, id, version, state, due, keys, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8::text::json) ON CONFLICT DO NOTHING RETURNING id
	), come AS (
		INSERT INTO itsm_key (tenant, practice, key, id)
		SELECT $1, $2, n.key, done.id FROM done, json_array_elements_text($7::text::json) AS n (key) WHERE $9::bigint = 0
	), event AS (` + insertEvents + `) ` + count

	// A transaction of a host's own may be older than the latest change of a
	// record, and write later: the feed, which is in the order of transactions,
	// would have their events the wrong way round.
	update = `WITH was AS (
		SELECT keys FROM itsm_record
		WHERE tenant = $1 AND practice = $2 AND id = $3 AND version = $9 AND xid <= pg_current_xact_id() FOR UPDATE
	), done AS (
		UPDATE itsm_record AS r SET version = $4, state = $5, due = $6, keys = $7, body = $8::text::json, xid = pg_current_xact_id(),
			claimed = CASE WHEN r.due IS NOT DISTINCT FROM $6 THEN r.claimed END
		FROM was WHERE r.tenant = $1 AND r.practice = $2 AND r.id = $3 RETURNING r.id
	), gone AS (
		DELETE FROM itsm_key WHERE tenant = $1 AND practice = $2 AND id = $3 AND key = ANY (ARRAY (
			SELECT o.key FROM was, json_array_elements_text(was.keys::json) AS o (key)
			WHERE was.keys <> $7::text AND o.key NOT IN (SELECT json_array_elements_text($7::text::json))))
	), come AS (
		INSERT INTO itsm_key (tenant, practice, key, id)
		SELECT $1, $2, n.key, $3 FROM was, json_array_elements_text($7::text::json) AS n (key)
		WHERE was.keys <> $7::text AND n.key NOT IN (SELECT json_array_elements_text(was.keys::json))
	), event AS (` + insertEvents + `) ` + count
)

// statement returns the statement that writes the revision.
func (r *revision) statement(space Space, together bool) statement {
	text := update
	if r.base == 0 {
		text = create
	}
	e := &r.events
	return space.statement(text, r.id, r.version, r.state, r.due, r.keys, r.body, r.base,
		e.ids, e.names, e.versions, e.actions, e.from, e.to, e.at, e.actors, e.actorNames, e.causes, e.data, together)
}

// errRefused says that a record is not at the version that a commit builds on, or
// that an event's id is taken. Which it is, verdict finds out.
var errRefused = errors.New("refused")

// lockRecords has commits that meet at several records wait for one another in the
// order of the ids, and not in a circle. They write in the order that they were
// given, in which a cause comes before its consequences.
const lockRecords = `SELECT 0, 0 FROM itsm_record WHERE tenant = $1 AND practice = $2 AND id = ANY ($3) ORDER BY id FOR UPDATE`

// write writes revisions in one round trip and one transaction.
func write(ctx context.Context, over link, secure bool, space Space, revs []revision) error {
	var all []statement
	if len(revs) > 1 {
		var ids []string
		for i := range revs {
			ids = append(ids, revs[i].id)
		}
		all = append(all, space.statement(lockRecords, ids))
	}
	for i := range revs {
		all = append(all, revs[i].statement(space, len(revs) > 1))
	}
	written := 0
	err := send(ctx, over, secure, func(rows pgx.Rows) error {
		var n, unused int
		err := rows.Scan(&n, &unused)
		written += n
		return err
	}, all...)
	var answer *pgconn.PgError
	switch {
	case err == nil && written < len(revs):
		return errRefused
	case errors.As(err, &answer):
		switch answer.Code {
		case "22012", "23505": // division by zero; a key that is there
			return errRefused
		case "40001", "40P01": // serialization failure; deadlock
			return fmt.Errorf("%w: %w", itsm.ErrConflict, err)
		}
	}
	return err
}

// outcome says what an error of a commit means: the server has answered that it
// did nothing, or nothing was sent, or nobody knows.
func outcome(err error) error {
	var answer *pgconn.PgError
	switch {
	case err == nil, errors.Is(err, errRefused), errors.Is(err, itsm.ErrConflict), pgconn.SafeToRetry(err):
		return err
	case errors.As(err, &answer) && answer.Severity != "FATAL" && answer.Severity != "PANIC":
		return err
	}
	return fmt.Errorf("%w: %w", itsm.ErrUnknown, err)
}

const (
	selectVersion = `SELECT version FROM itsm_record WHERE tenant = $1 AND practice = $2 AND id = $3`
	countEvents   = `SELECT count(*) FROM itsm_event AS e JOIN unnest($4::text[], $5::bigint[]) AS n (id, version)
		ON e.version = n.version AND e.id = n.id WHERE e.tenant = $1 AND e.practice = $2 AND e.record = $3`
)

// verdict says why revisions were refused, or nil if they are in the history
// already.
func verdict(ctx context.Context, over link, secure bool, space Space, revs []revision) error {
	resent := true
	var refusal error
	for _, r := range revs {
		at, there, events := int64(0), false, 0
		err := send(ctx, over, secure, func(rows pgx.Rows) error { there = true; return rows.Scan(&at) },
			space.statement(selectVersion, r.id))
		if err == nil && at >= r.version {
			err = send(ctx, over, secure, func(rows pgx.Rows) error { return rows.Scan(&events) },
				space.statement(countEvents, r.id, r.events.ids, r.events.versions))
		}
		if err != nil {
			return err
		}
		resent = resent && events == len(r.events.ids)
		switch {
		case refusal != nil:
		case r.base == 0 && there:
			refusal = fmt.Errorf("%w: record %s", itsm.ErrExists, r.id)
		case r.base > 0 && !there:
			refusal = fmt.Errorf("%w: record %s is not there", itsm.ErrConflict, r.id)
		case at != r.base:
			refusal = fmt.Errorf("%w: record %s is at version %d, not %d", itsm.ErrConflict, r.id, at, r.base)
		}
	}
	if resent {
		return nil
	}
	if refusal != nil {
		return refusal
	}
	return taken(ctx, over, secure, space, revs)
}

const selectEvents = `SELECT id FROM itsm_event WHERE tenant = $1 AND practice = $2 AND id = ANY ($3)`

// taken says that an event's id is taken, if one is. Otherwise the transaction is
// older than the latest change.
func taken(ctx context.Context, over link, secure bool, space Space, revs []revision) error {
	var ids []string
	for _, r := range revs {
		ids = append(ids, r.events.ids...)
	}
	var found itsm.ID
	err := send(ctx, over, secure, func(rows pgx.Rows) error { return rows.Scan(&found) }, space.statement(selectEvents, ids))
	switch {
	case err != nil:
		return err
	case found != "":
		return fmt.Errorf("%w: event %s", itsm.ErrExists, found)
	}
	return fmt.Errorf("%w: record %s was changed meanwhile", itsm.ErrConflict, revs[0].id)
}
