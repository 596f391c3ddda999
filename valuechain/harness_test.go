package valuechain_test

import (
	"compress/gzip"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/race"
	"github.com/go-itsm/itsm/valuechain"
)

var update = flag.Bool("update", false, "rewrite the golden files and the diagram in doc.go")

func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(have), text, "go test ./valuechain -update rewrites %s", path)
}

// rounds is how often something random is tried: less under the race detector.
func rounds(n int) int {
	if race.Detector {
		return n / 10
	}
	return n
}

func words(text string) []string { return strings.Fields(text) }

func contains(all []string, one string) bool { return slices.Contains(all, one) }

func findings(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// day is midnight of the first day of every story.
var day = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// at is so many minutes later.
func at(minutes int) time.Time { return day.Add(time.Duration(minutes) * time.Minute) }

// realLog returns the path of a file of the real logs, which are not part of the
// repository.
func realLog(t testing.TB, name string) string {
	t.Helper()
	path := logPath(name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real logs are not here (ITSM_REAL_LOGS names their folder): %v", err)
	}
	return path
}

func logPath(name string) string {
	dir := os.Getenv("ITSM_REAL_LOGS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	return filepath.Join(dir, name)
}

// rows reads a compressed table with a header, each row by column.
func rows(t testing.TB, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(realLog(t, name))
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	all, err := csv.NewReader(z).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, r := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = r[i]
		}
		out = append(out, row)
	}
	return out
}

// uci is the sample of the UCI log: an entry for each row, by its state, in the
// order of the file.
func uci(t testing.TB) valuechain.Log {
	t.Helper()
	var b valuechain.LogBuilder
	for _, r := range rows(t, "uci498_sample500.csv.gz") {
		e := valuechain.Entry{Activity: r["incident_state"], Resource: r["assigned_to"], Group: r["assignment_group"]}
		if when, err := time.Parse("2/1/2006 15:04", r["sys_updated_at"]); err == nil {
			e.At = when
		}
		b.Append(r["number"], e)
	}
	return b.Log()
}

// volvo is the log of closed problems of Volvo IT Belgium, by status and sub-status.
func volvo(t testing.TB) valuechain.Log {
	t.Helper()
	var b valuechain.LogBuilder
	for _, r := range rows(t, "bpic2013_closed_problems.csv.gz") {
		when, err := time.Parse(time.RFC3339, r["time"])
		require.NoError(t, err)
		b.Append(r["case_id"], valuechain.Entry{Activity: r["status"] + "/" + r["sub_status"], At: when, Group: r["support_team"]})
	}
	return b.Log()
}

// logOf makes a log of texts, a case each: activities divided by blanks.
func logOf(cases ...string) valuechain.Log {
	var l valuechain.Log
	for i, c := range cases {
		tr := valuechain.Trace{Case: fmt.Sprint("c", i+1)}
		for j, a := range words(c) {
			tr.Entries = append(tr.Entries, valuechain.Entry{Activity: a, At: at(j)})
		}
		l.Traces = append(l.Traces, tr)
	}
	return l
}
