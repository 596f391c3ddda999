package valuechain_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/valuechain"
)

// Random logs are valid by the published XML schemas themselves, which are not part of
// the repository: ITSM_SCHEMAS names a folder with xes.xsd (of IEEE 1849-2016) and
// ocel.xsd (of OCEL 2.0), and libxml2's xmllint holds the files against them.
func TestThePublishedSchemas(t *testing.T) {
	folder := os.Getenv("ITSM_SCHEMAS")
	lint, err := exec.LookPath("xmllint")
	if folder == "" || err != nil {
		t.Skip("needs xmllint, and ITSM_SCHEMAS to name the folder of the published schemas")
	}
	dir := t.TempDir()
	var xes, ocel []string
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 6))
		var file bytes.Buffer
		require.NoError(t, valuechain.WriteXES(&file, randomXES(rnd)))
		xes = append(xes, filepath.Join(dir, fmt.Sprint(seed, ".xes")))
		require.NoError(t, os.WriteFile(xes[len(xes)-1], file.Bytes(), 0o644))
		file.Reset()
		require.NoError(t, valuechain.WriteOCELXML(&file, randomOCEL(rnd)))
		ocel = append(ocel, filepath.Join(dir, fmt.Sprint(seed, ".xmlocel")))
		require.NoError(t, os.WriteFile(ocel[len(ocel)-1], file.Bytes(), 0o644))
	}
	for schema, files := range map[string][]string{"xes.xsd": xes, "ocel.xsd": ocel} {
		out, err := exec.Command(lint, append([]string{"--noout", "--schema", filepath.Join(folder, schema)}, files...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
}
