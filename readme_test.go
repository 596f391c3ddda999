package itsm_test

import (
	"context"
	"os"
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
