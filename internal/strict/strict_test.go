package strict_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/internal/strict"
)

type inner struct {
	Name string `json:"name"`
	N    int8   `json:"n,omitempty"`
}

// shelf reads itself and says what is wrong with it.
type shelf struct{ rows int }

type finding struct{ field, reason string }

func (f finding) Error() string             { return f.field + " " + f.reason }
func (f finding) Finding() (string, string) { return f.field, f.reason }

func (s shelf) MarshalJSON() ([]byte, error) { return json.Marshal(s.rows) }

func (s *shelf) UnmarshalJSON(data []byte) error {
	switch string(data) {
	case `"full"`:
		return fmt.Errorf("shelf: %w", errors.Join(finding{"rows[0]", "must be free"}, finding{"", "must not be full"}))
	case `"gone"`:
		return errors.New("gone")
	}
	return json.Unmarshal(data, &s.rows)
}

// day is a text of two digits, and the key of a map.
type day struct{ n int }

func (d day) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%02d", d.n), nil }

func (d *day) UnmarshalText(text []byte) error {
	if len(text) != 2 {
		return finding{"", "must be a day"}
	}
	_, err := fmt.Sscanf(string(text), "%02d", &d.n)
	return err
}

type embedded struct {
	Weight float64 `json:"weight"`
}

type outer struct {
	embedded
	Title  string                     `json:"title"`
	Ok     bool                       `json:"ok,omitempty"`
	At     time.Time                  `json:"at,omitzero"`
	Within time.Duration              `json:"within,omitempty"`
	Count  uint16                     `json:"count,omitempty"`
	One    *inner                     `json:"one,omitempty"`
	Some   []inner                    `json:"some,omitempty"`
	Two    [2]int                     `json:"two"`
	By     map[string]inner           `json:"by,omitempty"`
	Days   map[day][]shelf            `json:"days,omitempty"`
	Raw    map[string]json.RawMessage `json:"raw,omitempty"`
	Bytes  []byte                     `json:"bytes,omitempty"`
	Shelf  shelf                      `json:"shelf"`
	First  day                        `json:"first"`
	Odd    map[int]string             `json:"odd,omitempty"`
	Hidden string                     `json:"-"`
}

func read(text string) (outer, []string) {
	var o outer
	var said []string
	for _, f := range strict.Read([]byte(text), &o, 1<<20) {
		said = append(said, strings.TrimSpace(f.Field+" "+f.Reason))
	}
	return o, said
}

// What is right is read as encoding/json reads it.
func TestReadsAsEncodingJSON(t *testing.T) {
	for _, text := range []string{
		`{}`,
		` { "title" : "a" , "ok" : true, "weight": 1.5 } `,
		`{"title":null,"ok":null,"at":null,"within":null,"one":null,"some":null,"by":null,"days":null,"raw":null,"bytes":null,"shelf":null,"two":null,"odd":null}`,
		`{"at":"2026-03-29T02:30:00Z","within":90,"count":65535,"one":{"name":"b","n":-128}}`,
		`{"some":[{"name":"a"},{}],"two":[1],"by":{"x":{"name":"\u0041"},"":{}},"days":{"07":[1,2],"31":null},"first":"09"}`,
		`{"raw":{"a":null,"b":[1, 2]},"bytes":"AQI=","shelf":7,"odd":{"1":"x"}}`,
	} {
		var want outer
		require.NoError(t, json.Unmarshal([]byte(text), &want), text)
		got, said := read(text)
		require.Empty(t, said, text)
		require.Equal(t, want, got, text)
	}
	got, said := read(`{"at":"2026-03-29T02:30:00+02:00","within":"1h30m","some":[],"days":{"01":[]}}`)
	require.Empty(t, said)
	require.Equal(t, outer{
		At: time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC), Within: 90 * time.Minute, Days: map[day][]shelf{{1}: nil},
	}, got)
}

// Everything that is wrong is told, in the order in which it stands there.
func TestReadGoesOn(t *testing.T) {
	long := strings.Repeat("x", 100)
	for text, want := range map[string][]string{
		``:         {"must be JSON: unexpected end of JSON input"},
		`{} {}`:    {"must be JSON: invalid character '{' after top-level value"},
		"\"\xff\"": {"must be valid UTF-8"},
		`null`:     {"must be an object"},
		` [] `:     {"must be an object"},
		`{"title":"` + strings.Repeat("x", 1<<20) + `"}`:    {"must have at most 1048576 bytes, has 1048588"},
		strings.Repeat("[", 101) + strings.Repeat("]", 101): {"must be nested at most 100 deep"},
		strings.Repeat("[", 100) + strings.Repeat("]", 100): {"must be an object"},
		`{"Title":"a","title":1,"Hidden":"","-":"","embedded":{},"` + long + `":1,"title":"b"}`: {
			"Title is not known", "title must be text", "Hidden is not known", "- is not known", "embedded is not known",
			long[:60] + "… is not known", "title is there twice"},
		`{"weight":"1","ok":1,"at":"now","within":"soon","count":-1,"one":[],"some":{},"two":[1,2,3],"by":[],"days":[],"raw":1,"bytes":"?","odd":[]}`: {
			"weight must be a number", "ok must be true or false", "at must be a time in RFC 3339, such as 2026-03-29T02:30:00Z",
			`within must be a duration, such as "1h30m", or nanoseconds`, "count must be a whole number from 0 of at most 16 bits",
			"one must be an object", "some must be a list", "two must have at most 2 elements, has 3", "by must be an object", "days must be an object",
			"raw must be an object", `bytes does not fit: "?"`, "odd does not fit: []"},
		`{"one":{"n":128,"x":1},"some":[{"name":1},null,3],"by":{"a":{"name":{}}},"two":["x",1.5]}`: {
			"one.n must be a whole number of at most 8 bits", "one.x is not known", "some[0].name must be text", "some[1] must be an object",
			"some[2] must be an object", "by.a.name must be text", "two[0] must be a whole number of at most 64 bits", "two[1] must be a whole number of at most 64 bits"},
		`{"shelf":"full","days":{"1":[],"02":["full",null,"gone"]},"first":7}`: {
			"shelf.rows[0] must be free", "shelf must not be full", "days.1 must be a day", "days.02[0].rows[0] must be free", "days.02[0] must not be full",
			"days.02[1] must not be null", `days.02[2] does not fit: "gone"`, "first must be text"},
	} {
		_, said := read(text)
		require.Equal(t, want, said, "%.200s", text)
	}
}

// Only what reads nothing but text must be text.
func TestTextOrItsOwnJSON(t *testing.T) {
	type sum struct {
		Big  big.Int  `json:"big"`
		Much *big.Int `json:"much"`
		Day  day      `json:"day"`
	}
	var s sum
	require.Empty(t, strict.Read([]byte(`{"big":12,"much":34,"day":"56"}`), &s, 1<<20))
	require.Equal(t, sum{*big.NewInt(12), big.NewInt(34), day{56}}, s)
	require.Equal(t, strict.Faults{{"big", "does not fit: 1.5"}, {"much", `does not fit: "x"`}, {"day", "must be text"}},
		strict.Read([]byte(`{"big":1.5,"much":"x","day":56}`), new(sum), 1<<20))
}

// What could not be read is not missing as well; what is there twice was read once.
func TestCover(t *testing.T) {
	covered := strict.Faults{{"rule", "must be an object"}, {"of[1].weight", "must be a whole number"}, {"name", "is there twice"}}.Cover()
	for field, want := range map[string]bool{
		"rule": true, "rule.of": true, "rule[2]": true, "ruler": false, "": false,
		"of[1].weight": true, "of[1]": false, "of[1].weights": false, "name": false, "name.x": false,
	} {
		require.Equal(t, want, covered(field), field)
	}
	require.True(t, strict.Faults{{"", "must be JSON"}}.Cover()("anything"))
	require.False(t, strict.Faults(nil).Cover()(""))
}
