package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/incident"
)

// realLog returns the path of a file of the real logs, which are not part of the
// repository.
func realLog(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("ITSM_REAL_LOGS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the real logs are not here (ITSM_REAL_LOGS names their folder): %v", err)
	}
	return path
}

// on runs the program with a log on standard input.
func on(log string, args ...string) (code int, out, complaint string) {
	var stdout, stderr bytes.Buffer
	code = run(append([]string{"-log", "-"}, args...), strings.NewReader(log), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// reportOf runs the program and reads its JSON, numbers as they are spelled.
func reportOf(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Equal(t, 0, run(append(args, "-json"), nil, &stdout, &stderr), stderr.String())
	return decode(t, stdout.Bytes())
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var m map[string]any
	require.NoError(t, dec.Decode(&m))
	return m
}

// differences lists where two JSON values are not the same. Numbers are compared
// by value and not by spelling.
func differences(path string, want, have any) []string {
	differ := []string{fmt.Sprintf("%s: want %v, have %v", path, want, have)}
	switch want := want.(type) {
	case map[string]any:
		have, ok := have.(map[string]any)
		if !ok {
			return differ
		}
		var all []string
		for key := range want {
			if _, ok := have[key]; !ok {
				all = append(all, path+"."+key+" is missing")
				continue
			}
			all = append(all, differences(path+"."+key, want[key], have[key])...)
		}
		for key := range have {
			if _, ok := want[key]; !ok {
				all = append(all, path+"."+key+" is too many")
			}
		}
		return all
	case []any:
		have, ok := have.([]any)
		if !ok || len(have) != len(want) {
			return differ
		}
		var all []string
		for i := range want {
			all = append(all, differences(fmt.Sprintf("%s[%d]", path, i), want[i], have[i])...)
		}
		return all
	case json.Number:
		have, ok := have.(json.Number)
		if ok {
			a, good := new(big.Rat).SetString(want.String())
			b, too := new(big.Rat).SetString(have.String())
			if good && too && a.Cmp(b) == 0 {
				return nil
			}
		}
		return differ
	}
	if want != have {
		return differ
	}
	return nil
}

func TestDifferences(t *testing.T) {
	a := decode(t, []byte(`{"a":[1,2.50,null],"b":{"c":"x"},"d":1}`))
	require.Empty(t, differences("", a, decode(t, []byte(`{"d":1.0,"b":{"c":"x"},"a":[1,2.5,null]}`))))
	for _, other := range []string{
		`{"a":[1,2.5000001,null],"b":{"c":"x"},"d":1}`, `{"a":[1,2.5],"b":{"c":"x"},"d":1}`, `{"a":[1,2.5,0],"b":{"c":"x"},"d":1}`,
		`{"a":[1,2.5,null],"b":{"c":"y"},"d":1}`, `{"a":[1,2.5,null],"b":{},"d":1}`, `{"a":[1,2.5,null],"b":{"c":"x"},"d":1,"e":1}`,
		`{"a":1,"b":[],"d":"1"}`,
	} {
		require.NotEmpty(t, differences("", a, decode(t, []byte(other))), other)
	}
}

// Every figure of the real log is what an independent program made of it.
func TestRealLog(t *testing.T) {
	have := reportOf(t, "-log", realLog(t, "uci498_sample500.csv.gz"))
	reference, err := os.ReadFile(realLog(t, "reference_uci498_sample500.json"))
	require.NoError(t, err)
	want := decode(t, reference)
	for _, key := range []string{"by_priority", "month_end_backlog"} {
		require.NotEmpty(t, want[key])
		for _, d := range differences(key, want[key], have[key]) {
			t.Error(d)
		}
	}
	follows, err := os.ReadFile(realLog(t, "dfg_uci498_sample500.json"))
	require.NoError(t, err)
	for _, d := range differences("directly_follows", decode(t, follows), have["directly_follows"]) {
		t.Error(d)
	}
	for key := range want["definitions"].(map[string]any) {
		require.Contains(t, have["definitions"], key)
	}
	for name, n := range map[string]string{
		"reopen_count_on_every_row": "3892", "priority_on_every_row": "3892",
		"last_resolved_in_history": "487", "closed_at_last_row_in_Closed": "500", "replayed_history_is_the_record": "500",
	} {
		agreement := have["agreements"].(map[string]any)[name]
		want := map[string]any{"compared": json.Number(n), "equal": json.Number(n)}
		require.Empty(t, differences(name, want, agreement))
	}
}

// A log five times as long has five times as many of everything, and the same
// averages.
func TestRealLogRepeated(t *testing.T) {
	const times = 5
	file, err := os.Open(realLog(t, "uci498_sample500.csv.gz"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	unzip, err := gzip.NewReader(file)
	require.NoError(t, err)
	rows, err := csv.NewReader(unzip).ReadAll()
	require.NoError(t, err)
	var long bytes.Buffer
	w := csv.NewWriter(&long)
	require.NoError(t, w.Write(rows[0]))
	for i := range times {
		for _, row := range rows[1:] {
			row[0] = fmt.Sprintf("%d%s", i, row[0][1:])
			require.NoError(t, w.Write(row))
		}
	}
	w.Flush()
	code, out, complaint := on(long.String(), "-json")
	require.Equal(t, 0, code, complaint)
	have := decode(t, []byte(out))
	once := reportOf(t, "-log", file.Name())

	scaled := []string{"incidents", "events", "n", "sum_seconds", "resolved_at_missing", "no_Resolved_event", "count", "of",
		"reopen_transitions", "reassignment_count_sum_last_row", "opened_before_T", "not_closed", "not_done_by_state",
		"cases", "moves", "permitted", "actions", "compared", "equal", "rows_not_followed", "begin_after_new"}
	// These lie between two values, or at a rank, which repeating moves.
	moved := []string{"p90_nearest_rank_seconds", "p90_linear_seconds", "p90_nearest_rank_hours", "source", "dataset", "differences"}
	checked := 0
	var walk func(path string, one, five any, all bool)
	walk = func(path string, one, five any, all bool) {
		switch one := one.(type) {
		case map[string]any:
			for key, v := range one {
				if !slices.Contains(moved, key) {
					walk(path+"."+key, v, five.(map[string]any)[key], all || slices.Contains(scaled, key) || strings.HasSuffix(key, "_by_priority"))
				}
			}
		case []any:
			require.Len(t, five, len(one), path)
			for i, v := range one {
				walk(fmt.Sprint(path, "[", i, "]"), v, five.([]any)[i], all)
			}
		case json.Number:
			checked++
			want, ok := new(big.Rat).SetString(one.String())
			require.True(t, ok)
			if all {
				want.Mul(want, big.NewRat(times, 1))
			}
			require.Empty(t, differences(path, json.Number(want.FloatString(6)), five), path)
		default:
			require.Equal(t, one, five, path)
		}
	}
	walk("", once, have, false)
	require.Greater(t, checked, 600)
}

// The small log that comes with the program, as people see it.
func Example() {
	run(nil, nil, os.Stdout, os.Stderr)
	// Output:
	// SERVICE DESK REPORT: small.csv
	// 28 rows about 6 incidents, replayed as 47 actions, of which 3 inferred
	//
	// Incidents                                         all   1 - Critical       2 - High   3 - Moderate        4 - Low
	//   reported                                          6              1              1              3              1
	//   rows                                             28              6              7             13              2
	//   ever on hold                             3 (50.0 %)    1 (100.0 %)    1 (100.0 %)     1 (33.3 %)      0 (0.0 %)
	//   reopened                                 2 (33.3 %)      0 (0.0 %)    1 (100.0 %)     1 (33.3 %)      0 (0.0 %)
	//     times                                           2              0              1              1              0
	//   reassigned                               3 (50.0 %)    1 (100.0 %)    1 (100.0 %)     1 (33.3 %)      0 (0.0 %)
	//     to another group                       3 (50.0 %)    1 (100.0 %)    1 (100.0 %)     1 (33.3 %)      0 (0.0 %)
	//     times                                           3              1              1              1              0
	//   resolved first time                      1 (25.0 %)      0 (0.0 %)      0 (0.0 %)     1 (50.0 %)              0
	//   kept its agreement                       4 (66.7 %)      0 (0.0 %)      0 (0.0 %)    3 (100.0 %)    1 (100.0 %)
	//
	// Time to resolve (clock on the wall)               all   1 - Critical       2 - High   3 - Moderate        4 - Low
	//   resolved                                          4              1              1              2              0
	//   sum                                         312.0 h         66.0 h        191.0 h         55.0 h          0.0 h
	//   mean                                         78.0 h         66.0 h        191.0 h         27.5 h              -
	//   median                                       59.5 h         66.0 h        191.0 h         27.5 h              -
	//   90 % within (nearest rank)                  191.0 h         66.0 h        191.0 h         53.0 h              -
	//   90 % within (linear)                        153.5 h         66.0 h        191.0 h         47.9 h              -
	//
	// Time to resolve (Mon-Fri 09:00-17:00)             all   1 - Critical       2 - High   3 - Moderate        4 - Low
	//   resolved                                          4              1              1              2              0
	//   sum                                          72.0 h          2.0 h         47.0 h         23.0 h          0.0 h
	//   mean                                         18.0 h          2.0 h         47.0 h         11.5 h              -
	//   median                                       11.5 h          2.0 h         47.0 h         11.5 h              -
	//   90 % within (nearest rank)                   47.0 h          2.0 h         47.0 h         21.0 h              -
	//   90 % within (linear)                         39.2 h          2.0 h         47.0 h         19.1 h              -
	//
	// Median time from opened (wall)                    all   1 - Critical       2 - High   3 - Moderate        4 - Low
	//   to first Resolved                            34.0 h         66.0 h        167.0 h          2.0 h              -
	//   to last Resolved                             59.5 h         66.0 h        191.0 h         27.5 h              -
	//   to Closed                                   147.5 h        186.0 h              -        147.5 h          0.6 h
	//
	// Backlog at the end of                          opened     not closed       not done   1 - Critical       2 - High   3 - Moderate        4 - Low
	//   2026-01                                           6              2              2              0              1              1              0
	//   2026-02                                           6              2              1              0              0              1              0
	//
	// Next row's state, by the state before  to a  to b  to c  to d  to e  to f  to g  to h  to i
	//   a New                                   1     3     .     .     .     .     1     1     .
	//   b Active                                .     1     1     1     1     .     1     .     .
	//   c Awaiting User Info                    .     .     .     .     .     .     2     .     .
	//   d Awaiting Vendor                       .     .     .     .     .     .     1     .     .
	//   e Awaiting Problem                      .     .     .     .     .     .     .     .     1
	//   f Awaiting Evidence                     .     .     .     .     .     .     1     .     .
	//   g Resolved                              .     1     1     .     .     .     .     3     .
	//   h Closed                                .     .     .     .     .     .     .     .     .
	//   i -100                                  .     .     .     .     .     1     .     .     .
	//
	// The default lifecycle permits 16 of 20 moves (80.0 %)
	//   not New -> Closed                                 1  replayed as resolve, close
	//   not Awaiting Problem -> -100                      1  the record stays where it is
	//   not -100 -> Awaiting Evidence                     1  replayed as hold
	//   not Resolved -> Awaiting User Info                1  replayed as reopen, hold
	//   incidents whose first row is past New: 1
	//   inferred actions: reopen 1, resolve 1, start 1
	//   refused actions: none
	//   rows that the record could not follow: 1
	//
	// Do our records agree with the log?
	//   times reopened, on every row                    28 of      28
	//   priority by the matrix, on every row            28 of      28
	//   last resolved, in our history                    4 of       4
	//   last resolved, our milestone                     4 of       4
	//   closed, our milestone                            4 of       4
	//   closed, last row in Closed                       4 of       4
	//   our histories, replayed, with our records        6 of       6
}

const header = "number,incident_state,reassignment_count,reopen_count,made_sla,opened_at,sys_updated_at,impact,urgency,priority,assignment_group,resolved_at,closed_at\n"

// known is a log of two incidents of which every figure can be worked out by
// hand. 4 March 2024 is a Monday.
const known = header +
	"A,New,0,0,true,4/3/2024 08:00,4/3/2024 08:00,2 - Medium,2 - Medium,3 - Moderate,Desk,4/3/2024 10:00,6/3/2024 18:00\n" +
	"A,Resolved,0,0,true,4/3/2024 08:00,4/3/2024 10:00,2 - Medium,2 - Medium,3 - Moderate,Desk,4/3/2024 10:00,6/3/2024 18:00\n" +
	"A,Closed,0,0,true,4/3/2024 08:00,6/3/2024 18:00,2 - Medium,2 - Medium,3 - Moderate,Desk,4/3/2024 10:00,6/3/2024 18:00\n" +
	"B,Active,0,0,true,29/3/2024 16:00,29/3/2024 16:00,2 - Medium,2 - Medium,3 - Moderate,Desk,1/4/2024 11:00,?\n" +
	"B,Closed,1,0,false,29/3/2024 16:00,29/3/2024 17:00,2 - Medium,2 - Medium,3 - Moderate,Network,1/4/2024 11:00,?\n" +
	"B,Active,1,1,false,29/3/2024 16:00,30/3/2024 09:00,2 - Medium,2 - Medium,3 - Moderate,Network,1/4/2024 11:00,?\n" +
	"B,Resolved,1,1,false,29/3/2024 16:00,1/4/2024 11:00,2 - Medium,2 - Medium,3 - Moderate,Network,1/4/2024 11:00,?\n"

func TestKnownFigures(t *testing.T) {
	code, out, complaint := on(known, "-json")
	require.Equal(t, 0, code, complaint)
	require.Empty(t, complaint)
	have := decode(t, []byte(out))
	want := decode(t, []byte(`{
		"incidents": 2, "events": 7,
		"time_to_resolve_field": {
			"wall_clock": {"n": 2, "sum_seconds": 248400, "mean_seconds": 124200, "median_seconds": 124200, "p90_nearest_rank_seconds": 241200,
				"p90_linear_seconds": 217800, "min_seconds": 7200, "max_seconds": 241200, "mean_hours": 34.5, "median_hours": 34.5, "p90_nearest_rank_hours": 67},
			"business_hours": {"n": 2, "sum_seconds": 14400, "mean_seconds": 7200, "median_seconds": 7200, "p90_nearest_rank_seconds": 10800,
				"p90_linear_seconds": 10080, "min_seconds": 3600, "max_seconds": 10800, "mean_hours": 2, "median_hours": 2, "p90_nearest_rank_hours": 3}},
		"resolved_at_missing": 0,
		"time_to_close": {
			"wall_clock": {"n": 1, "sum_seconds": 208800, "mean_seconds": 208800, "median_seconds": 208800, "p90_nearest_rank_seconds": 208800,
				"p90_linear_seconds": 208800, "min_seconds": 208800, "max_seconds": 208800, "mean_hours": 58, "median_hours": 58, "p90_nearest_rank_hours": 58},
			"business_hours": {"n": 1, "sum_seconds": 86400, "mean_seconds": 86400, "median_seconds": 86400, "p90_nearest_rank_seconds": 86400,
				"p90_linear_seconds": 86400, "min_seconds": 86400, "max_seconds": 86400, "mean_hours": 24, "median_hours": 24, "p90_nearest_rank_hours": 24}},
		"no_Resolved_event": 0, "reopen_transitions": 1, "reassignment_count_sum_last_row": 1,
		"reopened_by_field": {"count": 1, "of": 2, "share": 0.5}, "reopened_by_event": {"count": 1, "of": 2, "share": 0.5},
		"reassigned_by_field": {"count": 1, "of": 2, "share": 0.5}, "reassigned_by_group_change": {"count": 1, "of": 2, "share": 0.5},
		"first_time_resolve": {"count": 1, "of": 2, "share": 0.5}, "ever_on_hold": {"count": 0, "of": 2, "share": 0},
		"made_sla_true_last_row": {"count": 1, "of": 2, "share": 0.5}}`))
	// The two ways to read the time to Resolved off the rows are the field's here.
	want["time_to_first_Resolved_event"] = want["time_to_resolve_field"]
	want["time_to_last_Resolved_entry"] = want["time_to_resolve_field"]
	require.Empty(t, differences("all", want, have["by_priority"].(map[string]any)["all"]))
	require.Empty(t, differences("3", want, have["by_priority"].(map[string]any)["3 - Moderate"]))

	require.Empty(t, differences("backlog", []any{
		decode(t, []byte(`{"month":"2024-03","opened_before_T":2,"not_closed":1,"not_done_by_state":1,
			"not_closed_by_priority":{"3 - Moderate":1},"not_done_by_state_by_priority":{"3 - Moderate":1}}`)),
		decode(t, []byte(`{"month":"2024-04","opened_before_T":2,"not_closed":1,"not_done_by_state":0,
			"not_closed_by_priority":{"3 - Moderate":1},"not_done_by_state_by_priority":{}}`)),
	}, have["month_end_backlog"]))

	require.Empty(t, differences("lifecycle", decode(t, []byte(`{"moves":5,"permitted":4,"share":0.8,
		"not_permitted":[{"frm":"Active","to":"Closed","count":1,"instead":["resolve","close"]}],
		"actions":12,"inferred_actions":[{"name":"resolve","count":1}],"refused_actions":[],"rows_not_followed":0,"begin_after_new":1}`)),
		have["lifecycle"]))
}

// Order of columns, further columns, quotes, line ends and a byte order mark do
// not matter, and a compressed log is the same log.
func TestSpellings(t *testing.T) {
	_, want, _ := on(known, "-json")
	rows, err := csv.NewReader(strings.NewReader(known)).ReadAll()
	require.NoError(t, err)
	var turned strings.Builder
	for i, row := range rows {
		row = append([]string{fmt.Sprint("new, \"column\"", i)}, row...)
		slices.Reverse(row)
		for j, field := range row {
			row[j] = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
		}
		turned.WriteString(strings.Join(row, ",") + "\r\n")
	}
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, err = zip.Write([]byte(known))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	for name, log := range map[string]string{
		"reversed, quoted, CRLF": turned.String(),
		"BOM":                    "\uFEFF" + known,
		"no last line end":       strings.TrimSpace(known),
		"empty lines":            strings.ReplaceAll(known, "\n", "\n\n"),
		"spaces in the header":   strings.Replace(known, ",made_sla", ", made_sla ", 1),
		"empty for ?":            strings.ReplaceAll(known, "?", ""),
		"leading zeros":          strings.ReplaceAll(known, "4/3/2024", "04/03/2024"),
		"compressed":             zipped.String(),
	} {
		code, out, complaint := on(log, "-json")
		require.Equal(t, 0, code, "%s: %s", name, complaint)
		// Lines move with empty ones, but they are in no figure.
		require.Equal(t, want, out, name)
	}
	file := filepath.Join(t.TempDir(), "log.csv.gz")
	require.NoError(t, os.WriteFile(file, zipped.Bytes(), 0o600))
	require.Empty(t, differences("", decode(t, []byte(want))["by_priority"], reportOf(t, "-log", file)["by_priority"]))
}

// All that is missing is left out of what needs it, and nothing else.
func TestMissingValues(t *testing.T) {
	code, out, complaint := on(header+
		"A,?,?,?,?,?,?,?,?,?,?,?,?\n"+
		"A,Active,?,?,?,?,5/3/2024 10:00,?,?,?,?,?,?\n"+
		"B,New,?,?,?,4/3/2024 08:00,?,?,?,?,?,?,?\n", "-json")
	require.Equal(t, 0, code, complaint)
	have := decode(t, []byte(out))
	require.Empty(t, differences("months", []any{
		decode(t, []byte(`{"month":"2024-03","opened_before_T":1,"not_closed":1,"not_done_by_state":1,
			"not_closed_by_priority":{"?":1},"not_done_by_state_by_priority":{"?":1}}`)),
	}, have["month_end_backlog"]))
	all := have["by_priority"].(map[string]any)["?"].(map[string]any)
	for _, key := range []string{"time_to_resolve_field", "time_to_first_Resolved_event", "time_to_last_Resolved_entry", "time_to_close"} {
		for _, clock := range []string{"wall_clock", "business_hours"} {
			require.Empty(t, differences(key, decode(t, []byte(`{"n":0,"sum_seconds":0,"mean_seconds":null,"median_seconds":null,
				"p90_nearest_rank_seconds":null,"p90_linear_seconds":null,"min_seconds":null,"max_seconds":null,
				"mean_hours":null,"median_hours":null,"p90_nearest_rank_hours":null}`)), all[key].(map[string]any)[clock]))
		}
	}
	require.Empty(t, differences("first", decode(t, []byte(`{"count":0,"of":0,"share":null}`)), all["first_time_resolve"]))
	require.Empty(t, differences("follows", []any{decode(t, []byte(`{"frm":"?","to":"Active","count":1}`))},
		have["directly_follows"].(map[string]any)["transitions"]))
	require.Empty(t, differences("reopens", decode(t, []byte(`{"compared":0,"equal":0}`)),
		have["agreements"].(map[string]any)["reopen_count_on_every_row"]))

	// A log without rows is a log, and both reports can say so.
	code, out, complaint = on(header, "-json")
	require.Equal(t, 0, code, complaint)
	require.Contains(t, out, `"month_end_backlog": []`)
	code, out, complaint = on(header)
	require.Equal(t, 0, code, complaint)
	require.Contains(t, out, "0 rows about 0 incidents")
}

// What is wrong with a log is told with its lines, all of it, and then nothing is
// reported.
func TestBadLogs(t *testing.T) {
	row := strings.Split(known, "\n")[1]
	with := func(old, replacement string) string { return header + strings.Replace(row, old, replacement, 1) + "\n" }
	zipped := func(cut int) string {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		noise := rand.New(rand.NewPCG(1, 2))
		_, _ = zip.Write([]byte(header))
		for range 1000 {
			_, _ = fmt.Fprintf(zip, "%d%s\n", noise.Uint64(), row)
		}
		_ = zip.Close()
		return b.String()[:b.Len()-cut]
	}
	damaged := []byte(zipped(0))
	damaged[len(damaged)-6] ^= 1 // in the checksum
	bent := []byte(zipped(0))
	for i := 2000; i < 2100; i++ {
		bent[i] ^= 0x55
	}
	for name, tt := range map[string]struct {
		log  string
		says []string
	}{
		"empty":             {"", []string{"standard input: the log is empty"}},
		"binary":            {"\x7fELF\x02\x01\x01\x00\x00\x00\n,,,", []string{"this is no text"}},
		"other table":       {"a;b;c\n1;2;3\n", []string{"13 findings", "column number is missing", "column closed_at is missing"}},
		"one column less":   {strings.ReplaceAll(known, "urgency", "urgent"), []string{"header: column urgency is missing"}},
		"a column twice":    {strings.ReplaceAll(known, "priority", "urgency"), []string{"column priority is missing", "column urgency is there twice"}},
		"cut":               {zipped(100), []string{"the compressed log ends in the middle"}},
		"cut in its head":   {zipped(0)[:5], []string{"the compressed log ends in the middle"}},
		"checksum":          {string(damaged), []string{"the compressed log is damaged"}},
		"bent":              {string(bent), []string{"the compressed log is damaged"}},
		"no gzip":           {"\x1f\x8b\x00\x00\x00\x00\x00\x00\x00\x00\x00", []string{"the compressed log is damaged"}},
		"number":            {with("A,", "?,"), []string{"line 2: number must not be missing"}},
		"day":               {with("4/3/2024 08:00", "31/2/2024 08:00"), []string{`line 2: opened_at must be a time like 29/2/2016 09:48, is "31/2/2024 08:00"`}},
		"month first":       {with("4/3/2024 08:00", "4/13/2024 08:00"), []string{"line 2: opened_at must be a time"}},
		"ISO":               {with("4/3/2024 08:00", "2024-03-04 08:00"), []string{"line 2: opened_at must be a time"}},
		"no clock":          {with("4/3/2024 08:00", "4/3/2024"), []string{"line 2: opened_at must be a time"}},
		"year":              {with("4/3/2024 08:00", "4/3/0024 08:00"), []string{"line 2: opened_at must be a time"}},
		"count":             {with("0,0,true", "-1,x,true"), []string{"2 findings", `reassignment_count must be a number from 0, is "-1"`, `reopen_count must be a number from 0, is "x"`}},
		"flag":              {with("true", "yes"), []string{`line 2: made_sla must be true or false, is "yes"`}},
		"impact":            {with("2 - Medium", "4 - None"), []string{`line 2: impact must begin with a number from 1 to 3, is "4 - None"`}},
		"priority":          {with("3 - Moderate", "all"), []string{`line 2: priority must begin with a number from 1 to 99, is "all"`}},
		"too long":          {with("Desk", strings.Repeat("x", 201)), []string{"line 2: assignment_group must have at most 200 characters"}},
		"no UTF-8":          {with("Desk", "\xff"), []string{"line 2: assignment_group must be UTF-8 without NUL"}},
		"fields":            {header + row + ",\n" + row + "\n", []string{"line 2 is no row: wrong number of fields"}},
		"quote":             {header + row + "\nA,\"New\"x\n" + row + "\n", []string{`line 3 is no row: extraneous or missing " in quoted-field`}},
		"everything in two": {with("true", "yes") + strings.Repeat(strings.Replace(row, "4/3/2024 08:00", "x", 2)+"\n", 30), []string{"61 findings", "line 2: made_sla", "line 3: opened_at", "line 3: sys_updated_at", "and 41 more"}},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, complaint := on(tt.log)
			require.Equal(t, 1, code)
			require.Empty(t, out)
			for _, s := range tt.says {
				require.Contains(t, complaint, s)
			}
		})
	}
	var stderr bytes.Buffer
	require.Equal(t, 1, run([]string{"-log", filepath.Join(t.TempDir(), "none.csv")}, nil, nil, &stderr))
	require.Contains(t, stderr.String(), "none.csv")
	for code, args := range map[int][]string{0: {"-h"}, 2: {"-bogus"}} {
		require.Equal(t, code, run(args, nil, nil, &stderr))
	}
	require.Equal(t, 2, run([]string{"log.csv"}, nil, nil, &stderr))
}

// A log whose count of reopenings is not ours breaks the program's promise; one
// whose priorities are not the matrix's is told about.
func TestDisagreement(t *testing.T) {
	code, out, complaint := on(strings.Replace(known, "B,Active,1,1", "B,Active,1,2", 1))
	require.Equal(t, 1, code)
	require.Contains(t, complaint, "line 7: B reopened 1 times, the log says 2")
	require.Contains(t, out, "times reopened, on every row                     6 of       7")

	code, out, complaint = on(strings.Replace(known, "3 - Moderate", "1 - Critical", 1))
	require.Equal(t, 0, code, complaint)
	require.Contains(t, out, "line 2: A is P3, the log says P1")

	broken := Report{Agreements: Agreements{Replay: Agreement{Compared: 1, Differences: []string{"here"}}}}
	require.ErrorContains(t, broken.broken(), "here")
}

// What the practice is asked to do, by what the rows say.
func TestMapping(t *testing.T) {
	at := time.Date(2024, 3, 4, 9, 0, 0, 0, time.UTC)
	type rows []Row
	for name, tt := range map[string]struct {
		rows rows
		want string // the actions after each row; those in brackets are inferred
	}{
		"plain": {rows{{State: "New"}, {State: "Active"}, {State: "Resolved"}, {State: "Closed"}},
			"report row, row start, row resolve, row close"},
		"assigned before it begins": {rows{{State: "New", Group: "g"}, {State: "New", Group: "h"}, {State: "Active", Group: "h", Person: "p"}},
			"report row assign, row assign, row assign start"},
		"handed over at work": {rows{{State: "Active", Group: "g"}, {State: "Active", Group: "h"}, {State: "Active"}},
			"report row assign start, row assign (start), row"},
		"holds": {rows{{State: "Awaiting User Info"}, {State: "Awaiting User Info"}, {State: "Awaiting Vendor"}, {State: "Awaiting Problem"},
			{State: "Awaiting Evidence"}, {State: "Active"}},
			"report row hold, row, row hold, row hold, row hold, row resume"},
		"handed over on hold": {rows{{State: "Awaiting Vendor", Group: "g"}, {State: "Awaiting Vendor", Group: "h"}, {State: "Active", Group: "i"}},
			"report row assign hold, row assign (hold), row assign start"},
		"skipped": {rows{{State: "New"}, {State: "Closed"}, {State: "Awaiting Problem"}, {State: "Closed"}, {State: "Active"}},
			"report row, row (resolve) close, row (reopen) hold, row (resolve) close, row reopen"},
		"begins at the end": {rows{{State: "Closed"}}, "report row (resolve) close"},
		"handed over by reopening": {rows{{State: "Resolved", Group: "g"}, {State: "Active", Group: "h"}},
			"report row assign resolve, row reopen assign (start)"},
		"back to the queue": {rows{{State: "Active", Group: "g"}, {State: "New", Group: "g"}, {State: "Resolved"}, {State: "New"}},
			"report row assign start, row assign, row resolve, row (reopen) assign"},
		"back, but to whom?":  {rows{{State: "Awaiting Vendor"}, {State: "New"}}, "report row hold, row kept"},
		"unknown":             {rows{{State: "Active"}, {State: "-100"}, {State: "Resolved"}}, "report row start, row kept, row resolve"},
		"closed and resolved": {rows{{State: "Closed"}, {State: "Resolved"}}, "report row (resolve) close, row kept -resolve"},
		"judged anew": {rows{{State: "New", Impact: 2, Urgency: 2}, {State: "New", Impact: 1, Urgency: 1, Category: "c"}, {State: "Closed"},
			{State: "Closed", Impact: 3, Urgency: 3, Group: "g"}},
			"report row, row assess classify, row (resolve) close, row -assess -assign"},
		"links once": {rows{{State: "New", Problem: "p", RFC: "r", CausedBy: "c", Knowledge: true}, {State: "New", Problem: "p", RFC: "r", Knowledge: true},
			{State: "Closed", Problem: "q"}},
			"report row link link link set_fields, row, row link (resolve) close"},
	} {
		t.Run(name, func(t *testing.T) {
			desk, err := NewDesk()
			require.NoError(t, err)
			for i, row := range tt.rows {
				row.Number, row.Line, row.Updated = "A", i+2, at.Add(time.Duration(i)*time.Minute)
				row.Reopens = notSaid
				require.NoError(t, desk.Replay(context.Background(), &row))
			}
			var have strings.Builder
			var seen Seen
			for e, err := range desk.History(context.Background(), "A") {
				require.NoError(t, err)
				word := e.Action
				if a, err := desk.Done(e); word == "row" {
					require.NoError(t, err)
					if seen.Line > 0 {
						have.WriteString(",")
					}
					seen = a.(Seen)
					if seen.Kept {
						word += " kept"
					}
					for _, name := range seen.Refused {
						word += " -" + name
					}
				} else if slices.Contains(seen.Inferred, word) {
					word = "(" + word + ")"
				}
				have.WriteString(" " + word)
			}
			require.Equal(t, tt.want, strings.TrimSpace(have.String()))
		})
	}
}

// What ends up where in the record.
func TestColumns(t *testing.T) {
	desk, err := NewDesk()
	require.NoError(t, err)
	opened := time.Date(2024, 3, 4, 9, 0, 0, 0, time.UTC)
	row := Row{
		Number: "A", State: "Closed", Opened: opened, Updated: opened.Add(time.Hour), Impact: 1, Urgency: 3,
		Group: "g", Person: "p", Caller: "c", Opener: "o", Updater: "u", Channel: "Phone", Category: "Mail", CI: "ci", Symptom: "No mail",
		Location: "Seoul", Vendor: "v", Code: "code 6", Problem: "P1", RFC: "C1", CausedBy: "C2", Knowledge: true,
	}
	require.NoError(t, desk.Replay(context.Background(), &row))
	inc, err := desk.Get(context.Background(), "A")
	require.NoError(t, err)
	require.Equal(t, "No mail", inc.Title)
	require.Equal(t, "Seoul, v", inc.Description)
	require.Equal(t, []string{"c", "Phone", "Mail", "ci", "code 6"}, []string{inc.Caller, inc.Channel, inc.Category, inc.CI, inc.ClosureCategory})
	require.EqualValues(t, 3, inc.Priority)
	require.Equal(t, incident.Assignment{Group: "g", Person: "p"}, inc.Assignment)
	require.Equal(t, incident.Resolution{Code: "code 6", Note: "as the log has it", By: "u", At: row.Updated}, inc.Resolution)
	require.Equal(t, opened, inc.Created)
	require.Equal(t, opened, inc.Milestones.Detected)
	require.Equal(t, row.Updated, inc.Milestones.Closed)
	require.Len(t, inc.Links, 3)
	require.JSONEq(t, "true", string(inc.Fields["knowledge"]))
}

// Python rounds the binary value, halves to even: these are its answers.
func TestDecimal(t *testing.T) {
	for _, tt := range []struct {
		x        float64
		decimals int
		want     figure
	}{
		{2.675, 2, "2.67"}, {1.005, 2, "1.0"}, {0.125, 2, "0.12"}, {0.375, 2, "0.38"}, {2.5, 1, "2.5"}, {0, 6, "0.0"},
		{1.0 / 3, 6, "0.333333"}, {2.0 / 3, 3, "0.667"}, {0.0005, 3, "0.001"}, {0.0015, 3, "0.002"}, {0.0025, 3, "0.003"},
		{1.0000005, 6, "1.000001"}, {0.9999995, 6, "1.0"}, {4788108, 6, "4788108.0"}, {100, 3, "100.0"}, {-1.25, 1, "-1.2"},
		{772035360.0 / 467, 6, "1653180.642398"}, {1.0 / 1e9, 6, "0.0"},
	} {
		require.Equal(t, tt.want, decimal(tt.x, tt.decimals), "%v to %d", tt.x, tt.decimals)
	}
}

func TestPercentiles(t *testing.T) {
	noise := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 200; n++ {
		values := make([]int64, n)
		for i := range values {
			values[i] = noise.Int64N(1000) - 100
		}
		got := newTimes(values)
		slices.Sort(values)

		// The smallest value that at least nine tenths are not above.
		rank := 0
		for 10*(rank+1) < 9*n {
			rank++
		}
		require.Equal(t, whole(values[rank]), got.P90, "%d values", n)

		// At 0.9·(n-1), in fractions.
		at := big.NewRat(int64(9*(n-1)), 10)
		low := int(new(big.Int).Div(at.Num(), at.Denom()).Int64())
		part := at.Sub(at, big.NewRat(int64(low), 1))
		want := new(big.Rat).SetInt64(values[low])
		if low+1 < n {
			want.Add(want, part.Mul(part, big.NewRat(values[low+1]-values[low], 1)))
		}
		have, ok := new(big.Rat).SetString(string(got.P90Linear))
		require.True(t, ok)
		require.Zero(t, want.Cmp(have), "%d values: want %s, have %s", n, want, got.P90Linear)

		middle := big.NewRat(values[(n-1)/2]+values[n/2], 2)
		have, ok = new(big.Rat).SetString(string(got.Median))
		require.True(t, ok)
		require.Zero(t, middle.Cmp(have))
		require.Equal(t, n%2 == 0, strings.Contains(string(got.Median), "."), "an integer stays one")
	}
}

// An oracle that looks at every second.
func TestBusinessSeconds(t *testing.T) {
	open := func(s int64) bool {
		at := time.Unix(s, 0).UTC()
		return at.Weekday() != time.Saturday && at.Weekday() != time.Sunday && at.Hour() >= 9 && at.Hour() < 17
	}
	noise := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		from := time.Date(1990+noise.IntN(60), 1, noise.IntN(365), noise.IntN(24), noise.IntN(60), noise.IntN(60), 0, time.UTC).Unix()
		var want int64
		for s := from; s < from+4*24*3600; s++ {
			if noise.IntN(1000) == 0 {
				require.Equal(t, want, businessSeconds(from, s), "%s to %s", time.Unix(from, 0).UTC(), time.Unix(s, 0).UTC())
			}
			if open(s) {
				want++
			}
		}
	}
	monday := time.Date(2024, 3, 4, 0, 0, 0, 0, time.UTC).Unix()
	const hour = 3600
	for _, tt := range []struct{ from, to, want int64 }{
		{9 * hour, 9 * hour, 0}, {9 * hour, 9*hour + 1, 1}, {9*hour - 1, 9 * hour, 0}, {17*hour - 1, 17 * hour, 1}, {17 * hour, 17*hour + 1, 0},
		{0, 7 * 24 * hour, 40 * hour}, {4*24*hour + 17*hour, 7*24*hour + 9*hour, 0}, {0, 3650 * 24 * hour, (521*40 + 3*8) * hour},
		{12 * hour, 10 * hour, 0},
	} {
		require.Equal(t, tt.want, businessSeconds(monday+tt.from, monday+tt.to), "%v", tt)
	}
}

func TestGrouped(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "999": "999", "1000": "1,000", "123456.7": "123,456.7", "-123": "-123", "-1234": "-1,234", "1234567": "1,234,567",
	} {
		require.Equal(t, want, grouped(in))
	}
}

// Progress is for terminals; a pipe or a file gets none.
func TestProgress(t *testing.T) {
	_, _, complaint := on(known)
	require.Empty(t, complaint)
	file, err := os.Create(filepath.Join(t.TempDir(), "err"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	require.Nil(t, newProgress(file).out)

	var terminal bytes.Buffer
	p := progress{out: &terminal}
	for i := range 1000 {
		p.show("row %d", i)
	}
	p.clear()
	require.Less(t, terminal.Len(), 500, "not a line for each row")
	require.True(t, strings.HasPrefix(terminal.String(), wipe+"row 0"))
	require.True(t, strings.HasSuffix(terminal.String(), wipe))
}
