package change_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/sla"
)

type (
	action = itsm.Action[change.Change]
	world  = practicetest.World[change.Change]
)

// An office is a practice over a memory store, with a clock and a test. Mia makes
// changes; ann, bob and cai decide about them.
type office struct {
	*change.Practice
	*practicetest.Desk[change.Change]
}

var (
	morning = practicetest.Morning()
	mia     = as("mia")
	sys     = itsm.WithActor(context.Background(), itsm.System())
)

func as(id string) context.Context { return itsm.As(context.Background(), id) }

func newOffice(t testing.TB, cfg change.Config) *office {
	o := new(office)
	o.Desk = practicetest.NewDesk(t, host(cfg, &o.Practice))
	return o
}

// host is a way to run the practice; made is the last that was made.
func host(cfg change.Config, made **change.Practice) practicetest.Host[change.Change] {
	return func(store itsm.Store[change.Change], given itsm.Config) (*itsm.Practice[change.Change], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := change.NewPractice(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
}

// open proposes a change of the mail service and does the actions to it, as mia.
func (o *office) open(model string, actions ...action) change.Change {
	o.T.Helper()
	r, err := o.Open(mia, change.Propose{Title: "Mail 8", Model: model, Services: []string{"mail"}, CIs: []string{"mx-1"}})
	require.NoError(o.T, err)
	return o.Did(mia, r.ID, actions...)
}

// What most tests do on the way to what they are about.
var (
	plan     = change.SetPlan{Plan: change.Plan{Implementation: "install", BackOut: "reinstall", Test: "send a mail"}}
	assess   = change.AssessRisk{Answers: map[string]string{"likelihood": "rare", "impact": "nobody"}}
	tonight  = change.SetWindow{Span: change.Span{Start: morning.Add(12 * time.Hour), End: morning.Add(14 * time.Hour)}}
	ask      = change.RequestApproval{Approvers: []string{"ann", "bob", "cai"}}
	yes, no  = change.Vote{Vote: approval.Approve}, change.Vote{Vote: approval.Reject}
	complete = change.Complete{Outcome: change.Successful}
)

// ready is what a normal change needs before its authority is asked.
func ready(more ...action) []action { return append([]action{plan, assess, tonight}, more...) }

// hours compiles a calendar.
func hours(t testing.TB, c sla.Calendar) *sla.Hours {
	t.Helper()
	h, err := c.Compile()
	require.NoError(t, err)
	return h
}

var errDown = errors.New("the host is down")
