package svs

// A Group is one of the three groups of practices.
type Group string

// The groups.
const (
	// General practices come from managing organizations at large.
	General Group = "general"
	// ServiceManagement practices were made for services.
	ServiceManagement Group = "service"
	// Technical practices came over from managing technology.
	Technical Group = "technical"
)

// A ManagementPractice is one of the 34 practices of ITIL 4: what an organization has
// of people, information, partners and processes for one kind of work. The name says
// management so that it is not taken for an [itsm.Practice], which does the work of one.
type ManagementPractice struct {
	// Name is what records and criteria name it by: "incident_management".
	Name  string `json:"name"`
	Title string `json:"title"`
	Group Group  `json:"group"`
	// Purpose is what it is for, in our words.
	Purpose string `json:"purpose"`
	// Factors are what it has to be able to do to reach its purpose, where the package
	// knows them.
	Factors []SuccessFactor `json:"factors,omitempty"`
}

// A SuccessFactor is a practice success factor: something complex that a practice has
// to be able to do, from all four dimensions. Its title and measures are in our words.
type SuccessFactor struct {
	// Key names it within its practice: "detect_early".
	Key   string `json:"key"`
	Title string `json:"title"`
	// Metrics is by what one sees it. There are no targets that hold for everybody.
	Metrics []string `json:"metrics,omitempty"`
}

// FindPractice returns a practice by its name.
func FindPractice(name string) (ManagementPractice, bool) {
	for _, p := range ManagementPractices() {
		if p.Name == name {
			return p, true
		}
	}
	return ManagementPractice{}, false
}

// ManagementPractices lists the 34 practices, by group and name (Foundation, chapter
// 5), with the success factors and key metrics of those that the library does the work
// of (Practice Guides, 2.4 and 2.5). The list belongs to the caller.
func ManagementPractices() []ManagementPractice {
	return []ManagementPractice{
		{"architecture_management", "Architecture management", General, "show how the parts of the organization fit together, so that what changes can be managed", nil},
		{"continual_improvement", "Continual improvement", General, "keep services and practices in step with what is needed", []SuccessFactor{
			{"approach", "Have an approach to improvement that works", []string{"share of staff who take part", "satisfaction with the approach"}},
			{"across", "Improve across the whole organization", []string{"share of improvements that brought what they were for", "benefit by cost", "time from idea to result"}},
		}},
		{"information_security_management", "Information security management", General, "keep information confidential, right, at hand and authentic, and deeds undeniable", nil},
		{"knowledge_management", "Knowledge management", General, "keep what is known of use, up to date and easily found", []SuccessFactor{
			{"assets", "Make, keep, pass on and use knowledge", []string{"reuse", "how easily it is found", "how current it is", "feedback", "time until somebody new can do the work"}},
			{"decisions", "Decide on the grounds of information", []string{"satisfaction of those who decide", "quality of the data"}},
		}},
		{"measurement_and_reporting", "Measurement and reporting", General, "give decisions good evidence, so that less is guessed", nil},
		{"organizational_change_management", "Organizational change management", General, "make changes for people that last", nil},
		{"portfolio_management", "Portfolio management", General, "choose the right mix of products, services and programmes within what there is", nil},
		{"project_management", "Project management", General, "bring projects to their planned end", nil},
		{"relationship_management", "Relationship management", General, "build and keep the links to stakeholders", nil},
		{"risk_management", "Risk management", General, "understand risks and treat them", nil},
		{"service_financial_management", "Service financial management", General, "manage the money of services: budgets, costs, charges", nil},
		{"strategy_management", "Strategy management", General, "set goals, and the means to reach them", nil},
		{"supplier_management", "Supplier management", General, "get from suppliers what they are to give", nil},
		{"workforce_and_talent_management", "Workforce and talent management", General, "have the right people with the right skills in the right roles", nil},

		{"availability_management", "Availability management", ServiceManagement, "keep services as available as was agreed", nil},
		{"business_analysis", "Business analysis", ServiceManagement, "find what is needed, and give reasons for solutions", nil},
		{"capacity_and_performance_management", "Capacity and performance management", ServiceManagement, "meet demand at the speed that was agreed and at a cost that makes sense", nil},
		{"change_enablement", "Change enablement", ServiceManagement, "let more changes succeed, because their risk is assessed, and they are authorized and scheduled", []SuccessFactor{
			{"timely", "Realize changes in time and to good effect", []string{"share in time", "mean time by model", "satisfaction of who asked for it", "share of success and of acceptance"}},
			{"harm", "Limit the harm that changes do", []string{"impact, number and length of incidents that changes caused", "changes that became the source of problems"}},
			{"satisfaction", "Satisfy those who have to do with changes", []string{"satisfaction with the way", "with communication", "with single changes"}},
			{"compliance", "Keep to rules and policies", []string{"findings of audits", "breaches of the rules", "incidents of compliance"}},
		}},
		{"incident_management", "Incident management", ServiceManagement, "restore normal service fast, and limit the harm", []SuccessFactor{
			{"detect_early", "Detect incidents early", []string{"time from beginning to detection", "share found by monitoring"}},
			{"resolve", "Resolve incidents fast and well", []string{"time from detection to diagnosis", "time of diagnosis", "reassignments", "share of waiting", "share resolved the first time", "share within what was agreed", "satisfaction", "share resolved by a machine", "share resolved before users noticed"}},
			{"improve", "Improve how incidents are dealt with", []string{"share resolved by what was known", "share dealt with by a model", "how the key figures develop", "balance of speed and effect"}},
		}},
		{"it_asset_management", "IT asset management", ServiceManagement, "manage what assets are worth, cost and risk over their life", nil},
		{"monitoring_and_event_management", "Monitoring and event management", ServiceManagement, "observe what changes its state, tell what it means, and react", nil},
		{"problem_management", "Problem management", ServiceManagement, "have fewer and milder incidents, by dealing with what causes them", []SuccessFactor{
			{"understand", "Find problems, and understand them and what they do", []string{"number and impact of problems", "incidents without a known error", "incidents that need urgent investigation"}},
			{"resolve", "Resolve and mitigate them as well as possible", []string{"incidents prevented", "incidents resolved by what problems brought", "open known errors and their impact"}},
		}},
		{"release_management", "Release management", ServiceManagement, "make what is new or changed available for use", nil},
		{"service_catalogue_management", "Service catalogue management", ServiceManagement, "have one consistent source about what is offered", nil},
		{"service_configuration_management", "Service configuration management", ServiceManagement, "have data to rely on about configuration items and how they hang together", nil},
		{"service_continuity_management", "Service continuity management", ServiceManagement, "survive disasters at the level that was agreed", nil},
		{"service_design", "Service design", ServiceManagement, "design services that are fit for purpose and for use, and can be delivered", nil},
		{"service_desk", "Service desk", ServiceManagement, "be the one place where users come with incidents and requests", nil},
		{"service_level_management", "Service level management", ServiceManagement, "set targets from the business's view, measure them and manage by them", []SuccessFactor{
			{"shared_view", "Share a view of the targets with customers", []string{"share of services with an agreement", "how well customers understand it"}},
			{"oversee", "Oversee how targets are met", []string{"share of targets met", "share of reports in time"}},
			{"review", "Review services with those who use them", []string{"reviews held", "actions closed"}},
			{"improve", "Find and report what can be improved", []string{"opportunities logged and done", "satisfaction"}},
		}},
		{"service_request_management", "Service request management", ServiceManagement, "deal with the requests of users that were defined beforehand, smoothly", []SuccessFactor{
			{"procedures", "Have good procedures for the requests of all services", []string{"completeness of the catalogue", "share without a procedure", "share whose procedure failed", "time and cost by model", "share fulfilled by a machine"}},
			{"fulfil", "Fulfil requests as agreed and to satisfaction", []string{"share within what was agreed", "satisfaction", "share that went another way", "incidents that came of it"}},
		}},
		{"service_validation_and_testing", "Service validation and testing", ServiceManagement, "check that what is new or changed meets its criteria", nil},

		{"deployment_management", "Deployment management", Technical, "move components into environments", nil},
		{"infrastructure_and_platform_management", "Infrastructure and platform management", Technical, "oversee the platforms that an organization uses", nil},
		{"software_development_and_management", "Software development and management", Technical, "have applications that meet what is needed", nil},
	}
}
