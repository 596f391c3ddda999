// Replay drives the log of a real service desk through the incident practice, row
// by row, each at its own time, and reports what a service desk wants to know.
//
//	go run ./examples/replay
//	go run ./examples/replay -log incident_event_log.csv.gz
//	go run ./examples/replay -log - -json < incident_event_log.csv
//	go run ./examples/replay -log incident_event_log.csv.gz -made-sla
//
// Without -log it takes a small log of its own. The format is that of the UCI
// Machine Learning Repository's data set 498, "Incident management process enriched
// event log": the audit trail of the incidents of an IT company, as CSV.
//
// The idea is in desk.go. A log knows states; the practice knows actions. So each
// row is compared with the incident as it is, and what must have happened in
// between is done: one commit a row, by a clock that reads what the row says. What
// the row says itself is in the same history, as an action of this program's own.
// The report then needs no log: it is read off the feed of all histories
// (report.go), and what the records count by themselves is compared with what the
// log has counted. With -made-sla it is also measured against an agreement
// (madesla.go). log.go reads rows, figures.go computes, print.go prints.
//
// The exit status is 1 if the log cannot be read or replayed, or if the records
// disagree with it on how often an incident was reopened, or with their own
// histories.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
)

//go:embed small.csv
var smallLog []byte

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(stderr)
	name := flags.String("log", "", "the log, a `file` that ends in .csv or .csv.gz; - is standard input")
	asJSON := flags.Bool("json", false, "print the report as JSON")
	verify := flags.Bool("verify", true, "replay every history and compare it with its record")
	madeSLA := flags.Bool("made-sla", false, "measure every incident against agreement.json and compare with the log's made_sla")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "replay: what is %q? The log is named by -log\n", flags.Arg(0))
		return 2
	}
	report, err := replay(context.Background(), *name, stdin, *verify, *madeSLA, newProgress(stderr))
	if err != nil {
		complain(stderr, err)
		return 1
	}
	if *asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetIndent("", " ")
		err = enc.Encode(report)
	} else {
		err = report.Print(stdout)
	}
	if err == nil {
		err = report.broken()
	}
	if err != nil {
		complain(stderr, err)
		return 1
	}
	return 0
}

// replay reads the log, does what it says, and reports.
func replay(ctx context.Context, name string, stdin io.Reader, verify, madeSLA bool, p *progress) (*Report, error) {
	source, in := filepath.Base(name), stdin
	switch name {
	case "":
		source, in = "small.csv", bytes.NewReader(smallLog)
	case "-":
		source = "standard input"
	default:
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	desk, err := NewDesk()
	if err != nil {
		return nil, err
	}
	rows := 0
	var findings itsm.Validation // which make the replay pointless, but are all told
	for row, err := range ReadLog(in) {
		if errors.Is(err, itsm.ErrInvalid) {
			findings.Add(err)
			continue
		}
		if err == nil && findings.Err() == nil {
			err = desk.Replay(ctx, row)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		rows++
		p.show("row %d", rows)
	}
	if err := findings.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	p.show("reporting")
	report, err := NewReport(ctx, desk, source, verify, madeSLA)
	p.clear()
	return report, err
}

// broken returns what this program promises and did not find.
func (r *Report) broken() error {
	a := &r.Agreements
	switch {
	case !a.Reopens.Holds():
		return errors.New("our count of reopenings is not the log's: " + strings.Join(a.Reopens.Differences, "; "))
	case !a.Replay.Holds():
		return errors.New("histories do not lead to their records: " + strings.Join(a.Replay.Differences, "; "))
	}
	return nil
}

// complain prints an error, or the findings that it consists of.
func complain(stderr io.Writer, err error) {
	const most = 20
	findings := itsm.Findings(err)
	if len(findings) < 2 {
		fmt.Fprintln(stderr, "replay:", err)
		return
	}
	fmt.Fprintf(stderr, "replay: nothing was done, because there are %d findings:\n", len(findings))
	for i, f := range findings {
		if i == most {
			fmt.Fprintf(stderr, "  and %d more\n", len(findings)-most)
			return
		}
		fmt.Fprintln(stderr, " ", f)
	}
}

// progress tells on a terminal how far it is; elsewhere it says nothing.
type progress struct {
	out  io.Writer // nil if it is no terminal
	last time.Time
}

func newProgress(out io.Writer) *progress {
	if file, ok := out.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return &progress{out: out}
		}
	}
	return &progress{}
}

const wipe = "\r\x1b[K"

// show overwrites the line, ten times a second at most.
func (p *progress) show(format string, args ...any) {
	if p.out == nil || time.Since(p.last) < 100*time.Millisecond {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(p.out, wipe+format, args...)
}

func (p *progress) clear() {
	if p.out != nil {
		fmt.Fprint(p.out, wipe)
	}
}
