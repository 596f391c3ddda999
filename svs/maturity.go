package svs

import (
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// A Level is a level of capability of a practice, or of maturity of the whole, from 1
// to 5. Nothing that the package computes is an official rating.
type Level int

// The levels. Level 5 everywhere is no goal: each practice has its own target.
const (
	// Level1 meets the purpose now and then.
	Level1 Level = 1
	// Level2 meets it as a matter of course.
	Level2 Level = 2
	// Level3 is defined, has means of its own, and works with other practices.
	Level3 Level = 3
	// Level4 is measured all the time, as a part of the whole.
	Level4 Level = 4
	// Level5 gets better all the time.
	Level5 Level = 5
)

// String says what a level of maturity is called, or the number of one that is none.
func (l Level) String() string {
	switch l {
	case Level1:
		return "initial"
	case Level2:
		return "managed"
	case Level3:
		return "defined"
	case Level4:
		return "quantitative"
	case Level5:
		return "optimizing"
	}
	return fmt.Sprintf("level(%d)", int(l))
}

// A Criterion is something that has to be so for a practice to have a level. The
// official ones are licensed, so a host brings its own, in its own words.
type Criterion struct {
	ID string `json:"id"`
	// Practice is the name of a [ManagementPractice], Factor the key of one of its
	// success factors, if it is about one.
	Practice  string    `json:"practice"`
	Factor    string    `json:"factor,omitempty"`
	Dimension Dimension `json:"dimension"`
	// Level is 2 to 5: level 1 asks for nothing.
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Evidence says that a criterion is met, and by what one sees it.
type Evidence struct {
	Criterion string `json:"criterion"`
	Met       bool   `json:"met"`
	// Kinds are the different kinds of evidence: "records", "interview", "document".
	Kinds []string `json:"kinds,omitempty"`
}

// Criteria is what a practice's capability is judged by, as data.
type Criteria struct {
	Criteria []Criterion `json:"criteria"`
	// Kinds is of how many different kinds evidence has to be; 0 means 3.
	Kinds int `json:"kinds,omitempty"`
}

func (c Criteria) kinds() int {
	if c.Kinds <= 0 {
		return 3
	}
	return c.Kinds
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with criteria.
func (c Criteria) Validate() error {
	var v itsm.Validation
	v.Check(c.Kinds >= 0, "kinds", "must not be negative")
	seen := map[string]bool{}
	for i, x := range c.Criteria {
		field := fmt.Sprintf("criteria[%d]", i)
		v.Text(field+".id", x.ID, 1, maxName)
		v.Check(!seen[x.ID], field+".id", "is there twice")
		seen[x.ID] = true
		p, ok := FindPractice(x.Practice)
		v.Check(ok, field+".practice", fmt.Sprintf("is none of the 34: %q", short.Text(x.Practice)))
		has := slices.ContainsFunc(p.Factors, func(f SuccessFactor) bool { return f.Key == x.Factor })
		v.Check(x.Factor == "" || len(p.Factors) == 0 || has, field+".factor", fmt.Sprintf("is none of the practice's: %q", short.Text(x.Factor)))
		v.Check(slices.Contains(Dimensions(), x.Dimension), field+".dimension", fmt.Sprintf("is none of the four: %q", short.Text(x.Dimension)))
		v.Check(x.Level >= Level2 && x.Level <= Level5, field+".level", fmt.Sprintf("must be 2 to 5, is %d", int(x.Level)))
		v.Text(field+".text", x.Text, 1, maxText)
	}
	return v.Err()
}

// A Capability is how capable a practice is.
type Capability struct {
	Practice string `json:"practice"`
	// Level is the highest for which everything holds, and everything for those
	// below.
	Level Level `json:"level"`
	// Next lists what is in the way of the level above, in the order of the criteria;
	// nothing at level 5, and nothing where there are no criteria for it.
	Next []Shortfall `json:"next,omitempty"`
	// Dimensions is the level that the practice would have if only the criteria of one
	// dimension could fail, for each that has some: the lowest is the practice's.
	Dimensions map[Dimension]Level `json:"dimensions,omitempty"`
}

// A Shortfall is a criterion that does not hold.
type Shortfall struct {
	Criterion Criterion `json:"criterion"`
	// Why is "is not met", or how many kinds of evidence are missing.
	Why string `json:"why"`
}

// Capability judges a practice by its criteria. A level holds if it has criteria, all
// of them are met with evidence of enough kinds, and the levels below hold; level 1
// always does. Of several pieces of evidence for the same criterion the last counts.
func (c Criteria) Capability(practice string, evidence []Evidence) Capability {
	last := map[string]Evidence{}
	for _, e := range evidence {
		last[e.Criterion] = e
	}
	why := func(x Criterion) string {
		e := last[x.ID]
		kinds := slices.Clone(e.Kinds)
		slices.Sort(kinds)
		n := len(slices.DeleteFunc(slices.Compact(kinds), func(k string) bool { return k == "" }))
		switch {
		case !e.Met:
			return "is not met"
		case n < c.kinds():
			return fmt.Sprintf("has evidence of %d kinds, needs %d", n, c.kinds())
		}
		return ""
	}
	mine := slices.DeleteFunc(slices.Clone(c.Criteria), func(x Criterion) bool { return x.Practice != practice })
	level := func(of func(Criterion) bool) (Level, []Shortfall) {
		for l := Level2; l <= Level5; l++ {
			asked := false
			var short []Shortfall
			for _, x := range mine {
				if x.Level != l {
					continue
				}
				asked = true
				if w := why(x); w != "" && of(x) {
					short = append(short, Shortfall{x, w})
				}
			}
			if !asked || len(short) > 0 {
				return l - 1, short
			}
		}
		return Level5, nil
	}
	result := Capability{Practice: practice}
	result.Level, result.Next = level(func(Criterion) bool { return true })
	for _, d := range Dimensions() {
		in := func(x Criterion) bool { return x.Dimension == d }
		if slices.ContainsFunc(mine, in) {
			if result.Dimensions == nil {
				result.Dimensions = map[Dimension]Level{}
			}
			result.Dimensions[d], _ = level(in)
		}
	}
	return result
}

// A Component is one of the five of the service value system.
type Component string

// The components of the service value system.
const (
	GuidingPrinciples    Component = "guiding_principles"
	Governance           Component = "governance"
	ServiceValueChain    Component = "service_value_chain"
	Practices            Component = "practices"
	ContinualImprovement Component = "continual_improvement"
)

// Components lists the five components.
func Components() []Component {
	return []Component{GuidingPrinciples, Governance, ServiceValueChain, Practices, ContinualImprovement}
}

// A Maturity is how mature a service value system is: as its least mature component.
type Maturity struct {
	Level Level `json:"level"`
	// Lowest lists the components that hold it there.
	Lowest []Component `json:"lowest"`
}

// MaturityOf returns the maturity of a service value system: the lowest level of its
// five components. It returns an [itsm.ErrInvalid] with every component that has no
// level, and every level that is none.
func MaturityOf(levels map[Component]Level) (Maturity, error) {
	var v itsm.Validation
	m := Maturity{Level: Level5}
	for _, c := range Components() {
		l, ok := levels[c]
		v.Check(ok, string(c), "has no level")
		v.Check(!ok || l >= Level1 && l <= Level5, string(c), fmt.Sprintf("must be 1 to 5, is %d", int(l)))
		m.Level = min(m.Level, l)
	}
	for _, c := range sortedComponents(levels) {
		v.Check(slices.Contains(Components(), c), string(c), "is none of the five components")
	}
	if err := v.Err(); err != nil {
		return Maturity{}, err
	}
	for _, c := range Components() {
		if levels[c] == m.Level {
			m.Lowest = append(m.Lowest, c)
		}
	}
	return m, nil
}

func sortedComponents(levels map[Component]Level) []Component {
	all := make([]Component, 0, len(levels))
	for c := range levels {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

// LowestLevel returns the lowest level of several practices: what the component
// [Practices] has if each of them counts. Without any it is level 1.
func LowestLevel(all []Capability) Level {
	if len(all) == 0 {
		return Level1
	}
	l := Level5
	for _, c := range all {
		l = min(l, c.Level)
	}
	return l
}
