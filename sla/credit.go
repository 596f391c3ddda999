package sla

import (
	"fmt"
	"math/big"
	"time"
)

// A CreditBand is what is credited when a level is missed by so much.
type CreditBand struct {
	// Below is the level, in percent: the band is for less than this, down to
	// the next band's. A level that is reached exactly is not below it.
	Below Decimal `json:"below"`
	// Credit is how much of the fee is credited, in percent.
	Credit Decimal `json:"credit"`
}

// CreditTerms say what the provider credits to the customer when a level is
// missed. A service credit lowers the price of what was not delivered; it is an
// incentive, and no compensation for the harm.
//
// Amounts are in one currency, which the caller knows.
type CreditTerms struct {
	// Bands are in order, the best level first; each is for less than its level
	// and credits more than the one before. There are no gaps between them: the
	// last one goes down to nothing.
	Bands []CreditBand `json:"bands"`
	// PeriodCap is the most that is credited for one period under one
	// agreement, all metrics together, in percent of the period's fee; empty is
	// 100.
	PeriodCap Decimal `json:"period_cap,omitempty"`
	// YearCap is the most that is credited under one agreement for all periods
	// that begin in the same year, as an amount; empty means that there is no
	// such cap.
	YearCap Decimal `json:"year_cap,omitempty"`
	// YearFrom is when the first year of the contract began; the others begin on
	// its anniversaries, in its location. Zero means calendar years, in the
	// location of the period.
	YearFrom time.Time `json:"year_from,omitzero"`
	// Places is how many digits behind the point amounts of the currency have:
	// 2 for euros, 0 for won. Each credit is rounded once, halves up.
	Places int `json:"places"`
}

// A Reached is a level that was reached: what a credit is claimed for.
type Reached struct {
	Agreement string `json:"agreement"`
	Metric    string `json:"metric"`
	Period    Period `json:"period"`
	// Level is a compliance or an availability.
	Level Fraction `json:"level"`
	// Fee is what the customer pays for the period.
	Fee Decimal `json:"fee"`
}

// A Credit is what is credited for one missed level.
type Credit struct {
	Reached
	// Below and Percent are those of the band.
	Below   Decimal `json:"below"`
	Percent Decimal `json:"percent"`
	// Full is the band's credit, and Amount what is left of it under the caps.
	Full   Decimal `json:"full"`
	Amount Decimal `json:"amount"`
	// CappedBy is "period" or "year" where Amount is less than Full.
	CappedBy string `json:"capped_by,omitempty"`
}

// same reports whether two are about the same metric of the same agreement.
func (r Reached) same(s Reached) bool { return r.Agreement == s.Agreement && r.Metric == s.Metric }

// Validate returns an [ErrInvalid] with everything that is wrong.
func (t CreditTerms) Validate() error {
	var f findings
	f.check(len(t.Bands) > 0, "bands", "must have a band")
	below, credit := big.NewRat(1000, 1), new(big.Rat)
	for i, b := range t.Bands {
		field := fmt.Sprintf("bands[%d]", i)
		if level, ok := f.percent(join(field, "below"), b.Below); ok {
			f.check(level.Cmp(below) < 0, join(field, "below"), fmt.Sprintf("is %s, not below the band before", b.Below))
			below = level
		}
		if share, ok := f.share(join(field, "credit"), b.Credit); ok {
			f.check(share.Cmp(credit) > 0, join(field, "credit"), fmt.Sprintf("is %s, not more than the band before", b.Credit))
			credit = share
		}
	}
	if t.PeriodCap != "" {
		f.share("period_cap", t.PeriodCap)
	}
	f.amount("year_cap", t.YearCap)
	f.places("places", t.Places)
	f.check(t.YearCap != "" || t.YearFrom.IsZero(), "year_from", "goes with year_cap only")
	return f.err()
}

// Credits returns what is still to be credited for the levels reached, in their
// order, given all that was credited before. Credit it and keep it, and the same
// question has an empty answer: nothing is credited twice. A level for which
// nothing was counted is not missed. A credit of which the caps leave nothing is
// returned too, so that it is known and not asked for again.
//
// If a level turns out later to have been another, what was credited stays: a
// correction is for people to make.
//
// It returns an [ErrInvalid] with everything that is wrong: among it periods of
// the same metric that overlap without being the same, for they would credit some
// of the time twice, and the same period with two levels or fees.
func (t CreditTerms) Credits(reached []Reached, given []Credit) ([]Credit, error) {
	var f findings
	f.add("terms", t.Validate())
	for i, r := range reached {
		field := fmt.Sprintf("reached[%d]", i)
		f.check(r.Agreement != "", join(field, "agreement"), "must be given")
		f.check(r.Metric != "", join(field, "metric"), "must be given")
		f.period(join(field, "period"), r.Period)
		f.fraction(join(field, "level"), r.Level)
		f.amount(join(field, "fee"), r.Fee)
		f.check(r.Fee != "", join(field, "fee"), "must be given")
		for j, g := range given {
			f.check(!clash(r, g.Reached), join(field, "period"), fmt.Sprintf("overlaps that of given[%d]", j))
		}
		for j, s := range reached[:i] {
			f.check(!clash(r, s), join(field, "period"), fmt.Sprintf("overlaps that of reached[%d]", j))
			f.check(!r.same(s) || !r.Period.Equal(s.Period) || r.Level == s.Level && r.Fee == s.Fee, field,
				fmt.Sprintf("says something else than reached[%d]", j))
		}
	}
	for i, g := range given {
		f.amount(fmt.Sprintf("given[%d].amount", i), g.Amount)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	all := given[:len(given):len(given)] // appending to it does not write into given
	for _, r := range reached {
		if c, ok := t.credit(r, all); ok {
			all = append(all, c)
		}
	}
	return append([]Credit(nil), all[len(given):]...), nil
}

// clash reports whether two credits would be for some of the same time without
// being for the same period.
func clash(r, s Reached) bool {
	return r.same(s) && r.Period.overlaps(s.Period) && !r.Period.Equal(s.Period)
}

// credit returns the credit for a level, if it was missed and none was given.
func (t *CreditTerms) credit(r Reached, given []Credit) (Credit, bool) {
	band, ok := t.band(r.Level)
	if !ok {
		return Credit{}, false
	}
	fee, _ := r.Fee.Rat() // all numbers were checked
	inPeriod, inYear := new(big.Rat), new(big.Rat)
	for _, g := range given {
		if g.Agreement != r.Agreement {
			continue
		}
		if g.same(r) && g.Period.Equal(r.Period) {
			return Credit{}, false
		}
		amount, _ := g.Amount.Rat()
		if g.Period.Equal(r.Period) {
			inPeriod.Add(inPeriod, amount)
		}
		if t.year(g.Period.From).Equal(t.year(r.Period.From)) {
			inYear.Add(inYear, amount)
		}
	}
	share, _ := band.Credit.Rat()
	full := t.round(percentOf(share, fee))
	c := Credit{Reached: r, Below: band.Below, Percent: band.Credit, Full: NewDecimal(full, t.Places)}
	amount := full
	limit := func(by string, most *big.Rat) {
		if amount.Cmp(most) > 0 {
			amount, c.CappedBy = most, by
		}
	}
	periodCap := hundred()
	if t.PeriodCap != "" {
		periodCap, _ = t.PeriodCap.Rat()
	}
	limit("period", t.left(percentOf(periodCap, fee), inPeriod))
	if t.YearCap != "" {
		most, _ := t.YearCap.Rat()
		limit("year", t.left(most, inYear))
	}
	c.Amount = NewDecimal(amount, t.Places)
	return c, true
}

// band returns the last band that a level is below.
func (t *CreditTerms) band(level Fraction) (band CreditBand, ok bool) {
	for _, b := range t.Bands {
		if reaches, _ := level.Reaches(b.Below); reaches || !level.Defined() {
			break
		}
		band, ok = b, true
	}
	return band, ok
}

// left returns what a cap leaves, rounded down to what can be paid.
func (t *CreditTerms) left(most, spent *big.Rat) *big.Rat {
	left := new(big.Rat).Sub(most, spent)
	if left.Sign() <= 0 {
		return new(big.Rat)
	}
	unit := pow10(t.Places)
	left.Mul(left, new(big.Rat).SetInt(unit))
	return new(big.Rat).SetFrac(new(big.Int).Quo(left.Num(), left.Denom()), unit)
}

func (t *CreditTerms) round(amount *big.Rat) *big.Rat {
	r, _ := NewDecimal(amount, t.Places).Rat()
	return r
}

// year returns when the year began that an instant is in.
func (t *CreditTerms) year(at time.Time) time.Time {
	from := t.YearFrom
	if from.IsZero() {
		return time.Date(at.Year(), time.January, 1, 0, 0, 0, 0, at.Location())
	}
	n := at.In(from.Location()).Year() - from.Year()
	if from.AddDate(n, 0, 0).After(at) {
		n--
	}
	return from.AddDate(n, 0, 0)
}
