package problem_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// The log of Volvo IT Belgium, closed problems, replayed as actions: what the log says of
// a problem's state is what the practice's history says, and every figure that is made
// of the histories is that of the independent reference.
func TestVolvoClosedProblems(t *testing.T) {
	rows := realLog(t, "bpic2013_closed_problems.csv.gz")
	value := columns(rows[0])
	o := replayVolvo(t, rows[1:], value)
	var want struct {
		ByPriority map[string]map[string]any `json:"by_priority"`
		Backlog    []struct {
			Month  string `json:"month"`
			Opened int    `json:"opened_before_T"`
			Open   int    `json:"not_done_by_state"`
			Closed int    `json:"not_closed"`
		} `json:"month_end_backlog"`
	}
	dir := os.Getenv("ITSM_REAL_LOGS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	data, err := os.ReadFile(filepath.Join(dir, "reference_bpic2013_closed_problems.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &want))
	require.Len(t, want.ByPriority, 5)
	compared := 0
	for priority, figures := range want.ByPriority {
		got := o.figures(priority)
		for name, w := range figures {
			g, ok := got[name]
			require.True(t, ok, name)
			data, err := json.Marshal(g)
			require.NoError(t, err)
			wanted, err := json.Marshal(w)
			require.NoError(t, err)
			require.JSONEq(t, string(wanted), string(data), "%s, %s", priority, name)
			compared++
		}
		require.Len(t, got, len(figures))
	}
	for _, w := range want.Backlog {
		at, err := time.Parse("2006-01", w.Month)
		require.NoError(t, err)
		opened, open, unclosed := o.backlog(at.AddDate(0, 1, 0))
		require.Equal(t, []int{w.Opened, w.Open, w.Closed}, []int{opened, open, unclosed}, w.Month)
		compared += 3
	}
	t.Logf("%d problems, %d lines of the log, %d actions, %d figures equal to the reference", len(o.cases), len(rows)-1, o.actions, compared)
}

// volvo is the replayed log: what the histories of the problems say.
type volvo struct {
	cases   map[itsm.ID]*volvoCase
	actions int
}

type volvoCase struct {
	problem problem.Problem
	events  int // lines of the log
	// states are those of the problem over time, one for each line.
	states []state
}

type state struct {
	at    time.Time
	state itsm.State
}

func replayVolvo(t *testing.T, rows [][]string, value func([]string, string) string) *volvo {
	at := time.Time{}
	p, err := problem.NewPractice(memory.New[problem.Problem](), problem.Config{Config: itsm.Config{Now: func() time.Time { return at }, NewID: nil}})
	require.NoError(t, err)
	v := &volvo{cases: map[itsm.ID]*volvoCase{}}
	ids := map[string]itsm.ID{}
	team := map[itsm.ID]string{}
	for _, row := range rows {
		at, err = time.Parse(time.RFC3339, value(row, "time"))
		require.NoError(t, err)
		ctx := as("volvo")
		number := value(row, "case_id")
		id, ok := ids[number]
		if !ok {
			r, err := p.Open(ctx, problem.Register{Title: number, Services: []string{value(row, "product")}})
			require.NoError(t, err)
			id = r.ID
			ids[number], v.cases[id] = id, &volvoCase{}
			v.actions++
		}
		do := func(a action) {
			_, err := p.Do(ctx, id, a)
			require.NoError(t, err, "%s: %s", number, a.Action())
			v.actions++
		}
		now := func() problem.Problem {
			r, err := p.Get(ctx, id)
			require.NoError(t, err)
			return r
		}
		if !ok {
			do(problem.SetFields{Fields: itsm.Fields{"impact": json.RawMessage(fmt.Sprintf("%q", value(row, "impact")))}})
		}
		status, sub := value(row, "status"), value(row, "sub_status")
		is := now().State
		if is == problem.Closed && status != "Completed" {
			do(problem.Reopen{Reason: sub})
			is = problem.Investigating
			if sub == "In Progress" {
				is = problem.Closed // which is where it is now
			}
		}
		if group := cmp.Or(value(row, "support_team"), "nobody"); group != team[id] {
			do(problem.Assign{Group: group})
			team[id] = group
		}
		switch {
		case status == "Unmatched":
			do(problem.Note{Text: "unmatched"}) // which says nothing about its state
		case status == "Completed":
			if is != problem.Closed {
				code := problem.FixApplied
				if sub == "Cancelled" {
					code = problem.NoLongerRelevant
				}
				do(problem.Close{Code: code, Note: sub})
			}
		case sub == "Wait":
			if is == problem.New {
				do(problem.StartAssessment{})
			}
			do(problem.PutOnHold{Reason: problem.AwaitingOther})
		case is == problem.Closed:
		case status == "Queued" || sub == "Assigned":
			if is == problem.Assess {
				do(problem.Note{Text: sub})
			} else {
				do(problem.StartAssessment{})
			}
		case is == problem.Investigating:
			do(problem.Note{Text: sub})
		default:
			do(problem.Investigate{})
		}
		r := now()
		one := v.cases[id]
		one.problem = r
		one.events++
		one.states = append(one.states, state{at, r.State})
	}
	for id := range v.cases {
		again, err := p.Replay(p.History(kim, id))
		require.NoError(t, err)
		require.Equal(t, v.cases[id].problem, again)
	}
	return v
}

// of lists the cases of a priority, "all" for all.
func (v *volvo) of(priority string) []*volvoCase {
	var all []*volvoCase
	for _, c := range v.cases {
		var impact string
		_ = c.problem.Fields.Get("impact", &impact)
		if priority == "all" || impact == priority {
			all = append(all, c)
		}
	}
	return all
}

func (v *volvo) figures(priority string) map[string]any {
	all := v.of(priority)
	n := len(all)
	events, ended, reopened, reopens, reassigned, changes, first, waited := 0, 0, 0, 0, 0, 0, 0, 0
	var toFirst, toLast, toEnd [][2]time.Time
	for _, c := range all {
		events += c.events
		opened, last := c.states[0].at, c.states[len(c.states)-1]
		if last.state == problem.Closed {
			ended++
			toEnd = append(toEnd, [2]time.Time{opened, last.at})
		}
		var firstDone, entered time.Time
		waits := false
		for i, s := range c.states {
			if s.state == problem.Closed {
				if firstDone.IsZero() {
					firstDone = s.at
				}
				if i == 0 || c.states[i-1].state != problem.Closed {
					entered = s.at
				}
			}
			waits = waits || s.state == problem.OnHold
		}
		toFirst = append(toFirst, [2]time.Time{opened, firstDone})
		toLast = append(toLast, [2]time.Time{opened, entered})
		// What the record itself counts.
		reopens += c.problem.Reopens
		changes += c.problem.Reassignments
		if c.problem.Reopens > 0 {
			reopened++
		}
		if c.problem.Reassignments > 0 {
			reassigned++
		}
		if c.problem.Reopens == 0 && c.problem.Reassignments == 0 {
			first++
		}
		if waits {
			waited++
		}
	}
	share := func(k int) map[string]any {
		return map[string]any{"count": k, "of": n, "share": decimals(int64(k), int64(n), 6)}
	}
	return map[string]any{
		"cases": n, "events": events, "ends_Completed": share(ended),
		"time_to_first_Completed": durations(toFirst), "time_to_last_Completed_entry": durations(toLast), "time_to_last_event": durations(toEnd),
		"reopened_by_event": share(reopened), "reopen_transitions": reopens, "reassigned_by_team_change": share(reassigned), "team_changes": changes,
		"first_time_resolve": share(first), "ever_waiting": share(waited),
	}
}

// decimals is a/b, rounded half up, as the reference has it.
func decimals(a, b int64, places int) json.Number {
	if b == 0 {
		return "0"
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	q, r := new(big.Int).QuoRem(new(big.Int).Mul(big.NewInt(a), scale), big.NewInt(b), new(big.Int))
	if r.Lsh(r, 1).Cmp(big.NewInt(b)) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	f, _ := new(big.Rat).SetFrac(q, scale).Float64()
	data, _ := json.Marshal(f)
	return json.Number(data)
}

// business is Monday to Friday from 9 to 17 o'clock, UTC.
func business() *sla.Hours {
	h, err := sla.Calendar{Name: "business", Zone: "UTC", Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour})}}.Compile()
	if err != nil {
		panic(err)
	}
	return h
}

func durations(spans [][2]time.Time) map[string]any {
	hours := business()
	var wall, open []int64
	for _, s := range spans {
		wall = append(wall, int64(s[1].Sub(s[0])/time.Second))
		open = append(open, int64(hours.Between(s[0], s[1])/time.Second))
	}
	return map[string]any{"wall_clock": statistics(wall), "business_hours": statistics(open)}
}

func statistics(all []int64) map[string]any {
	n := int64(len(all))
	slices.Sort(all)
	sum := int64(0)
	for _, s := range all {
		sum += s
	}
	// The median in halves, and the linear percentile in tenths of a second.
	median := all[n/2] * 2
	if n%2 == 0 {
		median = all[n/2-1] + all[n/2]
	}
	at := 9 * (n - 1) // tenths of an index
	low, high := all[at/10], all[min(at/10+1, n-1)]
	linear := low*10 + (high-low)*(at%10)
	rank := all[(9*n+9)/10-1]
	return map[string]any{
		"n": n, "sum_seconds": sum, "mean_seconds": decimals(sum, n, 6), "median_seconds": decimals(median, 2, 6),
		"p90_nearest_rank_seconds": rank, "p90_linear_seconds": decimals(linear, 10, 6), "min_seconds": all[0], "max_seconds": all[n-1],
		"mean_hours": decimals(sum, n*3600, 3), "median_hours": decimals(median, 7200, 3), "p90_nearest_rank_hours": decimals(rank, 3600, 3),
	}
}

// backlog is how it was at a moment: how many problems were opened, how many were not
// closed by their state then, and how many were not closed for good. It is what the
// measures say of such records, too.
func (v *volvo) backlog(at time.Time) (opened, open, unclosed int) {
	var then []problem.Problem
	for _, c := range v.cases {
		if !c.states[0].at.Before(at) {
			continue
		}
		opened++
		is := problem.New
		for _, s := range c.states {
			if s.at.Before(at) {
				is = s.state
			}
		}
		if is != problem.Closed {
			open++
		}
		last := c.states[len(c.states)-1]
		if last.state != problem.Closed || !last.at.Before(at) {
			unclosed++
		}
		then = append(then, c.problem)
	}
	// The records as they are now know when they ended for good.
	m, err := problem.Measure(sequence(then, nil), sequence[problem.KnownError](nil, nil), func(func(problem.Occurrence) bool) {}, problem.Period{Start: at.AddDate(0, -1, 0), End: at})
	if err != nil {
		panic(err)
	}
	n := 0
	for _, k := range m.Open {
		n += k
	}
	if entered := v.endedForGood(at); n != entered {
		panic(fmt.Sprintf("%s: the measures say that %d are open, the histories %d", at, n, entered))
	}
	return opened, open, unclosed
}

// endedForGood counts the problems that were entered into their last state Closed at a
// moment or after it, of those opened before.
func (v *volvo) endedForGood(at time.Time) int {
	n := 0
	for _, c := range v.cases {
		var entered time.Time
		for i, s := range c.states {
			if s.state == problem.Closed && (i == 0 || c.states[i-1].state != problem.Closed) {
				entered = s.at
			}
		}
		if c.states[0].at.Before(at) && !entered.Before(at) {
			n++
		}
	}
	return n
}
