// Package clone makes deep copies of records.
//
// A record is mostly plain values with a few slices and maps that are usually
// nil. So the type is looked at once ([Of]), and a copy is then a shallow one
// plus a visit to those paths only that hold references.
//
// What is copied is taken for a tree, as encoding/json takes it: two pointers
// to one thing become pointers to two things, and a value that contains itself
// cannot be copied.
package clone

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"
)

// A Cloner copies values of one type. It is safe for concurrent use.
type Cloner[T any] struct {
	own     bool // T has its own Clone
	root    *plan
	scratch sync.Pool
}

// Of returns the cloner of T, or an error that names every path to what cannot
// be copied: interfaces, channels, functions, and unexported fields that hold
// references. A type on the way that has a method
//
//	func (v X) Clone() X
//
// (or with a pointer receiver) is copied by it, whatever it is made of. A
// [time.Time] is a plain value.
func Of[T any]() (*Cloner[T], error) {
	t := reflect.TypeFor[T]()
	c := compiler{plans: map[reflect.Type]*plan{}}
	root := c.compile(t, t.String())
	if len(c.errs) > 0 {
		return nil, errors.Join(c.errs...)
	}
	cl := &Cloner[T]{root: root}
	_, cl.own = any((*T)(nil)).(interface{ Clone() T })
	cl.scratch.New = func() any { return new(pair[T]) }
	return cl, nil
}

// pair is where a copy is made: reflection needs both values on the heap, and
// taking them from a pool saves the callers' values from moving there.
type pair[T any] struct{ dst, src T }

// Clone returns a copy of v that shares nothing with it. What is nil stays
// nil, and what is empty stays empty.
func (c *Cloner[T]) Clone(v T) T {
	if c.root.visit == nil {
		return v
	}
	p := c.scratch.Get().(*pair[T])
	p.src = v
	c.Copy(&p.dst, &p.src)
	v = p.dst
	*p = pair[T]{}
	c.scratch.Put(p)
	return v
}

// Shares reports whether a plain copy of *v would share anything with it. Most
// records are mostly nil where they could, and then it would not.
func (c *Cloner[T]) Shares(v *T) bool {
	return c.own || c.root.visit != nil && c.root.shares(unsafe.Pointer(v))
}

// Copy is Clone between two places that are on the heap already, which it
// leaves there: it saves moving the value.
func (c *Cloner[T]) Copy(dst, src *T) {
	switch {
	case c.own:
		*dst = any(src).(interface{ Clone() T }).Clone()
	case c.root.visit == nil:
		*dst = *src
	default:
		*dst = *src
		c.root.visit(reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem())
	}
}

// A plan says how to copy values of one type.
type plan struct {
	// visit gets a shallow copy and its original, both addressable, and gives
	// the copy its own of everything that it shares with the original. It is
	// nil for plain values, which share nothing.
	visit func(dst, src reflect.Value)
	// leaves are where a value has references: for a struct its fields and
	// those of the structs in it, for anything else itself.
	leaves []leaf
}

// A leaf is part of a value. It is found by its address: asking reflection for
// each field would cost more than copying a record.
type leaf struct {
	offset uintptr
	typ    reflect.Type
	visit  func(dst, src reflect.Value)
	// nilable says that it is nil, and shares nothing, if its first word is.
	nilable bool
}

func (l *leaf) isNil(value unsafe.Pointer) bool {
	return l.nilable && *(*unsafe.Pointer)(unsafe.Add(value, l.offset)) == nil
}

func (l *leaf) in(value unsafe.Pointer) reflect.Value {
	return reflect.NewAt(l.typ, unsafe.Add(value, l.offset)).Elem()
}

// shares reports whether a shallow copy of a value would share something with it.
func (p *plan) shares(value unsafe.Pointer) bool {
	for i := range p.leaves {
		if !p.leaves[i].isNil(value) {
			return true
		}
	}
	return false
}

// A compiler makes plans. A type that is being compiled is in plans already,
// which is what ends the recursion of recursive types. They recur through a
// pointer, slice or map, so these look at the plan of their elements only when
// they copy.
type compiler struct {
	plans map[reflect.Type]*plan
	errs  []error
}

func (c *compiler) refuse(path, why string) {
	c.errs = append(c.errs, fmt.Errorf("clone: %s %s and cannot be copied; give the type that has it a method Clone", path, why))
}

func (c *compiler) compile(t reflect.Type, path string) *plan {
	if p, ok := c.plans[t]; ok {
		return p
	}
	p := new(plan)
	c.plans[t] = p
	if t == reflect.TypeFor[time.Time]() {
		return p
	}
	if visit := cloneMethod(t); visit != nil {
		p.whole(t, visit)
		return p
	}
	switch t.Kind() {
	case reflect.Struct:
		c.structure(p, t, path)
	case reflect.Array:
		c.array(p, t, path)
	case reflect.Slice:
		c.slice(p, t, path)
	case reflect.Map:
		c.dictionary(p, t, path)
	case reflect.Pointer:
		c.pointer(p, t, path)
	case reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		c.refuse(path, "is of kind "+t.Kind().String())
		delete(c.plans, t) // to be refused wherever it is met
	}
	return p
}

// whole gives a plan to a type that is no struct to be looked into. It comes
// before its elements are compiled: they may have fields of the type.
func (p *plan) whole(t reflect.Type, visit func(dst, src reflect.Value)) {
	nilable := t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer
	p.visit, p.leaves = visit, []leaf{{typ: t, visit: visit, nilable: nilable}}
}

// cloneMethod returns a visit that calls the method Clone of t, or nil if it
// has none that returns a t.
func cloneMethod(t reflect.Type) func(dst, src reflect.Value) {
	returnsT := func(m reflect.Method, ok bool) bool {
		return ok && m.Type.NumIn() == 1 && m.Type.NumOut() == 1 && m.Type.Out(0) == t
	}
	if t.Kind() == reflect.Interface {
		return nil // its method would be asked of a nil
	}
	// Called by name, because reflect.Value.Method would make the linker keep
	// every method of the program.
	if returnsT(t.MethodByName("Clone")) {
		return func(dst, src reflect.Value) {
			if t.Kind() != reflect.Pointer || !src.IsNil() {
				dst.Set(src.MethodByName("Clone").Call(nil)[0])
			}
		}
	}
	if returnsT(reflect.PointerTo(t).MethodByName("Clone")) {
		return func(dst, src reflect.Value) { dst.Set(src.Addr().MethodByName("Clone").Call(nil)[0]) }
	}
	return nil
}

func (c *compiler) structure(p *plan, t reflect.Type, path string) {
	for i := range t.NumField() {
		f := t.Field(i)
		sub := c.compile(f.Type, path+"."+f.Name)
		if sub.visit == nil {
			continue
		}
		if !f.IsExported() {
			// Of an embedded struct the exported fields can be set even if its
			// type is unexported, but the struct as a whole cannot.
			if !f.Anonymous || f.Type.Kind() != reflect.Struct || cloneMethod(f.Type) != nil {
				c.refuse(path+"."+f.Name, "is unexported, holds references")
				continue
			}
		}
		for _, l := range sub.leaves {
			l.offset += f.Offset
			p.leaves = append(p.leaves, l)
		}
	}
	if len(p.leaves) == 0 {
		return
	}
	p.visit = func(dst, src reflect.Value) {
		to, from := dst.Addr().UnsafePointer(), src.Addr().UnsafePointer()
		for i := range p.leaves {
			if l := &p.leaves[i]; !l.isNil(from) {
				l.visit(l.in(to), l.in(from))
			}
		}
	}
}

func (c *compiler) array(p *plan, t reflect.Type, path string) {
	elem := c.compile(t.Elem(), path+"[]")
	if elem.visit == nil || t.Len() == 0 {
		return
	}
	p.whole(t, func(dst, src reflect.Value) {
		for i := range src.Len() {
			elem.visit(dst.Index(i), src.Index(i))
		}
	})
}

func (c *compiler) slice(p *plan, t reflect.Type, path string) {
	empty := reflect.MakeSlice(t, 0, 0)
	var elem *plan
	p.whole(t, func(dst, src reflect.Value) {
		if src.IsNil() {
			return
		}
		n := src.Len()
		if n == 0 {
			dst.Set(empty) // without the spare capacity of the original
			return
		}
		// Growing in place, because reflect.MakeSlice allocates a header too.
		dst.SetZero()
		dst.Grow(n)
		dst.SetLen(n)
		reflect.Copy(dst, src)
		if elem.visit != nil {
			for i := range n {
				elem.visit(dst.Index(i), src.Index(i))
			}
		}
	})
	elem = c.compile(t.Elem(), path+"[]")
}

func (c *compiler) dictionary(p *plan, t reflect.Type, path string) {
	var elem *plan
	// An entry is read out of the map into places of its own, kept from copy
	// to copy; they are emptied in between so that they keep nothing alive.
	type entry struct{ key, dst, src reflect.Value }
	entries := sync.Pool{New: func() any {
		return &entry{reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem(), reflect.New(t.Elem()).Elem()}
	}}
	p.whole(t, func(dst, src reflect.Value) {
		if src.IsNil() {
			return
		}
		m := reflect.MakeMapWithSize(t, src.Len())
		e := entries.Get().(*entry)
		for it := src.MapRange(); it.Next(); {
			e.key.SetIterKey(it)
			e.dst.SetIterValue(it)
			if elem.visit != nil {
				e.src.Set(e.dst)
				elem.visit(e.dst, e.src)
			}
			m.SetMapIndex(e.key, e.dst)
		}
		e.key.SetZero()
		e.dst.SetZero()
		e.src.SetZero()
		entries.Put(e)
		dst.Set(m)
	})
	if c.compile(t.Key(), path+"[key]").visit != nil {
		c.refuse(path, "is a map whose key holds references")
	}
	elem = c.compile(t.Elem(), path+"[]")
}

func (c *compiler) pointer(p *plan, t reflect.Type, path string) {
	var elem *plan
	p.whole(t, func(dst, src reflect.Value) {
		if src.IsNil() {
			return
		}
		to := reflect.New(t.Elem())
		to.Elem().Set(src.Elem())
		if elem.visit != nil {
			elem.visit(to.Elem(), src.Elem())
		}
		dst.Set(to)
	})
	elem = c.compile(t.Elem(), path)
}
