package problem

import (
	"context"
	"time"

	"github.com/go-itsm/itsm"
)

// A View is something that is made from records and follows them. A [Detector] is a view
// of problems, a [Matcher] one of known errors. Put may come for the same version more
// than once and late, and must be safe for concurrent use; it does not keep the record.
type View[R any] interface {
	Put(r R)
}

// show brings views up to date with what was committed.
func show[R any](ctx context.Context, p *itsm.Practice[R], views []View[R], events []itsm.Event) error {
	done := map[itsm.ID]bool{}
	for _, e := range events {
		if len(views) == 0 || done[e.Record] {
			continue
		}
		done[e.Record] = true
		r, err := p.Get(ctx, e.Record)
		if err != nil {
			return err
		}
		for _, view := range views {
			view.Put(r)
		}
	}
	return nil
}

// also is a host's Notify, told after something of ours. What is committed is committed,
// whatever has become of the caller's context.
func also(notify, ours func(context.Context, []itsm.Event)) func(context.Context, []itsm.Event) {
	return func(ctx context.Context, events []itsm.Event) {
		ours(context.WithoutCancel(ctx), events)
		if notify != nil {
			notify(ctx, events)
		}
	}
}

// An Entry of the journal is something that was said about a record.
type Entry struct {
	At    time.Time
	Actor itsm.Actor
	Text  string
}
