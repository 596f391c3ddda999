package improvement_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/svs/improvement"
)

var (
	morning = practicetest.Morning()
	mia     = itsm.As(context.Background(), "mia")
	jin     = itsm.As(context.Background(), "jin")
)

type action = itsm.Action[improvement.Improvement]

// A desk is a practice over a memory store, with a clock and a test.
type desk struct {
	*improvement.Practice
	*practicetest.Desk[improvement.Improvement]
}

func newDesk(t testing.TB, cfg improvement.Config) *desk {
	d := new(desk)
	d.Desk = practicetest.NewDesk(t, host(cfg, &d.Practice))
	return d
}

// host is a way to run the practice; made is the last that was made.
func host(cfg improvement.Config, made **improvement.Practice) practicetest.Host[improvement.Improvement] {
	return func(store itsm.Store[improvement.Improvement], given itsm.Config) (*itsm.Practice[improvement.Improvement], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := improvement.NewPractice(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
}

// open logs an idea and does the actions to it.
func (d *desk) open(actions ...action) improvement.Improvement {
	d.T.Helper()
	r, err := d.Open(mia, improvement.Log{Title: "They wait for the network team", Source: improvement.FromReview, Scope: improvement.Scope{Service: "mail", Practice: "incident_management", Activity: "deliver_support"}})
	require.NoError(d.T, err)
	return d.Did(mia, r.ID, actions...)
}

// What most tests do on the way to what they are about: waiting hours go from 20 to 8.
var (
	before   = improvement.SetBaseline{Metric: "wait", Value: 20, Unit: "h", From: morning.AddDate(0, -1, 0), To: morning}
	wanted   = improvement.SetTarget{Target: improvement.Target{Metric: "wait", Value: 8, Better: improvement.Lower}}
	vision   = improvement.SetVision{Vision: improvement.Vision{Text: "nobody waits overnight", Value: "a day of work", Stakeholders: []string{"sales"}}}
	planned  = improvement.SetPlan{Plan: improvement.Plan{Text: "two more can repair networks", Experiment: true, Cost: "3 days"}}
	lessons  = improvement.Close{Lessons: "teach two more"}
	underway = []action{vision, before, wanted, improvement.Assess{}, improvement.Approve{}, planned, improvement.Start{}}
)

// measured says a value a while after the work began.
func (d *desk) measured(value float64) improvement.Measure {
	d.Time.Advance(time.Hour)
	return improvement.Measure{Metric: "wait", Value: value, Unit: "h", From: d.Time.Now().Add(-time.Hour), To: d.Time.Now()}
}
