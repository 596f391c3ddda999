package request

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
)

// Misfiled is a request that was filed by mistake, with everything that another
// practice needs to take it on. It is a plain value: practices do not know each other.
type Misfiled struct {
	Title       string
	Description string
	Requester   string
	Recipient   string
	Channel     string
	// Service is that of the first item that has one.
	Service string
	// Opened is when it came in.
	Opened time.Time
	// Fields are the host's own data, and the lines of the order, if there are
	// any, as "request_lines".
	Fields itsm.Fields
	// Links are those of the request, and one that points back to it
	// ([ReclassifiedFrom]).
	Links []itsm.Link
}

// Misfiled returns what another practice needs to take on a request that was filed by
// mistake. The host opens the other record with it and then points there with
// [Reclassify]:
//
//	m := req.Misfiled()
//	inc, err := desk.Open(ctx, incident.Report{Title: m.Title, Caller: m.Requester, …})
//	for _, l := range m.Links { … incident.Link{Link: l} … }
//	req, err = requests.Do(ctx, req.ID, request.Reclassify{To: itsm.Ref{Kind: "incident", ID: inc.ID}, Reason: "…"})
//
// The other way round, [Order] takes an Origin, links and fields. What was said is in
// the history of each record; [Practice.Journal] reads it.
func (r *Request) Misfiled() Misfiled {
	m := Misfiled{Title: r.Title, Description: r.Description, Requester: r.Requester, Recipient: r.Recipient,
		Channel: r.Channel, Opened: r.Created, Fields: maps.Clone(r.Fields), Links: slices.Clone(r.Links)}
	for _, item := range r.Items {
		if m.Service == "" {
			m.Service = item.Service
		}
	}
	if len(r.Lines) > 0 {
		_ = m.Fields.Set("request_lines", r.Lines) // which came from JSON
	}
	m.Links = append(m.Links, itsm.Link{Rel: ReclassifiedFrom, To: itsm.Ref{Kind: "request", ID: r.ID}})
	return m
}

// StandardChange is what a standard change needs to be opened for a task. The change
// is authorized beforehand, by its template; that the requester may have it was
// approved here, and Approvals is the proof. Neither is asked a second time.
type StandardChange struct {
	// Template is the one that the task's model names.
	Template  string
	Title     string
	Requester string
	Recipient string
	Service   string
	// Request points to the request, for the change's link.
	Request itsm.Ref
	// Task is the number of the task, for [TrackTask] and [CompleteTask].
	Task      int
	Approvals []ApprovalGiven
}

// ApprovalGiven is an approval that was given, and by whom.
type ApprovalGiven struct {
	Policy string
	// By lists who voted for it, in the order of their ballots.
	By []string
}

// StandardChange returns what a standard change needs to do a task. The host opens
// one when it reads [RunTask] in the feed, points to it with [TrackTask], and says
// [CompleteTask] or [FailTask] when the change is over. It returns an
// [itsm.ErrInvalid] if there is no such task or it is done in another way.
func (r *Request) StandardChange(task int) (StandardChange, error) {
	t := r.Task(task)
	if t == nil || t.Change == "" {
		return StandardChange{}, &itsm.FieldError{Field: "task", Reason: fmt.Sprintf("must be the number of a task that is done by a standard change, is %d", task)}
	}
	c := StandardChange{Template: t.Change, Title: t.Title, Requester: r.Requester, Recipient: r.Recipient,
		Request: itsm.Ref{Kind: "request", ID: r.ID}, Task: task}
	if item := r.Item(t.Item); item != nil {
		c.Service = item.Service
	}
	for _, a := range r.Approvals {
		if a.Outcome != approval.Approved || a.Extends > 0 || len(a.Items) > 0 && !slices.Contains(a.Items, t.Item) {
			continue
		}
		given := ApprovalGiven{Policy: a.Policy}
		for _, b := range a.Ballots {
			if b.Vote == approval.Approve && !slices.Contains(given.By, b.By) {
				given.By = append(given.By, b.By)
			}
		}
		c.Approvals = append(c.Approvals, given)
	}
	return c, nil
}
