package jetstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
)

// A message is a revision as lines of text:
//
//	1 <base> <previous> <first> <events>
//	{"id":"evt_…",…}                        an event, as many as there are
//	{"id":"inc_…",…}                        the record
//
// 1 is the number of this form. Base is the revision's; previous and first are
// the stream's sequences of the record's last message before this and of its
// first, both 0 in the first. So a history can be walked backwards, and records
// be listed in the order of their creation, from any one message.
//
// Where the ids of events are kept unique, a message of one line says that an id
// is taken: the letter e, a blank, and the id of the record.
type frame struct {
	base        itsm.Version
	prev, first uint64
	count       int    // of events
	body        []byte // the lines after the first
}

const (
	form     = "1 "
	takenTag = "e "
)

// version is that of the record.
func (f *frame) version() itsm.Version { return f.base + itsm.Version(f.count) }

// head is the first line.
func (f *frame) head(room []byte) []byte {
	room = append(room, form...)
	room = strconv.AppendUint(room, uint64(f.base), 10)
	for _, n := range [...]uint64{f.prev, f.first, uint64(f.count)} {
		room = strconv.AppendUint(append(room, ' '), n, 10)
	}
	return append(room, '\n')
}

// parseFrame reads a message, and reports whether it is a revision: it is not
// if it only says that the id of an event is taken, or somebody else wrote it
// there. A form of a later day is an error: it would not be right to pass it
// over.
func parseFrame(data []byte) (f frame, ok bool, err error) {
	number, _, _ := bytes.Cut(data[:min(len(data), 20)], []byte{' '})
	if _, err := strconv.ParseUint(string(number), 10, 63); err != nil {
		return frame{}, false, nil
	}
	line, body, found := bytes.Cut(data, []byte{'\n'})
	rest, isForm := bytes.CutPrefix(line, []byte(form))
	var numbers [4]uint64
	for i := range numbers {
		var text []byte
		text, rest, _ = bytes.Cut(rest, []byte{' '})
		n, err := strconv.ParseUint(string(text), 10, 63)
		isForm = isForm && err == nil
		numbers[i] = n
	}
	f = frame{base: itsm.Version(numbers[0]), prev: numbers[1], first: numbers[2], body: body}
	lines := uint64(bytes.Count(body, []byte{'\n'}))
	if !found || !isForm || len(rest) > 0 || numbers[3] == 0 || numbers[3] != lines {
		return frame{}, false, fmt.Errorf("%q… is no revision in form 1", data[:min(len(data), 40)])
	}
	f.count = int(lines)
	return f, true, nil
}

// lines yields the lines of the events.
func (f *frame) lines() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		body := f.body
		for range f.count {
			line, rest, _ := bytes.Cut(body, []byte{'\n'})
			if !yield(line) {
				return
			}
			body = rest
		}
	}
}

// events yields the events, which share nothing with the message.
func (f *frame) events() iter.Seq2[itsm.Event, error] {
	return func(yield func(itsm.Event, error) bool) {
		for line := range f.lines() {
			e, err := parseEvent(line)
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// record is the line of the record.
func (f *frame) record() []byte { return f.body[bytes.LastIndexByte(f.body, '\n')+1:] }

// A draft is a revision on its way into the stream.
type draft struct {
	id      itsm.ID
	subject string
	base    itsm.Version
	events  []itsm.ID
	body    []byte // of the frame
	at      position
}

// A position is where the latest version of a record is in the stream; zero if
// it is not there.
type position struct {
	version    itsm.Version
	seq, first uint64
}

// newDraft writes a revision as it will be in the stream. It returns an
// [itsm.ErrInvalid] for what would come back as something else.
func newDraft[R any](s *stream, rev *itsm.Revision[R]) (*draft, error) {
	var v itsm.Validation
	d := &draft{id: itsm.MetaOf(&rev.Record).ID, base: rev.Base}
	var ok bool
	d.subject, ok = s.subject(recordSubject, d.id)
	v.Check(ok, "record.id", fmt.Sprintf("must have at most %d bytes, with three for each that is no letter, digit, - or _", maxToken))
	v.Check(utf8.ValidString(string(d.id)), "record.id", "must be valid UTF-8")
	var body bytes.Buffer
	for i := range rev.Events {
		e := &rev.Events[i]
		field := fmt.Sprintf("events[%d]", i)
		v.Check(utf8.ValidString(string(e.ID)), field+".id", "must be valid UTF-8")
		if s.UniqueEventIDs {
			_, ok := s.subject(eventSubject, e.ID)
			v.Check(ok, field+".id", fmt.Sprintf("must have at most %d bytes, with three for each that is no letter, digit, - or _", maxToken))
		}
		d.events = append(d.events, e.ID)
		line, err := json.Marshal(e)
		v.Check(err == nil, field, fmt.Sprint("has no JSON form: ", err))
		body.Write(line)
		body.WriteByte('\n')
	}
	line, err := json.Marshal(&rev.Record)
	v.Check(err == nil, "record", fmt.Sprint("has no JSON form: ", err))
	body.Write(line)
	d.body = body.Bytes()
	return d, v.Err()
}

// payload is the message for a draft that follows its position.
func (d *draft) payload() []byte {
	f := frame{base: d.base, prev: d.at.seq, first: d.at.first, count: len(d.events)}
	return append(f.head(make([]byte, 0, 64+len(d.body))), d.body...)
}

// parseRecord reads the record of a message.
func parseRecord[R any](line []byte) (r R, err error) {
	err = json.Unmarshal(line, &r)
	return r, err
}

// parseEvent reads an event. What encoding/json writes for one is nearly always
// of one form, which is read several times as fast by going along with it; what
// is not is left to encoding/json.
func parseEvent(line []byte) (itsm.Event, error) {
	p := eventParser{rest: string(line)}
	if e, ok := p.event(); ok {
		return e, nil
	}
	var e itsm.Event
	if err := json.Unmarshal(line, &e); err != nil {
		return itsm.Event{}, err
	}
	if string(e.Data) == "null" {
		e.Data = nil
	}
	return e, nil
}

type eventParser struct{ rest string }

func (p *eventParser) event() (e itsm.Event, ok bool) {
	var version, at string
	ok = p.literal(`{"id":"`) && p.text((*string)(&e.ID)) &&
		p.literal(`,"practice":"`) && p.text(&e.Practice) &&
		p.literal(`,"record":"`) && p.text((*string)(&e.Record)) &&
		p.literal(`,"version":`) && p.until(',', &version) &&
		p.literal(`"action":"`) && p.text(&e.Action) &&
		(!p.literal(`,"from":"`) || p.text((*string)(&e.From))) &&
		p.literal(`,"to":"`) && p.text((*string)(&e.To)) &&
		p.literal(`,"at":"`) && p.text(&at) &&
		p.literal(`,"actor":{"id":"`) && p.text(&e.Actor.ID) &&
		(!p.literal(`,"name":"`) || p.text(&e.Actor.Name)) && p.literal(`}`) &&
		(!p.literal(`,"cause":"`) || p.text((*string)(&e.Cause))) &&
		p.literal(`,"data":`) && strings.HasSuffix(p.rest, "}")
	if !ok {
		return itsm.Event{}, false
	}
	n, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return itsm.Event{}, false
	}
	e.Version = itsm.Version(n)
	if e.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
		return itsm.Event{}, false
	}
	data := p.rest[:len(p.rest)-1]
	if data != "null" {
		e.Data = json.RawMessage(data)
		if !json.Valid(e.Data) {
			return itsm.Event{}, false
		}
	}
	return e, true
}

// literal goes past a text that is next, or stays.
func (p *eventParser) literal(text string) bool {
	rest, ok := strings.CutPrefix(p.rest, text)
	p.rest = rest
	return ok
}

// text reads to the end of a JSON string in which nothing is escaped.
func (p *eventParser) text(to *string) bool {
	return p.until('"', to) && strings.IndexByte(*to, '\\') < 0
}

func (p *eventParser) until(end byte, to *string) bool {
	i := strings.IndexByte(p.rest, end)
	if i < 0 {
		return false
	}
	*to, p.rest = p.rest[:i], p.rest[i+1:]
	return true
}
