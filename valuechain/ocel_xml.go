package valuechain

import (
	"bufio"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// WriteOCELXML writes a log as XML: valid by the schema of OCEL 2.0. Nothing is
// written if [OCEL.Validate] finds something; it returns that, or the writer's error.
func WriteOCELXML(w io.Writer, o *OCEL) error {
	if err := o.Validate(); err != nil {
		return err
	}
	p := xmlPrinter{w: bufio.NewWriterSize(w, 64<<10)}
	types := make(map[string]string, len(o.Objects))
	p.raw(xml.Header)
	p.open(0, "log")
	for _, t := range []struct {
		list, item string
		types      []OCELType
	}{{"object-types", "object-type", o.ObjectTypes}, {"event-types", "event-type", o.EventTypes}} {
		p.open(1, t.list)
		for _, x := range t.types {
			p.open(2, t.item, "name", x.Name)
			p.open(3, "attributes")
			for _, a := range x.Attributes {
				p.leaf(4, "attribute", "name", a.Name, "type", a.Kind.String())
			}
			p.close(3, "attributes")
			p.close(2, t.item)
		}
		p.close(1, t.list)
	}
	for i := range o.Objects {
		types[o.Objects[i].ID] = o.Objects[i].Type
	}
	relations := func(all []Relation) {
		p.open(3, "objects")
		for _, r := range all {
			p.leaf(4, "object", "object-id", r.Object, "qualifier", r.Qualifier, "type", types[r.Object])
		}
		p.close(3, "objects")
	}
	p.open(1, "objects")
	for i := range o.Objects {
		x := &o.Objects[i]
		p.open(2, "object", "id", x.ID, "type", x.Type)
		p.open(3, "attributes")
		for _, a := range x.Properties {
			p.content(4, "attribute", a.Value.String(), "name", a.Name, "time", spellSince(a.At))
		}
		p.close(3, "attributes")
		relations(x.Relations)
		p.close(2, "object")
	}
	p.close(1, "objects")
	p.open(1, "events")
	for i := range o.Events {
		x := &o.Events[i]
		p.open(2, "event", "id", x.ID, "type", x.Type, "time", spellTime(x.At))
		p.open(3, "attributes")
		for _, a := range x.Properties {
			p.content(4, "attribute", a.Value.String(), "name", a.Name)
		}
		p.close(3, "attributes")
		relations(x.Relations)
		p.close(2, "event")
	}
	p.close(1, "events")
	p.close(0, "log")
	return p.w.Flush()
}

// ReadOCELXML reads a log from XML of at most 1 GiB in the form of OCEL 2.0. What
// relates to an object may stand in an element of any name, because the schema and the
// examples of the standard have two.
//
// It returns an [itsm.ErrInvalid] with what is wrong with the log, each with its line
// where it has one, or the reader's error.
func ReadOCELXML(r io.Reader) (*OCEL, error) {
	p := newXMLParser(r)
	root, err := p.root("log")
	if err != nil {
		return nil, err
	}
	var in ocelJSON // values are known when the types are, which may come later
	err = p.children(root, "", func(el xml.StartElement) error {
		switch el.Name.Local {
		case "object-types":
			return p.ocelTypes(el, "object-type", &in.ObjectTypes)
		case "event-types":
			return p.ocelTypes(el, "event-type", &in.EventTypes)
		case "objects":
			return p.items(el, "object", func(el xml.StartElement, field string) error {
				in.Objects = append(in.Objects, ocelObjectJSON{ID: attr(el, "id"), Type: attr(el, "type")})
				x := &in.Objects[len(in.Objects)-1]
				return p.ocelParts(el, field, &x.Attributes, &x.Relations)
			})
		case "events":
			return p.items(el, "event", func(el xml.StartElement, field string) error {
				in.Events = append(in.Events, ocelEventJSON{ID: attr(el, "id"), Type: attr(el, "type"), Time: attr(el, "time")})
				x := &in.Events[len(in.Events)-1]
				return p.ocelParts(el, field, &x.Attributes, &x.Relations)
			})
		}
		return p.unknown(el, "")
	})
	if err := p.done(err); err != nil {
		return nil, err
	}
	return in.log(&p.faults)
}

// items reads the elements of a list, all of one name.
func (p *xmlParser) items(list xml.StartElement, name string, f func(el xml.StartElement, field string) error) error {
	n := 0
	return p.children(list, list.Name.Local, func(el xml.StartElement) error {
		if el.Name.Local != name {
			return p.unknown(el, list.Name.Local)
		}
		n++
		return f(el, fmt.Sprintf("%s[%d]", list.Name.Local, n-1))
	})
}

func (p *xmlParser) ocelTypes(list xml.StartElement, name string, into *[]ocelTypeJSON) error {
	return p.items(list, name, func(el xml.StartElement, field string) error {
		t := ocelTypeJSON{Name: attr(el, "name")}
		err := p.items(el, "attributes", func(el xml.StartElement, _ string) error {
			return p.items(el, "attribute", func(el xml.StartElement, field string) error {
				t.Attributes = append(t.Attributes, ocelAttributeJSON{attr(el, "name"), attr(el, "type")})
				return p.empty(el, field)
			})
		})
		*into = append(*into, t)
		return err
	})
}

// ocelParts reads what is in an object or an event.
func (p *xmlParser) ocelParts(el xml.StartElement, field string, properties *[]ocelPropertyJSON, relations *[]ocelRelationJSON) error {
	return p.children(el, field, func(part xml.StartElement) error {
		switch part.Name.Local {
		case "attributes":
			return p.items(part, "attribute", func(el xml.StartElement, _ string) error {
				text, err := p.content(el, field)
				*properties = append(*properties, ocelPropertyJSON{Name: attr(el, "name"), text: &text, Time: attr(el, "time")})
				return err
			})
		case "objects":
			return p.children(part, field, func(el xml.StartElement) error {
				*relations = append(*relations, ocelRelationJSON{attr(el, "object-id"), attr(el, "qualifier")})
				return p.empty(el, field)
			})
		}
		return p.unknown(part, field)
	})
}

// content reads an element that holds text only.
func (p *xmlParser) content(el xml.StartElement, field string) (string, error) {
	var b strings.Builder
	for {
		token, err := p.d.Token()
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			if err := p.unknown(token, field+"."+el.Name.Local); err != nil {
				return "", err
			}
		case xml.EndElement:
			return b.String(), nil
		}
	}
}
