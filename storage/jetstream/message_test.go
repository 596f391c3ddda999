package jetstream

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func FuzzFrame(f *testing.F) {
	for _, text := range []string{
		"1 0 0 0 1\n{}\n{}", "1 3 17 5 2\n{\"id\":\"a\"}\n{\"id\":\"b\"}\n{}", "e tck_1", "", "1 ", "1 0 0 0 0\n{}", "2 0 0 0 1\n{}\n{}",
		"1 0 0 0 1\n{}\n{}\n", "1 -1 0 0 1\n{}\n{}", "1 0 0 0 1 0\n{}\n{}", "1 00 0 0 1\n{}\n{}", "1 9223372036854775808 0 0 1\n{}\n{}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, ok, err := parseFrame(data)
		if err != nil || !ok {
			return
		}
		again, ok, err := parseFrame(append(frame.head(nil), frame.body...))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, frame, again)
		lines := 0
		for range frame.lines() {
			lines++
		}
		require.Equal(t, frame.count, lines)
		require.NotContains(t, string(frame.record()), "\n")
		for _, err := range frame.events() {
			_ = err // and no panic
		}
	})
}

// An event comes back as encoding/json reads it, whatever is in it.
func FuzzEvent(f *testing.F) {
	f.Add("evt_1", "incident", "resolve", "new", "resolved", "jin", "Jin Kim", "", `{"note":"}"}`, int64(1), uint64(2), []byte(`{}`))
	f.Add("\"", "\\", "<&>", "", "", "", "", "\x00", ``, int64(-1), uint64(math.MaxUint64), []byte(`{"id":"a","practice":"`))
	f.Add("é", "한글", "\u2028", "\xff", "'", "a,b", "}", "evt_0", `[1,{"a":"\""}]`, int64(math.MaxInt64), uint64(0), []byte(`null`))
	f.Fuzz(func(t *testing.T, id, practice, action, from, to, actor, name, cause, data string, at int64, version uint64, line []byte) {
		_, _ = parseEvent(line) // and no panic
		e := itsm.Event{
			ID: itsm.ID(id), Practice: practice, Record: itsm.ID(name), Version: itsm.Version(version), Action: action,
			From: itsm.State(from), To: itsm.State(to), At: time.UnixMicro(at % 1e15).UTC(), Actor: itsm.Actor{ID: actor, Name: name},
			Cause: itsm.ID(cause), Data: json.RawMessage(data),
		}
		text, err := json.Marshal(e)
		if err != nil {
			return
		}
		var want itsm.Event
		require.NoError(t, json.Unmarshal(text, &want))
		if string(want.Data) == "null" {
			want.Data = nil
		}
		got, err := parseEvent(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}

// The usual event is read without encoding/json, or the feed would be slow.
func TestUsualEvent(t *testing.T) {
	for _, e := range []itsm.Event{
		{ID: "evt_1", Practice: "incident", Record: "inc_1", Version: 1, Action: "report", To: "new", At: time.Unix(1, 1000).UTC(),
			Actor: itsm.Actor{ID: "jin"}, Data: json.RawMessage(`{"title":"Mail is \"down\""}`)},
		{ID: "evt_2", Practice: "incident", Record: "inc_1", Version: 2, Action: "resolve", From: "new", To: "resolved", At: time.Unix(2, 0).UTC(),
			Actor: itsm.Actor{ID: "jin", Name: "진"}, Cause: "evt_1", Data: json.RawMessage(`{}`)},
	} {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		p := eventParser{rest: string(text)}
		got, ok := p.event()
		require.True(t, ok)
		require.Equal(t, e, got)
	}
}

func TestWrongEvents(t *testing.T) {
	for _, line := range []string{``, `{`, `[]`, `{"version":"x"}`, `{"id":"a","practice":"b","record":"c","version":x,"action":"d","to":"e","at":"2026-01-01T00:00:00Z","actor":{"id":"f"},"data":{}}`,
		`{"id":"a","practice":"b","record":"c","version":1,"action":"d","to":"e","at":"yesterday","actor":{"id":"f"},"data":{}}`,
		`{"id":"a","practice":"b","record":"c","version":1,"action":"d","to":"e","at":"2026-01-01T00:00:00Z","actor":{"id":"f"},"data":{}}}`,
	} {
		_, err := parseEvent([]byte(line))
		require.Error(t, err, line)
	}
}

// No two tenants or ids share a place, and no name has a meaning to the server.
func FuzzWall(f *testing.F) {
	for _, pair := range [][2]string{{"acme", "globex"}, {"", "_"}, {"a", "A"}, {"a.b", "a=2Eb"}, {">", "*"}, {"a b", "a\tb"}, {"ä", "\xe4"}, {"x\x00", "x"}} {
		f.Add(pair[0], pair[1], pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, tenant1, tenant2, id1, id2 string) {
		place := func(tenant, id string) (name, subject string) {
			s := &stream{Options: Options{Stream: "DESK", Tenant: tenant}}
			s.name = s.Options.name()
			require.Regexp(t, `^DESK(_[a-z0-9=A-F-]+)?$`, s.name)
			subject, ok := s.subject(recordSubject, itsm.ID(id))
			if ok {
				require.Regexp(t, `^DESK[^.]*\.r\.[A-Za-z0-9_=-]+$`, subject)
			}
			return s.name, subject
		}
		name1, subject1 := place(tenant1, id1)
		name2, subject2 := place(tenant2, id2)
		require.Equal(t, tenant1 == tenant2, name1 == name2)
		require.Equal(t, tenant1 == tenant2 && id1 == id2, subject1 == subject2)
	})
}

// What is remembered is what was used lately.
func TestHeads(t *testing.T) {
	var h heads
	id := func(n int) itsm.ID { return itsm.ID(fmt.Sprint(n)) }
	for n := range 10 * headsEach {
		h.put(id(n), position{version: 1, seq: uint64(n + 1)})
		_, ok := h.get(id(0))
		require.True(t, ok)
	}
	require.LessOrEqual(t, len(h.new)+len(h.old), 2*headsEach)
	_, ok := h.get(id(1))
	require.False(t, ok)
	last := 10*headsEach - 1
	h.put(id(last), position{version: 3, seq: 99e6})
	h.put(id(last), position{version: 2, seq: 98e6})
	at, _ := h.get(id(last))
	require.Equal(t, itsm.Version(3), at.version, "what is older is not learned")
}
