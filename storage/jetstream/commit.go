package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/go-itsm/itsm"
)

// Commit writes all the revisions or none: one as one message, several as an
// atomic batch of at most 1,000. It is acknowledged when the leader and a
// majority of the nodes have it.
//
// It goes on sending the same while nobody answers, for as long as
// [Options.Patience], which cannot write anything twice.
//
// Errors: [itsm.ErrInvalid], also for what is larger than a server takes;
// [itsm.ErrExists]; [itsm.ErrConflict]; [itsm.ErrUnknown], also joined with the
// context's if that ended in between; those of the connection and of the
// servers, and nothing was written.
func (s *Store[R]) Commit(ctx context.Context, revs ...itsm.Revision[R]) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := itsm.CheckRevisions(revs...); err != nil {
		return err
	}
	c := &commit[R]{Store: s, drafts: make([]*draft, len(revs))}
	var v itsm.Validation
	for i := range revs {
		var wrong error
		if c.drafts[i], wrong = newDraft(s.stream, &revs[i]); wrong != nil {
			v.Add(fmt.Errorf("revisions[%d]: %w", i, wrong))
		}
	}
	if err := v.Err(); err != nil {
		return err
	}
	began := time.Now()
	err = c.run(ctx)
	if took := time.Since(began); s.stream.Slow > 0 && took >= s.stream.Slow {
		s.stream.Log.LogAttrs(ctx, slog.LevelWarn, "slow commit",
			slog.String("stream", s.stream.name), slog.String("record", string(c.drafts[0].id)), slog.Int("revisions", len(revs)),
			slog.Duration("took", took), slog.Int("attempts", c.attempts), slog.Any("error", err))
	}
	return err
}

// A commit is on its way: look where the records are, send, and look again if
// that was not answered or somebody else was faster.
type commit[R any] struct {
	*Store[R]
	drafts   []*draft
	attempts int
	unknown  error // what was sent may yet be written
}

func (c *commit[R]) run(ctx context.Context) error {
	ends := time.Now().Add(c.stream.Patience)
	for {
		if done, err := c.place(ctx); done || err != nil {
			return err
		}
		if c.stream.nc.IsClosed() {
			return c.outcome(nats.ErrConnectionClosed)
		}
		c.attempts++
		err := c.send(ctx)
		api := (*apiError)(nil)
		switch {
		case err == nil:
			return nil
		case errors.As(err, &api) && api.conflict():
			// What was faster may be this commit, sent before, and if the record
			// still is where it was, it is under way.
			c.unknown = errUnderWay
			if done, err := c.place(ctx); done || err != nil {
				return err
			}
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, errNotConnected):
			// Nobody got it.
		case errors.Is(err, nats.ErrMaxPayload):
			return c.outcome(&itsm.FieldError{Reason: fmt.Sprintf("must have at most %d bytes a revision, as JSON, with its events", c.stream.nc.MaxPayload())})
		case api != nil && !transient(err): // a server refused it
			return c.outcome(err)
		default:
			c.unknown = err
		}
		if ended := c.stream.retry(ctx, "Commit", c.attempts, err, ends); ended != nil {
			return c.outcome(ended)
		}
	}
}

var errUnderWay = errors.New("another commit to the record is under way")

// outcome is an error after which it is known, or is not known, what happened.
func (c *commit[R]) outcome(err error) error {
	if c.unknown != nil {
		return fmt.Errorf("%w: %w", itsm.ErrUnknown, errors.Join(c.unknown, err))
	}
	return err
}

// place finds out where the records are: at first from what is remembered,
// after a vain attempt from the leader. It reports whether all of it is in the
// history already, or returns an error if it cannot be written any more.
func (c *commit[R]) place(ctx context.Context) (done bool, err error) {
	if c.attempts == 0 && c.remembered() {
		return false, nil
	}
	for again := false; ; again = true {
		resent, refused, err := c.look(ctx)
		switch {
		case err != nil:
			return false, c.outcome(err)
		case resent == len(c.drafts):
			return true, nil
		case resent == 0 || again:
			return false, refused
		}
		// Some are there and some are not: this commit, sent before, may have
		// been written between one look and the next.
	}
}

// look asks the leader. It returns how many of the drafts are in the history
// already, and why the commit is refused, apart from what went wrong on the way.
func (c *commit[R]) look(ctx context.Context) (resent int, refused, err error) {
	// Whether an id is taken is looked up first: what takes it is then seen by
	// the look at the records, if it is this commit's own.
	taken, err := c.taken(ctx)
	if err != nil {
		return 0, nil, err
	}
	for _, d := range c.drafts {
		at, f, err := c.head(ctx, "Commit", d.id)
		if err != nil {
			return 0, nil, err
		}
		// A leader that does not know yet that it is none may see less than was
		// there; what was sent may have reached the other one.
		if d.at = at; at.version == d.base || at.version < d.base && c.unknown != nil {
			continue
		}
		is, err := c.resent(ctx, d, f)
		if err != nil {
			return 0, nil, err
		}
		if is {
			resent++
		}
		if refused == nil {
			refused = d.refused()
		}
	}
	if refused == nil {
		refused = taken
	}
	return resent, refused, nil
}

// remembered reports whether all records are believed to be where the commit
// needs them.
func (c *commit[R]) remembered() bool {
	for _, d := range c.drafts {
		at, _ := c.heads.get(d.id)
		if at.version != d.base {
			return false
		}
		d.at = at
	}
	return true
}

// refused says why a draft cannot be written where its record is.
func (d *draft) refused() error {
	switch {
	case d.base == 0:
		return fmt.Errorf("%w: record %s", itsm.ErrExists, d.id)
	case d.at.version == 0:
		return fmt.Errorf("%w: record %s is not there", itsm.ErrConflict, d.id)
	}
	return fmt.Errorf("%w: record %s is at version %d, not %d", itsm.ErrConflict, d.id, d.at.version, d.base)
}

// resent reports whether the events of a draft are in the history already. It
// walks backwards from the record's last message.
func (c *commit[R]) resent(ctx context.Context, d *draft, f frame) (bool, error) {
	end := d.base + itsm.Version(len(d.events))
	if d.at.version < end {
		return false, nil
	}
	for {
		for e, err := range f.events() {
			if err != nil {
				return false, err
			}
			if e.Version > d.base && e.Version <= end && e.ID != d.events[e.Version-d.base-1] {
				return false, nil
			}
		}
		if f.base <= d.base {
			return true, nil
		}
		found, err := c.stream.at(ctx, "Commit", f.prev)
		if err != nil {
			return false, err
		}
		if f, err = c.stream.revision(stored{f.prev, found[0]}); err != nil {
			return false, err
		}
	}
}

// taken returns an [itsm.ErrExists] if another event has the id of one of the
// new ones, as far as the stream knows.
func (c *commit[R]) taken(ctx context.Context) (taken, err error) {
	if !c.stream.UniqueEventIDs {
		return nil, nil
	}
	for _, d := range c.drafts {
		for _, id := range d.events {
			subject, _ := c.stream.subject(eventSubject, id)
			m, err := c.stream.leader(ctx, "Commit", question{Last: subject})
			if err != nil {
				return nil, err
			}
			if m.seq > 0 {
				return fmt.Errorf("%w: event %s, for record %s", itsm.ErrExists, id, d.id), nil
			}
		}
	}
	return nil, nil
}

// expected is the header by which a server compares.
const expected = "Nats-Expected-Last-Subject-Sequence"

// send publishes the drafts and remembers where they are.
func (c *commit[R]) send(ctx context.Context) error {
	messages := make([]*nats.Msg, 0, len(c.drafts))
	add := func(subject string, after uint64, data []byte) {
		messages = append(messages, &nats.Msg{
			Subject: subject, Data: data, Header: nats.Header{expected: {strconv.FormatUint(after, 10)}},
		})
	}
	for _, d := range c.drafts {
		add(d.subject, d.at.seq, d.payload())
	}
	if c.stream.UniqueEventIDs {
		for _, d := range c.drafts {
			for _, id := range d.events {
				subject, _ := c.stream.subject(eventSubject, id)
				add(subject, 0, append([]byte(takenTag), d.id...))
			}
		}
	}
	var first uint64
	err := c.stream.once(ctx, func(ctx context.Context) (err error) {
		first, err = c.stream.publish(ctx, messages...)
		return err
	})
	if err != nil {
		return err
	}
	for i, d := range c.drafts {
		at := position{version: d.base + itsm.Version(len(d.events)), seq: first + uint64(i), first: d.at.first}
		if at.first == 0 {
			at.first = at.seq
		}
		c.heads.put(d.id, at)
	}
	return nil
}
