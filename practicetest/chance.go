package practicetest

import (
	"encoding"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/go-itsm/itsm"
)

// Chance is what random input is made of. The same seed makes the same. It is for one
// goroutine.
type Chance struct {
	*rand.Rand
	// Clock is what times lie around.
	Clock *Clock
	// IDs are those of the records that there are, in the order of their creation.
	IDs   []itsm.ID
	words []string
}

// NewChance returns the chance of a seed.
func NewChance(seed uint64, clock *Clock, words ...string) *Chance {
	return &Chance{Rand: rand.New(rand.NewPCG(seed, 0)), Clock: clock, words: append(words, "needed", "done", "late")}
}

// Pick returns one of several, by a [Chance], the [World] that has one, or a [rand.Rand].
func Pick[T any](by interface{ IntN(n int) int }, from ...T) T { return from[by.IntN(len(from))] }

// OneIn is true once in n times.
func (c *Chance) OneIn(n int) bool { return c.IntN(n) == 0 }

// Text is mostly a word, and sometimes nothing, what is no text, or not ASCII.
func (c *Chance) Text() string {
	if c.OneIn(10) {
		return Pick(c, "", "a\x00b", "\xff", "문제가 생겼습니다")
	}
	return Pick(c, c.words...)
}

// Names are up to two of several, perhaps twice the same.
func (c *Chance) Names(of ...string) []string {
	var all []string
	for range c.IntN(3) {
		all = append(all, Pick(c, of...))
	}
	return all
}

// Time is a time of the last half day or of the next two, or none.
func (c *Chance) Time() time.Time {
	if c.OneIn(4) {
		return time.Time{}
	}
	return c.Clock.Now().Add(time.Duration(c.Int64N(int64(60*time.Hour))) - 12*time.Hour)
}

// ID is mostly that of a record that is there.
func (c *Chance) ID() itsm.ID {
	if len(c.IDs) == 0 || c.OneIn(30) {
		return Pick[itsm.ID](c, "", "nobody-0")
	}
	return Pick(c, c.IDs...)
}

// Fields are up to two fields of a host's own; not all are JSON.
func (c *Chance) Fields() itsm.Fields {
	f := itsm.Fields{}
	for range c.IntN(3) {
		f[Pick(c, "seat", "vip", "", "x")] = json.RawMessage(Pick(c, "null", ` { "a" : [1, 2] }`, "true", `"text"`, `"2026-03-03T10:00:00Z"`, "{", "1e3"))
	}
	return f
}

// jump moves the clock: mostly a little, sometimes not, far, or back.
func (c *Chance) jump() {
	d := time.Duration(c.Int64N(int64(2 * time.Hour)))
	switch c.IntN(20) {
	case 0:
		d = -d
	case 1:
		d *= 20
	case 2:
		d = 0
	}
	c.Clock.Advance(d)
}

// deepest is how far down slices, maps and pointers may have something in them.
const deepest = 5

// fill puts anything into a settable value that is in so many slices, maps and pointers.
func (c *Chance) fill(v reflect.Value, depth int) {
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(c.Time()))
		return
	case time.Duration:
		v.SetInt(int64(Pick(c, 0, time.Minute, time.Hour, 30*time.Hour, -time.Second)))
		return
	case itsm.ID:
		v.SetString(string(c.ID()))
		return
	case itsm.Fields:
		v.Set(reflect.ValueOf(c.Fields()))
		return
	case json.RawMessage:
		v.SetBytes([]byte(Pick(c, "null", ` [1, "x"]`, "true")))
		return
	}
	if reads(v) {
		// What has a form of its own takes what it takes.
		_ = json.Unmarshal([]byte(Pick(c, `"done"`, `"1"`, "1", "true", "{}")), v.Addr().Interface())
		return
	}
	switch kind := v.Kind(); {
	case kind == reflect.String:
		v.SetString(c.Text())
	case kind == reflect.Bool:
		v.SetBool(c.OneIn(2))
	case v.CanInt():
		v.SetInt(int64(Pick(c, 0, 1, 2, 3, 5, 40, -1)))
	case v.CanUint():
		v.SetUint(uint64(Pick(c, 0, 1, 2, 3, 5, 40)))
	case v.CanFloat():
		v.SetFloat(Pick(c, 0, 0.5, 1, 8, -2.25))
	case kind == reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				c.fill(v.Field(i), depth)
			}
		}
	case kind == reflect.Array:
		for i := range v.Len() {
			c.fill(v.Index(i), depth)
		}
	case kind == reflect.Slice:
		v.SetZero()
		for range c.some(depth) {
			one := reflect.New(v.Type().Elem()).Elem()
			c.fill(one, depth+1)
			v.Set(reflect.Append(v, one))
		}
	case kind == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range c.some(depth) {
			key, one := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			c.fill(key, depth+1)
			c.fill(one, depth+1)
			v.SetMapIndex(key, one)
		}
	case kind == reflect.Pointer:
		v.SetZero()
		if c.deeper(depth) && c.OneIn(2) {
			one := reflect.New(v.Type().Elem())
			c.fill(one.Elem(), depth+1)
			v.Set(one)
		}
	}
}

// deeper reports whether there is something in a slice, a map or a pointer: the less the
// deeper it is, since what contains itself, such as a tree, has to end, and soon.
func (c *Chance) deeper(depth int) bool { return depth < deepest && c.OneIn(depth+1) }

// some is how many are in a slice or a map.
func (c *Chance) some(depth int) int {
	if !c.deeper(depth) {
		return 0
	}
	return c.IntN(3)
}

// reads reports whether a value reads its own JSON.
func reads(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case json.Unmarshaler, encoding.TextUnmarshaler:
		return true
	}
	return false
}
