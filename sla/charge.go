package sla

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
)

// A ChargingModel says how prices come about (ITIL's service financial
// management knows these five).
type ChargingModel string

const (
	// NotCharged shows what would be due and bills nothing: notional charging,
	// or showback.
	NotCharged ChargingModel = "none"
	// AtCost bills what it costs; the prices of elements are their costs.
	AtCost ChargingModel = "cost"
	// CostPlus adds a margin to the costs of elements.
	CostPlus ChargingModel = "cost_plus"
	// FixedPrice bills prices that were agreed for a time.
	FixedPrice ChargingModel = "fixed"
	// MarketPrice bills what others ask for the same.
	MarketPrice ChargingModel = "market"
)

// ChargingModels lists the models.
func ChargingModels() []ChargingModel {
	return []ChargingModel{NotCharged, AtCost, CostPlus, FixedPrice, MarketPrice}
}

// A Consumption is what one customer consumed of one service in the period that
// is billed, in both languages: what IT counts, and what was agreed.
type Consumption struct {
	Service string `json:"service"`
	// Elements are quantities of IT elements: hours of processors, licences,
	// gigabytes.
	Elements map[string]Decimal `json:"elements,omitempty"`
	// Level is the service level that was agreed: gold, silver, bronze. Users
	// is for how many.
	Level string `json:"level"`
	Users int64  `json:"users"`
}

// A LevelPrice is what a service costs at one level.
type LevelPrice struct {
	// PerService is for the service as such, PerUser for each user.
	PerService Decimal `json:"per_service,omitempty"`
	PerUser    Decimal `json:"per_user,omitempty"`
}

// A Tariff has the prices of a period, in one currency: those of IT elements
// beside those of service levels.
type Tariff struct {
	Model ChargingModel `json:"model"`
	// Margin is in percent of the costs of elements, for CostPlus only.
	Margin Decimal `json:"margin,omitempty"`
	// Elements are prices of one unit of each element.
	Elements map[string]Decimal `json:"elements"`
	// Levels are prices of each level.
	Levels map[string]LevelPrice `json:"levels"`
	// Places is how many digits behind the point amounts of the currency have.
	Places int `json:"places"`
}

// A Charge is what one service is charged in both ways.
type Charge struct {
	Service string `json:"service"`
	// ByElement adds up what IT used: exact, and out of the customer's hands.
	ByElement Decimal `json:"by_element"`
	// ByLevel is the price of the level: the customer can foresee it, and trade
	// level against cost.
	ByLevel Decimal `json:"by_level"`
	// Difference is ByLevel without ByElement: what the provider gains, or loses
	// if it is negative, by charging for the service instead.
	Difference Decimal `json:"difference"`
}

// Charges are all charges of a period, and their sum.
type Charges struct {
	// Billed says whether they are due, or only shown.
	Billed bool     `json:"billed"`
	Rows   []Charge `json:"rows"`
	Total  Charge   `json:"total"`
}

// Validate returns an [ErrInvalid] with everything that is wrong.
func (t Tariff) Validate() error {
	var f findings
	f.check(slices.Contains(ChargingModels(), t.Model), "model", fmt.Sprintf("must be one of %v, is %q", ChargingModels(), t.Model))
	f.amount("margin", t.Margin)
	f.check((t.Margin != "") == (t.Model == CostPlus), "margin", "must be given with cost_plus, and only then")
	for _, name := range slices.Sorted(maps.Keys(t.Elements)) {
		f.amount("elements."+name, t.Elements[name])
	}
	for _, name := range slices.Sorted(maps.Keys(t.Levels)) {
		f.amount("levels."+name+".per_service", t.Levels[name].PerService)
		f.amount("levels."+name+".per_user", t.Levels[name].PerUser)
	}
	f.places("places", t.Places)
	return f.err()
}

// Charge charges the same consumption by IT element and by service level, to
// show the difference. Each service's amount is computed exactly and rounded once,
// halves up; the total is the sum of the rounded ones, so that an invoice adds up.
// The same service may be there more than once, for several customers.
//
// It returns an [ErrInvalid] with everything that is wrong, and with everything
// that has no price: what is not known is not free.
func (t Tariff) Charge(consumed []Consumption) (Charges, error) {
	var f findings
	f.add("tariff", t.Validate())
	rows := make([]Charge, 0, len(consumed))
	margin, _ := t.Margin.Rat()
	if margin == nil {
		margin = new(big.Rat) // it was found to be wrong
	}
	factor := new(big.Rat).Add(hundred(), margin)
	total := [2]*big.Rat{new(big.Rat), new(big.Rat)}
	for i, c := range consumed {
		field := fmt.Sprintf("consumed[%d]", i)
		f.check(c.Users >= 0, join(field, "users"), "must not be negative")
		elements := new(big.Rat)
		for _, name := range slices.Sorted(maps.Keys(c.Elements)) {
			field := join(field, "elements."+name)
			price, ok := t.Elements[name]
			f.check(ok, field, "has no price")
			quantity := f.amount(field, c.Elements[name])
			if unit, err := price.Rat(); err == nil {
				elements.Add(elements, quantity.Mul(quantity, unit))
			}
		}
		elements = percentOf(factor, elements)
		price, ok := t.Levels[c.Level]
		f.check(ok, join(field, "level"), fmt.Sprintf("has no price: %q", c.Level))
		level, err1 := price.PerService.Rat()
		perUser, err2 := price.PerUser.Rat()
		if err1 == nil && err2 == nil {
			level.Add(level, perUser.Mul(perUser, new(big.Rat).SetInt64(c.Users)))
			rows = append(rows, t.charge(c.Service, elements, level))
			last := rows[len(rows)-1]
			for j, d := range []Decimal{last.ByElement, last.ByLevel} {
				amount, _ := d.Rat()
				total[j].Add(total[j], amount)
			}
		}
	}
	if err := f.err(); err != nil {
		return Charges{}, err
	}
	return Charges{Billed: t.Model != NotCharged, Rows: rows, Total: t.charge("", total[0], total[1])}, nil
}

func (t *Tariff) charge(service string, element, level *big.Rat) Charge {
	c := Charge{Service: service, ByElement: NewDecimal(element, t.Places), ByLevel: NewDecimal(level, t.Places)}
	a, _ := c.ByElement.Rat()
	b, _ := c.ByLevel.Rat()
	c.Difference = NewDecimal(b.Sub(b, a), t.Places)
	return c
}

// Text returns the charges as a table for people.
func (c Charges) Text() string {
	rows := [][]string{{"service", "by element", "by level", "difference"}}
	for _, r := range c.Rows {
		rows = append(rows, r.line(r.Service))
	}
	text := columns(1, append(rows, c.Total.line("total")))
	if !c.Billed {
		text += "not billed, for information only\n"
	}
	return text
}

// CSV returns the charges for other programs, in the manner of [Report.CSV].
func (c Charges) CSV() string {
	rows := [][]string{{"scope", "service", "by_element", "by_level", "difference"}}
	for _, r := range c.Rows {
		rows = append(rows, append([]string{"row"}, r.line(csvCell(r.Service))...))
	}
	return csvText(append(rows, append([]string{"total"}, c.Total.line("")...)))
}

func (c Charge) line(name string) []string {
	return []string{name, string(c.ByElement), string(c.ByLevel), string(c.Difference)}
}
