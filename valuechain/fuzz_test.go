package valuechain_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/valuechain"
)

// refused says that an error is about the input, and says what.
func refused(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, itsm.ErrInvalid)
	require.NotEmpty(t, itsm.Findings(err))
}

// FuzzStream lets anything be a stream. One that holds is written, drawn and run.
func FuzzStream(f *testing.F) {
	for _, s := range append(classics(), line()) {
		data, err := s.JSON()
		require.NoError(f, err)
		f.Add(data)
	}
	f.Add([]byte(`{"name":"x","steps":[{"name":"demand"},{"inputs":[{"from":"value"}],"outputs":[{"to":"demand","back":true}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := valuechain.ParseStream(data)
		if err != nil {
			refused(t, err)
			return
		}
		form, err := s.JSON()
		require.NoError(t, err)
		back, err := valuechain.ParseStream(form)
		require.NoError(t, err)
		again, err := back.JSON()
		require.NoError(t, err)
		require.Equal(t, string(form), string(again))
		require.NotEmpty(t, s.Mermaid())
		s.Warnings(valuechain.ITIL4())
		r, err := valuechain.NewRun(s, valuechain.Options{})
		if err != nil {
			refused(t, err)
			return
		}
		// Whatever it watches for happens, to one record of each practice.
		feed := newFeeder(r.Add)
		for minute, step := range append(s.Steps, s.Steps...) {
			for _, w := range step.Watch {
				feed.do(minute, w.Practice+":1", w.Action, w.To, nil)
			}
		}
		rep := r.Report(at(0), at(500))
		require.Equal(t, rep.Whole.Begin+rep.Whole.Arrived-rep.Whole.Finished-rep.Whole.Abandoned, rep.Whole.End)
		require.NotEmpty(t, rep.String())
	})
}

// FuzzXES lets anything be a XES file. What is read is refused by the writer, or comes
// back equal.
func FuzzXES(f *testing.F) {
	f.Add([]byte(older))
	for _, text := range []string{"", "<log/>", "<log><trace><event><int key='a' value='1'/></event></trace></log>", "<log><list key='l'><values key='v'><id key='x' value=''/></values></list></log>",
		"<log><float key='f' value='-INF'/><date key='d' value='0001-01-01T00:00:00Z'/></log>", "<log><string key='a' value='&#13;&#10;&lt;'/>", `<!DOCTYPE a [<!ENTITY b "c">]><log>&b;</log>`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := valuechain.ReadXES(bytes.NewReader(data))
		if err != nil {
			refused(t, err)
			return
		}
		valuechain.DirectlyFollows(x.Log())
		var file bytes.Buffer
		if err := valuechain.WriteXES(&file, x); err != nil {
			refused(t, err)
			x.Rename()
			if err := valuechain.WriteXES(&file, x); err != nil {
				refused(t, err)
				return
			}
		}
		requireXESSchema(t, file.Bytes())
		back, err := valuechain.ReadXES(&file)
		require.NoError(t, err)
		require.Equal(t, x, back)
	})
}

// FuzzOCEL lets anything be an OCEL file, as JSON and as XML. What is read comes back
// equal from either.
func FuzzOCEL(f *testing.F) {
	for _, name := range []string{"testdata/feed.jsonocel", "testdata/feed.xmlocel"} {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, text := range []string{"", "{}", `{"events":null,"objects":[{}]}`, `{"objectTypes":[{"name":"o","attributes":[{"name":"a","type":"float"}]}],"objects":[{"id":"x","type":"o","attributes":[{"name":"a","value":1e400}]}]}`,
		"<log><objects><object><attributes><attribute>\r\n</attribute></attributes></object></objects></log>"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := valuechain.ReadOCEL(bytes.NewReader(data))
		if err != nil {
			refused(t, err)
			if o, err = valuechain.ReadOCELXML(bytes.NewReader(data)); err != nil {
				refused(t, err)
				return
			}
		}
		for _, ty := range o.ObjectTypes {
			valuechain.DirectlyFollows(o.Log(ty.Name))
		}
		var file bytes.Buffer
		require.NoError(t, valuechain.WriteOCEL(&file, o))
		back, err := valuechain.ReadOCEL(&file)
		require.NoError(t, err)
		require.Equal(t, o, back)
		file.Reset()
		require.NoError(t, valuechain.WriteOCELXML(&file, o))
		back, err = valuechain.ReadOCELXML(&file)
		require.NoError(t, err)
		require.Equal(t, o, back)
	})
}
