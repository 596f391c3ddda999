package sla_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// vectors calls f for every vector in the files that match, or skips.
func vectors(t *testing.T, pattern string, f func(t *testing.T, raw json.RawMessage)) {
	dir := os.Getenv("ITSM_VECTORS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skipf("there is no %s in %s; ITSM_VECTORS names the folder", pattern, dir)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var all []json.RawMessage
		require.NoError(t, json.Unmarshal(data, &all), file)
		for _, raw := range all {
			var id struct{ ID string }
			require.NoError(t, json.Unmarshal(raw, &id))
			t.Run(id.ID, func(t *testing.T) { f(t, raw) })
		}
		t.Logf("%s: %d checked", filepath.Base(file), len(all))
	}
}

// TestClockVectors checks clocks against the figures of other products, or against
// what is recommended where these are wrong.
func TestClockVectors(t *testing.T) {
	vectors(t, "clock_*.json", func(t *testing.T, raw json.RawMessage) {
		type figures struct {
			Elapsed    *int64     `json:"elapsed_seconds"`
			Remaining  *int64     `json:"remaining_seconds"`
			Paused     *int64     `json:"paused_seconds"`
			Deadline   *time.Time `json:"deadline"`
			Breached   *bool      `json:"breached"`
			Thresholds []struct {
				At     time.Time `json:"at"`
				Offset int64     `json:"offset_seconds"`
			} `json:"thresholds"`
		}
		var v struct {
			Calendar json.RawMessage `json:"calendar"`
			Target   int64           `json:"target_seconds"`
			Events   []struct {
				At     time.Time `json:"at"`
				Do     string    `json:"ev"`
				Target int64     `json:"target_seconds"`
			} `json:"events"`
			At          time.Time `json:"query_at"`
			Want        figures   `json:"want"`
			Recommended *figures  `json:"want_recommended"`
		}
		require.NoError(t, json.Unmarshal(raw, &v))
		calendar, err := sla.ParseCalendar(v.Calendar)
		require.NoError(t, err)
		c, err := sla.NewClock(sla.Goal{Within: time.Duration(v.Target) * time.Second}, compile(t, calendar))
		require.NoError(t, err)
		goal := time.Duration(v.Target) * time.Second
		for _, e := range v.Events {
			m := sla.Mark{At: e.At, Do: sla.Step(e.Do)}
			if e.Do == "set_target" {
				goal = time.Duration(e.Target) * time.Second
				m.Do, m.Goal = sla.SetGoal, sla.Goal{Within: goal}
			}
			require.NoError(t, c.Do(m))
		}
		want := v.Want
		if v.Recommended != nil {
			want = *v.Recommended
		}
		r := c.At(v.At)
		if want.Elapsed != nil {
			require.Equal(t, time.Duration(*want.Elapsed)*time.Second, r.Elapsed)
		}
		if want.Remaining != nil {
			require.Equal(t, time.Duration(*want.Remaining)*time.Second, r.Remaining)
		}
		if want.Paused != nil {
			require.Equal(t, time.Duration(*want.Paused)*time.Second, r.Held)
		}
		if want.Deadline != nil {
			require.Equal(t, want.Deadline.UTC(), r.Deadline)
		}
		if want.Breached != nil {
			require.Equal(t, *want.Breached, r.State == sla.Breached || r.State == sla.Missed)
		}
		for _, threshold := range want.Thresholds {
			require.Equal(t, threshold.At.UTC(), c.When(goal+time.Duration(threshold.Offset)*time.Second))
		}
	})
}
