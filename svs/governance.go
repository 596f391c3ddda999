package svs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A Policy is what a governing body directs, as something that can be seen to be kept or
// broken: a predicate over the events of a feed. Whatever it asks for has to hold for
// every event that it is about.
//
//	{
//	  "name": "four_eyes", "statement": "Nobody authorizes a change of their own",
//	  "on": {"practice": "change", "action": "vote"}, "other_than": ["propose"]
//	}
type Policy struct {
	Name string `json:"name"`
	// Statement says it in words.
	Statement string `json:"statement"`
	// By is who directed it, From and Until since when and until when it holds; zero
	// means always.
	By    string    `json:"by,omitempty"`
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// On is the events that it is about.
	On Match `json:"on"`

	// After lists what must have happened to the record before, each in its order or
	// not.
	After []Match `json:"after,omitempty"`
	// Never lists what must not have happened to it before.
	Never []Match `json:"never,omitempty"`
	// OtherThan lists actions: who did one of them to the record must not be who does
	// this.
	OtherThan []string `json:"other_than,omitempty"`
	// Within is how long after the last event of Since, or if that is empty after the
	// record's first one, it has to happen; 0 means any time. Where nothing of Since
	// happened, it is kept. JSON: nanoseconds, or text like "72h".
	Within time.Duration `json:"within,omitempty"`
	Since  Match         `json:"since,omitzero"`
	// Limit is how many of other events these may be.
	Limit *Limit `json:"limit,omitempty"`
	// Judge is a predicate of the host's own: it gets the history of the record up to
	// the event, which is the last, and says what is wrong, or nothing. It is pure, and
	// must not change or keep the history.
	Judge func(history []itsm.Event) string `json:"-"`
}

// A Match is a kind of events.
type Match struct {
	// Practice is the name of the practice; in After, Never and Since, where the
	// record is the same, empty means its own.
	Practice string `json:"practice,omitempty"`
	// Action is the action's name; empty means any.
	Action string `json:"action,omitempty"`
	// To is the state that is entered from another one; empty means any event.
	To itsm.State `json:"to,omitempty"`
}

func (m Match) matches(e *itsm.Event) bool {
	return (m.Practice == "" || m.Practice == e.Practice) && (m.Action == "" || m.Action == e.Action) && (m.To == "" || m.To == e.To && e.From != e.To)
}

func (m Match) String() string {
	var parts []string
	if m.Action != "" {
		parts = append(parts, m.Action)
	}
	if m.To != "" {
		parts = append(parts, "to "+string(m.To))
	}
	return strings.Join(parts, " ")
}

// A Limit is how large a part of other events may be, as of "no more than a tenth of
// all changes are emergencies".
type Limit struct {
	// Share is the most, from 0 to 1.
	Share float64 `json:"share"`
	// Of is the events of which it is a share.
	Of Match `json:"of"`
	// Least is how many of these there have to be before anything is said; 0 means 1.
	Least int `json:"least,omitempty"`
}

// Policies are policies that are in force together.
type Policies []Policy

// ParsePolicies reads policies as JSON. It returns an [itsm.ErrInvalid] with everything
// that is wrong with them.
func ParsePolicies(data []byte) (Policies, error) { return itsm.ParseJSON[Policies](data) }

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with policies.
func (ps Policies) Validate() error {
	var v itsm.Validation
	seen := map[string]bool{}
	for i, p := range ps {
		field := fmt.Sprintf("[%d]", i)
		v.Text(field+".name", p.Name, 1, maxName)
		v.Check(!seen[p.Name], field+".name", "is there twice")
		seen[p.Name] = true
		v.Text(field+".statement", p.Statement, 1, maxText)
		v.Text(field+".by", p.By, 0, maxName)
		v.Check(p.Until.IsZero() || p.Until.After(p.From), field+".until", "must be after from")
		v.Text(field+".on.practice", p.On.Practice, 1, maxName)
		v.Check(p.On.Action != "" || p.On.To != "", field+".on", "must name an action or a state")
		for _, part := range []struct {
			name string
			all  []Match
		}{{"after", p.After}, {"never", p.Never}} {
			for j, m := range part.all {
				m.check(&v, fmt.Sprintf("%s.%s[%d]", field, part.name, j), p.On.Practice)
			}
		}
		for j, action := range p.OtherThan {
			v.Text(fmt.Sprintf("%s.other_than[%d]", field, j), action, 1, maxName)
		}
		v.Check(p.Within >= 0, field+".within", "must not be negative")
		if p.Since != (Match{}) {
			v.Check(p.Within > 0, field+".since", "needs within")
			p.Since.check(&v, field+".since", p.On.Practice)
		}
		if l := p.Limit; l != nil {
			v.Check(l.Share >= 0 && l.Share <= 1, field+".limit.share", "must be 0 to 1")
			v.Check(l.Least >= 0, field+".limit.least", "must not be negative")
			v.Text(field+".limit.of.practice", l.Of.Practice, 1, maxName)
			v.Check(l.Of.Action != "" || l.Of.To != "", field+".limit.of", "must name an action or a state")
		}
		asks := len(p.After)+len(p.Never)+len(p.OtherThan) > 0 || p.Within != 0 || p.Limit != nil || p.Judge != nil
		v.Check(asks, field, "asks for nothing")
	}
	return v.Err()
}

// check checks a match of the same record.
func (m Match) check(v *itsm.Validation, field, practice string) {
	v.Check(m.Action != "" || m.To != "", field, "must name an action or a state")
	v.Check(m.Practice == "" || m.Practice == practice, field+".practice", fmt.Sprintf("must be that of the record, %q", practice))
}

// A Breach is an event that breaks a policy.
type Breach struct {
	Policy string    `json:"policy"`
	Record itsm.Ref  `json:"record"`
	Event  itsm.ID   `json:"event"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	// Reasons says what does not hold, all of it.
	Reasons []string `json:"reasons"`
}

// A PolicyReport is how one policy was kept.
type PolicyReport struct {
	Policy    string `json:"policy"`
	Statement string `json:"statement"`
	// Judged is how many events it was about.
	Judged int `json:"judged"`
	// Breaches lists those that broke it, in the order of the feed.
	Breaches []Breach `json:"breaches,omitempty"`
	// Of is how many events its limit counts, and Over what it says if there were too
	// many.
	Of   int    `json:"of,omitempty"`
	Over string `json:"over,omitempty"`
}

// Kept reports whether nothing broke the policy.
func (r PolicyReport) Kept() bool { return len(r.Breaches) == 0 && r.Over == "" }

// A Monitor watches whether policies are kept: the third of evaluate, direct, monitor.
// It is the fold of the events of a feed. What breaches a policy has happened already:
// what must not happen at all is for [itsm.Config].Authorize to refuse. A monitor is not
// safe for concurrent use.
type Monitor struct {
	policies  []Policy
	histories map[itsm.Ref][]itsm.Event // of practices that are judged
	seen      map[itsm.Ref]itsm.Version
	judged    map[string]bool // practices that a policy is about
	counted   map[string]bool // and those of which a limit is a share
	// whole says of which practices the data of actions is kept, for Judge.
	whole   map[string]bool
	reports []PolicyReport
}

// NewMonitor returns a monitor of policies that has seen nothing yet. It returns an
// [itsm.ErrInvalid] with everything that is wrong with them.
func NewMonitor(policies ...Policy) (*Monitor, error) {
	if err := Policies(policies).Validate(); err != nil {
		return nil, err
	}
	m := &Monitor{policies: slices.Clone(policies), histories: map[itsm.Ref][]itsm.Event{}, seen: map[itsm.Ref]itsm.Version{},
		judged: map[string]bool{}, counted: map[string]bool{}, whole: map[string]bool{}}
	for _, p := range policies {
		m.judged[p.On.Practice], m.counted[p.On.Practice] = true, true
		if p.Limit != nil {
			m.counted[p.Limit.Of.Practice] = true
		}
		m.whole[p.On.Practice] = m.whole[p.On.Practice] || p.Judge != nil
		m.reports = append(m.reports, PolicyReport{Policy: p.Name, Statement: p.Statement})
	}
	return m, nil
}

// Add lets the next event of the feed be judged. One that came before says nothing.
func (m *Monitor) Add(e itsm.Event) {
	if !m.counted[e.Practice] {
		return
	}
	ref := itsm.Ref{Kind: e.Practice, ID: e.Record}
	if e.Version != 0 {
		if e.Version <= m.seen[ref] {
			return
		}
		m.seen[ref] = e.Version
	}
	if m.judged[e.Practice] {
		kept := e
		if !m.whole[e.Practice] {
			kept.Data = nil
		}
		m.histories[ref] = append(m.histories[ref], kept)
	}
	for i := range m.policies {
		m.judge(&m.policies[i], &m.reports[i], &e)
	}
}

// judge holds an event, which is the last of its record's history, against a policy.
func (m *Monitor) judge(p *Policy, report *PolicyReport, e *itsm.Event) {
	if e.At.Before(p.From) || !p.Until.IsZero() && !e.At.Before(p.Until) {
		return
	}
	if p.Limit != nil && p.Limit.Of.matches(e) {
		report.Of++
	}
	if !p.On.matches(e) {
		return
	}
	report.Judged++
	history := m.histories[itsm.Ref{Kind: e.Practice, ID: e.Record}]
	if reasons := p.reasons(history); len(reasons) > 0 {
		report.Breaches = append(report.Breaches, Breach{
			Policy: p.Name, Record: itsm.Ref{Kind: e.Practice, ID: e.Record}, Event: e.ID, At: e.At, Actor: e.Actor.ID, Reasons: reasons,
		})
	}
}

// reasons lists what does not hold for the last event of a history.
func (p *Policy) reasons(history []itsm.Event) []string {
	var all []string
	last, before := &history[len(history)-1], history[:len(history)-1]
	find := func(match Match) int {
		for i := len(before) - 1; i >= 0; i-- {
			if match.matches(&before[i]) {
				return i
			}
		}
		return -1
	}
	for _, match := range p.After {
		if find(match) < 0 {
			all = append(all, fmt.Sprintf("without %q before", match))
		}
	}
	for _, match := range p.Never {
		if find(match) >= 0 {
			all = append(all, fmt.Sprintf("although there was %q before", match))
		}
	}
	for _, action := range p.OtherThan {
		if slices.ContainsFunc(before, func(e itsm.Event) bool { return e.Action == action && e.Actor.ID == last.Actor.ID }) {
			all = append(all, fmt.Sprintf("by %s, who also did %q", last.Actor.ID, action))
		}
	}
	if p.Within > 0 {
		since := 0
		if p.Since != (Match{}) {
			since = find(p.Since)
		}
		if since >= 0 {
			if took := last.At.Sub(history[since].At); took > p.Within {
				all = append(all, fmt.Sprintf("%s after %q, and not within %s", took.Round(time.Second), history[since].Action, p.Within))
			}
		}
	}
	if p.Judge != nil {
		if reason := p.Judge(history); reason != "" {
			all = append(all, reason)
		}
	}
	return all
}

// Report says how each policy was kept so far, in their order. It belongs to the caller.
func (m *Monitor) Report() []PolicyReport {
	out := slices.Clone(m.reports)
	for i := range out {
		out[i].Breaches = slices.Clone(out[i].Breaches)
		l := m.policies[i].Limit
		if l == nil || out[i].Of < max(1, l.Least) {
			continue
		}
		if share := float64(out[i].Judged) / float64(out[i].Of); share > l.Share {
			out[i].Over = fmt.Sprintf("%d of %d are %.1f %%, more than %.1f %%", out[i].Judged, out[i].Of, 100*share, 100*l.Share)
		}
	}
	return out
}
