package main

import (
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/examples/tour/exercises"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/svs"
)

// solutions are a right answer to each exercise.
func solutions() answers {
	return answers{
		Deadline: func(hours *sla.Hours, ordered time.Time, goal time.Duration) time.Time {
			return hours.Add(ordered, goal)
		},
		Restore: func() []itsm.Action[incident.Incident] {
			return []itsm.Action[incident.Incident]{incident.Start{}, incident.Resolve{Code: incident.Workaround, Note: "the spare certificate"}}
		},
		SameAgain: func(a, b incident.Incident) bool {
			return a.Category != "" && a.Service == b.Service && a.Category == b.Category
		},
		Cause: func() problem.Cause {
			return problem.Cause{Text: "nobody owns the image", Evidence: "the list of images"}
		},
		Resolution: func(inc incident.Incident) incident.Resolve {
			for _, p := range inc.Proposals {
				if p.To.Kind == "known_error" {
					return incident.Resolve{Code: incident.KnownError, Note: "the workaround of " + string(p.To.ID)}
				}
			}
			return incident.Resolve{Code: incident.Fixed, Note: "It works again."}
		},
		Window: func(schedule *change.Calendar, c change.Planned, until time.Time) change.Span {
			free, _ := schedule.NextFree(c, c.Start, until)
			return free
		},
		Improve: func(text knowledge.Content) knowledge.Content {
			text.Issue, text.Resolution = "No sound", "Choose the headset again"
			return text
		},
		Reached: func(_, target, measured float64) bool { return measured <= target },
		Efficiency: func(steps []exercises.StepTime) float64 {
			var lead, process time.Duration
			for _, s := range steps {
				lead, process = lead+s.Lead, process+s.Process
			}
			if lead == 0 {
				return 0
			}
			return float64(process) / float64(lead)
		},
		Unseen: func(answered map[svs.Dimension]int) (unseen []svs.Dimension) {
			for _, d := range svs.Dimensions() {
				if answered[d] == 0 {
					unseen = append(unseen, d)
				}
			}
			return unseen
		},
		Decide: func() svs.Decision {
			d := exercises.Decide()
			d.Options = []svs.Option{{Name: d.Chosen}, {Name: "renew by hand"}}
			d.Reason = "what nobody has to remember cannot be forgotten"
			d.Principles = []svs.Applied{{Principle: svs.FocusOnValue, Why: "customers cannot buy"}, {Principle: svs.OptimizeAndAutomate, Why: "simpler first"}}
			return d
		},
		Delivered: func(hours *sla.Hours, week sla.Period, outages []sla.Period) float64 {
			all := hours.Between(week.From, week.To)
			there := all
			for _, o := range outages {
				there -= hours.Between(o.From, o.To)
			}
			return float64(there) / float64(all)
		},
	}
}

// A mistake is a wrong answer to an exercise, and what has to be said about it: keys of
// texts, or what the library refuses.
type mistake struct {
	number int
	wrong  func(a *answers)
	keys   []string
	says   string
}

func mistakes() []mistake {
	resolve := func(code incident.ResolutionCode, note string) func(a *answers) {
		return func(a *answers) {
			a.Resolution = func(incident.Incident) incident.Resolve { return incident.Resolve{Code: code, Note: note} }
		}
	}
	content := func(c knowledge.Content) func(a *answers) {
		return func(a *answers) { a.Improve = func(knowledge.Content) knowledge.Content { return c } }
	}
	window := func(move func(at change.Span) change.Span) func(a *answers) {
		return func(a *answers) {
			right := a.Window
			a.Window = func(s *change.Calendar, c change.Planned, until time.Time) change.Span {
				return move(right(s, c, until))
			}
		}
	}
	restore := func(actions ...itsm.Action[incident.Incident]) func(a *answers) {
		return func(a *answers) {
			a.Restore = func() []itsm.Action[incident.Incident] { return actions }
		}
	}
	fixed := incident.Resolve{Code: incident.Fixed, Note: "fixed"}
	return []mistake{
		{1, func(a *answers) {
			a.Deadline = func(*sla.Hours, time.Time, time.Duration) time.Time { return day(time.March, 5, 0, 0) }
		}, []string{"catalogue.wrong"}, ""},
		{2, restore(), []string{"incident.wrong.state"}, ""},
		{2, restore(nil), []string{"incident.wrong.nil"}, ""},
		{2, restore(fixed), []string{"incident.wrong.code"}, ""},
		{2, restore(incident.Resolve{}), nil, "code"},
		{3, func(a *answers) { a.SameAgain = func(_, _ incident.Incident) bool { return false } }, []string{"recurrence.wrong.words"}, ""},
		{3, func(a *answers) { a.SameAgain = func(_, _ incident.Incident) bool { return true } },
			[]string{"recurrence.wrong.service", "recurrence.wrong.symptom", "recurrence.wrong.unknown"}, ""},
		{4, func(a *answers) { a.Cause = func() problem.Cause { return problem.Cause{Text: "the image"} } }, nil, "evidence"},
		{5, resolve(incident.Fixed, "ke-3"), []string{"knownerror.wrong.code"}, ""},
		{5, resolve(incident.KnownError, "done"), []string{"knownerror.wrong.note", "knownerror.wrong.none"}, ""},
		{6, window(func(at change.Span) change.Span { at.End = at.Start.Add(time.Hour); return at }), []string{"change.wrong.length"}, ""},
		{6, window(func(at change.Span) change.Span {
			at.Start, at.End = at.Start.Add(24*time.Hour), at.End.Add(24*time.Hour)
			return at
		}), []string{"change.wrong.first"}, ""},
		{7, content(knowledge.Content{}), nil, "title"},
		{7, content(knowledge.Content{Title: "Sound", Body: "Ask mia"}),
			[]string{"knowledge.wrong.title", "knowledge.wrong.issue", "knowledge.wrong.resolution", "knowledge.wrong.body"}, ""},
		{8, func(a *answers) { a.Reached = func(b, _, m float64) bool { return m < b } }, []string{"improvement.wrong.better", "improvement.wrong.there"}, ""},
		{8, func(a *answers) { a.Reached = func(_, t, m float64) bool { return m != t } },
			[]string{"improvement.wrong.better", "improvement.wrong.exact", "improvement.wrong.worse"}, ""},
		{9, func(a *answers) { a.Efficiency = func([]exercises.StepTime) float64 { return 0.5 } }, []string{"flow.wrong", "flow.wrong.nothing"}, ""},
		{10, func(a *answers) { a.Unseen = func(map[svs.Dimension]int) []svs.Dimension { return nil } }, []string{"dimensions.wrong.missing"}, ""},
		{10, func(a *answers) {
			a.Unseen = func(map[svs.Dimension]int) []svs.Dimension { return svs.Dimensions() }
		}, []string{"dimensions.wrong.seen"}, ""},
		{10, func(a *answers) {
			a.Unseen = func(map[svs.Dimension]int) []svs.Dimension {
				return []svs.Dimension{svs.PartnersSuppliers, svs.OrganizationsPeople, svs.ValueStreamsProcesses}
			}
		}, []string{"dimensions.wrong.order"}, ""},
		{11, func(a *answers) { a.Decide = func() svs.Decision { return svs.Decision{} } }, nil, "chosen"},
		{11, func(a *answers) {
			right := a.Decide
			a.Decide = func() svs.Decision {
				d := right()
				d.Principles[1].Why = d.Principles[0].Why
				return d
			}
		}, []string{"principles.wrong.same"}, ""},
		{12, func(a *answers) { a.Delivered = func(*sla.Hours, sla.Period, []sla.Period) float64 { return 0.5 } },
			[]string{"views.wrong.nothing", "views.wrong.inside", "views.wrong.night", "views.wrong.noon"}, ""},
		{9, func(a *answers) { a.Efficiency = nil }, []string{"check.panic"}, ""},
	}
}
