package main

import (
	"testing"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/practicetest"
)

// The suite knows what is true of every practice; what is always true of an asset, only
// the vendor knows.
func TestAssets(t *testing.T) {
	practicetest.Test(t, practicetest.Harness[Asset]{
		Sound: func(_ *practicetest.World[Asset], r *Asset, ok func(bool, string)) {
			ok((r.State == OnLoan) == (r.Holder != ""), "what is on loan is somebody's, and nothing else is")
			ok(r.State != Retired || r.Wiped, "nothing leaves with data on it")
			ok(r.State == OnLoan || !r.Reminded, "nobody is reminded of what is back")
		},
	}, NewAssets)
}

// A practice of the library's is still right with the host's state and action in it.
func TestDesk(t *testing.T) {
	practicetest.Test(t, practicetest.Harness[incident.Incident]{
		Words: []string{"fixed", string(incident.AwaitingCaller)}, Actions: 1_000,
	}, func(store itsm.Store[incident.Incident], cfg itsm.Config) (*itsm.Practice[incident.Incident], error) {
		desk, err := NewDesk(store, cfg)
		if err != nil {
			return nil, err
		}
		return desk.Practice, nil
	})
}
