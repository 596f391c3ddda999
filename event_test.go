package itsm_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func TestCloudEvent(t *testing.T) {
	e := itsm.Event{
		ID: "evt_1", Practice: "ticket", Record: "tkt_1", Version: 2, Action: "finish", From: "open", To: "done",
		At: monday.Add(123456 * time.Microsecond), Actor: itsm.Actor{ID: "jin", Name: "Jin"}, Cause: "evt_0",
		Data: json.RawMessage(`{"note":"it works"}`),
	}
	data, err := e.CloudEvent("https://desk.example/itsm")
	require.NoError(t, err)
	var pretty strings.Builder
	enc := json.NewEncoder(&pretty)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(json.RawMessage(data)))
	golden(t, "cloudevent.json", pretty.String())

	// What CloudEvents 1.0 requires of every event: four attributes, each a
	// non-empty text, and names of lower-case letters and digits only.
	var attributes map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(data, &attributes))
	for name, want := range map[string]string{
		"specversion": "1.0", "id": "evt_1", "source": "https://desk.example/itsm", "type": "itsm.ticket.finish",
		"subject": "tkt_1", "time": "2026-03-02T09:00:00.123456Z", "datacontenttype": "application/json",
	} {
		var got string
		require.NoError(t, json.Unmarshal(attributes[name], &got), name)
		require.Equal(t, want, got)
	}
	for name := range attributes {
		require.Regexp(t, `^[a-z0-9]{1,20}$`, name)
	}
	var inner itsm.Event
	require.NoError(t, json.Unmarshal(attributes["data"], &inner))
	require.Equal(t, e, inner)
}
