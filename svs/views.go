package svs

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/sla"
)

// Facts are what a provider did and had in a period, a week for instance: that
// from which both the view of traditional IT operations and the view of service
// management are computed.
type Facts struct {
	Period sla.Period
	// Elements are what the provider runs: servers, lines, licences.
	Elements []Element
	// Services are what users get, and what was agreed about them.
	Services []AgreedService
	// Incidents are those that began in the period. Times and services are read
	// from them, and what is known about their causes.
	Incidents []incident.Incident
	// Tariff and Consumed are for the two ways of charging. No consumption means
	// that nothing is charged.
	Tariff   sla.Tariff
	Consumed []sla.Consumption
}

// An Element is something that IT operations watch.
type Element struct {
	Name string
	// Down is when it did not run, in order and without overlaps.
	Down []sla.Period
}

// An AgreedService is a service and how much of it was agreed.
type AgreedService struct {
	Name string
	// Hours are the agreed service hours; nil means all the time.
	Hours *sla.Hours
	// Percent of them is to be delivered.
	Percent sla.Decimal
	// Users is how many it has; 0 means that outages hit all of them.
	Users int64
}

// Views are the same period seen twice (the contrast of IT operations and service
// management). Figures are for programs, Rows for people.
type Views struct {
	Period sla.Period `json:"period"`

	// Up is the time in which elements ran, of all time of all elements.
	Up sla.Fraction `json:"up"`
	// Delivered is the agreed service time in which services could be used, of
	// all agreed service time. AsAgreed counts the services that reached what was
	// agreed.
	Delivered sla.Fraction `json:"delivered"`
	AsAgreed  sla.Fraction `json:"as_agreed"`
	// ByTheBusiest is how many of the restored incidents one person restored.
	ByTheBusiest sla.Fraction `json:"by_the_busiest"`
	// WithKnowledge is how many were restored with something that was known
	// before: a known error or a workaround, or an article that is linked.
	WithKnowledge sla.Fraction `json:"with_knowledge"`
	// Restore is the mean time from the beginning to the restoration of service.
	Restore sla.Mean `json:"restore"`
	// Repeated counts the incidents that had the service and symptom of an
	// earlier one of the period. Understood is how many of these point to the
	// problem behind them.
	Repeated   sla.Fraction `json:"repeated"`
	Understood sla.Fraction `json:"understood"`
	// Satisfied counts the callers who answered with 4 or 5, of those who
	// answered.
	Satisfied sla.Fraction `json:"satisfied"`
	// Charges are what is charged by element and by level.
	Charges sla.Charges `json:"charges"`

	Rows []View `json:"rows"`
}

// A View is one aspect, seen by both.
type View struct {
	Aspect     string `json:"aspect"`
	Operations string `json:"operations"`
	Management string `json:"management"`
}

// Views computes both views. It returns an [itsm.ErrInvalid] with every finding if the
// facts do not fit together: a period that ends before it begins, downtimes out of
// order, goals that are no percentage, names that are there twice, prices that are
// missing.
func (s Facts) Views() (Views, error) {
	v := s.validate()
	views := Views{Period: s.Period}
	if len(s.Consumed) > 0 {
		charges, err := s.Tariff.Charge(s.Consumed)
		v.Add(err)
		views.Charges = charges
	}
	if err := v.Err(); err != nil {
		return Views{}, err
	}
	views.up(s)
	views.restore(s.Incidents)
	if err := views.deliver(s); err != nil {
		return Views{}, err
	}
	views.rows()
	return views, nil
}

func (s Facts) validate() *itsm.Validation {
	v := new(itsm.Validation)
	v.Check(s.Period.From.Before(s.Period.To), "period", "must end after it begins")
	seen := map[string]bool{}
	for i, e := range s.Elements {
		field := fmt.Sprintf("elements[%d]", i)
		v.Check(e.Name != "" && !seen[e.Name], field+".name", "must be there, and once")
		seen[e.Name] = true
		for j, d := range e.Down {
			v.Check(d.From.Before(d.To) && (j == 0 || !d.From.Before(e.Down[j-1].To)), fmt.Sprintf("%s.down[%d]", field, j),
				"must end after it begins, and begin after the one before it")
		}
	}
	clear(seen)
	for i, one := range s.Services {
		field := fmt.Sprintf("services[%d]", i)
		v.Check(one.Name != "" && !seen[one.Name], field+".name", "must be there, and once")
		seen[one.Name] = true
		v.Check(one.Users >= 0, field+".users", "must not be negative")
		percent, err := one.Percent.Rat()
		v.Check(err == nil && percent.Sign() >= 0 && percent.Cmp(big.NewRat(100, 1)) <= 0, field+".percent", "must be from 0 to 100")
	}
	return v
}

func (views *Views) up(s Facts) {
	all := s.Period.To.Sub(s.Period.From)
	for _, e := range s.Elements {
		up := all
		for _, d := range e.Down {
			up -= max(0, earlier(d.To, s.Period.To).Sub(later(d.From, s.Period.From)))
		}
		views.Up.Part += int64(up)
		views.Up.Of += int64(all)
	}
}

func (views *Views) deliver(s Facts) error {
	outages := map[string][]sla.Outage{}
	for i := range s.Incidents {
		if inc := &s.Incidents[i]; happened(inc) {
			outages[inc.Service] = append(outages[inc.Service], inc.Outage())
		}
	}
	var v itsm.Validation
	for i, one := range s.Services {
		terms := sla.AvailabilityTerms{Period: s.Period, Users: one.Users}
		if one.Hours != nil {
			terms.Agreed = one.Hours.Between
		}
		measured, err := terms.Measure(outages[one.Name])
		if err != nil {
			v.Check(false, fmt.Sprintf("services[%d]", i), err.Error())
			continue
		}
		views.Delivered.Part += measured.Fraction.Part
		views.Delivered.Of += measured.Fraction.Of
		met, err := measured.Fraction.Reaches(one.Percent)
		views.AsAgreed.Count(err == nil && met)
	}
	return v.Err()
}

func (views *Views) restore(incidents []incident.Incident) {
	type symptom struct{ service, category string }
	seen := map[symptom]bool{}
	by := map[string]int64{}
	var restored sla.Total
	ordered := make([]*incident.Incident, 0, len(incidents))
	for i := range incidents {
		if inc := &incidents[i]; happened(inc) {
			ordered = append(ordered, inc)
		}
	}
	slices.SortStableFunc(ordered, func(a, b *incident.Incident) int { return a.Created.Compare(b.Created) })
	for _, inc := range ordered {
		if at := (symptom{inc.Service, inc.Category}); at.category != "" {
			views.Repeated.Count(seen[at])
			if seen[at] {
				views.Understood.Count(linked(inc, incident.SymptomOf))
			}
			seen[at] = true
		}
		if inc.Satisfaction != nil {
			views.Satisfied.Count(inc.Satisfaction.Score >= 4)
		}
		if inc.Resolution.Code == "" {
			continue
		}
		views.WithKnowledge.Count(inc.Resolution.Code == incident.KnownError || inc.Resolution.Code == incident.Workaround ||
			linked(inc, incident.SolvedBy))
		views.ByTheBusiest.Of++
		by[inc.Resolution.By]++
		outage := inc.Outage()
		if !outage.Start.IsZero() && outage.Restored.After(outage.Start) {
			restored.Add(outage.Restored.Sub(outage.Start))
		}
	}
	if len(by) > 0 {
		views.ByTheBusiest.Part = slices.Max(slices.Collect(maps.Values(by)))
	}
	views.Restore = restored.Mean("nothing was restored")
}

// happened reports whether an incident was one, and one of its own.
func happened(inc *incident.Incident) bool {
	return inc.State != incident.Cancelled && inc.MergedInto == ""
}

func linked(inc *incident.Incident, rel string) bool {
	return slices.ContainsFunc(inc.Links, func(l itsm.Link) bool { return l.Rel == rel })
}

func (views *Views) rows() {
	percent := func(f sla.Fraction) string { return f.Percent(1) + " %" }
	of := func(f sla.Fraction, what string) string { return fmt.Sprintf("%d of %d %s", f.Part, f.Of, what) }
	add := func(aspect, operations, management string) {
		views.Rows = append(views.Rows, View{aspect, operations, management})
	}
	if views.Up.Defined() || views.Delivered.Defined() {
		add("what is looked at", "elements ran "+percent(views.Up)+" of the time",
			"services were there "+percent(views.Delivered)+" of the time agreed, "+of(views.AsAgreed, "as agreed"))
	}
	if views.ByTheBusiest.Defined() {
		add("how it is restored", of(views.ByTheBusiest, "restored by one person"),
			of(views.WithKnowledge, "restored with what was known"))
		add("what is done about it", "restored in "+views.Restore.String(),
			of(views.Repeated, "had been there before")+", "+of(views.Understood, "of these understood"))
	}
	if len(views.Charges.Rows) > 0 {
		add("what is charged", "by element: "+string(views.Charges.Total.ByElement), "by level: "+string(views.Charges.Total.ByLevel))
	}
	if views.Satisfied.Defined() {
		add("how it is judged", "elements ran "+percent(views.Up)+" of the time", of(views.Satisfied, "callers satisfied"))
	}
}

// Text returns the rows as a table.
func (views Views) Text() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\tIT operations\tservice management")
	for _, r := range views.Rows {
		fmt.Fprintf(w, "%s\t%s\t%s\n", r.Aspect, r.Operations, r.Management)
	}
	_ = w.Flush() // a builder takes everything
	return b.String()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
