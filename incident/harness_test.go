package incident_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
)

type world = practicetest.World[incident.Incident]

// A desk is a practice over a memory store, with a clock and a test. Mia works
// there, jin has the trouble.
type desk struct {
	*incident.Practice
	*practicetest.Desk[incident.Incident]
}

var (
	morning = practicetest.Morning()
	mia     = itsm.As(context.Background(), "mia")
	jin     = itsm.As(context.Background(), "jin")
	sys     = itsm.WithActor(context.Background(), itsm.System())
)

func newDesk(t testing.TB, cfg incident.Config) *desk {
	d := new(desk)
	d.Desk = practicetest.NewDesk(t, host(cfg, &d.Practice))
	return d
}

// host is a way to run the practice; made is the last that was made.
func host(cfg incident.Config, made **incident.Practice) practicetest.Host[incident.Incident] {
	return func(store itsm.Store[incident.Incident], given itsm.Config) (*itsm.Practice[incident.Incident], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := incident.NewPractice(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
}

// over puts another practice over the desk's store, or a store around it.
func (d *desk) over(store itsm.Store[incident.Incident], cfg incident.Config) {
	d.T.Helper()
	var err error
	d.Kernel, err = host(cfg, &d.Practice)(store, itsm.Config{Now: d.Time.Now, NewID: practicetest.Serial()})
	require.NoError(d.T, err)
}

// open reports a mail outage of jin's and does the actions to it, as mia.
func (d *desk) open(actions ...itsm.Action[incident.Incident]) incident.Incident {
	d.T.Helper()
	inc, err := d.Open(mia, incident.Report{Title: "No mail", Caller: "jin", Service: "mail"})
	require.NoError(d.T, err)
	return d.Did(mia, inc.ID, actions...)
}

// A counting store tells before each commit how many incidents it is about.
type counting struct {
	itsm.Store[incident.Incident]
	told func(revs int) error
}

func (c counting) Commit(ctx context.Context, revs ...itsm.Revision[incident.Incident]) error {
	if err := c.told(len(revs)); err != nil {
		return err
	}
	return c.Store.Commit(ctx, revs...)
}

var errDown = errors.New("the store is down")

// serial2 numbers on where another process stopped.
func serial2() func(context.Context, string, time.Time) (itsm.ID, error) {
	ids := practicetest.Serial()
	return func(ctx context.Context, prefix string, at time.Time) (itsm.ID, error) {
		id, err := ids(ctx, prefix, at)
		return "second-" + id, err
	}
}
