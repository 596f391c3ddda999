package itsm_test

import (
	"context"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/memory"
)

// tenLines is what the README shows first.
func tenLines() error {
	desk, err := incident.NewPractice(memory.New[incident.Incident](), incident.Config{})
	if err != nil {
		return err
	}
	ctx := itsm.As(context.Background(), "jin")
	inc, err := desk.Open(ctx, incident.Report{Title: "Mail is down", Impact: itsm.HighImpact, Urgency: itsm.HighUrgency})
	if err != nil {
		return err
	}
	inc, err = desk.Do(ctx, inc.ID, incident.Resolve{Code: incident.Fixed, Note: "Restarted the queue."})
	return err
}

// The README's code runs, and its diagram is the one that the lifecycle draws.
func TestReadme(t *testing.T) {
	require.NoError(t, tenLines())
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "```mermaid\n"+incident.DefaultLifecycle().Mermaid()+"```")

	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(source), "func tenLines() error {\n")
	body, _, _ = strings.Cut(body, "\treturn err\n}\n\n//")
	var lines []string
	for line := range strings.Lines(body) {
		lines = append(lines, strings.TrimPrefix(line, "\t"))
	}
	require.Contains(t, string(readme), "```go\n"+strings.Join(lines, "")+"```")
}

// shared is what of a README is the same in every language: its code without comments,
// its diagrams, the first column of its packages, the figures of its costs, what it
// links to, and how many headings and points it has.
func shared(text string) map[string][]string {
	all := map[string][]string{}
	comment := regexp.MustCompile(`\s*// .*`)
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	code, table := false, ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		cells := strings.Split(line, " | ")
		fence := strings.HasPrefix(line, "```")
		if fence {
			code = !code
		}
		switch {
		case code || fence:
			all["code"] = append(all["code"], comment.ReplaceAllString(line, ""))
			continue
		case strings.HasPrefix(line, "#"):
			table = ""
			all["headings"] = append(all["headings"], line[:strings.Index(line, " ")])
		case strings.HasPrefix(line, "- "):
			all["points"] = append(all["points"], "-")
		case strings.HasPrefix(line, "|---"):
			table = "packages"
			if len(all["tables"]) > 0 {
				table = "costs"
			}
			all["tables"] = append(all["tables"], line)
		case strings.HasPrefix(line, "| ") && table == "packages":
			all[table] = append(all[table], cells[0])
		case strings.HasPrefix(line, "| ") && table == "costs":
			all[table] = append(all[table], cells[1:]...)
		}
		for _, l := range link.FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(l[1], "README") {
				all["links"] = append(all["links"], l[1])
			}
		}
		for _, run := range regexp.MustCompile("`go run [^`]+`").FindAllString(line, -1) {
			all["commands"] = append(all["commands"], strings.Replace(run, " -lang ko", "", 1))
		}
	}
	slices.Sort(all["links"]) // sentences have another order
	return all
}

// The Korean README says what the English one says: the same commands, code, diagrams,
// packages and figures; and each links to the other.
func TestReadmeKorean(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	korean, err := os.ReadFile("README.ko.md")
	require.NoError(t, err)
	require.Contains(t, string(readme), "[한국어](README.ko.md)")
	require.Contains(t, string(korean), "[English](README.md)")
	want, got := shared(string(readme)), shared(string(korean))
	require.Greater(t, len(want["packages"]), 10)
	require.Greater(t, len(want["code"]), 50)
	for what := range want {
		require.Equal(t, want[what], got[what], "README.ko.md has other %s than README.md", what)
	}
	require.Len(t, got, len(want))
	hangul := regexp.MustCompile(`\p{Hangul}`)
	for line := range strings.Lines(string(korean)) {
		if strings.HasPrefix(line, "| [") {
			require.Regexp(t, hangul, line, "a row is not translated")
		}
	}
}
