package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// minutes is how long the desk is open from one time to another, counted day by
// day and not by a calendar of ours.
func minutes(from, to time.Time) int {
	total := 0
	for day := from.Truncate(24 * time.Hour); day.Before(to); day = day.Add(24 * time.Hour) {
		if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
			continue
		}
		open, closed := day.Add(14*time.Hour), day.Add(23*time.Hour)
		if open.Before(from) {
			open = from
		}
		if closed.After(to) {
			closed = to
		}
		if open.Before(closed) {
			total += int(closed.Sub(open) / time.Minute)
		}
	}
	return total
}

// TestMadeSLA compares the log's column with our clocks, and our clocks with the
// rule computed by other means.
func TestMadeSLA(t *testing.T) {
	name := realLog(t, "uci498_sample500.csv.gz")
	got := reportOf(t, "-log", name, "-made-sla")["made_sla"].(map[string]any)
	require.EqualValues(t, json.Number("495"), got["agreed"])
	require.Len(t, got["differ"], 5)

	file, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = file.Close() })
	last := map[string]*Row{}
	for row, err := range ReadLog(file) {
		require.NoError(t, err)
		last[row.Number] = row
	}
	require.Len(t, last, 500)
	goals := map[byte]int{'1': 227, '2': 0, '3': 3720, '4': 8099}
	want := map[string]bool{}
	for number, row := range last {
		if made := minutes(row.Opened, row.Closed) <= goals[row.PriorityLabel[0]]; made != row.MadeSLA {
			want[number] = true
		}
	}
	have := map[string]bool{}
	for _, d := range got["differ"].([]any) {
		have[d.(map[string]any)["incident"].(string)] = true
	}
	require.Equal(t, want, have)

	// And as text, with every incident on which they disagree.
	var out, complaint bytes.Buffer
	require.Equal(t, 0, run([]string{"-log", name, "-made-sla"}, nil, &out, &complaint), complaint.String())
	require.Contains(t, out.String(), "agreed on 495 of 500 incidents; 0 left out")
	for number := range want {
		require.Equal(t, 1, strings.Count(out.String(), "\n  "+number+"  priority"), number)
	}
}

// What was not closed, and what has no priority of the agreement, is left out.
func TestMadeSLALeavesOut(t *testing.T) {
	var out, complaint bytes.Buffer
	require.Equal(t, 0, run([]string{"-made-sla"}, nil, &out, &complaint), complaint.String())
	require.Contains(t, out.String(), "agreed on 4 of 4 incidents; 2 left out")
	require.NotContains(t, reportOf(t), "made_sla")
}
