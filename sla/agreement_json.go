package sla

import (
	"strconv"
	"time"
)

// maxAgreementJSON is the most bytes of an agreement as JSON.
const maxAgreementJSON = 1 << 20

// ParseAgreement reads an agreement's JSON form, such as
//
//	{
//	  "name": "gold", "version": 3, "kind": "sla", "service": "mail",
//	  "outcome": "people reach each other",
//	  "applies": [{"service": ["mail"]}],
//	  "metrics": [{
//	    "name": "resolution", "calendar": "berlin",
//	    "pause": [{"state": ["on_hold"], "hold": ["caller"]}],
//	    "stop": [{"state": ["resolved", "closed"]}],
//	    "goals": [
//	      {"when": {"priority": ["1"]}, "within": "4h", "calendar": "always"},
//	      {"within": "40h"}
//	    ],
//	    "thresholds": [{"percent": 75, "do": [{"do": "hierarchical", "to": "head of operations"}]}]
//	  }]
//	}
//
// Lengths of time are text such as "1h30m", or nanoseconds, as they are written.
// At most 1 MiB of valid UTF-8 is read. It returns an [ErrInvalid] with everything
// that is wrong: names that are not known or there twice, values of the wrong
// type, and what [Agreement.Validate] finds.
func ParseAgreement(data []byte) (Agreement, error) {
	a, err := readJSON(data, maxAgreementJSON, (*reader).agreement)
	if err != nil {
		// What could not be read is not found missing as well.
		f := findings(Findings(err))
		said := map[string]bool{"": true}
		for _, one := range f {
			said[one.Field] = true
		}
		for _, one := range Findings(a.Validate()) {
			if a.Name != "" && !said[one.Field] {
				f = append(f, one)
			}
		}
		return Agreement{}, f.err()
	}
	if err := a.Validate(); err != nil {
		return Agreement{}, err
	}
	return a, nil
}

func (r *reader) agreement(v jsonValue, path string) Agreement {
	var a Agreement
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "name":
			a.Name = r.text(v, at)
		case "version":
			a.Version = r.number(v, at)
		case "kind":
			a.Kind = Kind(r.text(v, at))
		case "service":
			a.Service = r.text(v, at)
		case "customer":
			a.Customer = r.text(v, at)
		case "outcome":
			a.Outcome = r.text(v, at)
		case "supports":
			a.Supports = r.text(v, at)
		case "from":
			a.From = r.time(v, at)
		case "until":
			a.Until = r.time(v, at)
		case "applies":
			a.Applies = list(r, v, at, (*reader).condition)
		case "metrics":
			a.Metrics = list(r, v, at, (*reader).metric)
		default:
			return false
		}
		return true
	})
	r.check(v.kind != jsonNull, path, "must be an object")
	return a
}

func (r *reader) metric(v jsonValue, path string) Metric {
	var m Metric
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "name":
			m.Name = r.text(v, at)
		case "calendar":
			m.Calendar = r.text(v, at)
		case "start":
			m.Start = list(r, v, at, (*reader).condition)
		case "from":
			m.From = Origin(r.text(v, at))
		case "pause":
			m.Pause = list(r, v, at, (*reader).condition)
		case "stop":
			m.Stop = list(r, v, at, (*reader).condition)
		case "cancel":
			m.Cancel = list(r, v, at, (*reader).condition)
		case "reset":
			m.Reset = list(r, v, at, (*reader).condition)
		case "reopen":
			m.Reopen = Reopen(r.text(v, at))
		case "base":
			m.Base = Base(r.text(v, at))
		case "goals":
			m.Goals = list(r, v, at, (*reader).goalRule)
		case "thresholds":
			m.Thresholds = list(r, v, at, (*reader).threshold)
		default:
			return false
		}
		return true
	})
	return m
}

func (r *reader) condition(v jsonValue, path string) Condition {
	c := Condition{}
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		c[name] = list(r, v, at, (*reader).text)
		return true
	})
	return c
}

func (r *reader) goalRule(v jsonValue, path string) GoalRule {
	var g GoalRule
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "when":
			g.When = r.condition(v, at)
		case "within":
			g.Within = r.duration(v, at)
		case "by":
			g.By = r.text(v, at)
		case "calendar":
			g.Calendar = r.text(v, at)
		default:
			return false
		}
		return true
	})
	return g
}

func (r *reader) threshold(v jsonValue, path string) Threshold {
	var t Threshold
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "name":
			t.Name = r.text(v, at)
		case "percent":
			t.Percent = r.number(v, at)
		case "after":
			t.After = r.duration(v, at)
		case "every":
			t.Every = r.duration(v, at)
		case "times":
			t.Times = r.number(v, at)
		case "do":
			t.Do = list(r, v, at, (*reader).escalation)
		default:
			return false
		}
		return true
	})
	return t
}

func (r *reader) escalation(v jsonValue, path string) Escalation {
	var e Escalation
	r.members(v, path, func(name string, v jsonValue, at string) bool {
		switch name {
		case "do":
			e.Do = Means(r.text(v, at))
		case "to":
			e.To = r.text(v, at)
		default:
			return false
		}
		return true
	})
	return e
}

// duration reads a length of time, as text or in nanoseconds.
func (r *reader) duration(v jsonValue, path string) time.Duration {
	switch v.kind {
	case jsonNull:
		return 0
	case jsonText:
		if d, err := time.ParseDuration(v.text); err == nil {
			return d
		}
	case jsonNumber:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return time.Duration(n)
		}
	case jsonBool, jsonList, jsonObject:
	}
	r.check(false, path, `must be a duration, such as "1h30m", or nanoseconds`)
	return 0
}

// time reads an instant.
func (r *reader) time(v jsonValue, path string) time.Time {
	if v.kind == jsonNull {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, v.text)
	r.check(v.kind == jsonText && err == nil, path, "must be a time in RFC 3339, such as 2026-03-29T02:30:00Z")
	return t.UTC()
}
