package main

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// The test program is also its nodes and hosts.
func TestMain(m *testing.M) {
	if !child(os.Args[1:]) {
		os.Exit(m.Run())
	}
}

// A node and a host at a time are killed, and the account is right.
func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out, [][]string{{"node"}, {"host", "host"}}))
	text := out.String()
	require.Contains(t, text, "n1  n2  n3    seoul  berlin  austin     due\n")
	require.Contains(t, text, " -- ", "somebody was away")
	require.Contains(t, text, "0 acknowledged and lost, 0 there twice, 0 incidents that are not what their history says")
	require.Regexp(t, `(\d+) of (\d+) resolved incidents closed by themselves once, 0 twice, 0 never`, text)
}

// The audit finds what is missing.
func TestAudit(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true})
	require.NoError(t, err)
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	ctx := itsm.As(t.Context(), "jin")
	desk, err := open(ctx, s.ClientURL(), incident.Config{}, 1)
	require.NoError(t, err)
	inc, err := desk.Open(ctx, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	require.NoError(t, err)
	_, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted."})
	require.NoError(t, err)
	var told []itsm.Event
	for e, err := range desk.History(ctx, inc.ID) {
		require.NoError(t, err)
		told = append(told, e)
	}
	var out strings.Builder
	require.NoError(t, audit(ctx, &out, desk, told))
	require.Contains(t, out.String(), "2 events were acknowledged, 3 are in the history of 1 incidents")
	require.Contains(t, out.String(), "1 of 1 resolved incidents closed by themselves once")
	told[1].ID = "another"
	require.EqualError(t, audit(ctx, io.Discard, desk, told), "the account is wrong")
}

// Nobody waits for ever for whom nobody answers.
func TestNobodyAnswers(t *testing.T) {
	s := &scene{out: io.Discard, did: map[string]int{}, began: time.Now(), patience: time.Nanosecond}
	require.EqualError(t, s.goOn(), "nobody was answered for 1ns")
	s.hear([]byte("{"))
	require.Empty(t, s.acknowledged)
}
