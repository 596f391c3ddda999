package valuechain_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// A week of a service desk, followed through the restoration of a live service: lead
// time, what came back and the constraint come out of the events.
func Example() {
	run, err := valuechain.NewRun(valuechain.RestorationStream(), valuechain.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := valuechain.ReadFeed(context.Background(), week(), "", run.Add); err != nil {
		fmt.Println(err)
		return
	}
	report := run.Report(day, day.AddDate(0, 0, 7))
	fmt.Print(report)
	// Output:
	// restoration, 2026-03-02 00:00:00 to 2026-03-09 00:00:00
	//   in  out  at end   lead  process   wait  efficiency     %C&A   WIP  queue  per day  step
	//    3    3       0   0:00     0:00   0:00           -  100.0 %  0.00   0.00     0.43  register
	//    4    4       0   2:45     1:30   1:15      54.5 %   75.0 %  0.07   0.03     0.57  investigate
	//    1    1       0  66:00    24:00  42:00      36.4 %  100.0 %  0.39   0.25     0.14  fix
	//    1    1       0   6:00     1:00   5:00      16.7 %  100.0 %  0.04   0.03     0.14  deploy
	//    1    1       0   2:00     1:00   1:00      50.0 %  100.0 %  0.01   0.01     0.14  verify
	//    3    3       0  20:40        -      -           -  100.0 %  0.37   0.37     0.43  feedback
	//    3    0       3      -        -      -           -        -  1.85   1.85     0.00  learn
	//    3    3       0  30:20    10:40  19:40      35.2 %   66.7 %  0.54   0.36     0.43  demand to value
	// rolled %C&A 75.0 %; Little's law gives 0.54 in work, there were 0.54 (stable)
	// constraint: fix, because on average 0.25 wait in "Get a fix from specialists" on their way to value, which is 69 % of all that do; of 66:00 that a visit takes, nobody works on it for 42:00
}

// A stream of ones own is data, and is refused with everything that does not hold.
func ExampleParseStream() {
	_, err := valuechain.ParseStream([]byte(`{
		"name": "onboarding", "demand": {"who": "customers", "what": "somebody who begins on Monday"}, "value": {"who": "users", "what": "a first day at work"},
		"steps": [
			{"name": "order", "activity": "engage", "inputs": [{"what": "form", "from": "demand"}], "outputs": [{"what": "order", "to": "prepare"}]},
			{"name": "prepare", "activity": "obtain_build", "inputs": [{"what": "laptop", "from": "users"}], "outputs": [{"what": "workplace", "to": "value"}]}
		]
	}`))
	for _, finding := range itsm.Findings(err) {
		fmt.Println(finding)
	}
	// Output:
	// steps[0].outputs[0] is an orphan: "prepare" takes no "order" from this step
	// steps[1].inputs[0].from crosses the border to users outside of [engage]
	// steps[1].outputs[0].to crosses the border to users outside of [engage]
}

// A log of another system, held against a lifecycle.
func ExampleConform() {
	spec := itsm.LifecycleSpec{Name: "incident", Create: "report", Initial: "new", States: []itsm.State{"new", "in_progress", "resolved", "closed"}, Ends: []itsm.State{"closed"}}
	spec.Allow("start", "in_progress", "new", "resolved")
	spec.Allow("resolve", "resolved", "in_progress")
	spec.Allow("close", "closed", "resolved")
	lifecycle, err := itsm.NewLifecycle(spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	var log valuechain.LogBuilder
	for _, row := range [][2]string{{"INC1", "new"}, {"INC2", "new"}, {"INC1", "in_progress"}, {"INC1", "resolved"}, {"INC2", "closed"}, {"INC1", "closed"}} {
		log.Append(row[0], valuechain.Entry{Activity: row[1]})
	}
	c := valuechain.Conform(lifecycle, log.Log(), valuechain.ConformOptions{States: true})
	fmt.Printf("%d of %d fit, fitness %.2f\n", c.Fitting, c.Cases, c.Fitness())
	for _, d := range c.Deviating {
		fmt.Println(d.Case, d.Deviations)
	}
	// Output:
	// 1 of 2 fit, fitness 0.88
	// INC2 [entry 2: "closed" is not permitted in state "new"; permitted there: in_progress]
}

// The feed as a file that process mining tools read.
func ExampleWriteXES() {
	var log valuechain.LogBuilder
	log.Label = valuechain.Label(valuechain.ByState).Of("change")
	if _, err := valuechain.ReadFeed(context.Background(), week(), "", log.Add); err != nil {
		fmt.Println(err)
		return
	}
	if err := valuechain.WriteXES(os.Stdout, log.Log().XES()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <log xes.version="1849.2016" xes.features="">
	//   <extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
	//   <extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
	//   <extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
	//   <global scope="trace">
	//     <string key="concept:name" value="unknown"/>
	//   </global>
	//   <global scope="event">
	//     <string key="concept:name" value="unknown"/>
	//   </global>
	//   <classifier name="Activity" keys="concept:name"/>
	//   <trace>
	//     <string key="concept:name" value="chg-1"/>
	//     <event>
	//       <string key="concept:name" value="draft"/>
	//       <date key="time:timestamp" value="2026-03-05T09:00:00Z"/>
	//       <string key="org:resource" value="mia"/>
	//     </event>
	//     <event>
	//       <string key="concept:name" value="implement"/>
	//       <date key="time:timestamp" value="2026-03-05T13:00:00Z"/>
	//       <string key="org:resource" value="mia"/>
	//     </event>
	//     <event>
	//       <string key="concept:name" value="review"/>
	//       <date key="time:timestamp" value="2026-03-05T14:00:00Z"/>
	//       <string key="org:resource" value="mia"/>
	//     </event>
	//     <event>
	//       <string key="concept:name" value="closed"/>
	//       <date key="time:timestamp" value="2026-03-05T18:00:00Z"/>
	//       <string key="org:resource" value="mia"/>
	//     </event>
	//   </trace>
	// </log>
}

// week is the feed of a store with what happened in a week.
func week() *tape {
	s := &tape{}
	states := map[itsm.ID]itsm.State{}
	versions := map[itsm.ID]itsm.Version{}
	happened := func(hour float64, practice string, record itsm.ID, action string, to itsm.State, data string) {
		versions[record]++
		if to == "" {
			to = states[record]
		}
		s.events = append(s.events, itsm.Event{
			ID: itsm.ID(fmt.Sprint("evt-", len(s.events)+1)), Practice: practice, Record: record, Version: versions[record], Action: action, From: states[record], To: to,
			At: day.Add(time.Duration(hour * float64(time.Hour))), Actor: itsm.Actor{ID: "mia"}, Data: json.RawMessage(data),
		})
		states[record] = to
	}
	happened(8, "incident", "inc-1", "report", "new", "{}")
	happened(9, "incident", "inc-1", "start", "in_progress", "{}")
	happened(10, "incident", "inc-1", "resolve", "resolved", "{}")
	happened(11, "incident", "inc-2", "report", "new", "{}")
	happened(12, "incident", "inc-2", "start", "in_progress", "{}")
	happened(14, "incident", "inc-2", "link", "", `{"rel":"caused_by","to":{"kind":"problem","id":"prb-1"}}`)
	happened(14, "incident", "inc-2", "hold", "on_hold", "{}")
	happened(14, "problem", "prb-1", "investigate", "investigating", "{}")
	happened(16, "incident", "inc-1", "reopen", "in_progress", "{}") // it did not hold
	happened(18, "incident", "inc-1", "resolve", "resolved", "{}")
	happened(20, "problem", "prb-1", "hold", "on_hold", "{}")
	happened(30, "incident", "inc-3", "report", "new", "{}")
	happened(33, "incident", "inc-3", "start", "in_progress", "{}")
	happened(34, "incident", "inc-3", "resolve", "resolved", "{}")
	happened(40, "incident", "inc-3", "close", "closed", "{}")
	happened(42, "incident", "inc-1", "close", "closed", "{}")
	happened(62, "problem", "prb-1", "resume", "investigating", "{}")
	happened(80, "problem", "prb-1", "start_fix", "fix_in_progress", "{}")
	happened(81, "change", "chg-1", "propose", "draft", "{}")
	happened(81, "change", "chg-1", "link", "", `{"rel":"solves","to":{"kind":"problem","id":"prb-1"}}`)
	happened(85, "change", "chg-1", "start", "implement", "{}")
	happened(86, "change", "chg-1", "complete", "review", "{}")
	happened(87, "incident", "inc-2", "resume", "in_progress", "{}")
	happened(88, "incident", "inc-2", "resolve", "resolved", "{}")
	happened(90, "change", "chg-1", "close", "closed", "{}")
	happened(112, "incident", "inc-2", "close", "closed", "{}")
	return s
}
