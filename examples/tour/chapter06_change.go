package main

import (
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/problem"
)

// cure is about the change that removes the cause, and what it collides with.
func cure() chapter {
	return chapter{
		name: "change",
		terms: []string{
			"change", "change enablement", "standard change", "normal change", "emergency change", "change authority",
			"change advisory board", "change model", "change schedule", "request for change", "post-implementation review", "release",
			"deployment", "maintenance window", "change freeze", "back-out plan", "peer review",
		},
		file: "window.go",
		tell: func(w *world, n *narrator) way {
			w.until(day(time.March, 11, 9, 0))
			patch := w.patch(day(time.March, 11, 22, 0), 2*time.Hour)
			n.say("change.patch", with{"id": patch.ID, "title": patch.Title, "state": patch.State, "from": patch.Window.Start, "to": patch.Window.End})
			p := do(w, w.problems.Practice, "kim", w.problem, problem.StartFix{Plan: n.text("world.fix.plan")})
			changes := all(w.changes.Practice)
			w.change = changes[len(changes)-1].ID
			n.say("change.proposed", with{"problem": p.ID, "id": w.change})
			c := do(w, w.changes.Practice, "noor", w.change, change.Submit{}, change.StartPlanning{},
				change.SetPlan{Plan: change.Plan{Implementation: n.text("world.fix.plan"), BackOut: n.text("world.fix.backout"), BackOutTime: 30 * time.Minute, Test: n.text("world.fix.test")}},
				change.AssessRisk{Answers: map[string]string{"likelihood": "possible", "impact": "everybody"}},
				change.SetWindow{Span: change.Span{Start: day(time.March, 11, 23, 0), End: day(time.March, 12, 1, 0)}})
			n.say("change.risk", with{"id": c.ID, "risk": c.Risk.Level, "points": c.Risk.Score, "at": c.Window.Start})
			_, err := w.changes.Check(as("noor"), w.change, change.RequestApproval{Approvers: []string{"ann", "bob"}})
			n.findings(err)
			free, ok := w.schedule.NextFree(c.AsPlanned(), c.Window.Start, day(time.March, 14, 0, 0))
			n.say("change.free", with{"found": n.yes(ok), "from": free.Start, "to": free.End})
			c = do(w, w.changes.Practice, "noor", w.change, change.SetWindow{Span: free}, change.RequestApproval{Approvers: []string{"ann", "bob"}})
			n.say("change.asked", with{"authority": c.Approval.Authority, "asked": c.Approval.Asked})
			w.after(time.Hour)
			for _, who := range []string{"ann", "bob"} {
				c = do(w, w.changes.Practice, who, w.change, change.Vote{Vote: approval.Approve})
				n.point("change.vote", with{"who": who, "outcome": c.Approval.Outcome, "state": c.State})
				if c.State == change.Scheduled {
					break // decided: nobody else is needed
				}
			}
			n.line("")
			w.until(c.Window.Start)
			do(w, w.changes.Practice, "noor", w.change, change.Start{})
			w.after(50 * time.Minute)
			c = do(w, w.changes.Practice, "noor", w.change, change.Complete{Outcome: change.Successful})
			p = get(w.problems.Practice, w.problem)
			k := get(w.errors.Practice, w.known)
			n.say("change.done", with{"id": c.ID, "outcome": c.Outcome, "problem": p.ID, "state": p.State, "until": p.Observation.Until, "known": k.ID, "error": k.State})
			w.until(day(time.March, 12, 10, 0))
			if c.State == change.Review {
				c = do(w, w.changes.Practice, "kim", w.change, change.StartReview{Lead: "kim"}, change.CompleteReview{Summary: n.text("world.fix.review"), Lessons: n.text("world.fix.lesson")})
			}
			if c.State != change.Closed {
				do(w, w.changes.Practice, "kim", w.change, change.Close{})
			}
			n.lines(w, history(w.changes.Practice, w.change), 0)
			return history(w.changes.Practice, w.change)
		},
		check: func(c *checker, a answers) {
			patch := c.w.patch(day(time.March, 11, 22, 0), 2*time.Hour)
			planned := change.Planned{ID: "chg-99", Type: change.Normal, Items: []itsm.Ref{change.CI("front-1"), change.Service("shop")},
				Span: change.Span{Start: day(time.March, 11, 23, 0), End: day(time.March, 12, 1, 0)}}
			until := day(time.March, 14, 0, 0)
			want, _ := c.w.schedule.NextFree(planned, planned.Start, until)
			got := a.Window(c.w.schedule, planned, until)
			planned.Span = got
			conflicts, err := c.w.schedule.Conflicts(nobody(), planned)
			must(err)
			for _, conflict := range conflicts {
				c.wrong = append(c.wrong, "“"+conflict.String()+"”")
			}
			c.ok(got.End.Sub(got.Start) == 2*time.Hour, "change.wrong.length", with{"length": got.End.Sub(got.Start)})
			c.ok(len(conflicts) > 0 || got.Start.Equal(want.Start), "change.wrong.first", with{"got": got.Start, "after": patch.Window.End})
		},
	}
}

// patch is the change of somebody else: of the database of the shop.
func (w *world) patch(at time.Time, length time.Duration) change.Change {
	c, err := w.changes.Open(as("bob"), change.Propose{Title: w.words.text("world.patch"), Services: []string{"shop"}, CIs: []string{"db-1"}})
	must(err)
	do(w, w.changes.Practice, "bob", c.ID,
		change.SetPlan{Plan: change.Plan{Implementation: "patch", BackOut: "restore", Test: "query"}},
		change.OverrideRisk{Level: change.LowRisk, Reason: "done every month"},
		change.SetWindow{Span: change.Span{Start: at, End: at.Add(length)}},
		change.RequestApproval{Approvers: []string{"ann"}})
	return do(w, w.changes.Practice, "ann", c.ID, change.Vote{Vote: approval.Approve})
}
