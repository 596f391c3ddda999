package sla

import (
	"fmt"
	"math/big"
	"strings"
	"time"
)

// An Arrangement says how many parts of a whole have to be up for the whole to be
// up.
type Arrangement string

const (
	// InSeries needs all of its parts.
	InSeries Arrangement = "series"
	// InParallel needs one of them.
	InParallel Arrangement = "parallel"
	// KOutOfN needs so many as Needed says.
	KOutOfN Arrangement = "k_of_n"
)

// A Part is something whose availability follows from that of its own parts, or
// is known: a block of a reliability block diagram, as a value that can be put
// together and stored.
//
//	shop := Series("shop",
//		Single("network", "99.9"),
//		KOfN("web", 2, Single("web 1", "99"), Single("web 2", "99"), Single("web 3", "99")),
//		Parallel("database", Single("first", "99.5"), Single("second", "99.5")))
//
// The figures hold under conditions that are seldom met in full:
//
//   - Parts fail independently. Two servers in one rack, or with the same faulty
//     software, do not; then the real figure is lower.
//   - The other part takes over at once. If it takes a minute, that minute is
//     downtime that no formula here knows of: put the switch in series as a part.
//   - Parts that stand in for each other are in parallel. To multiply their
//     availabilities, as if they were in series, is a common mistake.
//   - A part that does two things is one part, wherever it is drawn: named twice,
//     it is taken for two.
type Part struct {
	// Name is for people.
	Name string `json:"name,omitempty"`
	// Percent is the availability of a part that has none of its own, from 0 to
	// 100.
	Percent Decimal `json:"percent,omitempty"`
	// Arrangement is that of the parts Of which it consists.
	Arrangement Arrangement `json:"arrangement,omitempty"`
	// Needed is for KOutOfN: how many have to be up.
	Needed int    `json:"needed,omitempty"`
	Of     []Part `json:"of,omitempty"`
}

// Single returns a part of which the availability is known, in percent.
func Single(name string, percent Decimal) Part { return Part{Name: name, Percent: percent} }

// Series returns a part that is up while all of its parts are: its availability
// is the product of theirs.
func Series(name string, of ...Part) Part {
	return Part{Name: name, Arrangement: InSeries, Of: of}
}

// Parallel returns a part that is up while at least one of its parts is: it is
// down when all of them are.
func Parallel(name string, of ...Part) Part {
	return Part{Name: name, Arrangement: InParallel, Of: of}
}

// KOfN returns a part that is up while at least k of its parts are. They may
// differ in availability.
func KOfN(name string, k int, of ...Part) Part {
	return Part{Name: name, Arrangement: KOutOfN, Needed: k, Of: of}
}

// maxParts bounds the parts of a whole, so that its availability is computed in
// less than a second.
const maxParts = 1000

// A scaled number is n/10^scale. Products and sums of these stay exact without
// the common divisors that a big.Rat looks for at each step.
type scaled struct {
	n     *big.Int
	scale int
}

func (s scaled) rat() *big.Rat { return new(big.Rat).SetFrac(s.n, pow10(s.scale)) }

// not returns 1 - s.
func (s scaled) not() scaled { return scaled{new(big.Int).Sub(pow10(s.scale), s.n), s.scale} }

// Validate returns an [ErrInvalid] with everything that is wrong: a part with
// both a percentage and parts or with neither, an unknown arrangement, more parts
// needed than there are, more than 1,000 in all or deeper than 100.
func (p Part) Validate() error {
	var f findings
	all := 0
	p.validate(&f, "", &all, 0)
	f.check(all <= maxParts, "of", fmt.Sprintf("must have at most %d parts in all", maxParts))
	return f.err()
}

func (p *Part) validate(f *findings, field string, all *int, depth int) {
	if *all++; *all > maxParts {
		return
	}
	if depth == 100 {
		f.check(false, field, "is too deep")
		return
	}
	if p.Arrangement == "" {
		percent := f.amount(join(field, "percent"), p.Percent)
		f.check(p.Percent != "", join(field, "percent"), "must be given for a part without parts")
		f.check(percent.Cmp(hundred()) <= 0, join(field, "percent"), "must be at most 100")
		f.check(len(p.Of) == 0, join(field, "of"), "needs an arrangement")
		f.check(p.Needed == 0, join(field, "needed"), "goes with k_of_n only")
		return
	}
	f.check(p.Percent == "", join(field, "percent"), "follows from the parts and must not be given")
	f.check(len(p.Of) > 0, join(field, "of"), "must have a part")
	switch p.Arrangement {
	case InSeries, InParallel:
		f.check(p.Needed == 0, join(field, "needed"), "goes with k_of_n only")
	case KOutOfN:
		f.check(p.Needed >= 1 && p.Needed <= len(p.Of), join(field, "needed"), fmt.Sprintf("must be 1 to %d, is %d", len(p.Of), p.Needed))
	default:
		f.check(false, join(field, "arrangement"), fmt.Sprintf("must be series, parallel or k_of_n, is %q", p.Arrangement))
	}
	for i := range p.Of {
		p.Of[i].validate(f, fmt.Sprintf("%s[%d]", join(field, "of"), i), all, depth+1)
	}
}

// Availability returns the exact probability that the part is up, from 0 to 1.
// It returns the [ErrInvalid] of [Part.Validate].
func (p Part) Availability() (*big.Rat, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p.up().rat(), nil
}

func (p *Part) up() scaled {
	switch p.Arrangement {
	case InSeries:
		return p.all(scaled.self)
	case InParallel:
		return p.all(scaled.not).not()
	case KOutOfN:
		return p.atLeast(p.Needed)
	}
	percent, _ := p.Percent.Rat() // it was validated
	scale := p.Percent.places() + 2
	return scaled{percent.Mul(percent, new(big.Rat).SetInt(pow10(scale-2))).Num(), scale}
}

func (s scaled) self() scaled { return s }

// all returns the product of something of all parts.
func (p *Part) all(of func(scaled) scaled) scaled {
	product := scaled{big.NewInt(1), 0}
	for i := range p.Of {
		s := of(p.Of[i].up())
		product = scaled{product.n.Mul(product.n, s.n), product.scale + s.scale}
	}
	return product
}

// atLeast takes one part after the other and keeps the probabilities that none,
// one, two … and k or more of those so far are up.
func (p *Part) atLeast(k int) scaled {
	have := make([]*big.Int, k+1)
	for i := range have {
		have[i] = new(big.Int)
	}
	have[0].SetInt64(1)
	scale, t := 0, new(big.Int)
	for i := range p.Of {
		up := p.Of[i].up()
		down := up.not()
		scale += up.scale
		have[k].Mul(have[k], pow10(up.scale)) // enough stays enough
		have[k].Add(have[k], t.Mul(have[k-1], up.n))
		for j := k - 1; j >= 0; j-- {
			have[j].Mul(have[j], down.n)
			if j > 0 {
				have[j].Add(have[j], t.Mul(have[j-1], up.n))
			}
		}
	}
	return scaled{have[k], scale}
}

// Explain returns the part and its parts as an indented list, each with its
// availability in percent and what that means as downtime in 30 days, both
// rounded. It returns the [ErrInvalid] of [Part.Validate].
func (p Part) Explain() (string, error) {
	if err := p.Validate(); err != nil {
		return "", err
	}
	var b strings.Builder
	p.explain(&b, 0)
	return b.String(), nil
}

func (p *Part) explain(b *strings.Builder, depth int) {
	up := p.up()
	percent := new(big.Rat).Mul(up.rat(), hundred())
	down := new(big.Rat).Mul(up.not().rat(), new(big.Rat).SetInt64(int64(30*24*time.Hour/time.Second)))
	seconds, _ := down.Float64()
	how := ""
	switch p.Arrangement {
	case InSeries:
		how = ", all needed"
	case InParallel:
		how = ", one needed"
	case KOutOfN:
		how = fmt.Sprintf(", %d of %d needed", p.Needed, len(p.Of))
	}
	name := oneLine(p.Name)
	if name == "" {
		name = "part"
	}
	fmt.Fprintf(b, "%s%s: %s %%, down %s in 30 days%s\n", strings.Repeat("  ", depth), name,
		NewDecimal(percent, 6), short(time.Duration(seconds*float64(time.Second)).Round(time.Second)), how)
	for i := range p.Of {
		p.Of[i].explain(b, depth+1)
	}
}
