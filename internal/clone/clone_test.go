package clone_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm/internal/clone"
)

type (
	line struct {
		Text string
		At   time.Time
		Tags []string
	}
	tree struct {
		Name     string
		Children []tree
		Next     *tree
		ByName   map[string]*tree
	}
	base struct {
		ID     string
		Labels []string
		note   string
	}
	everything struct {
		base
		Plain   int
		When    time.Time
		Raw     json.RawMessage
		Strings []string
		Lines   []line
		Grid    [][]int
		Map     map[string]json.RawMessage
		Counts  map[[2]string]int
		Nested  map[string]map[int][]line
		Pointer *line
		Twice   **line
		Array   [3][]int
		Inner   struct{ Deep struct{ Tags []string } }
		Tree    tree
		Own     sealed
		OwnPtr  *sealedPtr
		OwnVia  sealedVia
		hidden  [4]int
	}

	// Three types that only their own Clone can copy.
	sealed    struct{ list []int }
	sealedPtr struct{ list []int }
	sealedVia struct{ list []int }
)

func (s sealed) Clone() sealed         { return sealed{append([]int(nil), s.list...)} }
func (s *sealedPtr) Clone() *sealedPtr { return &sealedPtr{append([]int(nil), s.list...)} }
func (s *sealedVia) Clone() sealedVia  { return sealedVia{append([]int(nil), s.list...)} }

// fill sets everything that can be set from a source of random numbers; nil,
// empty and spare capacity included.
func fill(r *rand.Rand, v reflect.Value, depth int) {
	size := r.IntN(4) - 1 // -1 for nil
	if depth > 6 {
		size = -1
	}
	switch own := v.Addr().Interface().(type) {
	case *time.Time:
		*own = time.Unix(r.Int64N(1e9), 0).In(time.FixedZone("somewhere", r.IntN(1000)))
		return
	case *sealed:
		own.list = []int{r.Int()}
		return
	case *sealedPtr:
		own.list = []int{r.Int()}
		return
	case *sealedVia:
		own.list = []int{r.Int()}
		return
	}
	switch v.Kind() {
	case reflect.Int:
		v.SetInt(r.Int64())
	case reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	case reflect.String:
		v.SetString(fmt.Sprint(r.Int()))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				fillField(r, v.Field(i), depth)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Slice:
		if size < 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), size, size+r.IntN(3)))
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		if size < 0 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range size {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth+1)
			fill(r, value, depth+1)
			v.SetMapIndex(key, value)
		}
	case reflect.Pointer:
		if size >= 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	}
}

// fillField goes into an embedded struct of an unexported type, whose address
// reflection does not give away.
func fillField(r *rand.Rand, v reflect.Value, depth int) {
	if v.CanSet() {
		fill(r, v, depth+1)
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			fill(r, v.Field(i), depth+1)
		}
	}
}

// scramble changes everything that can be reached through v, including what
// lies in the spare capacity of slices.
func scramble(v reflect.Value) {
	switch own := v.Interface().(type) {
	case sealed:
		own.list[0]++
		return
	case *sealedPtr:
		if own != nil {
			own.list[0]++
		}
		return
	case sealedVia:
		own.list[0]++
		return
	case time.Time:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case f.IsExported():
				scramble(v.Field(i))
			case f.Anonymous:
				scramble(v.Field(i).FieldByName("Labels"))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			scramble(v.Index(i))
		}
		if !v.IsNil() {
			whole := v.Slice(0, v.Cap())
			for i := range whole.Len() {
				whole.Index(i).SetZero()
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			scramble(v.MapIndex(key))
			v.SetMapIndex(key, reflect.Value{})
		}
		if !v.IsNil() {
			v.SetMapIndex(reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem())
		}
	case reflect.Pointer:
		if !v.IsNil() {
			scramble(v.Elem())
			v.Elem().SetZero()
		}
	}
}

// Whatever the value and whatever is done to its copy: they were equal, down
// to what is nil and what is empty, and the original is as it was.
func TestCloneSharesNothing(t *testing.T) {
	c, err := clone.Of[everything]()
	require.NoError(t, err)
	for seed := range uint64(300) {
		original := func() *everything {
			var v everything
			fill(rand.New(rand.NewPCG(seed, 0)), reflect.ValueOf(&v).Elem(), 0)
			v.note, v.hidden = "kept", [4]int{1, 2, 3, 4}
			return &v
		}
		want, v := original(), original()

		copied := c.Clone(*v)
		require.Equal(t, want, &copied, "seed %d", seed)
		scramble(reflect.ValueOf(&copied).Elem())
		require.Equal(t, want, v, "seed %d", seed)

		copied = everything{Strings: []string{"overwritten"}}
		c.Copy(&copied, v)
		require.Equal(t, want, &copied, "seed %d", seed)
		scramble(reflect.ValueOf(v).Elem())
		require.Equal(t, want, &copied, "seed %d", seed)
	}
}

// What shares nothing may be copied plainly: then there is nothing through which
// the copy could change the original. What shares something is copied anyway.
func TestShares(t *testing.T) {
	c, err := clone.Of[ticket]()
	require.NoError(t, err)
	for _, v := range []struct {
		name   string
		v      ticket
		shares bool
	}{
		{"Nil", ticket{Title: "printer", Created: time.Now()}, false},
		{"Empty", ticket{A: []line{}}, true}, // whose spare capacity would be shared
		{"Slice", ticket{I: []line{{Text: "a"}}}, true},
		{"Map", ticket{Fields: map[string]json.RawMessage{}}, true},
		{"Pointer", ticket{Hold: new(line)}, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			require.Equal(t, v.shares, c.Shares(&v.v))
			copied := c.Clone(v.v)
			require.Equal(t, v.v, copied)
			scramble(reflect.ValueOf(&copied).Elem())
			require.Equal(t, v.v, c.Clone(v.v))
		})
	}
	t.Run("Own", func(t *testing.T) {
		c, err := clone.Of[sealed]()
		require.NoError(t, err)
		v := sealed{[]int{1}}
		require.True(t, c.Shares(&v), "nobody knows but its Clone")
		c.Clone(v).list[0] = 2
		require.Equal(t, 1, v.list[0])
	})
	t.Run("Nested", func(t *testing.T) {
		type outer struct {
			Inner struct{ Tags []string }
			Grid  [2][]int
		}
		c, err := clone.Of[struct{ Inner struct{ Tags []string } }]()
		require.NoError(t, err)
		require.False(t, c.Shares(&struct{ Inner struct{ Tags []string } }{}))
		arrays, err := clone.Of[outer]()
		require.NoError(t, err)
		require.True(t, arrays.Shares(&outer{}), "arrays are not looked into")
	})
	t.Run("Plain", func(t *testing.T) {
		c, err := clone.Of[int]()
		require.NoError(t, err)
		v := 3
		require.False(t, c.Shares(&v))
		require.Equal(t, 3, c.Clone(v))
	})
}

func TestCloneOfOtherKinds(t *testing.T) {
	t.Run("Plain", func(t *testing.T) {
		c, err := clone.Of[struct{ A, B int }]()
		require.NoError(t, err)
		require.Equal(t, 2, c.Clone(struct{ A, B int }{1, 2}).B)
		var to struct{ A, B int }
		c.Copy(&to, &struct{ A, B int }{3, 4})
		require.Equal(t, 4, to.B)
	})
	t.Run("Pointer", func(t *testing.T) {
		c, err := clone.Of[*line]()
		require.NoError(t, err)
		require.Nil(t, c.Clone(nil))
		v := &line{Tags: []string{"a"}}
		copied := c.Clone(v)
		require.Equal(t, v, copied)
		require.NotSame(t, v, copied)
	})
	t.Run("Recursive", func(t *testing.T) {
		c, err := clone.Of[forest]()
		require.NoError(t, err)
		v := forest{{Name: "a", Under: forest{{Name: "b"}}}}
		copied := c.Clone(v)
		require.Equal(t, v, copied)
		copied[0].Under[0].Name = "c"
		require.Equal(t, "b", v[0].Under[0].Name)
	})
	t.Run("OwnClone", func(t *testing.T) {
		value, err := clone.Of[sealed]()
		require.NoError(t, err)
		v := sealed{[]int{1}}
		copied := value.Clone(v)
		require.Equal(t, v, copied)
		copied.list[0] = 2
		require.Equal(t, 1, v.list[0])

		pointer, err := clone.Of[*sealedPtr]()
		require.NoError(t, err)
		require.Nil(t, pointer.Clone(nil))
		require.Equal(t, []int{1}, pointer.Clone(&sealedPtr{[]int{1}}).list)
	})
	t.Run("NoElements", func(t *testing.T) {
		c, err := clone.Of[[0][]int]()
		require.NoError(t, err)
		require.Empty(t, c.Clone([0][]int{}))
	})
}

// A forest recurs through itself rather than through what it is made of.
type forest []struct {
	Name  string
	Under forest
}

type (
	inner  struct{ Any any }
	embeds struct{ sealed }
	// Its Clone gives something else, and so is not asked.
	misnamed struct{ list []int }
)

func (m misnamed) Clone() any { return m.list }

func TestOfRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		of    func() error
		paths []string
	}{
		{"Interface", refused[struct{ A, B inner }], []string{".A.Any is of kind interface"}},
		{"Each", refused[struct{ A, B any }], []string{".A is of kind interface", ".B is of kind interface"}},
		{"Chan", refused[struct{ Lines []struct{ Done chan int } }], []string{".Lines[].Done is of kind chan"}},
		{"Func", refused[struct {
			ByName map[string]*struct{ F func() }
		}], []string{".ByName[].F is of kind func"}},
		{"Unexported", refused[struct{ S big.Int }], []string{".S.abs is unexported"}},
		{"Misnamed", refused[struct{ M [2]misnamed }], []string{".M[].list is unexported"}},
		{"Embedded", refused[embeds], []string{"embeds.sealed is unexported"}},
		{"MapKey", refused[struct{ M map[*int]int }], []string{".M is a map whose key holds references"}},
		{"Root", refused[error], []string{"error is of kind interface"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.of()
			require.Error(t, err)
			findings := strings.Split(err.Error(), "\n")
			require.Len(t, findings, len(c.paths), err)
			for i, path := range c.paths {
				require.Contains(t, findings[i], path)
			}
		})
	}
}

func refused[T any]() error {
	_, err := clone.Of[T]()
	return err
}

// ticket is like the records that are copied all day: 700 bytes, most of it
// plain, and most of the rest nil.
type ticket struct {
	ID, State, Title, Text, Group, Assignee, Caller, Channel string
	Version                                                  uint64
	Created, Changed, Due, Resolved                          time.Time
	Numbers                                                  [20]int64
	Links                                                    []line
	Fields                                                   map[string]json.RawMessage
	A, B, C, D, E, F, G, H, I                                []line
	Hold                                                     *line
}

func BenchmarkClone(b *testing.B) {
	c, err := clone.Of[ticket]()
	require.NoError(b, err)
	for _, bench := range []struct {
		name string
		v    ticket
	}{
		{"nil", ticket{Title: "printer"}},
		{"links", ticket{Links: make([]line, 2)}},
		{"fields", ticket{Fields: map[string]json.RawMessage{"a": []byte("1"), "b": []byte("2")}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			v := &bench.v
			for b.Loop() {
				_ = c.Clone(*v)
			}
		})
		b.Run(bench.name+"/copy", func(b *testing.B) {
			b.ReportAllocs()
			v, to := &bench.v, new(ticket)
			for b.Loop() {
				c.Copy(to, v)
			}
		})
	}
}
