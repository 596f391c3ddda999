package request

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
	"github.com/go-itsm/itsm/sla"
)

// A Period is how often a price has to be paid.
type Period string

// Periods. Once is the zero value.
const (
	Once    Period = ""
	Monthly Period = "month"
	Yearly  Period = "year"
)

// Periods lists them.
func Periods() []Period { return []Period{Once, Monthly, Yearly} }

// An Amount is a sum of money that is paid once or again and again.
type Amount struct {
	// Value is exact, and not negative. [sla.Decimal]
	Value sla.Decimal `json:"value"`
	// Currency is three capital letters (ISO 4217): "EUR".
	Currency string `json:"currency"`
	Per      Period `json:"per,omitempty"`
}

// String returns "9.90 EUR a month".
func (a Amount) String() string {
	text := string(a.Value) + " " + a.Currency
	if a.Per != Once {
		text += " a " + string(a.Per)
	}
	return text
}

// A Price is what something costs: at most one amount for each currency and period.
// The empty price is free.
type Price []Amount

// String lists the amounts; "free" if there are none.
func (p Price) String() string {
	if len(p) == 0 {
		return "free"
	}
	parts := make([]string, len(p))
	for i, a := range p {
		parts[i] = a.String()
	}
	return strings.Join(parts, " + ")
}

// maxPrice is the most amounts of a price, and maxPlaces the most digits behind the
// point of one.
const (
	maxPrice  = 20
	maxPlaces = 9
	maxDigits = 15
)

func (p Price) validate(v *itsm.Validation, path string) {
	v.Check(len(p) <= maxPrice, path, fmt.Sprintf("must have at most %d amounts", maxPrice))
	for i, a := range p {
		at := fmt.Sprintf("%s[%d]", path, i)
		r, err := a.Value.Rat()
		whole, behind, _ := strings.Cut(string(a.Value), ".")
		switch {
		case err != nil || a.Value == "":
			v.Check(false, at+".value", notDecimal)
		default:
			v.Check(r.Sign() >= 0, at+".value", "must not be negative")
			v.Check(len(whole) <= maxDigits && len(behind) <= maxPlaces, at+".value",
				fmt.Sprintf("must have at most %d digits before and %d behind the point", maxDigits, maxPlaces))
		}
		v.Check(len(a.Currency) == 3 && strings.Trim(a.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "", at+".currency", "must be three capital letters, such as EUR")
		v.Check(slices.Contains(Periods(), a.Per), at+".per", fmt.Sprintf("must be month, year or empty, is %q", short.Text(a.Per)))
		v.Check(!slices.ContainsFunc(p[:i], a.adds), at, "has the currency and period of another amount")
	}
}

// adds reports whether two amounts can be added.
func (a Amount) adds(b Amount) bool { return a.Currency == b.Currency && a.Per == b.Per }

// Total adds prices, exactly: amounts of one currency and period become one, with
// as many places as the part that has most. They are in the order of their
// currencies and periods. What is no decimal counts nothing: a catalogue has none.
func Total(prices ...Price) Price {
	var total Price
	for _, a := range slices.Concat(prices...) {
		i := slices.IndexFunc(total, a.adds)
		if i < 0 {
			total = append(total, a)
			continue
		}
		if sum, err := sla.Sum(total[i].Value, a.Value); err == nil {
			total[i].Value = sum
		}
	}
	slices.SortStableFunc(total, func(a, b Amount) int {
		return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(slices.Index(Periods(), a.Per), slices.Index(Periods(), b.Per)))
	})
	return total
}

// Times returns the price of so many, exactly.
func (p Price) Times(quantity int) Price {
	if len(p) == 0 {
		return nil
	}
	many := make(Price, len(p))
	for i, a := range p {
		many[i] = a
		if r, err := a.Value.Rat(); err == nil {
			_, behind, _ := strings.Cut(string(a.Value), ".")
			many[i].Value = sla.NewDecimal(r.Mul(r, big.NewRat(int64(quantity), 1)), len(behind))
		}
	}
	return many
}

// reaches reports whether some amount is at least the limit of its currency and
// period.
func (p Price) reaches(limits Price) bool {
	for _, limit := range limits {
		i := slices.IndexFunc(p, limit.adds)
		if i < 0 {
			continue
		}
		have, err := p[i].Value.Rat()
		least, errLeast := limit.Value.Rat()
		if err == nil && errLeast == nil && have.Cmp(least) >= 0 {
			return true
		}
	}
	return false
}
