package valuechain

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// xesVersion is how the standard of 2016 says which one it is: a decimal number.
const xesVersion = "1849.2016"

// xesElements are the names of attributes of a kind.
func xesElement(k Kind) string {
	switch k {
	case KindText:
		return "string"
	case KindTime:
		return "date"
	case KindInt:
		return "int"
	case KindFloat, KindBool, KindID, KindList:
	}
	return k.String()
}

func xesKind(element string) (Kind, bool) {
	for k := KindText; k <= KindList; k++ {
		if xesElement(k) == element {
			return k, true
		}
	}
	return 0, false
}

// WriteXES writes a log as XML: valid by the schema of IEEE 1849-2016, which has no
// namespace. Nothing is written if [XES.Validate] finds something; it returns that, or
// the writer's error.
func WriteXES(w io.Writer, x *XES) error {
	if err := x.Validate(); err != nil {
		return err
	}
	p := xmlPrinter{w: bufio.NewWriterSize(w, 64<<10)}
	features := ""
	if x.nested() {
		features = "nested-attributes"
	}
	p.raw(xml.Header)
	p.open(0, "log", "xes.version", xesVersion, "xes.features", features)
	for _, e := range x.Extensions {
		p.leaf(1, "extension", "name", e.Name, "prefix", e.Prefix, "uri", e.URI)
	}
	for _, g := range []struct {
		scope string
		as    []Attribute
	}{{"trace", x.TraceGlobals}, {"event", x.EventGlobals}} {
		if len(g.as) > 0 {
			p.open(1, "global", "scope", g.scope)
			p.attributes(2, g.as)
			p.close(1, "global")
		}
	}
	for _, c := range x.Classifiers {
		names := []string{"name", c.Name}
		if c.Scope != "" {
			names = append(names, "scope", c.Scope)
		}
		p.leaf(1, "classifier", append(names, "keys", strings.Join(c.Keys, " "))...)
	}
	p.attributes(1, x.Attributes)
	for i := range x.Traces {
		t := &x.Traces[i]
		p.open(1, "trace")
		p.attributes(2, t.Attributes)
		p.events(2, t.Events)
		p.close(1, "trace")
	}
	p.events(1, x.Events)
	p.close(0, "log")
	return p.w.Flush()
}

// nested reports whether any attribute has attributes.
func (x *XES) nested() bool {
	var nested func(as []Attribute) bool
	nested = func(as []Attribute) bool {
		return slices.ContainsFunc(as, func(a Attribute) bool {
			return len(a.Attributes) > 0 || a.Value.kind == KindList && nested(a.Value.list)
		})
	}
	any := nested(x.Attributes) || nested(x.TraceGlobals) || nested(x.EventGlobals)
	for i := 0; i < len(x.Traces) && !any; i++ {
		any = nested(x.Traces[i].Attributes) || slices.ContainsFunc(x.Traces[i].Events, func(e XESEvent) bool { return nested(e.Attributes) })
	}
	return any || slices.ContainsFunc(x.Events, func(e XESEvent) bool { return nested(e.Attributes) })
}

// xmlPrinter writes elements, two blanks a level. A bufio.Writer keeps the first
// error and returns it from Flush.
type xmlPrinter struct{ w *bufio.Writer }

func (p *xmlPrinter) raw(text string) { _, _ = p.w.WriteString(text) }

func (p *xmlPrinter) tag(level int, name string, pairs []string) {
	for range level {
		p.raw("  ")
	}
	p.raw("<")
	p.raw(name)
	for i := 0; i+1 < len(pairs); i += 2 {
		p.raw(" ")
		p.raw(pairs[i])
		p.raw(`="`)
		p.text(pairs[i+1])
		p.raw(`"`)
	}
}

func (p *xmlPrinter) text(s string) { _ = xml.EscapeText(p.w, []byte(s)) }

func (p *xmlPrinter) open(level int, name string, pairs ...string) {
	p.tag(level, name, pairs)
	p.raw(">\n")
}

func (p *xmlPrinter) leaf(level int, name string, pairs ...string) {
	p.tag(level, name, pairs)
	p.raw("/>\n")
}

// content is an element that holds text.
func (p *xmlPrinter) content(level int, name, text string, pairs ...string) {
	p.tag(level, name, pairs)
	p.raw(">")
	p.text(text)
	p.raw("</" + name + ">\n")
}

func (p *xmlPrinter) close(level int, name string) {
	for range level {
		p.raw("  ")
	}
	p.raw("</")
	p.raw(name)
	p.raw(">\n")
}

func (p *xmlPrinter) events(level int, events []XESEvent) {
	for i := range events {
		p.open(level, "event")
		p.attributes(level+1, events[i].Attributes)
		p.close(level, "event")
	}
}

func (p *xmlPrinter) attributes(level int, as []Attribute) {
	for i := range as {
		a := &as[i]
		name := xesElement(a.Value.kind)
		pairs := []string{"key", a.Key, "value", a.Value.String()}
		if a.Value.kind == KindList {
			pairs = pairs[:2]
		}
		if a.Value.kind != KindList && len(a.Attributes) == 0 {
			p.leaf(level, name, pairs...)
			continue
		}
		p.open(level, name, pairs...)
		p.attributes(level+1, a.Attributes)
		if a.Value.kind == KindList {
			p.open(level+1, "values", "key", "values") // the schema wants a key
			p.attributes(level+2, a.Value.list)
			p.close(level+1, "values")
		}
		p.close(level, name)
	}
}

// ReadXES reads a log from XML of at most 1 GiB: that of IEEE 1849-2016, and what
// older tools wrote, whatever its namespace and in whatever order. Keys and names may
// be any text, because those of many published logs are. XML attributes that the
// standard does not have are passed over; elements that it does not have are refused,
// because what they say would be lost. Times without a zone are UTC. The log is held in
// memory as a whole.
//
// It returns an [itsm.ErrInvalid] with what is wrong with the log, each with its
// line, or the reader's error.
func ReadXES(r io.Reader) (*XES, error) {
	p := newXMLParser(r)
	x := &XES{}
	root, err := p.root("log")
	if err != nil {
		return nil, err
	}
	err = p.children(root, "", func(el xml.StartElement) error {
		switch el.Name.Local {
		case "extension":
			x.Extensions = append(x.Extensions, Extension{attr(el, "name"), attr(el, "prefix"), attr(el, "uri")})
			return p.empty(el, "extension")
		case "classifier":
			x.Classifiers = append(x.Classifiers, Classifier{attr(el, "name"), attr(el, "scope"), splitKeys(attr(el, "keys"))})
			return p.empty(el, "classifier")
		case "global":
			into := &x.EventGlobals
			switch attr(el, "scope") {
			case "event":
			case "trace":
				into = &x.TraceGlobals
			default:
				p.fault("global", fmt.Sprintf("must have the scope event or trace, has %q", short.Text(attr(el, "scope"))))
			}
			return p.component(el, "global", into, nil)
		case "trace":
			x.Traces = append(x.Traces, XESTrace{})
			t := &x.Traces[len(x.Traces)-1]
			return p.component(el, fmt.Sprintf("trace[%d]", len(x.Traces)-1), &t.Attributes, &t.Events)
		case "event":
			x.Events = append(x.Events, XESEvent{})
			return p.component(el, fmt.Sprintf("event[%d]", len(x.Events)-1), &x.Events[len(x.Events)-1].Attributes, nil)
		}
		return p.attribute(el, "log", &x.Attributes, 1)
	})
	p.twice("log", x.Attributes)
	if err := p.done(err); err != nil {
		return nil, err
	}
	return x, nil
}

// splitKeys reads the keys of a classifier: divided by blanks, or in single quotes
// if they have blanks themselves.
func splitKeys(text string) []string {
	if !strings.Contains(text, "'") {
		return strings.Fields(text)
	}
	var keys []string
	for i, part := range strings.Split(text, "'") {
		if i%2 == 1 {
			keys = append(keys, part)
		} else {
			keys = append(keys, strings.Fields(part)...)
		}
	}
	return keys
}

func attr(el xml.StartElement, name string) string {
	for _, a := range el.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// xmlParser reads elements and collects what is wrong with them.
type xmlParser struct {
	d      *xml.Decoder
	limit  *io.LimitedReader
	faults faults
}

func newXMLParser(r io.Reader) *xmlParser {
	limit := &io.LimitedReader{R: r, N: maxFile + 1}
	return &xmlParser{d: xml.NewDecoder(limit), limit: limit}
}

func (p *xmlParser) fault(field, reason string) {
	line, _ := p.d.InputPos()
	p.faults.add(field, fmt.Sprintf("%s (line %d)", reason, line))
}

// root reads up to the outermost element.
func (p *xmlParser) root(name string) (xml.StartElement, error) {
	for {
		token, err := p.d.Token()
		if err != nil {
			return xml.StartElement{}, p.done(err)
		}
		el, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if el.Name.Local != name {
			p.fault("", fmt.Sprintf("must begin with the element %s, begins with %q", name, short.Text(el.Name.Local)))
			return el, p.faults.err()
		}
		return el, nil
	}
}

// children calls f for every element in another one, which f reads to its end. Text
// between them means nothing.
func (p *xmlParser) children(parent xml.StartElement, field string, f func(xml.StartElement) error) error {
	for {
		token, err := p.d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := f(token); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		case xml.CharData:
			p.blank(token, parent, field)
		}
	}
}

// blank refuses text between elements.
func (p *xmlParser) blank(text xml.CharData, parent xml.StartElement, field string) {
	if text := bytes.TrimSpace(text); len(text) > 0 {
		p.fault(field, fmt.Sprintf("must not hold text in %s: %q", parent.Name.Local, short.Text(string(text))))
	}
}

// empty reads an element that holds no others.
func (p *xmlParser) empty(el xml.StartElement, field string) error {
	return p.children(el, field, func(inner xml.StartElement) error { return p.unknown(inner, field) })
}

// unknown refuses an element and passes over it.
func (p *xmlParser) unknown(el xml.StartElement, field string) error {
	p.fault(field, fmt.Sprintf("must not hold the element %q", short.Text(el.Name.Local)))
	return p.d.Skip()
}

// component reads attributes, and events where there may be some.
func (p *xmlParser) component(el xml.StartElement, field string, as *[]Attribute, events *[]XESEvent) error {
	err := p.children(el, field, func(inner xml.StartElement) error {
		if inner.Name.Local == "event" && events != nil {
			*events = append(*events, XESEvent{})
			e := &(*events)[len(*events)-1]
			return p.component(inner, field+".event", &e.Attributes, nil)
		}
		return p.attribute(inner, field, as, 1)
	})
	p.twice(field, *as)
	return err
}

// attribute reads an attribute with what is in it. Most have nothing in them, so the
// place is spelled only where it is needed.
func (p *xmlParser) attribute(el xml.StartElement, field string, into *[]Attribute, depth int) error {
	kind, ok := xesKind(el.Name.Local)
	if !ok {
		return p.unknown(el, field)
	}
	if depth > maxDepth {
		p.fault(field, fmt.Sprintf("is nested more than %d deep", maxDepth))
		return p.d.Skip()
	}
	a := Attribute{Key: attr(el, "key")}
	at := func() string { return field + "." + short.Text(a.Key) }
	if a.Key == "" {
		p.fault(field, "has an attribute without a key")
	}
	var reason string
	if kind != KindList {
		if a.Value, reason = parseValue(kind, attr(el, "value")); reason != "" {
			p.fault(at(), reason)
		}
	} else {
		a.Value = List()
	}
	for values := 0; ; {
		token, err := p.d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if kind != KindList || token.Name.Local != "values" {
				err = p.attribute(token, at(), &a.Attributes, depth+1)
				break
			}
			if values++; values > 1 {
				p.fault(at(), "has its values twice")
			}
			err = p.children(token, at(), func(inner xml.StartElement) error { return p.attribute(inner, at(), &a.Value.list, depth+1) })
		case xml.EndElement:
			if len(a.Attributes) > 0 {
				p.twice(at(), a.Attributes)
			}
			*into = append(*into, a)
			return nil
		case xml.CharData:
			p.blank(token, el, field)
		}
		if err != nil {
			return err
		}
	}
}

// twice finds keys that are there again.
func (p *xmlParser) twice(field string, as []Attribute) {
	for _, i := range repeated(as) {
		p.fault(field+"."+short.Text(as[i].Key), "is there twice")
	}
}

// done returns what was found, or what ended the reading before its time.
func (p *xmlParser) done(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case p.limit.N <= 0:
		p.faults.add("", fmt.Sprintf("must have at most %d bytes", maxFile))
	case errors.Is(err, io.EOF):
		p.faults.add("", "ends before its time")
	case errors.As(err, &syntax):
		p.faults.add("", fmt.Sprintf("must be XML: %s (line %d)", syntax.Msg, syntax.Line))
	case err != nil && !errors.Is(err, itsm.ErrInvalid):
		if strings.HasPrefix(err.Error(), "xml: ") { // of another encoding, which has no type
			p.faults.add("", err.Error())
			break
		}
		return err
	}
	return p.faults.err()
}
