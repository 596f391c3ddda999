package sla

import (
	"fmt"
	"math/big"
	"time"
)

// An Objective is a service level objective (SLO): how much of what is valid has
// to be good. It is the provider's own and should be stricter than what was agreed
// with customers.
//
// Its error budget is what may be bad: 0.1 % for a target of 99.9 %. The burn
// rate is how fast that is used up: at 1 it lasts exactly for the period. Source:
// The Site Reliability Workbook, O'Reilly 2018, chapters 2 and 5.
type Objective struct {
	Name string `json:"name,omitempty"`
	// Target is in percent, at least 1 and less than 100: "99.9".
	Target Decimal `json:"target"`
	// Period is how long the budget has to last, in nanoseconds in JSON: 30 days
	// or 28, which makes all shares of it others.
	Period time.Duration `json:"period"`
}

// Counts are an indicator over some time: how many were good of those that were
// valid, such as requests or minutes. Only what has a meaning is valid: a request
// that was wrong in itself is neither good nor bad.
type Counts struct {
	Good  int64 `json:"good"`
	Valid int64 `json:"valid"`
}

func (c Counts) validate(f *findings, field string) {
	f.check(c.Valid >= 0, join(field, "valid"), "must not be negative")
	f.check(c.Good >= 0 && c.Good <= max(c.Valid, 0), join(field, "good"), "must be 0 to valid")
}

// A Budget is an objective's error budget for what was counted. Allowed and
// Remaining are exact; Consumed and Burn are rounded to six places, and only
// there for people: what is decided is decided on exact numbers.
type Budget struct {
	Counts
	// Bad is how many were not good, Allowed how many may be.
	Bad     int64   `json:"bad"`
	Allowed Decimal `json:"allowed"`
	// Remaining is Allowed without Bad: negative when the objective is missed.
	Remaining Decimal `json:"remaining"`
	// Consumed is Bad of Allowed in percent. It is empty, as Burn is, where
	// nothing was valid: then it is undefined.
	Consumed Decimal `json:"consumed,omitempty"`
	// Burn is the ratio of errors divided by the one that the target allows.
	Burn Decimal `json:"burn,omitempty"`
}

// Kept reports whether the budget is not overdrawn.
func (b Budget) Kept() bool { return b.Remaining != "" && b.Remaining[0] != '-' }

// Validate returns an [ErrInvalid] with everything that is wrong.
func (o Objective) Validate() error {
	var f findings
	o.validate(&f)
	return f.err()
}

func (o *Objective) validate(f *findings) *big.Rat {
	target, ok := f.percent("target", o.Target)
	f.check(!ok || target.Cmp(hundred()) < 0, "target", "must be less than 100, which leaves no budget")
	f.check(o.Period > 0, "period", "must be more than 0")
	return new(big.Rat).Sub(hundred(), target)
}

// Budget returns the error budget for what was counted in the period, or so far in
// it. It returns an [ErrInvalid] with everything that is wrong.
func (o Objective) Budget(c Counts) (Budget, error) {
	var f findings
	share := o.validate(&f)
	c.validate(&f, "")
	if err := f.err(); err != nil {
		return Budget{}, err
	}
	b := Budget{Counts: c, Bad: c.Valid - c.Good}
	allowed := percentOf(share, new(big.Rat).SetInt64(c.Valid))
	bad := new(big.Rat).SetInt64(b.Bad)
	b.Allowed = exactly(allowed)
	b.Remaining = exactly(new(big.Rat).Sub(allowed, bad))
	if c.Valid > 0 {
		burn := new(big.Rat).Quo(bad, allowed)
		b.Burn = NewDecimal(burn, 6)
		b.Consumed = NewDecimal(burn.Mul(burn, hundred()), 6)
	}
	return b, nil
}

// Downtime returns how long a service may be down in a time without missing the
// target, rounded down to the nanosecond: 99.9 % allow 43 minutes and 12 seconds
// in 30 days. It returns an [ErrInvalid] with everything that is wrong.
func (o Objective) Downtime() (time.Duration, error) {
	var f findings
	share := o.validate(&f)
	if err := f.err(); err != nil {
		return 0, err
	}
	allowed := percentOf(share, new(big.Rat).SetInt64(int64(o.Period)))
	return time.Duration(new(big.Int).Quo(allowed.Num(), allowed.Denom()).Int64()), nil
}

// A Severity says who is to know.
type Severity string

const (
	// Page calls a person at once.
	Page Severity = "page"
	// Ticket can wait for the next working day.
	Ticket Severity = "ticket"
)

// A BurnAlert is a row of a table of alerts: it is raised while the budget burns
// faster than Burn in both windows. The long one says that it matters, the short
// one that it still goes on.
type BurnAlert struct {
	Severity Severity `json:"severity"`
	// Long and Short are lengths of time until now, in nanoseconds in JSON.
	Long  time.Duration `json:"long"`
	Short time.Duration `json:"short"`
	Burn  Decimal       `json:"burn"`
}

// BurnAlerts returns the table that the Workbook recommends for a period of 30
// days (chapter 5, "Multiwindow, multi-burn-rate alerts"): pages at 2 % of the
// budget in an hour and 5 % in six, a ticket at 10 % in three days. The short
// window is a twelfth of the long one.
func BurnAlerts() []BurnAlert {
	return []BurnAlert{
		{Page, time.Hour, 5 * time.Minute, "14.4"},
		{Page, 6 * time.Hour, 30 * time.Minute, "6"},
		{Ticket, 72 * time.Hour, 6 * time.Hour, "1"},
	}
}

// DayAlert returns a row that may be added to [BurnAlerts]: a ticket at 10 % of
// the budget in a day.
func DayAlert() BurnAlert { return BurnAlert{Ticket, 24 * time.Hour, 2 * time.Hour, "3"} }

// Used returns which share of the budget is used up when an alert is raised whose
// burn rate was constant, in percent with two places: burn × long window ÷ period.
// The same rate is another share of another period: 14.4 in an hour are 2 % of 30
// days, and 2.14 % of 28. It returns an [ErrInvalid] with everything that is
// wrong.
func (o Objective) Used(a BurnAlert) (Decimal, error) {
	var f findings
	o.validate(&f)
	burn := f.amount("burn", a.Burn)
	f.check(a.Long > 0, "long", "must be more than 0")
	if err := f.err(); err != nil {
		return "", err
	}
	used := burn.Mul(burn, big.NewRat(int64(a.Long), int64(o.Period)))
	return NewDecimal(used.Mul(used, hundred()), 2), nil
}

// CheckAlerts returns an [ErrInvalid] with everything that is wrong with a table
// of alerts for the objective. Among it are alerts that can never be raised: if
// everything fails, the budget burns at 1 ÷ (1 - target), which is 20 for a target
// of 95 % and less than 14.4 below 93.06 %.
//
// It knows nothing about traffic: where few are valid in the short window, a
// single failure raises an alert.
func (o Objective) CheckAlerts(alerts []BurnAlert) error {
	var f findings
	share := o.validate(&f)
	known := len(f) == 0
	for i, a := range alerts {
		field := fmt.Sprintf("alerts[%d]", i)
		f.check(a.Severity == Page || a.Severity == Ticket, join(field, "severity"), fmt.Sprintf("must be page or ticket, is %q", a.Severity))
		f.check(a.Short > 0, join(field, "short"), "must be more than 0")
		f.check(a.Short < a.Long, join(field, "short"), "must be less than long")
		f.check(!known || a.Long <= o.Period, join(field, "long"), "must be at most the period")
		burn := f.decimal(join(field, "burn"), a.Burn)
		f.check(burn.Sign() > 0, join(field, "burn"), "must be more than 0")
		if !known { // there may be no budget to divide by
			continue
		}
		if most := new(big.Rat).Quo(hundred(), share); burn.Cmp(most) >= 0 {
			f.check(false, join(field, "burn"), fmt.Sprintf("can never be exceeded: with a target of %s %% nothing burns faster than %s, even if everything fails",
				o.Target, NewDecimal(most, 4)))
		}
	}
	return f.err()
}

// A Burning is how one alert of a table stands.
type Burning struct {
	BurnAlert
	// LongBurn and ShortBurn are the burn rates in its windows, rounded to six
	// places; empty where nothing was valid.
	LongBurn  Decimal `json:"long_burn,omitempty"`
	ShortBurn Decimal `json:"short_burn,omitempty"`
	// Raised says that both are more than Burn, compared exactly.
	Raised bool `json:"raised"`
}

// Evaluate says how each alert stands, given what was counted in each window until
// now, by its length. Where nothing was valid, nothing burns. It returns an
// [ErrInvalid] with everything that is wrong, windows without counts and what
// [Objective.CheckAlerts] finds among it.
func (o Objective) Evaluate(alerts []BurnAlert, counted map[time.Duration]Counts) ([]Burning, error) {
	var f findings
	f.add("", o.CheckAlerts(alerts))
	for i, a := range alerts {
		for _, window := range []time.Duration{a.Long, a.Short} {
			c, ok := counted[window]
			field := fmt.Sprintf("alerts[%d]", i)
			f.check(ok, field, fmt.Sprintf("has no counts for its window of %s", short(window)))
			c.validate(&f, fmt.Sprintf("counted[%s]", short(window)))
		}
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	var unused findings
	share := o.validate(&unused)
	burning := make([]Burning, len(alerts))
	for i, a := range alerts {
		b := Burning{BurnAlert: a}
		limit, _ := a.Burn.Rat() // it was checked
		var long, brief bool
		b.LongBurn, long = counted[a.Long].burn(share, limit)
		b.ShortBurn, brief = counted[a.Short].burn(share, limit)
		b.Raised = long && brief
		burning[i] = b
	}
	return burning, nil
}

// burn returns the burn rate for a budget in percent, and whether it is above a
// limit.
func (c Counts) burn(budget, limit *big.Rat) (Decimal, bool) {
	if c.Valid == 0 {
		return "", false
	}
	errors := big.NewRat(c.Valid-c.Good, c.Valid)
	burn := errors.Quo(errors.Mul(errors, hundred()), budget)
	return NewDecimal(burn, 6), burn.Cmp(limit) > 0
}
