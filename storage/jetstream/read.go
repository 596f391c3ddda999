package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"

	"github.com/nats-io/nats.go"
)

// A stored message: where it is in the stream, and what is in it.
type stored struct {
	seq  uint64
	data []byte
}

// errBehind says that the node that was asked does not have yet what others
// have.
var errBehind = errors.New("the node is behind the leader")

// A question is about messages of the stream, as servers understand it.
type question struct {
	Seq       uint64 `json:"seq,omitempty"`
	Last      string `json:"last_by_subj,omitempty"`
	Next      string `json:"next_by_subj,omitempty"`
	Batch     int    `json:"batch,omitempty"`
	MaxBytes  int    `json:"max_bytes,omitempty"`
	NoHeaders bool   `json:"no_hdr,omitempty"`
}

func (q question) text() []byte {
	text, _ := json.Marshal(q) // has nothing that could fail
	return text
}

// leader asks the leader of the stream, which has everything that was
// acknowledged. The message is zero if there is none.
func (s *stream) leader(ctx context.Context, call string, q question) (m stored, err error) {
	q.NoHeaders = true
	text := q.text()
	err = s.patiently(ctx, call, func(ctx context.Context) error {
		reply, err := s.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+s.name, text)
		if err != nil {
			return err
		}
		a, err := readAnswer(reply.Data)
		if api := (*apiError)(nil); errors.As(err, &api) && api.ErrCode == noMessage {
			return nil
		}
		m = stored{a.Message.Seq, a.Message.Data}
		return err
	})
	return m, err
}

// end is the last sequence of the stream: what is read up to there has
// everything that was acknowledged before it was asked for.
func (s *stream) end(ctx context.Context, call string) (uint64, error) {
	m, err := s.leader(ctx, call, question{Last: ">"})
	return m.seq, err
}

const (
	// A batch is what is asked for at once. Writers wait while a server
	// collects it, and it must come within an attempt.
	batchMessages = 512
	batchBytes    = 1 << 20
	// attempts is how often any node is asked for what it should have before
	// the leader is.
	attempts = 3
)

// read yields the messages from one sequence on through another that is known
// to be there. With a subject it yields those about it only, and does not say
// where they are. Any node may be asked: a message never changes, and what is
// missing at the end is noticed.
func (s *stream) read(ctx context.Context, call string, from, to uint64, subject string) iter.Seq2[stored, error] {
	return func(yield func(stored, error) bool) {
		r := &reader{stream: s, subject: subject}
		defer r.close()
		for from <= to {
			var batch []stored
			var last uint64
			tries := 0
			err := s.patiently(ctx, call, func(ctx context.Context) (err error) {
				if tries++; tries > attempts {
					batch, last, err = r.fromLeader(ctx, from)
				} else {
					batch, last, err = r.next(ctx, from)
				}
				return err
			})
			if err != nil {
				yield(stored{}, err)
				return
			}
			if last < to {
				_ = r.ask(last + 1) // what goes wrong here is noticed next time
			}
			for _, m := range batch {
				if subject == "" && m.seq > to {
					return
				}
				if !yield(m, nil) {
					return
				}
			}
			from = last + 1
		}
	}
}

// A reader asks for batches, one ahead of what is read.
type reader struct {
	*stream
	subject string
	sub     *nats.Subscription
	asked   uint64 // from where the next batch on the subscription will be
	headers bool   // the sequences are not the ones that follow each other
}

func (r *reader) close() {
	if r.sub != nil {
		_ = r.sub.Unsubscribe()
		r.sub, r.asked = nil, 0
	}
}

func (r *reader) ask(from uint64) (err error) {
	if r.sub == nil {
		if r.sub, err = r.nc.SubscribeSync(r.nc.NewInbox()); err != nil {
			return err
		}
		if err := r.sub.SetPendingLimits(-1, -1); err != nil {
			return err
		}
	}
	q := question{Seq: from, Next: r.subject, Batch: batchMessages, MaxBytes: batchBytes, NoHeaders: !r.headers}
	if err := r.nc.PublishRequest("$JS.API.DIRECT.GET."+r.name, r.sub.Subject, q.text()); err != nil {
		return err
	}
	r.asked = from
	return nil
}

// next returns a batch of one message or more, and the sequence of the last.
func (r *reader) next(ctx context.Context, from uint64) (batch []stored, last uint64, err error) {
	defer func() {
		if err != nil {
			r.close() // or the rest of an answer would be taken for the next
		}
	}()
	if r.asked != from {
		r.close()
		if err := r.ask(from); err != nil {
			return nil, 0, err
		}
	}
	r.asked = 0
	batch = make([]stored, 0, batchMessages)
	for {
		m, err := r.sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, 0, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
			seq := from + uint64(len(batch))
			if text := m.Header.Get("Nats-Sequence"); text != "" {
				if seq, err = strconv.ParseUint(text, 10, 64); err != nil {
					return nil, 0, err
				}
			}
			if r.subject != "" {
				seq = 0
			}
			batch = append(batch, stored{seq, m.Data})
		case "204":
			last, err := strconv.ParseUint(m.Header.Get("Nats-Last-Sequence"), 10, 64)
			switch {
			case err != nil:
				return nil, 0, err
			case len(batch) == 0:
				return nil, 0, errBehind
			case r.subject == "" && batch[len(batch)-1].seq != last:
				// Something was removed from the stream by hand.
				r.headers = true
				return r.next(ctx, from)
			}
			return batch, last, nil
		case "404":
			return nil, 0, errBehind
		case "503":
			return nil, 0, nats.ErrNoResponders
		default:
			return nil, 0, fmt.Errorf("a server's answer: %s %s", status, m.Header.Get("Description"))
		}
	}
}

// fromLeader returns the one message that is next.
func (r *reader) fromLeader(ctx context.Context, from uint64) ([]stored, uint64, error) {
	subject := r.subject
	if subject == "" {
		subject = ">"
	}
	m, err := r.leader(ctx, "leader", question{Seq: from, Next: subject})
	if err == nil && m.seq == 0 {
		err = errBehind
	}
	return []stored{m}, m.seq, err
}

// at returns the messages with sequences that are known to be there.
func (s *stream) at(ctx context.Context, call string, seqs ...uint64) ([][]byte, error) {
	found := make([][]byte, len(seqs))
	for from := 0; from < len(seqs); from += batchMessages {
		to := min(from+batchMessages, len(seqs))
		// What goes wrong here the leader is asked about.
		_ = s.once(ctx, func(ctx context.Context) error { return s.fromAny(ctx, seqs[from:to], found[from:to]) })
	}
	for i, seq := range seqs {
		if found[i] == nil {
			m, err := s.leader(ctx, call, question{Seq: seq})
			if err == nil && m.seq != seq {
				err = fmt.Errorf("jetstream: message %d of stream %s has been removed", seq, s.name)
			}
			if err != nil {
				return nil, err
			}
			found[i] = m.data
		}
	}
	return found, nil
}

// fromAny asks for all of them at once and takes what comes.
func (s *stream) fromAny(ctx context.Context, seqs []uint64, found [][]byte) error {
	inbox := s.nc.NewInbox() + "."
	sub, err := s.nc.SubscribeSync(inbox + "*")
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }()
	for i, seq := range seqs {
		text := question{Seq: seq, NoHeaders: true}.text()
		if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+s.name, inbox+strconv.Itoa(i), text); err != nil {
			return err
		}
	}
	for range seqs {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return err
		}
		i, err := strconv.Atoi(m.Subject[len(inbox):])
		if err == nil && i < len(found) && m.Header.Get("Status") == "" {
			found[i] = m.Data
		}
	}
	return nil
}
