package svs

import (
	"context"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/request"
)

// Misfiled ends what was filed by mistake, once somebody has filed it right:
//
//   - a request that names an incident as its origin ([request.Order].Origin) cancels
//     that incident, which points to it;
//   - an incident that points to a request from which it was made
//     ([request.ReclassifiedFrom]) ends that request, which points to it, and takes
//     back what was done for it.
//
// Each keeps its history, so nothing is lost. Practices count their own: a request
// for information is no outage, and an outage is no order.
func Misfiled(incidents *incident.Practice, requests *request.Practice) []Reaction {
	return []Reaction{
		On[request.Request]{
			Name: "incident that is a request", Practice: requests.Practice, Actions: []string{"order"},
			Leads: []Point{{incidentKind, "link"}, {incidentKind, "cancel"}},
			Decide: func(_ context.Context, past itsm.Past[request.Request]) ([]Effect, error) {
				order, ok := past.Action.(request.Order)
				if !ok || order.Origin == nil || order.Origin.Kind != incidentKind {
					return nil, nil
				}
				to := itsm.Ref{Kind: requestKind, ID: past.Record.ID}
				return []Effect{
					Do(incidents.Practice, order.Origin.ID, incident.Link{Link: itsm.Link{Rel: incident.ReclassifiedAs, To: to}}).Named("link"),
					Do(incidents.Practice, order.Origin.ID, incident.Cancel{Reason: "it is a request: " + string(to.ID)}).Named("cancel"),
				}, nil
			},
		},
		On[incident.Incident]{
			Name: "request that is an incident", Practice: incidents.Practice, Actions: []string{"link"},
			Leads: []Point{{requestKind, "reclassify"}},
			Decide: func(_ context.Context, past itsm.Past[incident.Incident]) ([]Effect, error) {
				link, ok := past.Action.(incident.Link)
				if !ok || link.Rel != request.ReclassifiedFrom || link.To.Kind != requestKind {
					return nil, nil
				}
				return []Effect{Do(requests.Practice, link.To.ID, request.Reclassify{
					To: itsm.Ref{Kind: incidentKind, ID: past.Record.ID}, Reason: "something does not work"})}, nil
			},
		},
	}
}
