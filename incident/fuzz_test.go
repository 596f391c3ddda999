package incident_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// FuzzDecode lets anything come in from outside. It is an action or refused; the
// action is done or refused; and whatever was done, the record is what its
// history leads to.
func FuzzDecode(f *testing.F) {
	d := newDesk(f, incident.Config{})
	for i, c := range effects() {
		data, err := d.Encode(c.do)
		require.NoError(f, err)
		f.Add(data, uint8(i))
	}
	for _, s := range []string{``, `{`, `null`, `[]`, `{"action":"note"}`, `{"action":"note","data":{"text":"\u0000"}}`,
		`{"action":"note","data":{"text":1,"x":{},"text":2}}`, `{"action":"auto_close"}`, `{"action":"log_time","data":{"spent":"1h"}}`,
		`{"action":"set_fields","data":{"fields":{"a":[1,2,{"b":null}],"":{}}}}`, `{"action":"hold","data":{"reason":"x","until":"9999-12-31T23:59:59+00:01"}}`,
		`{"action":"mark","data":{"milestone":"started","at":"0000-01-01T00:00:00Z"}}`,
		`{"action":"accept_major","data":{"reason":"r","commander":"c","cadence":9223372036854775807}}`} {
		f.Add([]byte(s), uint8(0))
	}
	states := [][]action{nil, list(start), list(assign, hold), list(resolve), list(resolve, closing), list(accept), list(incident.Cancel{Reason: "r"}),
		list(resolve, incident.StartReview{Lead: "kim"}, incident.AddActionItem{Title: "t", Owner: "o"})}
	f.Fuzz(func(t *testing.T, data []byte, way uint8) {
		cfg := configs()[int(way)%5]
		cfg.Matcher = nil
		d := newDesk(t, cfg)
		inc := d.open(states[int(way)%len(states)]...)
		d.open(incident.SetParent{Parent: d.open().ID})
		refused := func(err error) bool {
			require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed), "%v", err)
			require.Equal(t, err == nil, len(itsm.Findings(err)) == 0)
			return err != nil
		}
		a, err := d.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		again, err := d.Encode(a)
		require.NoError(t, err)
		b, err := d.Decode(again)
		require.NoError(t, err)
		require.Equal(t, a, b)

		_, dry := d.Check(mia, inc.ID, a)
		_, err = d.Do(mia, inc.ID, a)
		refused(err)
		require.Equal(t, dry == nil, err == nil)
		_, err = d.Create(mia, a)
		refused(err)
		_, _, err = func() (int, time.Time, error) { d.Time.Advance(time.Hour); return d.RunDue(sys) }()
		require.NoError(t, err)
		for id := range d.Records() {
			d.Replays(id)
		}
	})
}
