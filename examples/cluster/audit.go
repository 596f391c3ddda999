package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// audit does what is still due and compares what hosts were told with what the
// history has.
func audit(ctx context.Context, out io.Writer, desk *incident.Practice, acknowledged []itsm.Event) error {
	ctx = itsm.As(ctx, "audit")
	for {
		_, next, err := desk.RunDue(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() {
			break
		}
		time.Sleep(time.Until(next))
	}
	type line struct {
		record  itsm.ID
		version itsm.Version
	}
	times, lines, closed := map[itsm.ID]int{}, map[line]itsm.ID{}, map[itsm.ID]int{}
	resolved := map[itsm.ID]time.Time{}
	var late []time.Duration
	for d, err := range desk.Feed(ctx, "") {
		if err != nil {
			return err
		}
		e := d.Event
		times[e.ID]++
		lines[line{e.Record, e.Version}] = e.ID
		switch e.Action {
		case "resolve":
			resolved[e.Record] = e.At
		case "auto_close":
			closed[e.Record]++
			late = append(late, e.At.Sub(resolved[e.Record].Add(closesAfter)))
		}
	}
	lost, double, twice, open, torn := 0, 0, 0, 0, 0
	for _, e := range acknowledged {
		if lines[line{e.Record, e.Version}] != e.ID {
			lost++
		}
	}
	for _, n := range times {
		if n > 1 {
			double++
		}
	}
	for id := range resolved {
		switch closed[id] {
		case 0:
			open++
		case 1:
		default:
			twice++
		}
	}
	incidents := 0
	for inc, err := range desk.All(ctx, itsm.Query{}) {
		if err != nil {
			return err
		}
		incidents++
		replayed, err := desk.Replay(desk.History(ctx, inc.ID))
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(inc, replayed) {
			torn++
		}
	}
	slices.Sort(late)
	fmt.Fprintf(out, "\n%d events were acknowledged, %d are in the history of %d incidents:\n", len(acknowledged), len(times), incidents)
	fmt.Fprintf(out, "  %d acknowledged and lost, %d there twice, %d incidents that are not what their history says\n", lost, double, torn)
	fmt.Fprintf(out, "%d of %d resolved incidents closed by themselves once, %d twice, %d never", len(resolved)-twice-open, len(resolved), twice, open)
	if len(late) > 0 {
		fmt.Fprintf(out, "; half of them at most %v late, the last %v",
			late[len(late)/2].Round(time.Millisecond), late[len(late)-1].Round(time.Millisecond))
	}
	fmt.Fprintln(out, ".")
	if lost+double+twice+open+torn > 0 {
		return errors.New("the account is wrong")
	}
	return nil
}
