package valuechain

import (
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// An Activity is one of the things that an organization does to turn demand into
// value, by its name in an [Edition]. The activities have no fixed order.
type Activity string

// The six activities of ITIL 4 (Foundation, 4.5).
const (
	// Plan makes sure that everybody has one picture of the aim, of where things
	// stand and of the way, for all dimensions and all offerings.
	Plan Activity = "plan"
	// Improve makes products, services and practices continually better.
	Improve Activity = "improve"
	// Engage knows what stakeholders need, stays open with them and keeps the
	// relation healthy. Whatever comes from outside comes in here.
	Engage Activity = "engage"
	// DesignTransition makes sure that what is launched keeps meeting what was
	// expected of its quality, its price and its speed.
	DesignTransition Activity = "design_transition"
	// ObtainBuild makes sure that the parts are there when and where they are
	// needed, as they were specified.
	ObtainBuild Activity = "obtain_build"
	// DeliverSupport runs the service and helps people, as was promised.
	DeliverSupport Activity = "deliver_support"
)

// Activities lists the six activities of ITIL 4.
func Activities() []Activity {
	return []Activity{Plan, Improve, Engage, DesignTransition, ObtainBuild, DeliverSupport}
}

// The eight activities of the newer edition. Some have the names of what is above
// and another extent.
const (
	// Discover finds out what is needed and what is worth doing.
	Discover Activity = "discover"
	// Design says what the product and the service are to be.
	Design Activity = "design"
	// Acquire gets the parts that others make.
	Acquire Activity = "acquire"
	// Build makes the parts.
	Build Activity = "build"
	// Transition brings what is new or changed into use.
	Transition Activity = "transition"
	// Operate keeps it running.
	Operate Activity = "operate"
	// Deliver gives people what they were promised.
	Deliver Activity = "deliver"
	// Support helps them when something does not work.
	Support Activity = "support"
)

// A Party is who stands outside the activities and passes something to them, or
// gets something from them.
type Party string

// The parties that the published tables name.
const (
	// Customers state needs and answer for results.
	Customers Party = "customers"
	// Users work with the service.
	Users Party = "users"
	// Market is who is or may become a customer.
	Market Party = "market"
	// Suppliers are partners and suppliers.
	Suppliers Party = "suppliers"
	// GoverningBody directs the organization and is part of it.
	GoverningBody Party = "governing_body"
)

// Parties lists the parties.
func Parties() []Party { return []Party{Customers, Users, Market, Suppliers, GoverningBody} }

// Outside reports whether a party stands outside the organization, so that contact
// with it is for [Engage].
func (p Party) Outside() bool { return p != GoverningBody && slices.Contains(Parties(), p) }

// Everybody stands in the tables for every activity but the one that passes
// something on.
const Everybody = "all"

// An Exchange is a row of a table of who passes what to whom. From and To are the
// name of an [Activity] or a [Party]; To may be [Everybody].
type Exchange struct {
	From string   `json:"from"`
	To   string   `json:"to"`
	What []string `json:"what"`
}

// An ActivityRole is an activity as an edition has it: its name, what it is for, and which of the
// six activities of ITIL 4 it stands for.
type ActivityRole struct {
	Activity Activity `json:"activity"`
	// Title is its name as people write it.
	Title   string `json:"title"`
	Purpose string `json:"purpose"`
	// StandsFor lists the activities of ITIL 4 of which it has a part. The mapping
	// is ours.
	StandsFor []Activity `json:"stands_for"`
}

// An Edition is a set of activities and what they usually pass to each other, as
// data: a host may have one of its own.
type Edition struct {
	// Name is what a [Stream] names it by: "4".
	Name       string         `json:"name"`
	Title      string         `json:"title"`
	Activities []ActivityRole `json:"activities"`
	// Contact lists the activities through which everything comes and goes that
	// crosses the border of the organization, unless Exchanges has a row for it.
	// Empty means that the edition has no such rule.
	Contact []Activity `json:"contact,omitempty"`
	// Exchanges lists who usually passes what to whom. The published lists are
	// examples: what is not in them is worth a question ([Stream.Warnings]) and
	// never refused.
	Exchanges []Exchange `json:"exchanges,omitempty"`
}

// Editions lists the editions that the package knows.
func Editions() []Edition { return []Edition{ITIL4(), Version5()} }

// ITIL4 returns the edition of 2019: six activities, and the table of who passes
// what to whom of Foundation 4.5.1 to 4.5.6, in our words.
func ITIL4() Edition {
	role := func(a Activity, title, purpose string) ActivityRole {
		return ActivityRole{Activity: a, Title: title, Purpose: purpose, StandsFor: []Activity{a}}
	}
	e := Edition{
		Name: "4", Title: "ITIL 4",
		Activities: []ActivityRole{
			role(Plan, "Plan", "one picture, shared by all, of the aim, of where things stand and of the way"),
			role(Improve, "Improve", "products, services and practices that get continually better"),
			role(Engage, "Engage", "needs understood, openness, and good relations with all stakeholders"),
			role(DesignTransition, "Design & transition", "products and services that keep meeting what is expected of them"),
			role(ObtainBuild, "Obtain/build", "parts that are there when and where they are needed, as specified"),
			role(DeliverSupport, "Deliver & support", "services that run, and people who are helped, as was promised"),
		},
		Contact: []Activity{Engage},
	}
	pass := func(from, to string, what ...string) {
		e.Exchanges = append(e.Exchanges, Exchange{From: from, To: to, What: what})
	}
	const (
		plan, improve, engage            = string(Plan), string(Improve), string(Engage)
		design, obtain, deliver          = string(DesignTransition), string(ObtainBuild), string(DeliverSupport)
		customers, users, suppliers, gov = string(Customers), string(Users), string(Suppliers), string(GoverningBody)
	)
	pass(gov, plan, "policies", "requirements", "constraints")
	pass(customers, engage, "high-level demand", "detailed requirements", "requests", "feedback")
	pass(users, engage, "incidents", "requests", "feedback")
	pass(string(Market), engage, "opportunities in the market")
	pass(suppliers, engage, "opportunities to work together", "feedback", "knowledge of third-party components")
	pass(suppliers, obtain, "goods and services")
	pass(plan, Everybody, "strategic, tactical and operational plans")
	pass(plan, design, "portfolio decisions", "architectures", "policies")
	pass(plan, obtain, "architectures", "policies")
	pass(plan, engage, "portfolio of products and services", "contract requirements")
	pass(plan, improve, "opportunities to improve")
	pass(improve, Everybody, "initiatives and plans to improve", "status reports")
	pass(improve, plan, "performance of the value chain")
	pass(improve, gov, "performance of the value chain")
	pass(improve, design, "performance of services")
	pass(improve, engage, "contract requirements")
	pass(engage, plan, "consolidated demand and opportunities")
	pass(engage, design, "requirements of products and services", "contracts and agreements")
	pass(engage, deliver, "tasks to support users")
	pass(engage, obtain, "requests to begin a change or a project", "contracts and agreements")
	pass(engage, improve, "opportunities to improve", "feedback of stakeholders")
	pass(engage, Everybody, "knowledge of third-party components")
	pass(engage, customers, "reports on the performance of services")
	pass(design, obtain, "requirements and specifications")
	pass(design, deliver, "new and changed products and services")
	pass(design, engage, "contract requirements")
	pass(design, improve, "performance", "opportunities to improve")
	pass(design, Everybody, "knowledge of new and changed products and services")
	pass(obtain, deliver, "components of services")
	pass(obtain, design, "components of services")
	pass(obtain, engage, "contract requirements")
	pass(obtain, improve, "performance", "opportunities to improve")
	pass(obtain, Everybody, "knowledge of new and changed components")
	pass(deliver, customers, "services")
	pass(deliver, users, "services")
	pass(deliver, engage, "completed tasks of support", "performance", "contract requirements")
	pass(deliver, improve, "performance", "opportunities to improve")
	pass(deliver, obtain, "change requests")
	pass(deliver, design, "performance of services")
	return e
}

// Version5 returns the newer edition, of 2026: eight activities of the life cycle
// of a product or service. What it says of engaging, planning and improving runs
// across them, so it has no rule of contact and no table of its own here.
func Version5() Edition {
	role := func(a Activity, title, purpose string, standsFor ...Activity) ActivityRole {
		return ActivityRole{Activity: a, Title: title, Purpose: purpose, StandsFor: standsFor}
	}
	return Edition{
		Name: "5", Title: "ITIL (Version 5)",
		Activities: []ActivityRole{
			role(Discover, "Discover", "what is needed, by whom, and what is worth doing", Engage, Plan),
			role(Design, "Design", "what the product and the service are to be", DesignTransition),
			role(Acquire, "Acquire", "the parts that others make", ObtainBuild),
			role(Build, "Build", "the parts that we make", ObtainBuild),
			role(Transition, "Transition", "what is new or changed, in use", DesignTransition),
			role(Operate, "Operate", "products and services that run", DeliverSupport),
			role(Deliver, "Deliver", "what people were promised, in their hands", DeliverSupport),
			role(Support, "Support", "people who are helped when something does not work", DeliverSupport),
		},
	}
}

// FindEdition returns the edition of a name; the empty name is that of [ITIL4].
func FindEdition(name string) (Edition, bool) {
	if name == "" {
		return ITIL4(), true
	}
	for _, e := range Editions() {
		if e.Name == name {
			return e, true
		}
	}
	return Edition{}, false
}

// Has reports whether the edition has an activity.
func (e Edition) Has(a Activity) bool {
	return slices.ContainsFunc(e.Activities, func(r ActivityRole) bool { return r.Activity == a })
}

// Passes lists what one is known to pass to another: activities or parties, by
// name. Nothing means that the table has no such row.
func (e Edition) Passes(from, to string) []string {
	var what []string
	for _, x := range e.Exchanges {
		everybody := x.To == Everybody && from != to && e.Has(Activity(to))
		if x.From == from && (x.To == to || everybody) {
			what = append(what, x.What...)
		}
	}
	return what
}

// In returns the activities of another edition that have a part of what an
// activity of this one does, in the other's order.
func (e Edition) In(other Edition, a Activity) []Activity {
	var found []Activity
	for _, mine := range e.Activities {
		if mine.Activity != a {
			continue
		}
		for _, theirs := range other.Activities {
			if slices.ContainsFunc(theirs.StandsFor, func(x Activity) bool { return slices.Contains(mine.StandsFor, x) }) {
				found = append(found, theirs.Activity)
			}
		}
	}
	return found
}

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with an
// edition of the host's own.
func (e Edition) Validate() error {
	var v itsm.Validation
	v.Text("name", e.Name, 1, maxName)
	v.Check(len(e.Activities) > 0, "activities", "must not be empty")
	known := map[string]bool{}
	for _, p := range Parties() {
		known[string(p)] = true
	}
	for i, r := range e.Activities {
		field := fmt.Sprintf("activities[%d]", i)
		checkName(&v, field+".activity", string(r.Activity))
		v.Check(!known[string(r.Activity)] && !reserved(string(r.Activity)), field+".activity", fmt.Sprintf("is taken already: %q", short.Text(r.Activity)))
		known[string(r.Activity)] = true
		v.Text(field+".title", r.Title, 0, maxTitle)
		v.Text(field+".purpose", r.Purpose, 0, maxText)
		for j, a := range r.StandsFor {
			v.Check(slices.Contains(Activities(), a), fmt.Sprintf("%s.stands_for[%d]", field, j), fmt.Sprintf("is none of the six activities: %q", short.Text(a)))
		}
	}
	for i, a := range e.Contact {
		v.Check(e.Has(a), fmt.Sprintf("contact[%d]", i), fmt.Sprintf("is no activity: %q", short.Text(a)))
	}
	for i, x := range e.Exchanges {
		field := fmt.Sprintf("exchanges[%d]", i)
		v.Check(known[x.From], field+".from", fmt.Sprintf("is no activity and no party: %q", short.Text(x.From)))
		v.Check(known[x.To] || x.To == Everybody, field+".to", fmt.Sprintf("is no activity and no party: %q", short.Text(x.To)))
		v.Check(len(x.What) > 0, field+".what", "must not be empty")
		for j, what := range x.What {
			v.Text(fmt.Sprintf("%s.what[%d]", field, j), what, 1, maxTitle)
		}
	}
	return v.Err()
}
