package problem

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

// A Trend says how the incidents of a problem develop.
type Trend string

const (
	// Steady is the zero value: as before, or not known.
	Steady Trend = ""
	// Rising has more and more of them.
	Rising Trend = "rising"
	// Falling has fewer and fewer.
	Falling Trend = "falling"
)

// An Estimate is what people expect of a problem as long as it stays.
type Estimate struct {
	// Frequency is how many incidents are expected in 30 days, and Harm how much work
	// each of them costs the business: its likelihood and its impact. JSON of Harm:
	// nanoseconds, or text like "1h30m".
	Frequency int           `json:"frequency"`
	Harm      time.Duration `json:"harm"`
	// Relief is how much of the harm a workaround takes away, in percent.
	Relief int `json:"relief,omitempty"`
	// Trend is how they develop.
	Trend Trend `json:"trend,omitempty"`
	// Season is how much a day counts in the weeks that come, in percent of what it
	// usually does, because of the business cycle: 300 for the weeks before Christmas
	// in a shop. 0 means 100.
	Season int `json:"season,omitempty"`
}

// Limits of an estimate.
const (
	maxFrequency = 1_000_000
	maxPercent   = 10_000
)

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the estimate.
func (e Estimate) Validate() error {
	var v itsm.Validation
	v.Check(e.Frequency >= 0 && e.Frequency <= maxFrequency, "frequency", fmt.Sprintf("must be 0 to %d", maxFrequency))
	v.Check(e.Harm >= 0 && e.Harm <= maxTime, "harm", "must be from 0 to 100 years")
	v.Check(e.Relief >= 0 && e.Relief <= 100, "relief", "must be 0 to 100 percent")
	v.Check(slices.Contains([]Trend{Steady, Rising, Falling}, e.Trend), "trend", fmt.Sprintf("must be rising, falling or empty, is %q", e.Trend))
	v.Check(e.Season >= 0 && e.Season <= maxPercent, "season", fmt.Sprintf("must be 0 to %d percent", maxPercent))
	return v.Err()
}

// A Risk is what a problem is expected to cost, and how that was found out.
type Risk struct {
	Estimate
	// Exposure is the work that is expected to be lost in 30 days. JSON: nanoseconds.
	Exposure time.Duration `json:"exposure"`
	// Priority is what follows from it by the policy.
	Priority itsm.Priority `json:"priority"`
	// Policy is the version by which it was assessed ("default@1"), and TrendPercent
	// what it makes of the trend.
	Policy       string    `json:"policy"`
	TrendPercent int       `json:"trend_percent"`
	By           string    `json:"by,omitempty"`
	At           time.Time `json:"at,omitzero"`
}

// String explains the risk in a line.
func (r Risk) String() string {
	if r.Policy == "" {
		return "not assessed"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s in 30 days: %d × %s", r.Priority, r.Exposure.Round(time.Minute), r.Frequency, r.Harm)
	for _, f := range []struct {
		percent int
		what    string
	}{{100 - r.Relief, "left by the workaround"}, {r.TrendPercent, "trend"}, {r.season(), "season"}} {
		if f.percent != 100 {
			fmt.Fprintf(&b, " × %d %% %s", f.percent, f.what)
		}
	}
	return b.String()
}

func (e Estimate) season() int {
	if e.Season == 0 {
		return 100
	}
	return e.Season
}

// A RiskPolicy says how problems are put in order, as data. A problem's exposure is the
// work that it is expected to cost the business in 30 days: incidents expected × harm
// of each × what the workaround leaves of it × trend × season. Bands make a priority
// of it. Neither the number of incidents alone nor the order in which they came decides.
type RiskPolicy struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	// Rising and Falling are what such a trend makes of what is expected, in percent.
	Rising  int `json:"rising"`
	Falling int `json:"falling"`
	// Bands say from how much on a problem has which priority, the highest first. What
	// is in none of them has the priority after the last.
	Bands []Band `json:"bands"`
}

// A Band is an exposure from which on problems have a priority.
type Band struct {
	Priority itsm.Priority `json:"priority"`
	// From is the work expected to be lost in 30 days. JSON: text like "80h", or
	// nanoseconds.
	From time.Duration `json:"from"`
}

// DefaultRiskPolicy returns the policy that a host has unless it brings its own: P1
// from 400 hours in 30 days, P2 from 80, P3 from 16, P4 from 2, and P5. ITIL prescribes
// none.
func DefaultRiskPolicy() RiskPolicy {
	return RiskPolicy{Name: "default", Version: 1, Rising: 150, Falling: 67, Bands: []Band{
		{1, 400 * time.Hour}, {2, 80 * time.Hour}, {3, 16 * time.Hour}, {4, 2 * time.Hour}}}
}

// Ref names a policy's version: "default@1".
func (p RiskPolicy) Ref() string { return p.Name + "@" + strconv.Itoa(p.Version) }

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the policy.
func (p RiskPolicy) Validate() error {
	var v itsm.Validation
	v.Text("name", p.Name, 1, maxName)
	v.Check(p.Version >= 0, "version", "must not be negative")
	v.Check(p.Rising >= 100 && p.Rising <= maxPercent, "rising", fmt.Sprintf("must be 100 to %d percent", maxPercent))
	v.Check(p.Falling >= 0 && p.Falling <= 100, "falling", "must be 0 to 100 percent")
	v.Check(len(p.Bands) > 0 && len(p.Bands) < 100, "bands", "must be 1 to 99")
	for i, b := range p.Bands {
		at := fmt.Sprintf("bands[%d]", i)
		v.Check(b.Priority > 0 && b.Priority < 255, at+".priority", "must be 1 to 254")
		v.Check(b.From > 0, at+".from", "must be positive")
		if i > 0 {
			v.Check(b.Priority > p.Bands[i-1].Priority, at+".priority", "must be lower than the one before")
			v.Check(b.From < p.Bands[i-1].From, at+".from", "must be less than the one before")
		}
	}
	return v.Err()
}

// ParseRiskPolicy reads the JSON form of a policy. It returns an [itsm.ErrInvalid] with
// every finding, as [itsm.ParseJSON] and [RiskPolicy.Validate] have them.
func ParseRiskPolicy(data []byte) (RiskPolicy, error) { return itsm.ParseJSON[RiskPolicy](data) }

// Assess says what an estimate comes to: pure, exact, and rounded down to the
// nanosecond. It is for estimates and policies that are valid.
func (p RiskPolicy) Assess(e Estimate) Risk {
	r := Risk{Estimate: e, Policy: p.Ref(), TrendPercent: 100}
	switch e.Trend {
	case Rising:
		r.TrendPercent = p.Rising
	case Falling:
		r.TrendPercent = p.Falling
	case Steady:
	}
	n := big.NewInt(int64(e.Harm))
	for _, factor := range []int{e.Frequency, 100 - e.Relief, r.TrendPercent, e.season()} {
		n.Mul(n, big.NewInt(int64(factor)))
	}
	n.Quo(n, big.NewInt(1_000_000))
	r.Exposure = time.Duration(1<<63 - 1)
	if n.IsInt64() {
		r.Exposure = time.Duration(n.Int64())
	}
	for _, b := range p.Bands {
		if r.Priority = b.Priority; r.Exposure >= b.From {
			return r
		}
	}
	r.Priority++
	return r
}

// AssessRisk says what is expected of the problem as long as it stays; the priority
// follows from that. It undoes an overridden one.
type AssessRisk struct {
	Estimate
	// Risk is set by the practice.
	Risk Risk `json:"risk,omitzero"`
}

// Action returns "assess_risk".
func (AssessRisk) Action() string { return "assess_risk" }

// Validate checks the estimate.
func (a AssessRisk) Validate() error { return a.Estimate.Validate() }

// Apply keeps it.
func (a AssessRisk) Apply(r *Problem, at itsm.Moment) error {
	r.Risk = a.Risk
	r.Risk.By, r.Risk.At = at.Actor.ID, at.At
	r.Priority, r.PriorityReason = a.Risk.Priority, ""
	return nil
}

// OverridePriority sets another priority than that of the risk, with the reason.
type OverridePriority struct {
	Priority itsm.Priority `json:"priority"`
	Reason   string        `json:"reason"`
}

// Action returns "override_priority".
func (OverridePriority) Action() string { return "override_priority" }

// Validate checks that both are there.
func (a OverridePriority) Validate() error {
	var v itsm.Validation
	v.Check(a.Priority > 0, "priority", "must be 1 or more")
	v.Add(needReason(a.Reason))
	return v.Err()
}

// Apply sets both.
func (a OverridePriority) Apply(r *Problem, _ itsm.Moment) error {
	r.Priority, r.PriorityReason = a.Priority, a.Reason
	return nil
}
