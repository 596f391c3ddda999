package svs_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/request"
)

func TestMisfiled(t *testing.T) {
	h := newHouse(t)
	wrong := h.report("A new phone, please", "")
	right, err := h.requests.Order(jin, request.Order{Title: "A new phone", Origin: &itsm.Ref{Kind: "incident", ID: wrong}})
	require.NoError(t, err)
	h.catchUp()
	inc, err := h.incidents.Get(jin, wrong)
	require.NoError(t, err)
	require.Equal(t, incident.Cancelled, inc.State)
	require.Contains(t, inc.Links, itsm.Link{Rel: incident.ReclassifiedAs, To: itsm.Ref{Kind: "request", ID: right.ID}})

	req, err := h.requests.Order(jin, request.Order{Title: "My phone is dead"})
	require.NoError(t, err)
	m := req.Misfiled()
	inc, err = h.incidents.Open(jin, incident.Report{Title: m.Title, Caller: m.Requester, Fields: m.Fields})
	require.NoError(t, err)
	for _, l := range m.Links {
		h.do(inc.ID, incident.Link{Link: l})
	}
	h.catchUp()
	req, err = h.requests.Get(jin, req.ID)
	require.NoError(t, err)
	require.Equal(t, request.Cancelled, req.State)
	require.Contains(t, req.Links, itsm.Link{Rel: request.ReclassifiedAs, To: itsm.Ref{Kind: "incident", ID: inc.ID}})
	require.Empty(t, h.refused)
}
