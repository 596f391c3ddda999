package knowledge_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/knowledge"
)

// FuzzDecode lets anything come in from outside. It is an action or refused; the action is
// done or refused; and whatever was done, the record is what its history leads to, and it
// can be searched.
func FuzzDecode(f *testing.F) {
	l := newLibrary(f, knowledge.Config{})
	for i, a := range []action{better, submit, yes, publish, retire, solves(1), comply, knowledge.Flag{Kind: knowledge.Unclear}, knowledge.Restore{Reason: "r"},
		knowledge.Capture{Content: mail, Translates: "kba-1", Locale: "ko"}, knowledge.SetAudience{Audience: knowledge.Audience{Reach: knowledge.Public, Domains: []string{"a"}}}} {
		data, err := l.Encode(a)
		require.NoError(f, err)
		f.Add(data, uint8(i))
	}
	for _, s := range []string{``, `{`, `null`, `{"action":"vote"}`, `{"action":"approve"}`, `{"action":"capture","data":{"title":"t","translates":"kba-1"}}`,
		`{"action":"plan","data":{"expires_at":"9999-12-31T23:59:59Z","review_every":9223372036854775807}}`, `{"action":"revert","data":{"edition":1,"reason":"r","content":{"title":"x"}}}`,
		`{"action":"submit","data":{"reviewers":["a"],"poll":{"rule":"x"}}}`} {
		f.Add([]byte(s), uint8(3))
	}
	states := [][]action{nil, {publish}, {submit}, {retire}, {comply, submit}, {publish, better, knowledge.Revise{}}, {publish, knowledge.Flag{Kind: "x"}, knowledge.Plan{ReviewEvery: time.Minute}}}
	f.Fuzz(func(t *testing.T, data []byte, way uint8) {
		l := newLibrary(t, knowledge.Config{ValidateAfter: 1, ReviewEvery: time.Hour})
		r := l.write(states[int(way)%len(states)]...)
		a, err := l.Decode(data)
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			require.NotEmpty(t, itsm.Findings(err))
			return
		}
		for _, do := range []func() error{
			func() error { _, err := l.Do(as("ann"), r.ID, a); return err },
			func() error { _, err := l.Create(mia, a); return err },
		} {
			err := do()
			require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotAllowed), "%v", err)
		}
		l.Due(2 * time.Hour)
		l.Replays(r.ID)
		r = l.Record(r.ID)
		if d, ok := r.Document(); ok {
			require.NoError(t, d.Validate())
		}
	})
}

// FuzzParse lets anything be a rule.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"name":"legal","of":"publication","when":{"category":["law"]},"policy":{"rule":{"of":[{"role":"legal"}]},"within":"48h"}}`))
	f.Add([]byte(`{"of":"retirement","policy":{"recount":true}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rule, err := knowledge.ParseApprovalRule(data)
		require.True(t, err == nil || errors.Is(err, itsm.ErrInvalid), "%v", err)
		if err == nil {
			_, err = knowledge.NewPractice(newLibrary(t, knowledge.Config{}).Store, knowledge.Config{Approvals: []knowledge.ApprovalRule{rule}})
			require.NoError(t, err)
		}
	})
}
