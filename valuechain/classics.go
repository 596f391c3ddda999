package valuechain

// DevelopmentStream returns the first of the two classic streams (Create, Deliver
// and Support, chapter 4): a new service, from requirements to its launch. Its
// steps are the book's, its words ours. It belongs to the caller.
//
// It follows the practices "request" for what was asked for and "change" for what
// is put into use; a host adds to Watch what it plans and builds with.
func DevelopmentStream() Stream {
	return Stream{
		Name: "development", Version: 1, Title: "Development of a new service", Edition: "4",
		Demand: End{Who: string(Customers), What: "a need that no service meets"},
		Value:  End{Who: string(Customers), What: "outcomes that they could not reach before"},
		Joins: []Join{
			{From: "change", Rel: "requested_by", To: "request"},
			{From: "request", Rel: "fulfilled_by", To: "change"},
		},
		Steps: []Step{
			{
				Name: "acknowledge", Title: "Acknowledge and document requirements", Activity: Engage,
				Trigger:   "a customer asks for something that the catalogue does not have",
				Inputs:    []Input{{"a need that no service meets", DemandNode}},
				Outputs:   []Output{{What: "business case", To: "decide"}},
				Practices: uses("relationship management", "business analysis", "service desk", "service level management"),
				Actions:   []Work{{What: "Say that it was heard"}, {What: "Write down what is needed, by whom and why"}, {What: "Estimate what it is worth"}},
				Roles:     []string{"relationship manager", "business analyst"},
				Dimensions: Dimensions{
					OrganizationsPeople: "somebody who knows the customer's work", InformationTechnology: "a place for requirements",
					PartnersSuppliers: "who could be asked for ideas", ValueStreamsProcesses: "how demand is collected",
				},
				Adds: "the need is understood",
				Watch: []Watch{
					{Practice: "request", Action: "submit", Does: Start},
					{Practice: "request", Action: "seek_approval", Does: Finish},
					{Practice: "request", Action: "cancel", Does: Abandon},
				},
			},
			{
				Name: "decide", Title: "Decide whether to invest", Activity: Plan,
				Trigger:   "a business case",
				Inputs:    []Input{{"business case", "acknowledge"}},
				Outputs:   []Output{{What: "decision to invest", To: "design"}},
				Practices: uses("portfolio management", "service financial management", "risk management", "strategy management", "business analysis"),
				Actions:   []Work{{What: "Compare it with what else could be done"}, {What: "Decide, and say why"}},
				Roles:     []string{"portfolio manager", "sponsor"},
				Dimensions: Dimensions{
					OrganizationsPeople: "who may decide", InformationTechnology: "portfolio, costs, risks",
					PartnersSuppliers: "what it would cost to buy it", ValueStreamsProcesses: "when decisions are made",
				},
				Adds:       "money goes where it is worth most",
				Exceptions: []Exception{{When: "it is not worth it", Do: "tell the customer why"}},
				Watch: []Watch{
					{Practice: "request", Action: "approve", Does: Finish},
					{Practice: "request", Action: "proceed", Does: Finish},
					{Practice: "request", To: "rejected", Does: Abandon},
				},
			},
			{
				Name: "design", Title: "Design and architect", Activity: DesignTransition,
				Trigger:   "a decision to invest",
				Inputs:    []Input{{"decision to invest", "decide"}, {"design that cannot be built", "build"}},
				Outputs:   []Output{{What: "specification", To: "build"}},
				Practices: uses("service design", "architecture management", "information security management", "availability management", "capacity and performance management", "service continuity management"),
				Actions:   []Work{{What: "Design for utility and for warranty"}, {What: "Agree on what is good enough"}},
				Roles:     []string{"service designer", "architect"},
				Dimensions: Dimensions{
					OrganizationsPeople: "the skills that the service will need", InformationTechnology: "architecture, data, security",
					PartnersSuppliers: "what to make and what to buy", ValueStreamsProcesses: "how it will be run and supported",
				},
				Adds: "what is to be built is known",
				Watch: []Watch{
					{Practice: "change", Action: "propose", Does: Start},
					{Practice: "change", To: "scheduled", Does: Finish},
				},
			},
			{
				Name: "build", Title: "Build, configure or buy", Activity: ObtainBuild,
				Trigger: "a specification",
				Inputs:  []Input{{"specification", "design"}, {"component that does not work", "deploy"}},
				Outputs: []Output{
					{What: "component", To: "deploy"},
					{What: "design that cannot be built", To: "design", Back: true},
				},
				Practices: uses("software development and management", "infrastructure and platform management", "supplier management", "service validation and testing"),
				Actions:   []Work{{What: "Build or buy the parts", Tasks: []string{"code", "configure", "order"}}, {What: "Test them"}},
				Roles:     []string{"developer", "buyer", "tester"},
				Dimensions: Dimensions{
					OrganizationsPeople: "a team that can do it", InformationTechnology: "pipelines and platforms",
					PartnersSuppliers: "contracts with those who deliver parts", ValueStreamsProcesses: "small batches, tested as they are built",
				},
				Adds: "the parts are there",
				Watch: []Watch{
					{Practice: "change", To: "implement", Does: Start},
					{Practice: "change", To: "planning", Does: Finish, Output: "design that cannot be built"},
					{Practice: "change", To: "testing", Does: Finish, Output: "component"},
				},
			},
			{
				Name: "deploy", Title: "Deploy in preparation for launch", Activity: DesignTransition,
				Trigger: "components that passed their tests",
				Inputs:  []Input{{"component", "build"}},
				Outputs: []Output{
					{What: "service ready for launch", To: "release"},
					{What: "component that does not work", To: "build", Back: true},
				},
				Practices: uses("change enablement", "deployment management", "service configuration management", "service validation and testing", "service catalogue management", "knowledge management"),
				Actions:   []Work{{What: "Put it where it will run"}, {What: "Tell those who will support it"}},
				Roles:     []string{"release manager", "service desk"},
				Dimensions: Dimensions{
					OrganizationsPeople: "a desk that knows the service", InformationTechnology: "environments like the real one",
					PartnersSuppliers: "suppliers who are on call", ValueStreamsProcesses: "a way back",
				},
				Adds: "it can be launched without surprise",
				Watch: []Watch{
					{Practice: "change", To: "testing", Does: Start},
					{Practice: "change", Action: "rework", Does: Finish, Output: "component that does not work"},
					{Practice: "change", To: "review", Does: Finish, Output: "service ready for launch"},
				},
			},
			{
				Name: "release", Title: "Release to customers and users", Activity: DeliverSupport,
				Trigger:   "a service that is ready",
				Inputs:    []Input{{"service ready for launch", "deploy"}},
				Outputs:   []Output{{What: "service in use", To: ValueNode}},
				Practices: uses("release management", "service desk", "monitoring and event management", "incident management", "service level management"),
				Actions:   []Work{{What: "Open it for use"}, {What: "Stay close in the first days"}},
				Roles:     []string{"service owner", "service desk"},
				Dimensions: Dimensions{
					OrganizationsPeople: "more hands in the first days", InformationTechnology: "monitoring from the first minute",
					PartnersSuppliers: "support contracts in force", ValueStreamsProcesses: "early life support",
				},
				Adds: "people can do what they could not do before",
				Watch: []Watch{
					{Practice: "change", To: "closed", Does: Start},
					{Practice: "request", To: "fulfilled", Does: Finish},
					{Practice: "request", Action: "reopen", Does: Reject},
				},
			},
		},
	}
}

// RestorationStream returns the second of the two classic streams (Create, Deliver
// and Support, chapter 4): a live service that failed, from the user's query to its
// restoration and to what is learned from it. Its steps are the book's, its words
// ours. It belongs to the caller.
//
// It follows the practices "incident", "problem" and "change" by their default
// lifecycles: an incident is the piece of work, and brings the problem behind it and
// the change that solves it by their links.
func RestorationStream() Stream {
	return Stream{
		Name: "restoration", Version: 1, Title: "Restoration of a live service", Edition: "4",
		Demand: End{Who: string(Users), What: "a service that does not work"},
		Value:  End{Who: string(Users), What: "people get on with their work"},
		Joins: []Join{
			{From: "incident", Rel: "caused_by", To: "problem"},
			{From: "incident", Rel: "symptom_of", To: "problem"},
			{From: "incident", Rel: "solved_by", To: "change"},
			{From: "change", Rel: "solves", To: "problem"},
			{From: "change", Rel: "solves", To: "incident"},
			{From: "change", Rel: "remedies", To: "incident"},
		},
		Steps: []Step{
			{
				Name: "register", Title: "Acknowledge and register the query", Activity: Engage,
				Trigger:   "a user calls, writes or uses the portal",
				Inputs:    []Input{{"a service that does not work", DemandNode}},
				Outputs:   []Output{{What: "registered query", To: "investigate"}},
				Practices: uses("service desk", "incident management", "service catalogue management"),
				Actions:   []Work{{What: "Take the call"}, {What: "Register what was said", Tasks: []string{"who", "what", "since when"}}},
				Roles:     []string{"service desk agent"},
				Dimensions: Dimensions{
					OrganizationsPeople: "people who listen", InformationTechnology: "one place for every channel",
					PartnersSuppliers: "who answers at night", ValueStreamsProcesses: "one form, few questions",
				},
				Adds: "somebody has it now",
				Watch: []Watch{
					{Practice: "incident", Action: "report", Does: Finish},
				},
			},
			{
				Name: "investigate", Title: "Investigate, and try to fix it", Activity: DeliverSupport,
				Trigger: "a registered query",
				Inputs:  []Input{{"registered query", "register"}, {"fix that did not help", "verify"}},
				Outputs: []Output{
					{What: "restored service", To: ValueNode},
					{What: "restored service", To: "feedback"},
					{What: "failure that needs a specialist", To: "fix"},
				},
				Practices: uses("incident management", "knowledge management", "monitoring and event management", "service configuration management"),
				Actions:   []Work{{What: "See whether it is an incident"}, {What: "Look for what is known about it"}, {What: "Try it"}},
				Roles:     []string{"service desk agent", "support specialist"},
				Dimensions: Dimensions{
					OrganizationsPeople: "skills at the first line", InformationTechnology: "articles, monitoring, configuration data",
					PartnersSuppliers: "who helps the desk", ValueStreamsProcesses: "when to hand over",
				},
				Adds:       "most of it is restored here",
				Harm:       "time is lost where the desk tries for too long",
				Exceptions: []Exception{{When: "it is no incident", Do: "cancel it, and order from the catalogue"}},
				Watch: []Watch{
					{Practice: "incident", To: "in_progress", Does: Start},
					{Practice: "incident", To: "on_hold", Does: Pause},
					{Practice: "incident", To: "assigned", Does: Pause},
					{Practice: "incident", To: "resolved", Does: Finish, Output: "restored service"},
					{Practice: "problem", To: "investigating", Does: Finish, Output: "failure that needs a specialist"},
					{Practice: "incident", Action: "reopen", Does: Reject},
					{Practice: "incident", Action: "reject_resolution", Does: Reject},
					{Practice: "incident", To: "cancelled", Does: Abandon},
				},
			},
			{
				Name: "fix", Title: "Get a fix from specialists", Activity: ObtainBuild,
				Trigger:   "a failure that the desk cannot repair",
				Inputs:    []Input{{"failure that needs a specialist", "investigate"}, {"fix that could not be deployed", "deploy"}},
				Outputs:   []Output{{What: "fix", To: "deploy"}},
				Practices: uses("problem management", "software development and management", "supplier management"),
				Actions:   []Work{{What: "Find what causes it"}, {What: "Build or order the fix"}},
				Roles:     []string{"specialist", "supplier"},
				Dimensions: Dimensions{
					OrganizationsPeople: "specialists who are free", InformationTechnology: "logs, sources, test systems",
					PartnersSuppliers: "underpinning contracts", ValueStreamsProcesses: "one queue for all failures",
				},
				Adds: "the cause is gone, or a way around it is known",
				Watch: []Watch{
					{Practice: "problem", To: "investigating", Does: Start},
					{Practice: "problem", To: "on_hold", Does: Pause},
					{Practice: "problem", To: "fix_in_progress", Does: Finish},
				},
			},
			{
				Name: "deploy", Title: "Deploy the fix", Activity: DesignTransition,
				Trigger: "a fix",
				Inputs:  []Input{{"fix", "fix"}},
				Outputs: []Output{
					{What: "deployed fix", To: "verify"},
					{What: "fix that could not be deployed", To: "fix", Back: true},
				},
				Practices: uses("change enablement", "deployment management", "service validation and testing"),
				Actions:   []Work{{What: "Authorize the change"}, {What: "Deploy and test it"}},
				Roles:     []string{"change manager", "engineer"},
				Dimensions: Dimensions{
					OrganizationsPeople: "a change authority that is there", InformationTechnology: "deployment that can be taken back",
					PartnersSuppliers: "windows agreed with suppliers", ValueStreamsProcesses: "standard changes for what is usual",
				},
				Adds: "the fix is where it helps",
				Harm: "a change may break something else",
				Watch: []Watch{
					{Practice: "change", To: "implement", Does: Start},
					{Practice: "change", Action: "complete_back_out", Does: Finish, Output: "fix that could not be deployed"},
					{Practice: "change", To: "review", Does: Finish, Output: "deployed fix"},
				},
			},
			{
				Name: "verify", Title: "Verify that it is restored", Activity: DeliverSupport,
				Trigger: "a deployed fix",
				Inputs:  []Input{{"deployed fix", "deploy"}},
				Outputs: []Output{
					{What: "restored service", To: ValueNode},
					{What: "restored service", To: "feedback"},
					{What: "fix that did not help", To: "investigate", Back: true},
				},
				Practices: uses("incident management", "service desk", "monitoring and event management"),
				Actions:   []Work{{What: "Test it"}, {What: "Ask the user"}},
				Roles:     []string{"service desk agent"},
				Dimensions: Dimensions{
					OrganizationsPeople: "somebody who calls back", InformationTechnology: "monitoring that shows it",
					PartnersSuppliers: "", ValueStreamsProcesses: "nothing is closed unseen",
				},
				Adds: "the user knows that it works",
				Watch: []Watch{
					{Practice: "incident", To: "in_progress", Does: Start},
					{Practice: "incident", To: "resolved", Does: Finish},
					{Practice: "incident", Action: "escalate_functional", Does: Finish, Output: "fix that did not help"},
				},
			},
			{
				Name: "feedback", Title: "Ask for feedback", Activity: Engage,
				Trigger:   "a restored service",
				Inputs:    []Input{{"restored service", "investigate"}, {"restored service", "verify"}},
				Outputs:   []Output{{What: "feedback", To: "learn"}},
				Practices: uses("service desk", "relationship management"),
				Actions:   []Work{{What: "Ask how it went"}},
				Roles:     []string{"service desk agent"},
				Adds:      "the user was asked",
				Watch: []Watch{
					{Practice: "incident", Action: "rate", Does: Finish},
					{Practice: "incident", To: "closed", Does: Finish},
				},
			},
			{
				Name: "learn", Title: "Find what to improve", Activity: Improve,
				Trigger:   "feedback, and what the incident showed",
				Inputs:    []Input{{"feedback", "feedback"}},
				Outputs:   []Output{{What: "initiative", To: string(Plan)}},
				Practices: uses("continual improvement", "problem management", "knowledge management"),
				Actions:   []Work{{What: "See what could have gone better"}, {What: "Write it into the register"}},
				Roles:     []string{"service owner"},
				Adds:      "it happens less often",
				Watch: []Watch{
					{Practice: "incident", Action: "start_review", Does: Start},
					{Practice: "incident", Action: "complete_review", Does: Finish},
				},
			},
		},
	}
}

func uses(practices ...string) []PracticeUse {
	all := make([]PracticeUse, len(practices))
	for i, p := range practices {
		all[i] = PracticeUse{Practice: p}
	}
	return all
}
