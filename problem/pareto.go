package problem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A Pareto analysis sorts kinds of trouble by how much they weigh, to find the vital few.
// What is most frequent need not be what hurts most, so it sorts by both.
type Pareto struct {
	Title string       `json:"title"`
	Items []ParetoItem `json:"items"`
}

// A ParetoItem is one kind of trouble.
type ParetoItem struct {
	Name string `json:"name"`
	// Count is how often it came.
	Count int64 `json:"count"`
	// Impact is what it cost, in the unit that the host counts in: minutes, money.
	Impact int64 `json:"impact,omitempty"`
}

// A Share is an item with its place in the order.
type Share struct {
	ParetoItem
	// Weight is its count or its impact, of the whole, and Cumulated that of all down to
	// it.
	Weight    sla.Fraction `json:"weight"`
	Cumulated sla.Fraction `json:"cumulated"`
}

// maxWeight keeps sums far from what an int64 holds.
const maxWeight = 1 << 40

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the items.
func (p Pareto) Validate() error {
	var v itsm.Validation
	v.Text("title", p.Title, 1, maxNote)
	v.Check(len(p.Items) > 0 && len(p.Items) <= maxItems, "items", fmt.Sprintf("must be 1 to %d", maxItems))
	seen := map[string]bool{}
	for i, item := range p.Items {
		at := fmt.Sprintf("items[%d]", i)
		v.Text(at+".name", item.Name, 1, maxName)
		v.Check(!seen[item.Name], at+".name", fmt.Sprintf("%q is there twice", item.Name))
		seen[item.Name] = true
		v.Check(item.Count >= 0 && item.Count <= maxWeight, at+".count", "must be 0 to 2^40")
		v.Check(item.Impact >= 0 && item.Impact <= maxWeight, at+".impact", "must be 0 to 2^40")
	}
	return v.Err()
}

func byCount(i ParetoItem) int64  { return i.Count }
func byImpact(i ParetoItem) int64 { return i.Impact }

// ByCount returns the items by how often they came, the most frequent first.
func (p Pareto) ByCount() []Share { return p.by(byCount) }

// ByImpact returns the items by what they cost, the dearest first.
func (p Pareto) ByImpact() []Share { return p.by(byImpact) }

func (p Pareto) by(weight func(ParetoItem) int64) []Share {
	items := slices.Clone(p.Items)
	slices.SortFunc(items, func(a, b ParetoItem) int {
		return cmp.Or(cmp.Compare(weight(b), weight(a)), strings.Compare(a.Name, b.Name))
	})
	var whole, sum int64
	for _, item := range items {
		whole += weight(item)
	}
	var all []Share
	for _, item := range items {
		sum += weight(item)
		all = append(all, Share{item, sla.Fraction{Part: weight(item), Of: whole}, sla.Fraction{Part: sum, Of: whole}})
	}
	return all
}

// Vital returns the fewest of the shares, from the first on, that together make at
// least so many percent of the whole; 80 is usual. Of nothing there is none.
func Vital(shares []Share, percent int) []Share {
	for i, s := range shares {
		if s.Weight.Part == 0 {
			return shares[:i]
		}
		if s.Cumulated.Part*100 >= s.Cumulated.Of*int64(percent) {
			return shares[:i+1]
		}
	}
	return shares
}

// vitalPercent is where the vital few are told from the useful many.
const vitalPercent = 80

// impacts reports whether it is known what the items cost.
func (p Pareto) impacts() bool {
	return slices.ContainsFunc(p.Items, func(i ParetoItem) bool { return i.Impact > 0 })
}

// Marks says whether it is known what the items cost, and whether what is most frequent
// is something else than what costs most.
func (p Pareto) Marks() []Mark {
	if len(p.Items) == 0 {
		return nil
	}
	if !p.impacts() {
		return []Mark{{"items", "say nothing about impact: what is frequent need not be what hurts"}}
	}
	if often, dear := p.ByCount()[0].Name, p.ByImpact()[0].Name; often != dear {
		return []Mark{{"items", fmt.Sprintf("differ by count and by impact: %q comes most often, %q costs most", often, dear)}}
	}
	return nil
}

// Mermaid draws bars by count, and, if that is known, by impact in percent of the whole.
func (p Pareto) Mermaid() string {
	var b strings.Builder
	shares, what := p.ByCount(), "count"
	if p.impacts() {
		shares, what = p.ByImpact(), "impact"
	}
	var names, weights, sums []string
	for _, s := range shares {
		names = append(names, `"`+label(s.Name)+`"`)
		weights = append(weights, percentOf(s.Weight))
		sums = append(sums, percentOf(s.Cumulated))
	}
	fmt.Fprintf(&b, "xychart-beta\n    title \"%s\"\n    x-axis [%s]\n    y-axis \"%s, percent\" 0 --> 100\n    bar [%s]\n    line [%s]\n",
		label(p.Title), strings.Join(names, ", "), what, strings.Join(weights, ", "), strings.Join(sums, ", "))
	return b.String()
}

func percentOf(f sla.Fraction) string {
	if !f.Defined() {
		return "0"
	}
	return f.Percent(1)
}

// String prints both orders, and where the vital few end.
func (p Pareto) String() string {
	var b strings.Builder
	b.WriteString(oneLine(p.Title) + "\n")
	table := func(what string, shares []Share) {
		fmt.Fprintf(&b, "  by %s:\n", what)
		vital := len(Vital(shares, vitalPercent))
		for i, s := range shares {
			mark := " "
			if i < vital {
				mark = "*"
			}
			fmt.Fprintf(&b, "  %s %s: %d, %s %%, together %s %%\n", mark, oneLine(s.Name), s.Weight.Part, percentOf(s.Weight), percentOf(s.Cumulated))
		}
	}
	table("count", p.ByCount())
	if p.impacts() {
		table("impact", p.ByImpact())
	}
	for _, m := range p.Marks() {
		fmt.Fprintf(&b, "  ! %s\n", m)
	}
	return b.String()
}
