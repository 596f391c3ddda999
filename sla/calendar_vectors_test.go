package sla_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/sla"
)

// vectorFolder returns where the calculations of other products' tests are, or
// skips.
func vectorFolder(t *testing.T) string {
	folder := os.Getenv("ITSM_VECTORS")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("no test vectors: %v; ITSM_VECTORS names their folder", err)
	}
	return folder
}

// A calendarVector is a calculation from another product's tests. Where that
// product means something else than this package does, Recommended is what this
// package's meaning gives.
type calendarVector struct {
	ID       string          `json:"id"`
	Calendar json.RawMessage `json:"calendar"`
	Op       string          `json:"op"`
	In       struct {
		Start, At, From, To time.Time
		Seconds             float64
	} `json:"in"`
	Want        json.RawMessage `json:"want"`
	Recommended json.RawMessage `json:"want_recommended"`
}

func TestCalendarVectors(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectorFolder(t), "calendar_*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "the folder has no calendar_*.json")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var vectors []calendarVector
			require.NoError(t, json.Unmarshal(data, &vectors))
			checked := 0
			for _, v := range vectors {
				checkVector(t, v)
				checked++
			}
			require.NotZero(t, checked)
			t.Logf("%s: %d vectors checked", filepath.Base(file), checked)
		})
	}
}

// checkVector asks with a table that holds the instant, and with one that does
// not, so that the same question is answered by walking.
func checkVector(t *testing.T, v calendarVector) {
	calendar, err := sla.ParseCalendar(v.Calendar)
	require.NoError(t, err, v.ID)
	narrow := sla.Horizon{From: sla.Date{Year: 1900, Month: 1, Day: 1}, To: sla.Date{Year: 1900, Month: 2, Day: 1}}
	for _, horizon := range []sla.Horizon{{}, narrow} {
		hours, err := calendar.CompileFor(horizon)
		require.NoError(t, err, v.ID)
		want := v.Want
		if len(v.Recommended) > 0 {
			want = v.Recommended
		}
		var got any
		switch v.Op {
		case "add":
			d := time.Duration(v.In.Seconds * float64(time.Second))
			got = hours.Add(v.In.Start, d) // by 0, forwards and backwards are the same
		case "between":
			got = hours.Between(v.In.From, v.In.To).Seconds()
		case "is_open":
			got = hours.IsOpen(v.In.At)
		case "next_open":
			got = hours.NextOpen(v.In.At)
		default:
			require.Fail(t, "unknown op", "%s: %s", v.ID, v.Op)
		}
		text, err := json.Marshal(got)
		require.NoError(t, err, v.ID)
		require.Equal(t, string(bytes.TrimSpace(want)), string(text), "%s: %s %s", v.ID, v.Op, v.Calendar)
	}
}
