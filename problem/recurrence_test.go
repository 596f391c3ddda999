package problem_test

import (
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	inc "github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/internal/race"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/problem"
)

// naive is the definition of what is proposed: it looks at everything that was told, each
// time.
type naive struct {
	rules problem.Rules
	told  []problem.Occurrence // the last word about each incident, in the order of the first
	since time.Time
	// streaks are the repetitions that were proposed, surged the weeks of surges, by
	// line; majors the incidents proposed as such.
	streaks map[string]bool
	surged  map[string]time.Time
	majors  map[itsm.ID]bool
	words   []problem.Occurrence // every word about a workaround
	broken  map[itsm.ID]bool
	covered map[string]map[itsm.ID]bool
}

func newNaive(rules problem.Rules) *naive {
	return &naive{rules: rules, streaks: map[string]bool{}, surged: map[string]time.Time{}, majors: map[itsm.ID]bool{}, broken: map[itsm.ID]bool{}, covered: map[string]map[itsm.ID]bool{}}
}

func lineOf(o problem.Occurrence) string { return o.Service + "\x00" + o.Symptom }

func countedOccurrence(o problem.Occurrence) bool {
	return o.Service != "" && o.Symptom != "" && !o.Void && o.Problem == "" && o.KnownError == ""
}

// alike lists what is counted in a line, by when it began.
func (n *naive) alike(line string) []problem.Occurrence {
	var all []problem.Occurrence
	for _, o := range n.told {
		if countedOccurrence(o) && lineOf(o) == line {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b problem.Occurrence) int {
		return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Incident, b.Incident))
	})
	return all
}

func (n *naive) cost(is func(o problem.Occurrence) bool) problem.Cost {
	var c problem.Cost
	for _, o := range n.told {
		if !o.Void && is(o) {
			c.Incidents++
			if o.Restored.After(o.Began) {
				c.Downtime += o.Restored.Sub(o.Began)
			}
			c.Effort += o.Effort
			c.Money += o.Money
		}
	}
	return c
}

func window(all []problem.Occurrence, w time.Duration) []problem.Occurrence {
	var in []problem.Occurrence
	for _, o := range all {
		if o.Began.After(all[len(all)-1].Began.Add(-w)) {
			in = append(in, o)
		}
	}
	return in
}

func evidence(all []problem.Occurrence) []itsm.ID {
	var ids []itsm.ID
	for _, o := range all[max(0, len(all)-100):] {
		ids = append(ids, o.Incident)
	}
	return ids
}

// monday is when the week of a moment began.
func monday(t time.Time) time.Time {
	d := t.Truncate(24 * time.Hour)
	for d.Weekday() != time.Monday {
		d = d.AddDate(0, 0, -1)
	}
	return d
}

func (n *naive) observe(o problem.Occurrence, at time.Time) []problem.Proposal {
	i := slices.IndexFunc(n.told, func(t problem.Occurrence) bool { return t.Incident == o.Incident })
	var before problem.Occurrence
	if i < 0 {
		n.told = append(n.told, o)
		if n.since.IsZero() || o.Began.Before(n.since) {
			n.since = o.Began
		}
	} else {
		before, n.told[i] = n.told[i], o
	}
	moved := countedOccurrence(before) != countedOccurrence(o) || lineOf(before) != lineOf(o) || !before.Began.Equal(o.Began)
	if moved && countedOccurrence(before) {
		left := n.alike(lineOf(before))
		if moved && countedOccurrence(o) && lineOf(o) == lineOf(before) { // as it is between the two
			left = slices.DeleteFunc(left, func(t problem.Occurrence) bool { return t.Incident == o.Incident })
		}
		if len(window(left, n.rules.Window)) < n.rules.Repeats {
			n.streaks[lineOf(before)] = false
		}
	}
	var all []problem.Proposal
	line := lineOf(o)
	ofLine := func(t problem.Occurrence) bool { return lineOf(t) == line }
	if moved && countedOccurrence(o) {
		in := window(n.alike(line), n.rules.Window)
		if len(in) < n.rules.Repeats {
			n.streaks[line] = false
		} else if !n.streaks[line] && len(n.covered[line]) == 0 {
			n.streaks[line] = true
			all = append(all, problem.Proposal{Rule: problem.Repetition, At: at, Service: o.Service, Symptom: o.Symptom, Incidents: evidence(in), Count: len(in), Cost: n.cost(ofLine)})
		}
	}
	if o.Major && !o.Void && !n.majors[o.Incident] {
		n.majors[o.Incident] = true
		all = append(all, problem.Proposal{Rule: problem.MajorIncident, At: at, Service: o.Service, Symptom: o.Symptom, Incidents: []itsm.ID{o.Incident}, Count: 1, Cost: n.cost(ofLine)})
	}
	if !o.Void && (before.KnownError != o.KnownError || before.Workaround != o.Workaround) && o.KnownError != "" {
		n.words = append(n.words, o)
		var failed []problem.Occurrence
		for _, w := range n.words {
			switch {
			case w.KnownError != o.KnownError || w.Workaround == problem.Unsaid:
			case w.Workaround == problem.Helped:
				failed = nil
			default:
				failed = append(failed, w)
			}
		}
		switch {
		case o.Workaround == problem.Helped:
			n.broken[o.KnownError] = false
		case o.Workaround == problem.DidNotHelp && len(failed) >= n.rules.Failures && !n.broken[o.KnownError]:
			n.broken[o.KnownError] = true
			all = append(all, problem.Proposal{Rule: problem.FailingWorkaround, At: at, Service: o.Service, Symptom: o.Symptom, KnownError: o.KnownError, Incidents: evidence(failed), Count: len(failed),
				Cost: n.cost(func(t problem.Occurrence) bool { return t.KnownError == o.KnownError })})
		}
	}
	if moved && countedOccurrence(o) {
		list := n.alike(line)
		now := monday(list[len(list)-1].Began)
		from := now.AddDate(0, 0, -7*n.rules.SurgeWeeks)
		var in []problem.Occurrence
		past := int64(0)
		for _, t := range list {
			switch {
			case !t.Began.Before(now):
				in = append(in, t)
			case !t.Began.Before(from):
				past++
			}
		}
		// c − m > z √m, exactly: (c − m)² > z² m.
		m := big.NewRat(past, int64(n.rules.SurgeWeeks))
		above := new(big.Rat).Sub(big.NewRat(int64(len(in)), 1), m)
		limit := new(big.Rat).Mul(big.NewRat(int64(n.rules.SurgeSigmas*n.rules.SurgeSigmas), 1), m)
		if len(in) >= n.rules.SurgeLeast && above.Sign() > 0 && new(big.Rat).Mul(above, above).Cmp(limit) > 0 &&
			!monday(n.since).After(from) && !n.surged[line].Equal(now) && len(n.covered[line]) == 0 {
			n.surged[line] = now
			all = append(all, problem.Proposal{Rule: problem.Surge, At: at, Service: o.Service, Symptom: o.Symptom, Incidents: evidence(in), Count: len(in), Cost: n.cost(ofLine)})
		}
	}
	return all
}

func (n *naive) put(p problem.Problem) {
	for _, s := range p.Services {
		line := s + "\x00" + p.Symptom
		if n.covered[line] == nil {
			n.covered[line] = map[itsm.ID]bool{}
		}
		delete(n.covered[line], p.ID)
		if p.State != problem.Closed {
			n.covered[line][p.ID] = true
			n.streaks[line] = false
		}
	}
}

// unworded are proposals without their sentences, which the definition has none of.
func unworded(t *testing.T, all []problem.Proposal) []problem.Proposal {
	for i := range all {
		require.NotEmpty(t, all[i].Reason)
		require.NoError(t, all[i].Register().Validate())
		all[i].Reason = ""
	}
	return all
}

func rules() problem.Rules {
	return problem.Rules{Repeats: 3, Window: 30 * 24 * time.Hour, Failures: 2, SurgeLeast: 3, SurgeSigmas: 3, SurgeWeeks: 8}
}

// Incidents are told, and told anew: they move, are explained, restored, void; problems
// are opened and closed. What the detector proposes is what the definition does.
func TestTheDetectorIsTheDefinition(t *testing.T) {
	rounds, each := 60, 250
	if race.Detector || testing.Short() {
		rounds = 8
	}
	proposed := map[problem.Rule]int{}
	for seed := range uint64(rounds) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		r := problem.Rules{Repeats: 2 + rnd.IntN(4), Window: time.Duration(1+rnd.IntN(20)) * 24 * time.Hour, Failures: 1 + rnd.IntN(3), SurgeLeast: 2 + rnd.IntN(3), SurgeSigmas: 1 + rnd.IntN(3), SurgeWeeks: 1 + rnd.IntN(6)}
		d, err := problem.NewDetector(r, nil)
		require.NoError(t, err)
		n := newNaive(r)
		versions := map[itsm.ID]itsm.Version{}
		at := morning
		for step := range each {
			at = at.Add(time.Duration(rnd.Int64N(int64(20 * time.Hour)))).Truncate(time.Microsecond)
			if rnd.IntN(15) == 0 {
				id := itsm.ID(fmt.Sprint("prb-", rnd.IntN(3)))
				versions[id]++
				p := problem.Problem{Meta: itsm.Meta{ID: id, Version: versions[id], State: practicetest.Pick(rnd, problem.New, problem.Closed)}, Services: []string{practicetest.Pick(rnd, "mail", "erp")}, Symptom: "down"}
				// A problem keeps its services here, so that the definition stays small.
				p.Services = []string{map[itsm.ID]string{"prb-0": "mail", "prb-1": "erp", "prb-2": "mail"}[id]}
				d.Put(p)
				n.put(p)
				p.Version, p.State = 0, problem.New
				if versions[id] > 1 {
					d.Put(p) // late, and passed over
				}
				continue
			}
			o := problem.Occurrence{Incident: itsm.ID(fmt.Sprint("inc-", step)), Service: practicetest.Pick(rnd, "mail", "mail", "erp", ""), Symptom: practicetest.Pick(rnd, "down", "down", "slow", ""), Began: at.Add(-time.Duration(rnd.IntN(30)) * time.Hour)}
			if len(n.told) > 0 && rnd.IntN(3) == 0 { // told anew
				o = practicetest.Pick(rnd, n.told...)
				switch rnd.IntN(9) {
				case 0:
					o.Symptom = practicetest.Pick(rnd, "down", "slow")
				case 1:
					o.Void = !o.Void
				case 2:
					o.Problem = practicetest.Pick[itsm.ID](rnd, "", "prb-1")
				case 3, 4:
					o.KnownError, o.Workaround = practicetest.Pick[itsm.ID](rnd, "ke-1", "ke-2"), practicetest.Pick(rnd, problem.Unsaid, problem.Helped, problem.DidNotHelp, problem.DidNotHelp)
				case 5:
					o.Began = o.Began.Add(time.Duration(rnd.IntN(200)-100) * time.Hour)
				case 6:
					o.Restored = o.Began.Add(time.Duration(rnd.IntN(20)-5) * time.Hour)
				case 7:
					o.Effort, o.Money = time.Hour, rnd.Int64N(100)
				case 8:
					o.Major = true
				}
			}
			want := n.observe(o, at)
			got, err := d.Observe(o, at)
			require.NoError(t, err)
			require.Equal(t, want, unworded(t, got), "seed %d, step %d", seed, step)
			for _, p := range got {
				proposed[p.Rule]++
			}
			require.Equal(t, n.cost(func(t problem.Occurrence) bool { return lineOf(t) == lineOf(o) }), d.CostOf(o.Service, o.Symptom))
		}
		known := slices.Collect(d.Occurrences())
		require.Len(t, known, len(n.told))
		require.True(t, slices.IsSortedFunc(known, func(a, b problem.Occurrence) int { return a.Began.Compare(b.Began) }))
	}
	t.Logf("%d incidents told or told anew, proposals: %v", rounds*each, proposed)
	for _, rule := range problem.AllRules() {
		require.NotZero(t, proposed[rule], "%s", rule)
	}
}

// realLog opens a file of the real logs, which are not part of the repository.
func realLog(t *testing.T, name string) [][]string {
	t.Helper()
	dir := os.Getenv("ITSM_REAL_LOGS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		t.Skipf("the real logs are not here (ITSM_REAL_LOGS names their folder): %v", err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	require.NoError(t, err)
	rows, err := csv.NewReader(unzipped).ReadAll()
	require.NoError(t, err)
	return rows
}

// columns returns what finds a row's value by the name of its column; "?" is missing.
func columns(header []string) func(row []string, name string) string {
	at := map[string]int{}
	for i, name := range header {
		at[name] = i
	}
	return func(row []string, name string) string {
		if v := row[at[name]]; v != "?" {
			return v
		}
		return ""
	}
}

// The incidents of a real log, in the order of time, with the category as the service
// and the closing code as the symptom: one pass proposes what the definition does.
func TestRecurrenceInARealLog(t *testing.T) {
	rows := realLog(t, "uci498_sample500.csv.gz")
	value := columns(rows[0])
	clock := func(text string) time.Time {
		at, err := time.Parse("2/1/2006 15:04", text)
		require.NoError(t, err)
		return at
	}
	seen := map[string]bool{}
	var all []problem.Occurrence
	for _, row := range rows[1:] {
		number := value(row, "number")
		if seen[number] {
			continue // opened_at, category and closed_code are taken from the first row
		}
		seen[number] = true
		o := problem.Occurrence{Incident: itsm.ID(number), Service: value(row, "category"), Symptom: value(row, "closed_code"), Began: clock(value(row, "opened_at")), Major: value(row, "priority") == "1 - Critical"}
		if restored := value(row, "resolved_at"); restored != "" {
			o.Restored = clock(restored)
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b problem.Occurrence) int { return a.Began.Compare(b.Began) })
	require.Len(t, all, 500)
	for _, r := range []problem.Rules{rules(), {Repeats: 2, Window: 7 * 24 * time.Hour, Failures: 2, SurgeLeast: 2, SurgeSigmas: 2, SurgeWeeks: 4}, {Repeats: 5, Window: 14 * 24 * time.Hour, Failures: 2, SurgeLeast: 4, SurgeSigmas: 1, SurgeWeeks: 2}} {
		d, err := problem.NewDetector(r, nil)
		require.NoError(t, err)
		n := newNaive(r)
		proposed := map[problem.Rule]int{}
		for _, o := range all {
			want := n.observe(o, o.Began)
			got, err := d.Observe(o, o.Began)
			require.NoError(t, err)
			require.Equal(t, want, unworded(t, got))
			for _, p := range got {
				proposed[p.Rule]++
			}
		}
		require.NotZero(t, proposed[problem.Repetition])
		require.NotZero(t, proposed[problem.Surge])
		t.Logf("%d incidents, at least %d in %s, surges of %d weeks: %v", len(all), r.Repeats, r.Window, r.SurgeWeeks, proposed)
	}
}

// desk is incident management with its feed, as a host has both.
type desk struct {
	*inc.Practice
	*practicetest.Desk[inc.Incident]
	d      *problem.Detector
	cursor itsm.Cursor
}

func newDesk(t *testing.T, rules problem.Rules, cfg inc.Config) *desk {
	d := new(desk)
	d.Desk = practicetest.NewDesk(t, func(store itsm.Store[inc.Incident], given itsm.Config) (kernel *itsm.Practice[inc.Incident], err error) {
		cfg.Config = practicetest.With(cfg.Config, given)
		d.Practice, err = inc.NewPractice(store, cfg)
		return d.Practice.Practice, err
	})
	var err error
	d.d, err = problem.NewDetector(rules, nil)
	require.NoError(t, err)
	return d
}

// read reads the feed on, and returns what is proposed.
func (d *desk) read() []problem.Proposal {
	d.T.Helper()
	var all []problem.Proposal
	for news, err := range d.Feed(kim, d.cursor) {
		require.NoError(d.T, err)
		proposals, err := d.d.Event(news.Event)
		require.NoError(d.T, err)
		all = append(all, proposals...)
		d.cursor = news.Cursor
	}
	return all
}

func (d *desk) report(a inc.Report) itsm.ID {
	d.T.Helper()
	d.Time.Advance(time.Hour)
	r, err := d.Open(kim, a)
	require.NoError(d.T, err)
	return r.ID
}

func reasons(all []problem.Proposal) []string {
	var said []string
	for _, p := range all {
		said = append(said, p.Reason)
	}
	return said
}

// The events of package incident say everything that the detector needs.
func TestTheIncidentFeedSuffices(t *testing.T) {
	d := newDesk(t, problem.Rules{Repeats: 3, Window: 7 * 24 * time.Hour}, inc.Config{Reopen: inc.ReopenPolicy{Mode: inc.ReopenInPlace}})
	mail := inc.Report{Title: "No mail", Service: "mail", Category: "no mail"}
	mend := inc.Resolve{Code: inc.Workaround, Note: "restarted"}
	link := func(rel string, to itsm.Ref) inc.Link { return inc.Link{Link: itsm.Link{Rel: rel, To: to}} }

	a, b := d.report(mail), d.report(inc.Report{Title: "Slow", Service: "mail"})
	d.Did(kim, a, mend)
	require.Empty(t, d.read())
	d.Did(kim, b, inc.Classify{Service: "mail", Category: "no mail"}, inc.LogTime{Spent: time.Hour})
	void := d.report(mail)
	d.Did(kim, void, inc.Cancel{Reason: "a test"})
	require.Equal(t, []string{`3 incidents of mail with "no mail" within 7 days`}, reasons(d.read()), "before one was cancelled there were three")
	c := d.report(mail)
	p := d.read()
	require.Equal(t, []string{`3 incidents of mail with "no mail" within 7 days`}, reasons(p), "and after it again")
	require.Equal(t, []itsm.ID{a, b, c}, p[0].Incidents)
	require.Equal(t, problem.Cost{Incidents: 3, Downtime: time.Hour + time.Minute, Effort: time.Hour}, p[0].Cost)

	d.Did(kim, c, inc.AcceptMajor{Reason: "everybody", Commander: "ann"}, inc.DemoteMajor{Reason: "r"}, inc.AcceptMajor{Reason: "again", Commander: "ann"})
	require.Equal(t, []string{"inc-4 is a major incident"}, reasons(d.read()), "once")

	known := problem.KnownErrorRef("ke-1")
	d.Did(kim, a, link(inc.SolvedBy, known))                                                       // it is resolved: it helped
	d.Did(kim, b, link(inc.SolvedBy, known), mend, inc.Reopen{Reason: "again"})                    // it helped, and then it did not
	d.Did(kim, c, link(inc.Rejected, known))                                                       // it did not
	e := d.report(mail)                                                                            // and nobody has tried it here
	d.Did(kim, e, link(inc.SymptomOf, problem.Ref("prb-1")), link(inc.Viewed, known), inc.Start{}) // which says nothing
	require.Equal(t, []string{"the workaround of ke-1 did not help 2 times in succession"}, reasons(d.read()))
	byID := map[itsm.ID]problem.Occurrence{}
	for o := range d.d.Occurrences() {
		byID[o.Incident] = o
	}
	require.Equal(t, problem.Helped, byID[a].Workaround)
	require.Equal(t, problem.DidNotHelp, byID[b].Workaround)
	require.Zero(t, byID[b].Restored)
	require.True(t, byID[void].Void)
	require.EqualValues(t, "prb-1", byID[e].Problem)
	require.Empty(t, byID[e].KnownError)

	// What is unlinked is not explained any more; what was marked by hand counts.
	d.Did(kim, c, inc.Unlink{Link: itsm.Link{Rel: inc.Rejected, To: known}})
	d.Did(kim, e, inc.Unlink{Link: itsm.Link{Rel: inc.SymptomOf, To: problem.Ref("prb-1")}}, mend)
	began := morning.Add(-2 * time.Hour)
	f := d.report(inc.Report{Title: "t", Service: "erp", Category: "slow", Started: began})
	g := d.report(mail)
	d.Did(kim, f, inc.Mark{Milestone: inc.MilestoneRestored})
	restored := d.Time.Now()
	d.Did(kim, g, inc.Mark{Milestone: inc.MilestoneStarted, At: began})
	d.Did(kim, g, inc.Mark{Milestone: inc.MilestoneIdentified})
	other := d.report(inc.Report{Title: "t", Service: "erp", Category: "slow"})
	d.Did(kim, other, inc.Merge{Into: f})
	d.read()
	byID = map[itsm.ID]problem.Occurrence{}
	for o := range d.d.Occurrences() {
		byID[o.Incident] = o
	}
	require.False(t, byID[c].Explained())
	require.False(t, byID[e].Explained())
	require.Equal(t, began, byID[f].Began)
	require.Equal(t, restored, byID[f].Restored)
	require.Equal(t, began, byID[g].Began)
	require.True(t, byID[other].Void)
	require.Equal(t, problem.Cost{Incidents: 1, Downtime: restored.Sub(began)}, d.d.CostOf("erp", "slow"))
	require.Zero(t, d.d.CostOf("x", "y"))

	// And in the end nothing has been done to an incident: the events are the desk's own.
	for news, err := range d.Feed(kim, "") {
		require.NoError(t, err)
		require.Equal(t, "kim", news.Event.Actor.ID)
	}
}

// A closed incident that is continued by another did not hold, and is over.
func TestContinuedIncidents(t *testing.T) {
	d := newDesk(t, problem.Rules{Failures: 1}, inc.Config{Reopen: inc.ReopenPolicy{Mode: inc.ReopenClone}})
	id := d.report(inc.Report{Title: "No mail", Service: "mail", Category: "no mail"})
	d.Did(kim, id, inc.Link{Link: itsm.Link{Rel: inc.SolvedBy, To: problem.KnownErrorRef("ke-1")}}, inc.Resolve{Code: inc.KnownError, Note: "n"}, inc.Close{}, inc.Reopen{Reason: "again"})
	require.Equal(t, []string{"the workaround of ke-1 did not help 1 times in succession"}, reasons(d.read()))
	all := slices.Collect(d.d.Occurrences())
	require.Len(t, all, 2)
	require.NotZero(t, all[0].Restored)
	require.Zero(t, all[1].Restored)
	require.Equal(t, "mail", all[1].Service)
}

func TestDetectorsRefuse(t *testing.T) {
	_, err := problem.NewDetector(problem.Rules{Repeats: -1, Window: -1, Failures: -1, SurgeLeast: -1, SurgeSigmas: 101, SurgeWeeks: 521, Off: []problem.Rule{"x"}}, nil)
	require.Equal(t, []string{"repeats must be 0 to 1000000", "window must be from 0 to 100 years", "failures must be 0 to 1000000", "surge_least must be 0 to 1000000",
		"surge_sigmas must be 0 to 100", "surge_weeks must be 0 to 520", `off[0] is unknown: "x"`}, practicetest.Said(err))
	r, err := problem.ParseRules([]byte(`{"repeats":5,"window":"48h","off":["surge"]}`))
	require.NoError(t, err)
	require.Equal(t, problem.Rules{Repeats: 5, Window: 48 * time.Hour, Off: []problem.Rule{problem.Surge}}, r)
	d, err := problem.NewDetector(problem.Rules{Repeats: 1, Off: []problem.Rule{problem.Repetition, problem.MajorIncident}}, nil)
	require.NoError(t, err)
	_, err = d.Observe(problem.Occurrence{Effort: -1, Money: -1}, morning)
	require.Equal(t, []string{"incident must not be empty", "began must be given", "effort must not be negative", "money must not be negative"}, practicetest.Said(err))
	got, err := d.Observe(problem.Occurrence{Incident: "a", Service: "s", Symptom: "s", Began: morning, Major: true}, morning)
	require.NoError(t, err)
	require.Empty(t, got, "rules that are off propose nothing")
	// Of what is broken, nothing is learned; of what is not an incident's, neither.
	for _, action := range []string{"report", "classify", "mark", "log_time", "link"} {
		_, err = d.Event(itsm.Event{ID: "evt-1", Practice: "incident", Action: action, Record: "b", Data: json.RawMessage(`{"service":1,"to":2,"at":3,"spent":"x"}`)})
		require.ErrorIs(t, err, itsm.ErrInvalid, action)
	}
	got, err = d.Event(itsm.Event{Practice: "change", Action: "report", Record: "b"})
	require.NoError(t, err)
	require.Empty(t, got)
	got, err = d.Event(itsm.Event{Practice: "incident", Action: "resolve", Record: "b"})
	require.NoError(t, err)
	require.Empty(t, got, "an incident of which the beginning was not seen")
	require.Len(t, slices.Collect(d.Occurrences()), 1)
	for range d.Occurrences() {
		break
	}
	require.Equal(t, "incident:a", problem.Occurrence{Incident: "a"}.Ref().String())
	_, err = d.Observe(problem.Occurrence{Incident: "c", KnownError: "", Workaround: problem.DidNotHelp, Began: morning}, morning)
	require.NoError(t, err)
}

// What began long ago is forgotten, and what it cost is not.
func TestForget(t *testing.T) {
	d, err := problem.NewDetector(problem.Rules{Repeats: 2, Window: 365 * 24 * time.Hour}, nil)
	require.NoError(t, err)
	tell := func(id itsm.ID, at time.Time) []problem.Proposal {
		got, err := d.Observe(problem.Occurrence{Incident: id, Service: "mail", Symptom: "down", Began: at, Restored: at.Add(time.Hour)}, at)
		require.NoError(t, err)
		return got
	}
	require.Empty(t, tell("a", morning))
	d.Forget(morning.Add(time.Second))
	require.Empty(t, tell("b", morning.Add(time.Hour)), "a is forgotten")
	p := tell("c", morning.Add(2*time.Hour))
	require.Len(t, p, 1)
	require.Equal(t, problem.Cost{Incidents: 3, Downtime: 3 * time.Hour}, p[0].Cost)
	e := p[0].Estimate(60 * 24 * time.Hour)
	require.Equal(t, problem.Estimate{Frequency: 1, Harm: time.Hour}, e)
	p[0].Rule, p[0].Count = problem.Surge, 1<<40
	require.Equal(t, problem.Estimate{Frequency: 1_000_000, Harm: time.Hour, Trend: problem.Rising}, p[0].Estimate(time.Minute))
	require.Zero(t, problem.Proposal{}.Estimate(0))
}

// Sums are exact, also beyond what a duration holds.
func TestCostsDoNotOverflow(t *testing.T) {
	d, err := problem.NewDetector(problem.Rules{}, nil)
	require.NoError(t, err)
	tell := func(id itsm.ID, years int, void bool) {
		_, err := d.Observe(problem.Occurrence{Incident: id, Service: "s", Symptom: "s", Began: morning.AddDate(-years, 0, 0), Restored: morning, Money: math.MaxInt64, Void: void}, morning)
		require.NoError(t, err)
	}
	for i := range 5 {
		tell(itsm.ID(fmt.Sprint(i)), 200, false)
	}
	require.Equal(t, problem.Cost{Incidents: 5, Downtime: math.MaxInt64, Money: math.MaxInt64}, d.CostOf("s", "s"))
	for i := range 4 {
		tell(itsm.ID(fmt.Sprint(i)), 200, true)
	}
	require.Equal(t, problem.Cost{Incidents: 1, Downtime: morning.Sub(morning.AddDate(-200, 0, 0)), Money: math.MaxInt64}, d.CostOf("s", "s"))
}

// Proposals become problems, with their evidence.
func TestProposalsAreRegistered(t *testing.T) {
	o := newOffice(t, problem.Config{})
	for _, tt := range []struct {
		p     problem.Proposal
		title string
	}{
		{problem.Proposal{Rule: problem.Repetition, Service: "mail", Symptom: "down", Reason: "r", Incidents: []itsm.ID{"a", "b", "a"}, Cost: problem.Cost{Incidents: 2}}, "mail: down"},
		{problem.Proposal{Rule: problem.FailingWorkaround, KnownError: "ke-1", Reason: "r", Incidents: []itsm.ID{"a"}}, "The workaround of ke-1 does not work"},
		{problem.Proposal{Rule: problem.MajorIncident, Reason: "inc-1 is a major incident", Incidents: []itsm.ID{"inc-1"}}, "inc-1 is a major incident"},
	} {
		r, err := o.problems.Open(kim, tt.p.Register())
		require.NoError(t, err)
		require.Equal(t, tt.title, r.Title)
		require.Equal(t, problem.Reactive, r.Origin)
		require.Equal(t, string(tt.p.Rule), r.Source)
		require.Len(t, r.Links, min(2, len(tt.p.Incidents)))
		require.Equal(t, tt.p.Cost, r.Cost)
	}
	long := make([]rune, 400)
	for i := range long {
		long[i] = 'ä'
	}
	require.NoError(t, problem.Proposal{Service: "m", Symptom: string(long[:190]), Reason: "r"}.Register().Validate())
	require.Len(t, []rune(problem.Proposal{Service: "m", Symptom: string(long)}.Register().Title), 300)
}

// One event costs about as much after a hundred thousand incidents as after a thousand:
// the nodes of a tree that a question visits are counted, whatever the machine does.
func TestTheDetectorStaysQuick(t *testing.T) {
	for _, n := range []int{1_000, 100_000} {
		d, err := problem.NewDetector(problem.Rules{}, nil)
		require.NoError(t, err)
		for i := range n {
			_, err := d.Observe(problem.Occurrence{Incident: itsm.ID(fmt.Sprint(i)), Service: "mail", Symptom: "down", Began: morning.Add(time.Duration(i) * time.Minute)}, morning)
			require.NoError(t, err)
		}
		depth := d.Depth("mail", "down")
		t.Logf("%d alike: the tree is %d deep", n, depth)
		require.Less(t, depth, 70, "of a random tree of 100,000, twice the logarithm is about 34, and 70 is beyond chance")
	}
}
