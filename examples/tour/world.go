package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/knowledge/search"
	"github.com/go-itsm/itsm/problem"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
	"github.com/go-itsm/itsm/svs/improvement"
)

// A world is the bookshop of the story: its practices over stores in memory, all with
// the same virtual clock, and the reactions between them.
type world struct {
	words *texts
	now   time.Time

	office    *sla.Hours
	book      *sla.Book
	schedule  *change.Calendar
	requests  *request.Practice
	incidents *incident.Practice
	problems  *problem.Practice
	errors    *problem.KnownErrors
	changes   *change.Practice
	articles  *knowledge.Practice
	register  *improvement.Practice
	system    *svs.System
	refused   []svs.Refusal

	// stores are those whose feeds are read, in the order of the story.
	stores []itsm.Feeder
	timed  []itsm.Timed

	// What chapters leave to those that follow.
	order    itsm.ID
	outages  []itsm.ID // incidents of the shop, in their order
	problem  itsm.ID
	known    itsm.ID
	change   itsm.ID
	article  itsm.ID
	headsets []itsm.ID // incidents that the article is about
	better   itsm.ID   // the improvement
}

func newWorld(words *texts) *world {
	w := &world{words: words, now: day(time.February, 27, 9, 0)}
	last := map[string]int{}
	cfg := itsm.Config{
		Now: func() time.Time { return w.now },
		NewID: func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
			last[prefix]++
			return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
		},
	}
	w.agree()

	var err error
	orders := memory.New[request.Request]()
	w.requests, err = request.NewPractice(orders, request.Config{
		Config: cfg, Catalogue: w.offerings(), Agreements: w.book, AutoClose: request.After(72 * time.Hour),
		Approvers: func(context.Context, request.Request, approval.Kind, string) ([]string, error) {
			return []string{"kim"}, nil
		},
	})
	must(err)

	// What is known about incidents: published known errors, and articles.
	errors, index := problem.NewMatcher(), newIndex()
	restored := memory.New[incident.Incident]()
	w.incidents, err = incident.NewPractice(restored, incident.Config{
		Config: cfg, Agreements: w.book, AutoClose: incident.After(48 * time.Hour),
		Matcher: incident.Matchers{
			problem.Hook[incident.Incident, incident.Proposal]{Matcher: errors, Query: func(inc incident.Incident) problem.Query {
				return problem.Query{Service: inc.Service, Text: inc.Title + " " + inc.Description}
			}},
			search.Matcher[incident.Incident]{Index: index, Query: func(inc incident.Incident) search.Query {
				return search.Query{Text: inc.Title, Least: 0.3, Limit: 1, Audience: knowledge.Reader{Reach: knowledge.Internal}.Audience()}
			}},
		},
	})
	must(err)
	known := memory.New[problem.KnownError]()
	w.errors, err = problem.NewKnownErrors(known, problem.KnownErrorConfig{Config: cfg, Views: []problem.View[problem.KnownError]{errors}})
	must(err)
	causes := memory.New[problem.Problem]()
	w.problems, err = problem.NewPractice(causes, problem.Config{Config: cfg, KnownErrors: w.errors})
	must(err)
	w.schedule = newSchedule()
	cures := memory.New[change.Change]()
	w.changes, err = change.NewPractice(cures, change.Config{
		Config: cfg, Schedule: w.schedule, Views: []change.View{w.schedule},
		Criticality: func(string) string { return "high" },
	})
	must(err)
	library := memory.New[knowledge.Article]()
	w.articles, err = knowledge.NewPractice(library, knowledge.Config{
		Config: cfg, Index: index, Locale: words.lang, ValidateAfter: 2,
	})
	must(err)
	ideas := memory.New[improvement.Improvement]()
	w.register, err = improvement.NewPractice(ideas, improvement.Config{Config: cfg, Metrics: map[string]improvement.Metric{downtime: w.downtime}})
	must(err)
	w.stores = []itsm.Feeder{orders, restored, causes, known, cures, library, ideas}
	w.timed = []itsm.Timed{w.requests, w.incidents, w.problems, w.errors, w.changes, w.articles, w.register}

	recurrences, err := svs.Recurrences(w.incidents, w.problems, problem.Rules{})
	must(err)
	w.system, err = svs.NewSystem(svs.Config{
		Reactions: slices.Concat(
			svs.MajorIncidents(w.incidents, w.problems), recurrences, svs.Symptoms(w.problems, w.incidents),
			svs.KnownErrorOffers(w.errors, w.incidents), svs.Cures(w.problems, w.changes), svs.Confirmations(w.problems, w.incidents, nil),
			svs.Articles(w.incidents, w.articles, nil), svs.StandardChanges(w.requests, w.changes),
		),
		Refused: func(_ context.Context, r svs.Refusal) { w.refused = append(w.refused, r) },
	})
	must(err)
	return w
}

// agree makes the calendar of the office and what was agreed.
func (w *world) agree() {
	var err error
	w.office, err = officeHours(w.words)
	must(err)
	w.book, err = sla.NewBook([]*sla.Hours{w.office}, []sla.Agreement{
		{
			Name: "workplace", Version: 1, Kind: sla.ServiceLevel, Service: "workplace", Outcome: w.words.text("world.workplace.outcome"),
			Metrics: []sla.Metric{request.FulfilmentMetric("office", sla.GoalRule{Within: 16 * time.Hour})},
		},
		{
			Name: "shop", Version: 1, Kind: sla.ServiceLevel, Service: "shop", Outcome: w.words.text("world.shop.outcome"),
			Applies: sla.Conditions{{"service": {"shop"}}},
			Metrics: []sla.Metric{incident.ResolutionMetric("office", sla.GoalRule{Within: time.Hour})},
		},
	})
	must(err)
}

// officeHours is the calendar of the office. 1 March is a Sunday in 2026, so that the
// Monday after it is free.
func officeHours(words *texts) (*sla.Hours, error) {
	return sla.Calendar{Name: "office", Version: 1, Zone: "Asia/Seoul", Rules: sla.Rules{
		Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 12 * time.Hour}, sla.Window{Open: 13 * time.Hour, Close: 18 * time.Hour}),
		Holidays: []sla.Holiday{
			{On: "03-01", Name: words.text("world.holiday")},
			{On: "03-01 or next weekday", Name: words.text("world.holiday.substitute")},
		},
	}}.Compile()
}

// offerings is what can be ordered: one offering of goods, access and action.
func (w *world) offerings() *request.Catalogue {
	c, err := request.NewCatalogue(request.CatalogueSpec{
		Zone: "Asia/Seoul",
		Policies: map[string]approval.Policy{
			"manager": {Rule: approval.Rule{Of: []approval.Member{{Computed: "line manager"}}}, Exclude: []string{"requester", "recipient"}},
		},
		Models: []request.Model{{Name: "workplace", Approvals: []request.Approver{{Policy: "manager"}}, Automatic: true, Tasks: []request.TaskModel{
			{Key: "goods", Title: w.words.text("world.task.goods"), Group: "desk"},
			{Key: "access", Title: w.words.text("world.task.access"), Group: "desk"},
			{Key: "action", Title: w.words.text("world.task.action"), Group: "desk", Needs: []string{"goods", "access"}},
		}}},
		Offerings: []request.Offering{{
			Name: "phone-desk", Version: 1, Status: request.Published, Title: w.words.text("world.offering"), Service: "workplace", Model: "workplace",
		}},
	})
	must(err)
	return c
}

// downtime is the metric of the improvement: the hours of a window in which the shop
// was out of service.
const downtime = "downtime of the shop"

func (w *world) downtime(ctx context.Context, from, to time.Time) (hours float64, err error) {
	for inc, err := range w.incidents.All(ctx, itsm.Query{Where: []itsm.Key{{Field: "service", Value: "shop"}}}) {
		if err != nil {
			return 0, err
		}
		out := inc.Outage()
		if out.Restored.IsZero() {
			out.Restored = w.now
		}
		hours += max(0, earliest(out.Restored, to).Sub(latest(out.Start, from)).Hours())
	}
	return hours, nil
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// day is a moment of the story, in the time of Seoul.
func day(month time.Month, d, hour, minute int) time.Time {
	return time.Date(2026, month, d, hour, minute, 0, 0, seoul())
}

// as is the context of somebody.
func as(who string) context.Context { return itsm.As(context.Background(), who) }

// nobody is the context of time and of what follows by itself.
func nobody() context.Context { return itsm.WithActor(context.Background(), itsm.System()) }

// until lets time pass: whatever falls due happens at its time, and what follows from
// it in other practices as well.
func (w *world) until(t time.Time) {
	for {
		w.follow()
		var next time.Time
		for _, p := range w.timed {
			_, due, err := p.RunDue(nobody())
			must(err)
			if !due.IsZero() && due.After(w.now) && !due.After(t) && (next.IsZero() || due.Before(next)) {
				next = due
			}
		}
		if next.IsZero() {
			break
		}
		w.now = next
	}
	w.now = t
	w.follow()
}

// after lets a length of time pass.
func (w *world) after(d time.Duration) { w.until(w.now.Add(d)) }

// follow lets happen what follows from what happened, in other practices.
func (w *world) follow() {
	_, err := w.system.CatchUp(nobody())
	must(err)
}

// do lets somebody do things to a record, and whatever follows from them.
func do[R any](w *world, p *itsm.Practice[R], who string, id itsm.ID, actions ...itsm.Action[R]) R {
	for _, a := range actions {
		_, err := p.Do(as(who), id, a)
		must(err)
	}
	w.follow()
	return get(p, id)
}

// get reads a record.
func get[R any](p *itsm.Practice[R], id itsm.ID) R {
	r, err := p.Get(nobody(), id)
	must(err)
	return r
}

// all reads every record of a practice, in the order in which they were made.
func all[R any](p *itsm.Practice[R]) (records []R) {
	for r, err := range p.All(nobody(), itsm.Query{}) {
		must(err)
		records = append(records, r)
	}
	slices.SortStableFunc(records, func(a, b R) int { return itsm.MetaOf(&a).Created.Compare(itsm.MetaOf(&b).Created) })
	return records
}

// events reads the feeds of all practices as one, in the order of time.
func (w *world) events() (events []itsm.Event) {
	for _, store := range w.stores {
		for d, err := range store.Feed(nobody(), "") {
			must(err)
			events = append(events, d.Event)
		}
	}
	slices.SortStableFunc(events, func(a, b itsm.Event) int { return a.At.Compare(b.At) })
	return events
}

// history is the way of a record, for the diagram.
func history[R any](p *itsm.Practice[R], id itsm.ID) way {
	w, err := wayOf(nobody(), p, id)
	must(err)
	return w
}

// lines prints what a history says, from a version on: when, who, what, where to, and
// because of what.
func (n *narrator) lines(w *world, h way, after itsm.Version) {
	all := w.events()
	var rows [][]string
	for _, e := range h.events {
		if e.Version <= after {
			continue
		}
		why := ""
		if i := slices.IndexFunc(all, func(x itsm.Event) bool { return x.ID == e.Cause }); e.Cause != "" && i >= 0 && all[i].Record != e.Record {
			why = "⤷ " + string(all[i].Record) + " " + all[i].Action
		}
		to := ""
		if e.From != e.To {
			to = "→ " + string(e.To)
		}
		rows = append(rows, []string{n.spell(e.At), e.Actor.ID, e.Action, to, why})
	}
	n.rows(rows)
}

// A failure stops the story: what the library refuses is a fault of the story's.
type failure struct{ error }

// must stops the story, up to recoverFailure.
func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// recoverFailure returns as an error what stopped the story.
func recoverFailure(err *error) {
	switch r := recover().(type) {
	case nil:
	case failure:
		*err = r.error
	default:
		panic(r)
	}
}

// quick is no pause.
func quick(time.Duration) {}

func newIndex() search.Index {
	index, err := search.NewMemory(search.Config{})
	must(err)
	return index
}

// topology knows that the shop depends on its database and its front servers.
type topology struct{}

func (topology) Parents(item itsm.Ref) []itsm.Ref {
	if slices.Contains(shopParts(), item) {
		return []itsm.Ref{change.Service("shop")}
	}
	return nil
}

func (topology) Children(item itsm.Ref) []itsm.Ref {
	if item == change.Service("shop") {
		return shopParts()
	}
	return nil
}

func shopParts() []itsm.Ref { return []itsm.Ref{change.CI("db-1"), change.CI("front-1")} }

// newSchedule is the change schedule: the shop may be changed at night.
func newSchedule() *change.Calendar {
	nights, err := sla.Calendar{Name: "nights", Zone: "Asia/Seoul",
		Rules: sla.Rules{Weekly: sla.EveryDay(sla.Window{Open: 22 * time.Hour, Close: 4 * time.Hour})}}.Compile()
	must(err)
	rules, err := change.ParseRules([]byte(`{"windows": [{"name": "nights", "calendar": "nights", "items": [{"kind": "service", "id": "shop"}]}]}`))
	must(err)
	c, err := change.NewConstraints([]*sla.Hours{nights}, rules, topology{})
	must(err)
	return change.NewCalendar(c)
}
