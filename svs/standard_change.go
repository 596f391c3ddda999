package svs

import (
	"context"
	"fmt"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/request"
)

// Fields of a change that was opened for a task of a request.
const (
	requestField = "request"
	taskField    = "request_task"
)

// StandardChanges let tasks of requests be done by standard changes, without
// anybody in between: where a task says so ([request.TaskModel].Change) a change is
// proposed from that template, task and change point to each other, and when the
// change is over the task is complete, or has failed. It has failed too if there is no
// such template. Nothing is approved a second time: the requester was by the request,
// the change by its template.
func StandardChanges(requests *request.Practice, changes *change.Practice) []Reaction {
	return []Reaction{
		On[request.Request]{
			Name: "standard change for a task", Practice: requests.Practice, Actions: []string{"run_task"},
			Leads: []Point{{"change", "propose"}, {"request", "fail_task"}},
			Decide: func(_ context.Context, past itsm.Past[request.Request]) ([]Effect, error) {
				run, ok := past.Action.(request.RunTask)
				if !ok || run.Change == "" {
					return nil, nil
				}
				task, err := past.Record.StandardChange(run.Task)
				if err != nil {
					return nil, err
				}
				propose := change.Propose{
					Template: task.Template, Title: task.Title, Initiator: task.Requester,
					Reason: "fulfils a service request for " + task.Recipient,
				}
				if task.Service != "" {
					propose.Services = []string{task.Service}
				}
				if err := propose.Fields.Set(requestField, task.Request.ID); err != nil {
					return nil, err
				}
				if err := propose.Fields.Set(taskField, task.Task); err != nil {
					return nil, err
				}
				return []Effect{Create(changes.Practice, propose).Or(func(why error) Effect {
					return Do(requests.Practice, past.Record.ID, request.FailTask{Task: task.Task, Reason: reason(why.Error())})
				})}, nil
			},
		},
		On[change.Change]{
			Name: "task and standard change", Practice: changes.Practice, Actions: []string{"propose"},
			Leads: []Point{{"request", "track_task"}, {"change", "link"}},
			Decide: func(_ context.Context, past itsm.Past[change.Change]) ([]Effect, error) {
				of, task, ok := taskOf(&past.Record)
				if !ok {
					return nil, nil
				}
				return []Effect{
					Do(requests.Practice, of, request.TrackTask{Task: task, Record: itsm.Ref{Kind: "change", ID: past.Record.ID}}),
					Do(changes.Practice, past.Record.ID, change.Link{Link: itsm.Link{Rel: change.RequestedBy, To: itsm.Ref{Kind: "request", ID: of}}}),
				}, nil
			},
		},
		On[change.Change]{
			Name: "task done by a standard change", Practice: changes.Practice,
			Actions: []string{"complete", "complete_back_out", "close", "cancel"},
			Leads:   []Point{{"request", "complete_task"}, {"request", "fail_task"}},
			Decide: func(_ context.Context, past itsm.Past[change.Change]) ([]Effect, error) {
				c := &past.Record
				of, task, ok := taskOf(c)
				if !ok || past.Event.Action == "close" && c.Outcome != "" && c.Outcome != change.NotImplemented {
					return nil, nil // it was over before
				}
				what := fmt.Sprintf("change %s: %s", c.ID, c.Outcome)
				if c.Outcome.Good() {
					return []Effect{Do(requests.Practice, of, request.CompleteTask{Task: task, Note: what})}, nil
				}
				return []Effect{Do(requests.Practice, of, request.FailTask{Task: task, Reason: what})}, nil
			},
		},
	}
}

// taskOf returns for which task of which request a change was opened.
func taskOf(c *change.Change) (of itsm.ID, task int, ok bool) {
	if c.Fields.Get(requestField, &of) != nil || c.Fields.Get(taskField, &task) != nil {
		return "", 0, false // they are somebody else's
	}
	return of, task, of != "" && task > 0
}

// reason cuts a text to what every practice takes as a reason.
func reason(text string) string {
	const most = 1000
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
