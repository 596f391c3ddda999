package problem

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"math"
	"math/bits"
	"slices"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

// Rules say when something is proposed. The zero value is ready.
type Rules struct {
	// Repeats incidents of the same service and symptom within Window are a
	// [Repetition]; 0 means 3 within 30 days. A window ends with the latest of them, and
	// is half-open: what began exactly that long before is not in it. JSON of Window:
	// text like "720h", or nanoseconds.
	Repeats int           `json:"repeats,omitempty"`
	Window  time.Duration `json:"window,omitempty"`
	// Failures in succession, without a success between them, are a
	// [FailingWorkaround]; 0 means 2.
	Failures int `json:"failures,omitempty"`
	// A week with at least SurgeLeast incidents of the same service and symptom is a
	// [Surge] if that is more than SurgeSigmas standard deviations above the mean of the
	// SurgeWeeks before it, as on a control chart of counts (Shewhart): c − m > z √m. 0
	// means 3, 3 and 8. Weeks begin on Monday at 0:00 UTC, those without incidents
	// count, and as long as the detector has not seen so many weeks there is no surge.
	SurgeLeast  int `json:"surge_least,omitempty"`
	SurgeSigmas int `json:"surge_sigmas,omitempty"`
	SurgeWeeks  int `json:"surge_weeks,omitempty"`
	// Off lists rules that do not apply.
	Off []Rule `json:"off,omitempty"`
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the rules.
func (r Rules) Validate() error {
	var v itsm.Validation
	within := func(field string, n, most int) {
		v.Check(n >= 0 && n <= most, field, fmt.Sprintf("must be 0 to %d", most))
	}
	within("repeats", r.Repeats, 1_000_000)
	v.Check(r.Window >= 0 && r.Window <= maxTime, "window", "must be from 0 to 100 years")
	within("failures", r.Failures, 1_000_000)
	within("surge_least", r.SurgeLeast, 1_000_000)
	within("surge_sigmas", r.SurgeSigmas, 100)
	within("surge_weeks", r.SurgeWeeks, 520)
	for i, rule := range r.Off {
		v.Check(slices.Contains(AllRules(), rule), fmt.Sprintf("off[%d]", i), fmt.Sprintf("is unknown: %q", rule))
	}
	return v.Err()
}

// ParseRules reads the JSON form of rules. It returns an [itsm.ErrInvalid] with every
// finding, as [itsm.ParseJSON] and [Rules.Validate] have them.
func ParseRules(data []byte) (Rules, error) { return itsm.ParseJSON[Rules](data) }

// filled returns the rules with what zero means.
func (r Rules) filled() Rules {
	r.Repeats, r.Window = cmp.Or(r.Repeats, 3), cmp.Or(r.Window, 30*24*time.Hour)
	r.Failures = cmp.Or(r.Failures, 2)
	r.SurgeLeast, r.SurgeSigmas, r.SurgeWeeks = cmp.Or(r.SurgeLeast, 3), cmp.Or(r.SurgeSigmas, 3), cmp.Or(r.SurgeWeeks, 8)
	r.Off = slices.Clone(r.Off)
	return r
}

func (r Rules) on(rule Rule) bool { return !slices.Contains(r.Off, rule) }

// A Detector watches incidents and proposes to look into what comes back. It follows
// their feed, event by event, and remembers what it needs of each; an event costs
// O(log n) of n incidents of the same service and symptom, and a proposal as much more
// as the evidence that it lists. The same events in the same order always give the same
// proposals.
//
//	for news, err := range desk.Feed(ctx, cursor) {
//		…
//		proposals, err := detector.Event(news.Event)
//		cursor = news.Cursor
//	}
//
// It is in memory: a host lets it read the feed from the beginning when it starts, and
// passes over what it has acted upon before. It is safe for concurrent use, but what it
// proposes depends on the order in which it is told.
type Detector struct {
	rules Rules
	read  Reader
	// seed makes the shape of the trees unpredictable, and with it no order bad.
	seed maphash.Seed

	mu       sync.Mutex
	known    map[itsm.ID]*sighting
	lines    map[lineKey]*line
	errors   map[itsm.ID]*errorLine
	problems map[itsm.ID]covering
	// since is the earliest beginning that was seen, in microseconds, once there was one.
	since int64
	begun bool
}

// sighting is what is known of an incident.
type sighting struct {
	Occurrence
	// proposed says that it was proposed as a major incident.
	proposed bool
}

// lineKey is what makes incidents alike.
type lineKey struct{ service, symptom string }

// line is what is known of incidents that are alike.
type line struct {
	// root has those that nothing explains, by when they began.
	root *node
	cost costs
	// covers counts the open problems about it.
	covers int
	// repeating says that the repetition that is going on was proposed, surged the week
	// after the last whose surge was.
	repeating bool
	surged    int64
}

// errorLine is what is known of a known error.
type errorLine struct {
	cost      costs
	failed    int
	incidents []itsm.ID
	proposed  bool
}

// covering is what an open problem is about.
type covering struct {
	version itsm.Version
	lines   []lineKey
}

// NewDetector returns a detector that has seen nothing. A nil reader means
// [ReadIncident]. It returns what [Rules.Validate] finds.
func NewDetector(rules Rules, read Reader) (*Detector, error) {
	if err := rules.Validate(); err != nil {
		return nil, err
	}
	if read == nil {
		read = ReadIncident
	}
	return &Detector{rules: rules.filled(), read: read, seed: maphash.MakeSeed(), known: map[itsm.ID]*sighting{},
		lines: map[lineKey]*line{}, errors: map[itsm.ID]*errorLine{}, problems: map[itsm.ID]covering{}}, nil
}

// Event tells the detector of the next event of the feed and returns what it proposes
// because of that, in the order of [AllRules]. What the reader makes nothing of is
// passed over. It returns the reader's error, and that of [Detector.Observe], having
// learned nothing.
func (d *Detector) Event(e itsm.Event) ([]Proposal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var before Occurrence
	if s := d.known[e.Record]; s != nil {
		before = s.Occurrence
	}
	o, err := d.read(before, e)
	if err != nil || o == before || o.Incident == "" {
		return nil, err
	}
	return d.observe(o, e.At)
}

// Observe tells the detector what is known of an incident at a moment, in place of what
// was known before, and returns what it proposes because of that, in the order of
// [AllRules]. Times are rounded down to microseconds. It returns an [itsm.ErrInvalid] if
// the incident has no id or no beginning, having learned nothing.
func (d *Detector) Observe(o Occurrence, at time.Time) ([]Proposal, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.observe(o, at)
}

func (d *Detector) observe(o Occurrence, at time.Time) ([]Proposal, error) {
	var v itsm.Validation
	v.Check(o.Incident != "", "incident", "must not be empty")
	v.Check(!o.Began.IsZero(), "began", "must be given")
	v.Check(o.Effort >= 0, "effort", "must not be negative")
	v.Check(o.Money >= 0, "money", "must not be negative")
	if err := v.Err(); err != nil {
		return nil, err
	}
	o.Began = time.UnixMicro(o.Began.UnixMicro()).UTC()
	s, seen := d.known[o.Incident]
	if !seen {
		s = &sighting{}
		if began := o.Began.UnixMicro(); !d.begun || began < d.since {
			d.since, d.begun = began, true
		}
		d.known[o.Incident] = s
	}
	before := s.Occurrence
	s.Occurrence = o
	at = time.UnixMicro(at.UnixMicro()).UTC()

	// What it costs, and what it is like.
	if !before.Void && seen {
		d.charge(before, -1)
	}
	if !o.Void {
		d.charge(o, 1)
	}
	moved := before.counted() != o.counted() || before.line() != o.line() || !before.Began.Equal(o.Began)
	if moved && before.counted() {
		l := d.lines[before.line()]
		l.root = l.root.remove(before.Began.UnixMicro(), before.Incident)
		l.repeating = l.repeating && d.repeats(l) >= d.rules.Repeats
	}
	if moved && o.counted() {
		l := d.lines[o.line()]
		n := &node{at: o.Began.UnixMicro(), id: o.Incident, order: maphash.Comparable(d.seed, o.Incident)}
		l.root = l.root.insert(n)
	}

	var all []Proposal
	propose := func(p *Proposal) {
		if p != nil && d.rules.on(p.Rule) {
			p.At = at
			all = append(all, *p)
		}
	}
	if moved && o.counted() {
		propose(d.repetition(o.line()))
	}
	if o.Major && !o.Void && !s.proposed {
		s.proposed = true
		propose(d.major(o))
	}
	if told := before.KnownError != o.KnownError || before.Workaround != o.Workaround; told && !o.Void {
		propose(d.failing(o))
	}
	if moved && o.counted() {
		propose(d.surge(o.line()))
	}
	return all, nil
}

// counted reports whether an occurrence is one of those among which repetitions are
// looked for: service and symptom are known, and what lies behind it is not.
func (o Occurrence) counted() bool {
	return o.Service != "" && o.Symptom != "" && !o.Void && !o.Explained()
}

func (o Occurrence) line() lineKey { return lineKey{o.Service, o.Symptom} }

// charge adds what an occurrence cost to those that it is like, or takes it away.
func (d *Detector) charge(o Occurrence, sign int) {
	d.lineOf(o.line()).cost.add(o, sign)
	if o.KnownError != "" {
		if d.errors[o.KnownError] == nil {
			d.errors[o.KnownError] = &errorLine{}
		}
		d.errors[o.KnownError].cost.add(o, sign)
	}
}

// costs are what occurrences cost: exact sums, however many there are.
type costs struct {
	incidents               int
	downtime, effort, money sum
}

func (c *costs) add(o Occurrence, sign int) {
	c.incidents += sign
	c.downtime.add(int64(sign) * int64(o.downtime()))
	c.effort.add(int64(sign) * int64(o.Effort))
	c.money.add(int64(sign) * o.Money)
}

func (c *costs) total() Cost {
	return Cost{c.incidents, time.Duration(c.downtime.value()), time.Duration(c.effort.value()), c.money.value()}
}

// sum is a whole number of 128 bits: a hundred thousand incidents of a day each last
// almost as long as a time.Duration can.
type sum struct {
	high int64
	low  uint64
}

func (s *sum) add(n int64) {
	low, carry := bits.Add64(s.low, uint64(n), 0)
	s.low = low
	s.high += n>>63 + int64(carry)
}

// value is the sum, or the greatest int64 if it is more. It is never negative: nothing is
// taken away that was not added.
func (s *sum) value() int64 {
	if s.high > 0 || s.low > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(s.low)
}

func (d *Detector) lineOf(key lineKey) *line {
	if d.lines[key] == nil {
		d.lines[key] = &line{}
	}
	return d.lines[key]
}

// repeats counts the incidents in the window that ends with the latest.
func (d *Detector) repeats(l *line) int {
	last, ok := l.root.last()
	if !ok {
		return 0
	}
	return l.root.count() - l.root.before(last-d.rules.Window.Microseconds()+1)
}

func (d *Detector) repetition(key lineKey) *Proposal {
	l := d.lines[key]
	n := d.repeats(l)
	if n < d.rules.Repeats {
		l.repeating = false
		return nil
	}
	if l.repeating || l.covers > 0 {
		return nil
	}
	l.repeating = true
	last, _ := l.root.last()
	return &Proposal{Rule: Repetition, Service: key.service, Symptom: key.symptom, Cost: l.cost.total(), Count: n,
		Incidents: l.root.latest(last-d.rules.Window.Microseconds()+1, maxEvidence),
		Reason:    fmt.Sprintf("%d incidents of %s with %q within %s", n, key.service, key.symptom, span(d.rules.Window))}
}

func (d *Detector) major(o Occurrence) *Proposal {
	return &Proposal{Rule: MajorIncident, Service: o.Service, Symptom: o.Symptom, Cost: d.lines[o.line()].cost.total(), Count: 1,
		Incidents: []itsm.ID{o.Incident}, Reason: fmt.Sprintf("%s is a major incident", o.Incident)}
}

func (d *Detector) failing(o Occurrence) *Proposal {
	l := d.errors[o.KnownError]
	switch o.Workaround {
	case Unsaid:
		return nil
	case Helped:
		if l != nil {
			l.failed, l.incidents, l.proposed = 0, nil, false
		}
		return nil
	case DidNotHelp:
	}
	if l == nil {
		return nil // a workaround of nothing
	}
	l.failed++
	if len(l.incidents) >= maxEvidence {
		l.incidents = slices.Delete(l.incidents, 0, 1)
	}
	l.incidents = append(l.incidents, o.Incident)
	if l.failed < d.rules.Failures || l.proposed {
		return nil
	}
	l.proposed = true
	return &Proposal{Rule: FailingWorkaround, Service: o.Service, Symptom: o.Symptom, KnownError: o.KnownError, Cost: l.cost.total(), Count: l.failed,
		Incidents: slices.Clone(l.incidents), Reason: fmt.Sprintf("the workaround of %s did not help %d times in succession", o.KnownError, l.failed)}
}

const week = int64(7 * 24 * time.Hour / time.Microsecond)

// weekOf numbers the weeks from the Monday before 1970.
func weekOf(at int64) int64 {
	at += int64(3 * 24 * time.Hour / time.Microsecond)
	n := at / week
	if at%week < 0 {
		n--
	}
	return n
}

// weekStart is the first moment of a week.
func weekStart(n int64) int64 { return n*week - int64(3*24*time.Hour/time.Microsecond) }

func (d *Detector) surge(key lineKey) *Proposal {
	l := d.lines[key]
	last, _ := l.root.last()
	now, past := weekOf(last), int64(d.rules.SurgeWeeks)
	if l.covers > 0 || l.surged == now+1 || weekOf(d.since) > now-past {
		return nil
	}
	earlier := int64(l.root.before(weekStart(now)))
	n := int64(l.root.count()) - earlier
	sum := earlier - int64(l.root.before(weekStart(now-past)))
	// c − m > z √m with m = sum/past, without fractions.
	above, z := n*past-sum, int64(d.rules.SurgeSigmas)
	if n < int64(d.rules.SurgeLeast) || above <= 0 || above*above <= z*z*past*sum {
		return nil
	}
	l.surged = now + 1
	return &Proposal{Rule: Surge, Service: key.service, Symptom: key.symptom, Cost: l.cost.total(), Count: int(n),
		Incidents: l.root.latest(weekStart(now), maxEvidence),
		Reason: fmt.Sprintf("%d incidents of %s with %q in the week of %s, and %d in the %d weeks before",
			n, key.service, key.symptom, time.UnixMicro(weekStart(now)).UTC().Format(time.DateOnly), sum, past)}
}

// span prints a length of time in days where it is some.
func span(d time.Duration) string {
	if day := 24 * time.Hour; d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// Put tells the detector of a problem: while one is open that names a service and a
// symptom, somebody is looking into that already, and neither repetitions nor surges of
// it are proposed. An older version than was seen is passed over. It makes the detector a
// [View] of problems ([Config].Views).
func (d *Detector) Put(p Problem) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.problems[p.ID]
	if p.Version < before.version {
		return
	}
	now := covering{version: p.Version}
	if p.State != Closed && p.State != Cancelled && p.Symptom != "" {
		for _, s := range p.Services {
			now.lines = append(now.lines, lineKey{s, p.Symptom})
		}
	}
	for _, key := range before.lines {
		d.lines[key].covers--
	}
	for _, key := range now.lines {
		l := d.lineOf(key)
		l.covers++
		l.repeating = false // what goes on after the problem is over is worth another look
	}
	d.problems[p.ID] = now
}

// CostOf returns what the incidents of a service with a symptom have cost to date. What is
// more than a [Cost] holds is as much as it does.
func (d *Detector) CostOf(service, symptom string) Cost {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lines[lineKey{service, symptom}]; l != nil {
		return l.cost.total()
	}
	return Cost{}
}

// Occurrences yields what is known of every incident, in the order in which they began,
// as it is when that is asked for.
func (d *Detector) Occurrences() iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		d.mu.Lock()
		all := make([]Occurrence, 0, len(d.known))
		for s := range maps.Values(d.known) {
			all = append(all, s.Occurrence)
		}
		d.mu.Unlock()
		slices.SortFunc(all, func(a, b Occurrence) int {
			return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Incident, b.Incident))
		})
		for _, o := range all {
			if !yield(o) {
				return
			}
		}
	}
}

// Forget drops every incident that began before a moment, so that a detector that runs
// for years stays small; what they cost stays in the sums. Later events about them are
// passed over. It takes O(n) and is for now and then.
func (d *Detector) Forget(before time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, s := range d.known {
		if !s.Began.Before(before) {
			continue
		}
		if s.counted() {
			l := d.lines[s.line()]
			l.root = l.root.remove(s.Began.UnixMicro(), id)
		}
		delete(d.known, id)
	}
}
