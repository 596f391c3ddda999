package enginetest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
)

// A Report is what an audit of a [Tower] has found to be right.
type Report struct {
	// HostKills is how often a host was killed, and OtherKills how often somebody
	// else was.
	HostKills, OtherKills int
	// Events is how many events there are, and Acknowledged of how many of them
	// somebody was told.
	Events, Acknowledged int
	// Bells have rung as planned, Rings times, and were struck by users. Echoes
	// and Replies are what reactions did.
	Bells, Rings, Strikes, Echoes, Replies int
	// Lag is how late rings were, and Delay how long after its cause an effect of
	// a reaction was, by the clocks of the hosts.
	Lag, Delay Spread
}

// A Spread is the median, the 99th percentile and the largest of many durations.
type Spread struct{ Median, P99, Max time.Duration }

func (s Spread) String() string {
	return fmt.Sprintf("median %v, 99th percentile %v, max %v",
		s.Median.Round(100*time.Microsecond), s.P99.Round(100*time.Microsecond), s.Max.Round(100*time.Microsecond))
}

func (r Report) String() string {
	return fmt.Sprintf("%d kills of hosts, %d of others; %d events, %d acknowledged and none of them lost;\n"+
		"%d bells rang %d times as planned, late by: %v;\n"+
		"%d echoes and %d replies to %d strikes, each once, after: %v",
		r.HostKills, r.OtherKills, r.Events, r.Acknowledged, r.Bells, r.Rings, r.Lag, r.Echoes, r.Replies, r.Strikes, r.Delay)
}

// complete returns an error if there is something that was never done: that all else is
// right proves nothing of it.
func (r Report) complete() error {
	if min(r.Rings, r.Strikes, r.Echoes, r.Replies) == 0 {
		return fmt.Errorf("something was never done: there are %d rings, %d strikes, %d echoes and %d replies", r.Rings, r.Strikes, r.Echoes, r.Replies)
	}
	return nil
}

func spread(all []time.Duration) Spread {
	if len(all) == 0 {
		return Spread{}
	}
	slices.Sort(all)
	return Spread{all[(len(all)-1)/2], all[(len(all)-1)*99/100], all[len(all)-1]}
}

// Audit returns an error if something that was planned has not happened, or not
// once; if an effect of a reaction is not there, or not once; if one of the lines in
// which hosts told what was acknowledged is not in its record's history as it was
// told; or if a record is not what its history leads to. It is for when all has been
// done that is due and that follows ([Tower.Settle]).
func (t Tower) Audit(ctx context.Context, told []string) (Report, error) {
	bells, echoes, err := t.practices(itsm.Config{})
	if err != nil {
		return Report{}, err
	}
	rung, err := examine(ctx, bells)
	if err != nil {
		return Report{}, err
	}
	heard, err := examine(ctx, echoes)
	if err != nil {
		return Report{}, err
	}
	a := account{want: map[itsm.ID]effect{}, got: map[itsm.ID][]effect{}, at: map[itsm.ID]time.Time{}, done: map[itsm.ID]time.Time{}}
	a.Bells = len(rung)
	acknowledged := map[itsm.ID]bool{}
	for _, line := range told {
		id, err := isThere(line, map[string]histories{bells.Name(): rung, echoes.Name(): heard})
		if err != nil {
			return Report{}, err
		}
		acknowledged[id] = true
	}
	a.Acknowledged = len(acknowledged)
	for id, history := range rung {
		if err := a.bell(id, history); err != nil {
			return Report{}, fmt.Errorf("bell %s: %w", id, err)
		}
	}
	for id, history := range heard {
		if err := a.echo(history); err != nil {
			return Report{}, fmt.Errorf("echo %s: %w", id, err)
		}
	}
	return a.close()
}

// histories are the events of each record, in order.
type histories map[itsm.ID][]itsm.Event

// examine reads all histories from the feed, in which each event must be once and in
// its place, and compares them with what is said of each record.
func examine[R any](ctx context.Context, p *itsm.Practice[R]) (histories, error) {
	all, seen := histories{}, map[itsm.ID]bool{}
	for d, err := range p.Feed(ctx, "") {
		if err != nil {
			return nil, err
		}
		e := d.Event
		if seen[e.ID] {
			return nil, fmt.Errorf("event %s is there twice", e.ID)
		}
		if before := len(all[e.Record]); e.Version != itsm.Version(before)+1 {
			return nil, fmt.Errorf("version %d of %s comes after version %d", e.Version, e.Record, before)
		}
		seen[e.ID], all[e.Record] = true, append(all[e.Record], e)
	}
	for id, history := range all {
		var own []itsm.Event
		for e, err := range p.History(ctx, id) {
			if err != nil {
				return nil, err
			}
			own = append(own, e)
		}
		if !reflect.DeepEqual(own, history) {
			return nil, fmt.Errorf("the history of %s has %d events, which are not the %d of the feed", id, len(own), len(history))
		}
		r, err := p.Get(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("%s, which has events: %w", id, err)
		}
		replayed, err := p.Replay(p.History(ctx, id))
		if err != nil {
			return nil, err
		}
		if !reflect.DeepEqual(r, replayed) {
			return nil, fmt.Errorf("%s is %+v, and its history leads to %+v", id, r, replayed)
		}
	}
	return all, nil
}

// isThere returns the event that a host was told, or an error if it is not in the
// history as it was told.
func isThere(line string, all map[string]histories) (itsm.ID, error) {
	var e itsm.Event
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		return "", fmt.Errorf("a host told what is no event: %q: %w", line, err)
	}
	history := all[e.Practice][e.Record]
	if e.Version == 0 || e.Version > itsm.Version(len(history)) {
		return "", fmt.Errorf("event %s, version %d of %s, was acknowledged and is lost", e.ID, e.Version, e.Record)
	}
	there := history[e.Version-1]
	if there.ID == e.ID && (e.Action == "hear" || e.Action == "reply") {
		// Of two hosts that react at the same moment both are told that it is done.
		e.At, e.Actor = there.At, there.Actor
	}
	if !reflect.DeepEqual(e, there) {
		return "", fmt.Errorf("event %s was acknowledged and is lost: in its place is %+v", e.ID, there)
	}
	return e.ID, nil
}

// An account is what was to happen because of something, and what did.
type account struct {
	Report
	want       map[itsm.ID]effect   // by its cause
	got        map[itsm.ID][]effect // by its cause
	at         map[itsm.ID]time.Time
	done       map[itsm.ID]time.Time // by its cause
	lag, delay []time.Duration
}

// An effect is what a reaction does, to which bell, or for which moment of it.
type effect struct {
	action string
	bell   itsm.ID
	moment int64 // in microseconds, as times are kept
}

// A plan is what is planned with a bell, as anybody reads it who knows nothing of
// bells but what the history says; and what was planned for a ring or an echo.
type plan struct {
	First  time.Time     `json:"first"`
	Every  time.Duration `json:"every"`
	Times  int           `json:"times"`
	Beside itsm.ID       `json:"beside"`
	Bell   itsm.ID       `json:"bell"`
	For    time.Time     `json:"for"`
}

// bell compares what happened to a bell with its plan.
func (a *account) bell(id itsm.ID, history []itsm.Event) error {
	var planned plan
	if err := json.Unmarshal(history[0].Data, &planned); err != nil {
		return err
	}
	rings := 0
	for _, e := range history {
		a.Events++
		a.at[e.ID] = e.At
		switch e.Action {
		case "ring":
			var was plan
			if err := json.Unmarshal(e.Data, &was); err != nil {
				return err
			}
			moment := planned.First.UnixMicro() + int64(rings)*planned.Every.Microseconds()
			rings++
			if was.For.UnixMicro() != moment {
				return fmt.Errorf("ring %d of %d is for %v, and was planned for %v", rings, planned.Times, was.For, time.UnixMicro(moment).UTC())
			}
			late := e.At.Sub(was.For)
			if late < 0 {
				return fmt.Errorf("ring %d of %d was at %v, and was planned for %v", rings, planned.Times, e.At, was.For)
			}
			a.lag = append(a.lag, late)
			a.want[e.ID] = effect{"hear", id, moment}
		case "strike":
			a.Strikes++
			a.want[e.ID] = effect{"reply", cmp.Or(planned.Beside, id), 0}
		case "reply":
			a.Replies++
			a.follows(e, effect{"reply", id, 0})
		}
	}
	if rings != planned.Times {
		return fmt.Errorf("it was to ring %d times, and rang %d times", planned.Times, rings)
	}
	a.Rings += rings
	return nil
}

// echo reads what was heard.
func (a *account) echo(history []itsm.Event) error {
	for _, e := range history {
		var was plan
		if err := json.Unmarshal(e.Data, &was); err != nil {
			return err
		}
		a.Events++
		a.Echoes++
		a.follows(e, effect{"hear", was.Bell, was.For.UnixMicro()})
	}
	return nil
}

func (a *account) follows(e itsm.Event, x effect) {
	a.got[e.Cause], a.done[e.Cause] = append(a.got[e.Cause], x), e.At
}

// close compares what followed with what was to follow.
func (a *account) close() (Report, error) {
	for cause, want := range a.want {
		if got := a.got[cause]; len(got) != 1 || got[0] != want {
			return a.Report, fmt.Errorf("because of %s was to happen %+v once, and what happened is %+v", cause, want, got)
		}
		a.delay = append(a.delay, a.done[cause].Sub(a.at[cause]))
	}
	for cause, got := range a.got {
		if _, ok := a.want[cause]; !ok {
			return a.Report, fmt.Errorf("because of %q nothing was to happen, and what happened is %+v", cause, got)
		}
	}
	a.Lag, a.Delay = spread(a.lag), spread(a.delay)
	return a.Report, nil
}
