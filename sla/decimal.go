package sla

import (
	"cmp"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
	"time"
)

// A Decimal is an exact number as text: "99.9", "-12.50". Money, prices, and the
// percentages that people agree on are decimals, so that nothing is lost in
// binary floating point, in a struct as in JSON. Two of them may be the same
// number and differ as text, as "10" and "10.00" do.
//
// It has an optional minus sign, up to 40 digits without needless zeros in
// front, and up to 40 digits behind a point. The empty decimal is 0 where a field
// may be left out. Every function that takes decimals checks them.
type Decimal string

// maxDigits bounds both sides of the point, so that text from outside cannot
// make arithmetic slow.
const maxDigits = 40

// NewDecimal returns a number with so many digits behind the point, from 0 to
// 40. Halves are rounded away from zero, as is usual with money: 0.125 with two
// places is 0.13, and -0.125 is -0.13. A nil number is the empty decimal.
func NewDecimal(r *big.Rat, places int) Decimal {
	if r == nil {
		return ""
	}
	s := r.FloatString(min(max(places, 0), maxDigits))
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-") // there is no -0.00
	}
	return Decimal(s)
}

// Rat returns the number, or an [ErrInvalid] for text that is none.
func (d Decimal) Rat() (*big.Rat, error) {
	if d == "" {
		return new(big.Rat), nil
	}
	whole, behind, point := strings.Cut(strings.TrimPrefix(string(d), "-"), ".")
	ok := onlyDigits(whole) && (whole[0] != '0' || len(whole) == 1)
	if point {
		ok = ok && onlyDigits(behind)
	}
	if !ok {
		return nil, &Finding{Reason: `must be a decimal number such as "12.50", with up to 40 digits before and behind the point`}
	}
	r, _ := new(big.Rat).SetString(string(d)) // which takes all that is left
	return r, nil
}

func onlyDigits(s string) bool {
	return s != "" && len(s) <= maxDigits && strings.Trim(s, "0123456789") == ""
}

// places returns how many digits are behind the point.
func (d Decimal) places() int {
	_, behind, _ := strings.Cut(string(d), ".")
	return len(behind)
}

// decimal checks a number and returns it, 0 if it is none.
func (f *findings) decimal(field string, d Decimal) *big.Rat {
	r, err := d.Rat()
	if err != nil {
		f.add(field, err)
		return new(big.Rat)
	}
	return r
}

// amount is decimal for numbers that must not be negative.
func (f *findings) amount(field string, d Decimal) *big.Rat {
	r := f.decimal(field, d)
	f.check(r.Sign() >= 0, field, "must not be negative")
	return r
}

// percent is decimal for percentages that somebody agreed on, and says whether it
// is one. Those below 1 are refused: they are fractions that were taken for
// percentages.
func (f *findings) percent(field string, d Decimal) (*big.Rat, bool) {
	before := len(*f)
	r := f.decimal(field, d)
	if len(*f) == before {
		f.check(r.Cmp(big.NewRat(1, 1)) >= 0 && r.Cmp(hundred()) <= 0, field, fmt.Sprintf("must be in percent, from 1 to 100, is %q", d))
		f.check(d.places() <= 12, field, "must have at most 12 places")
	}
	return r, len(*f) == before
}

// share is decimal for a percentage that may be small.
func (f *findings) share(field string, d Decimal) (*big.Rat, bool) {
	before := len(*f)
	r := f.decimal(field, d)
	if len(*f) == before {
		f.check(r.Sign() > 0 && r.Cmp(hundred()) <= 0, field, fmt.Sprintf("must be in percent, more than 0 and at most 100, is %q", d))
	}
	return r, len(*f) == before
}

func (f *findings) places(field string, n int) {
	f.check(n >= 0 && n <= 9, field, "must be 0 to 9")
}

func hundred() *big.Rat { return big.NewRat(100, 1) }

// percentOf returns a share of a number: 10 % of 80 is 8.
func percentOf(percent, of *big.Rat) *big.Rat {
	r := new(big.Rat).Mul(percent, of)
	return r.Quo(r, hundred())
}

// exactly writes a number whose places are known to be enough, without needless
// zeros at its end.
func exactly(r *big.Rat) Decimal {
	s := string(NewDecimal(r, maxDigits))
	return Decimal(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
}

// Sum adds decimals exactly. The sum has as many places as the part that has
// most. It returns an [ErrInvalid] with every part that is no number.
func Sum(parts ...Decimal) (Decimal, error) {
	var f findings
	sum, places := new(big.Rat), 0
	for i, d := range parts {
		sum.Add(sum, f.decimal(fmt.Sprintf("[%d]", i), d))
		places = max(places, d.places())
	}
	if err := f.err(); err != nil {
		return "", err
	}
	return NewDecimal(sum, places), nil
}

// Split divides an amount by weights into parts with so many places that add up
// to it to the last digit: each part is rounded down, and what is left goes, one
// smallest unit each, to the parts that lost most, the first of them if they lost
// the same (the method of largest remainders). It returns an [ErrInvalid] with
// everything that is wrong: an amount that is negative or has more places,
// negative weights, or no weight above 0.
func Split(total Decimal, places int, weights ...Decimal) ([]Decimal, error) {
	var f findings
	whole := f.amount("total", total)
	f.places("places", places)
	sum, of := new(big.Rat), make([]*big.Rat, len(weights))
	for i, w := range weights {
		of[i] = f.amount(fmt.Sprintf("weights[%d]", i), w)
		sum.Add(sum, of[i])
	}
	f.check(sum.Sign() > 0, "weights", "must have one above 0")
	unit := new(big.Rat).SetInt(pow10(places))
	units := new(big.Rat).Mul(whole, unit)
	f.check(units.IsInt(), "total", fmt.Sprintf("must have at most %d places", places))
	if err := f.err(); err != nil {
		return nil, err
	}
	left := new(big.Int).Set(units.Num())
	parts, lost := make([]*big.Int, len(weights)), make([]*big.Rat, len(weights))
	for i := range of {
		share := of[i].Quo(of[i].Mul(of[i], units), sum)
		parts[i] = new(big.Int).Quo(share.Num(), share.Denom())
		lost[i] = share.Sub(share, new(big.Rat).SetInt(parts[i]))
		left.Sub(left, parts[i])
	}
	one := big.NewInt(1)
	for ; left.Sign() > 0; left.Sub(left, one) { // less often than there are parts
		most := 0
		for i := range lost {
			if lost[i].Cmp(lost[most]) > 0 {
				most = i
			}
		}
		parts[most].Add(parts[most], one)
		lost[most] = new(big.Rat).SetInt64(-1)
	}
	split := make([]Decimal, len(parts))
	for i, p := range parts {
		split[i] = NewDecimal(new(big.Rat).Quo(new(big.Rat).SetInt(p), unit), places)
	}
	return split, nil
}

func pow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, 0))), nil)
}

// A Fraction says how many of how many, exactly: 239 of 240 goals met, or so many
// nanoseconds of so many. Of nothing there is no fraction: it is undefined,
// neither 0 nor 100 percent. To put fractions together, add the parts and the
// wholes; the mean of percentages is the wrong number wherever the wholes differ.
type Fraction struct {
	Part int64 `json:"part"`
	Of   int64 `json:"of"`
}

// Defined reports whether there is anything that it is a part of.
func (f Fraction) Defined() bool { return f.Of > 0 }

// Count counts one more, which is a part of it or not.
func (f *Fraction) Count(is bool) {
	f.Of++
	if is {
		f.Part++
	}
}

// Percent returns the fraction in percent with so many digits behind the point,
// or "undefined". It is rounded down, so that 100 is not printed for less than all
// of it, and no agreed level looks reached that was not.
func (f Fraction) Percent(places int) string {
	if !f.Defined() {
		return "undefined"
	}
	places = min(max(places, 0), maxDigits)
	n := new(big.Int).Mul(big.NewInt(f.Part), pow10(places+2))
	// Div rounds down as long as the divisor is positive, as it is.
	n.Div(n, big.NewInt(f.Of))
	return string(NewDecimal(new(big.Rat).SetFrac(n, pow10(places)), places))
}

// String returns "239 of 240 (99.58 %)".
func (f Fraction) String() string {
	if !f.Defined() {
		return "undefined"
	}
	return fmt.Sprintf("%d of %d (%s %%)", f.Part, f.Of, f.Percent(2))
}

// Reaches reports whether the fraction is at least so many percent, compared
// exactly. An undefined one reaches nothing. It returns an [ErrInvalid] for text
// that is no number.
func (f Fraction) Reaches(percent Decimal) (bool, error) {
	p, err := percent.Rat()
	return err == nil && f.Defined() && f.percent().Cmp(p) >= 0, err
}

// percent returns the fraction, which must be defined, in percent.
func (f Fraction) percent() *big.Rat {
	return new(big.Rat).Mul(big.NewRat(f.Part, f.Of), hundred())
}

// fraction checks that a fraction is between nothing and all.
func (f *findings) fraction(field string, x Fraction) {
	f.check(x.Of >= 0, join(field, "of"), "must not be negative")
	f.check(x.Part >= 0 && x.Part <= max(x.Of, 0), join(field, "part"), "must be 0 to of")
}

// newFraction returns a fraction of large numbers in lowest terms, if it fits.
func newFraction(part, of *big.Int) (Fraction, bool) {
	if of.Sign() <= 0 {
		return Fraction{}, true
	}
	r := new(big.Rat).SetFrac(part, of)
	return Fraction{r.Num().Int64(), r.Denom().Int64()}, r.Num().IsInt64() && r.Denom().IsInt64()
}

// A Mean is the mean of some durations, or why there is none.
type Mean struct {
	// Value is in nanoseconds in JSON, and rounded to the millisecond.
	Value time.Duration `json:"value"`
	// Of is how many durations it is the mean of.
	Of int64 `json:"of"`
	// Undefined says why there is no mean; Value is 0 then.
	Undefined string `json:"undefined,omitempty"`
}

// Defined reports whether there is a mean.
func (m Mean) Defined() bool { return m.Undefined == "" && m.Of > 0 }

// String returns "358h30m (of 2)", or "undefined: " and why.
func (m Mean) String() string {
	switch {
	case m.Defined():
		return fmt.Sprintf("%s (of %d)", short(m.Value), m.Of)
	case m.Undefined != "":
		return "undefined: " + m.Undefined
	}
	return "undefined"
}

// short spells a duration without the zeros at its end: "4h", "1h30m".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// A Total adds durations up, without end: a million results of three hours are more
// than a time.Duration holds. The zero Total has none. It is for one goroutine.
type Total struct {
	high int64 // with low, 128 bits in two's complement
	low  uint64
	n    int64
}

// Add adds a duration, which may be negative.
func (t *Total) Add(d time.Duration) {
	var carry uint64
	t.low, carry = bits.Add64(t.low, uint64(d), 0)
	t.high += int64(d>>63) + int64(carry)
	t.n++
}

// mean returns the mean, which there is if anything was added.
func (t *Total) mean() time.Duration {
	high, low := uint64(t.high), t.low
	if t.high < 0 {
		var borrow uint64
		low, borrow = bits.Sub64(0, low, 0)
		high, _ = bits.Sub64(0, high, borrow)
	}
	// The quotient fits: it is at most the longest of the durations.
	q, _ := bits.Div64(high, low, uint64(t.n))
	mean := time.Duration(q)
	if t.high < 0 {
		mean = -mean
	}
	return mean.Round(time.Millisecond)
}

// Mean returns the mean of what was added, or says why there is none; an empty why
// says that nothing was.
func (t *Total) Mean(why string) Mean {
	if t.n == 0 {
		return Mean{Undefined: cmp.Or(why, "there are none")}
	}
	return Mean{Value: t.mean(), Of: t.n}
}

// Totals are totals by whatever they are of.
type Totals[K comparable] map[K]*Total

// Of returns the total of a key, a new one if there is none yet.
func (ts Totals[K]) Of(key K) *Total {
	if ts[key] == nil {
		ts[key] = new(Total)
	}
	return ts[key]
}
