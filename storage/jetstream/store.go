package jetstream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/go-itsm/itsm"
)

// Options say where a store keeps its records and how patient it is.
type Options struct {
	// Stream names the practice's stream: "INCIDENTS". It has 1 to 100
	// letters, digits and -.
	Stream string
	// Tenant is whose records they are. Each tenant has a stream of its own,
	// named Stream, an underscore, and the tenant's name with every byte that
	// is no lower-case letter, digit or - as = and two digits. Empty, there is
	// one tenant only and the stream is named Stream.
	Tenant string
	// Replicas is on how many nodes a new stream is kept: 1, 3 or 5; 0 means 1. A
	// stream that is there is left as it is.
	Replicas int
	// UniqueEventIDs makes the stream find out whether the id of an event is
	// taken by an event of any record. It costs a message for each event, and
	// every commit is a batch, which a single node is slow at. It is decided
	// when the stream is made. Without it the store trusts its callers that
	// ids are unique, as those that package itsm makes are.
	UniqueEventIDs bool

	// Patience is how long a call goes on asking while nobody answers, as when
	// the cluster elects a leader. 0 means 10 s. The call's own context ends it
	// earlier. A practice sends a commit of unknown outcome again, up to
	// [itsm.Config].Attempts times: who cannot wait so long in an outage sets a
	// deadline.
	Patience time.Duration
	// Slow is from when on a commit is worth a line in the log. 0 means
	// 1 s; less than 0, never.
	Slow time.Duration
	// Log gets what was slow; nil means slog.Default().
	Log *slog.Logger
	// Retry is told that an attempt of a method ("Load", "Commit" and so on) was not
	// answered, or that a commit met another ([itsm.ErrConflict]), and that there will
	// be another attempt. It is called on the goroutine of the call, by many at a time. Nil
	// means nobody. Calls are the practice's to tell of ([itsm.Config].Observe).
	Retry func(ctx context.Context, method string, attempt int, err error)
}

// A Store keeps the records of one practice and one tenant in a stream. Make it
// with [Open]. It is safe for concurrent use, has no goroutines, and needs no
// closing: it ends with the connection, which is the host's.
type Store[R any] struct {
	stream *stream
	heads  heads
	index  *index[R]
}

// Open returns the store in a stream, which it makes if it is not there. A host
// opens it once: the store learns while it is used.
//
// Errors: [itsm.ErrInvalid] for options that make no sense, and for a stream
// that is there and lacks what the store needs, with every finding; the
// context's; those of the connection, if nobody answers for as long as
// [Options.Patience].
func Open[R any](ctx context.Context, nc *nats.Conn, o Options) (*Store[R], error) {
	if itsm.MetaOf(new(R)) == nil {
		return nil, &itsm.FieldError{Field: "record", Reason: fmt.Sprintf("%T does not embed itsm.Meta", *new(R))}
	}
	if o.Patience <= 0 {
		o.Patience = patience
	}
	if o.Slow == 0 {
		o.Slow = time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	s, err := openStream(ctx, nc, o)
	if err != nil {
		return nil, err
	}
	return &Store[R]{stream: s, index: newIndex[R]()}, nil
}

// head returns where the latest version of a record is, and its message; both
// zero if it is not there.
func (s *Store[R]) head(ctx context.Context, call string, id itsm.ID) (position, frame, error) {
	subject, ok := s.stream.subject(recordSubject, id)
	if !ok {
		return position{}, frame{}, nil
	}
	m, err := s.stream.leader(ctx, call, question{Last: subject})
	if err != nil || m.seq == 0 {
		return position{}, frame{}, err
	}
	f, err := s.stream.revision(m)
	if err != nil {
		return position{}, frame{}, err
	}
	at := position{version: f.version(), seq: m.seq, first: f.first}
	if f.first == 0 {
		at.first = m.seq
	}
	s.heads.put(id, at)
	return at, f, nil
}

// revision reads a message that must be one.
func (s *stream) revision(m stored) (frame, error) {
	f, ok, err := parseFrame(m.data)
	if err == nil && !ok {
		err = errors.New("it is no revision")
	}
	if err != nil {
		err = fmt.Errorf("jetstream: message %d of stream %s: %w", m.seq, s.name, err)
	}
	return f, err
}

// Load returns the record as the leader of the stream has it, which is as it was
// last acknowledged to anybody. What a leader answers that has been cut off from
// the others and has not noticed may be older; see the package comment.
//
// Errors: [itsm.ErrNotFound]; the context's; those of the connection.
func (s *Store[R]) Load(ctx context.Context, id itsm.ID) (r R, err error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	at, f, err := s.head(ctx, "Load", id)
	if err != nil {
		return r, err
	}
	if at.seq == 0 {
		return r, fmt.Errorf("%w: record %s", itsm.ErrNotFound, id)
	}
	if r, err = parseRecord[R](f.record()); err != nil {
		err = fmt.Errorf("jetstream: record %s: %w", id, err)
	}
	return r, err
}

// Events yields the record's events as they are when the iteration begins.
//
// Errors: the context's; those of the connection.
func (s *Store[R]) Events(ctx context.Context, id itsm.ID, after itsm.Version) iter.Seq2[itsm.Event, error] {
	return sequence(ctx, func(yield func(itsm.Event) bool) error {
		at, f, err := s.head(ctx, "Events", id)
		if err != nil || after >= at.version {
			return err
		}
		goOn := true
		tell := func(f *frame) error {
			for e, err := range f.events() {
				if err != nil {
					return fmt.Errorf("jetstream: an event of record %s: %w", id, err)
				}
				if e.Version > after && e.Version <= at.version {
					if goOn = yield(e); !goOn {
						return nil
					}
				}
			}
			return nil
		}
		if after < f.base {
			subject, _ := s.stream.subject(recordSubject, id)
			// The last is here already.
			for m, err := range s.stream.read(ctx, "Events", at.first, f.prev, subject) {
				if err != nil {
					return err
				}
				f, err := s.stream.revision(m)
				if err != nil {
					return err
				}
				if f.base >= at.version || f.version() == at.version {
					break // it came while this was read
				}
				if err := tell(&f); err != nil || !goOn {
					return err
				}
			}
		}
		return tell(&f)
	})
}

// sequence makes a sequence of what a function yields.
func sequence[T any](ctx context.Context, each func(yield func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err, goOn := ctx.Err(), true
		if err == nil {
			err = each(func(one T) bool {
				goOn = yield(one, nil)
				return goOn
			})
		}
		if err != nil && goOn {
			yield(*new(T), err)
		}
	}
}

// Feed yields the events of all records in the order of their commits, up to the
// last that was acknowledged when the iteration began.
//
// A cursor is the place of a message in the stream, and one within it. It is
// good for every handle to the stream, and for one that was restored from a
// backup.
//
// Errors: [itsm.ErrInvalid] for a cursor of another stream; the context's; those
// of the connection.
func (s *Store[R]) Feed(ctx context.Context, after itsm.Cursor) iter.Seq2[itsm.Delivery, error] {
	return sequence(ctx, func(yield func(itsm.Delivery) bool) error {
		from, told, err := s.stream.place("feed", after)
		if err != nil {
			return err
		}
		end, err := s.stream.end(ctx, "Feed")
		if err != nil {
			return err
		}
		for m, err := range s.stream.read(ctx, "Feed", max(from, 1), end, "") {
			if err != nil {
				return err
			}
			f, ok, err := parseFrame(m.data)
			if err == nil && !ok {
				continue
			}
			n := 0
			for e, wrong := range f.events() {
				if err = wrong; err != nil {
					break
				}
				if n++; m.seq == from && n <= told {
					continue
				}
				if !yield(itsm.Delivery{Event: e, Cursor: s.stream.cursor("feed", m.seq, n)}) {
					return nil
				}
			}
			if err != nil {
				return fmt.Errorf("jetstream: message %d of stream %s: %w", m.seq, s.stream.name, err)
			}
		}
		return nil
	})
}

// cursor names a place in the stream: a message, and how much of it is behind.
func (s *stream) cursor(kind string, seq uint64, n int) itsm.Cursor {
	room := make([]byte, 0, 64)
	room = append(append(append(room, kind...), '-'), s.id...)
	room = strconv.AppendUint(append(room, '-'), seq, 10)
	room = strconv.AppendInt(append(room, '-'), int64(n), 10)
	return itsm.Cursor(room)
}

// place reads a cursor.
func (s *stream) place(kind string, c itsm.Cursor) (seq uint64, n int, err error) {
	if c == "" {
		return 0, 0, nil
	}
	if parts := strings.Split(string(c), "-"); len(parts) == 4 {
		seq, _ = strconv.ParseUint(parts[2], 10, 63)
		n, _ = strconv.Atoi(parts[3])
	}
	if c != s.cursor(kind, seq, n) || n < 0 {
		return 0, 0, &itsm.FieldError{Field: "after", Reason: "is no " + kind + " cursor of this store"}
	}
	return seq, n, nil
}

// heads remembers where the latest versions of records are, as far as known
// here, so that most commits need not ask first. What is wrong is found out by
// the commit. It keeps what was used lately, in two halves: when one is full,
// the other is forgotten.
type heads struct {
	mu       sync.Mutex
	new, old map[itsm.ID]position
}

const headsEach = 1 << 14

func (h *heads) get(id itsm.ID) (position, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, ok := h.new[id]
	if !ok {
		if at, ok = h.old[id]; ok {
			h.set(id, at)
		}
	}
	return at, ok
}

// put remembers a position, unless a later one is known.
func (h *heads) put(id itsm.ID, at position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.new[id]
	if !ok {
		known = h.old[id]
	}
	if known.seq < at.seq {
		h.set(id, at)
	}
}

func (h *heads) set(id itsm.ID, at position) {
	if h.new == nil || len(h.new) >= headsEach {
		h.new, h.old = map[itsm.ID]position{}, h.new
	}
	h.new[id] = at
}
