package change_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
)

// FuzzDecode lets anything come in from outside. It is an action or refused; the
// action is done or refused; and whatever was done, the record is what its history
// leads to.
func FuzzDecode(f *testing.F) {
	o := newOffice(f, change.Config{})
	for i, a := range []action{plan, assess, tonight, ask, yes, complete, change.Close{}, change.SetTasks{Tasks: []change.Step{{Key: "a", Title: "t", Kind: change.ReviewTask}}}} {
		data, err := o.Encode(a)
		require.NoError(f, err)
		f.Add(data, uint8(i))
	}
	for _, s := range []string{``, `{`, `null`, `{"action":"vote"}`, `{"action":"authorize"}`, `{"action":"propose","data":{"title":"t","model":"normal"}}`,
		`{"action":"set_window","data":{"start":"0001-01-01T00:00:00Z","end":"9999-12-31T23:59:59Z"}}`,
		`{"action":"request_approval","data":{"approvers":["a"],"poll":{"authority":"x"}}}`} {
		f.Add([]byte(s), uint8(2))
	}
	states := [][]action{nil, ready(), ready(ask), {change.Cancel{Reason: "r"}}, ready(change.Submit{})}
	f.Fuzz(func(t *testing.T, data []byte, way uint8) {
		o := newOffice(t, change.Config{})
		r := o.open("", states[int(way)%len(states)]...)
		a, err := o.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		for _, do := range []func() error{
			func() error { _, err := o.Do(as("ann"), r.ID, a); return err },
			func() error { _, err := o.Create(mia, a); return err },
		} {
			err := do()
			require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed), "%v", err)
		}
		o.Due(time.Hour)
		o.Replays(r.ID)
	})
}

// FuzzParse lets anything be a definition.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"a","steps":{"draft":["assess"]}}`))
	f.Add([]byte(`{"freezes":[{"name":"x"}],"windows":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		check := func(err error) {
			require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid), "%v", err)
		}
		m, err := change.ParseModel(data)
		check(err)
		_, err = m.Lifecycle(change.DefaultLifecycle())
		check(err)
		rules, err := change.ParseRules(data)
		check(err)
		_, err = change.NewConstraints(nil, rules, nil)
		check(err)
		_, err = change.ParseTemplate(data)
		check(err)
		_, err = change.ParseRiskPolicy(data)
		check(err)
		_, err = change.ParseAuthorityPolicy(data)
		check(err)
	})
}
