package sla

import (
	"fmt"
	"strings"
)

// An Indicator is something measured, and what it should be: the compliance of a
// target, or an outcome for the people who use the service.
type Indicator struct {
	Name  string   `json:"name"`
	Level Fraction `json:"level"`
	// AtLeast or AtMost is the goal, in percent, of which there must be one:
	// the least satisfaction, the largest share of reopened records. A net
	// promoter score is taken in percent too, and may be negative.
	AtLeast Decimal `json:"at_least,omitempty"`
	AtMost  Decimal `json:"at_most,omitempty"`
}

// A Colour is how an indicator, or a service as a whole, looks.
type Colour string

const (
	// Green is as it should be.
	Green Colour = "green"
	// Red is not.
	Red Colour = "red"
	// Watermelon is green outside and red inside: all targets are kept, and
	// people are let down all the same.
	Watermelon Colour = "watermelon"
	// Grey is not known: nothing was measured that could tell.
	Grey Colour = "grey"
)

// A Verdict is what the check for a watermelon comes to.
type Verdict struct {
	Colour Colour `json:"colour"`
	// Targets and Outcomes are the colours of each alone.
	Targets  Colour `json:"targets"`
	Outcomes Colour `json:"outcomes"`
	// Reasons say why, for people: first what is red, then what is not known.
	Reasons []string `json:"reasons"`
}

// CheckWatermelon holds what was agreed against what people got of it. The
// targets are those of agreements. Outcomes are what the service is for: journeys
// that were completed, satisfaction, records that had to be reopened, and
// availability weighted by users and busy times, since one outage on payday is
// worse than ten at night.
//
// A watermelon has green targets only and at least one red outcome: then it is the
// targets that are wrong. Without an outcome that was measured the answer is grey,
// for that is where watermelons grow. Red targets make it red; if outcomes are
// green all the same, a reason says that the targets ask for what nobody needs.
//
// It returns an [ErrInvalid] with everything that is wrong.
func CheckWatermelon(targets, outcomes []Indicator) (Verdict, error) {
	var f findings
	checkIndicators(&f, "targets", targets)
	checkIndicators(&f, "outcomes", outcomes)
	if err := f.err(); err != nil {
		return Verdict{}, err
	}
	var v Verdict
	var red, grey []string
	v.Targets, red, grey = judge("target", targets, red, grey)
	v.Outcomes, red, grey = judge("outcome", outcomes, red, grey)
	v.Reasons = append(red, grey...)
	switch {
	case v.Targets == Red:
		v.Colour = Red
		if v.Outcomes == Green {
			v.Reasons = append(v.Reasons, "outcomes are as they should be although targets are missed: the targets may ask for what nobody needs")
		}
	case v.Targets == Green && v.Outcomes == Red:
		v.Colour = Watermelon
		v.Reasons = append(v.Reasons, "all targets are kept although outcomes are not as they should be: the targets do not ask for what people need")
	case v.Outcomes == Red:
		v.Colour = Red
	case v.Targets == Green && v.Outcomes == Green:
		v.Colour = Green
		v.Reasons = append(v.Reasons, "all targets are kept and all outcomes are as they should be")
	default:
		v.Colour = Grey
	}
	return v, nil
}

// judge returns the colour of some indicators together, and the reasons.
func judge(kind string, all []Indicator, red, grey []string) (Colour, []string, []string) {
	colour := Green
	if len(all) == 0 {
		return Grey, red, append(grey, "no "+kind+" is given")
	}
	for _, i := range all {
		switch i.colour() {
		case Red:
			red = append(red, fmt.Sprintf("%s %s is %s", kind, oneLine(i.Name), i.against()))
			colour = Red
		case Grey:
			grey = append(grey, fmt.Sprintf("%s %s is not known: nothing was counted", kind, oneLine(i.Name)))
			if colour == Green {
				colour = Grey
			}
		default:
		}
	}
	return colour, red, grey
}

// colour compares exactly.
func (i Indicator) colour() Colour {
	if !i.Level.Defined() {
		return Grey
	}
	limit, _ := (i.AtLeast + i.AtMost).Rat() // one of them is empty
	c := i.Level.percent().Cmp(limit)
	if i.AtLeast != "" && c >= 0 || i.AtMost != "" && c <= 0 {
		return Green
	}
	return Red
}

// against returns the level and what it should be. The level has as many places as
// it takes to be on the right side of the goal.
func (i Indicator) against() string {
	should, goal := "at least", i.AtLeast
	if goal == "" {
		should, goal = "at most", i.AtMost
	}
	level := i.Level.percent()
	limit, _ := goal.Rat()
	places := max(goal.places(), 1)
	for ; places < maxDigits; places++ {
		if shown, _ := NewDecimal(level, places).Rat(); shown.Cmp(limit) == level.Cmp(limit) {
			break
		}
	}
	return fmt.Sprintf("%s %% (%d of %d) and should be %s %s %%", NewDecimal(level, places), i.Level.Part, i.Level.Of, should, goal)
}

func checkIndicators(f *findings, parent string, all []Indicator) {
	for n, i := range all {
		field := fmt.Sprintf("%s[%d]", parent, n)
		f.check(strings.TrimSpace(i.Name) != "", join(field, "name"), "must be given")
		f.check(i.Level.Of >= 0, join(field, "level.of"), "must not be negative")
		f.check((i.AtLeast != "") != (i.AtMost != ""), join(field, "at_least"), "or at_most must be given, and not both")
		f.decimal(join(field, "at_least"), i.AtLeast)
		f.decimal(join(field, "at_most"), i.AtMost)
	}
}

// Text returns the verdict for people, a reason on each line.
func (v Verdict) Text() string {
	return fmt.Sprintf("%s: targets %s, outcomes %s\n- %s\n", v.Colour, v.Targets, v.Outcomes, strings.Join(v.Reasons, "\n- "))
}
