package sla

import (
	"bytes"

	"github.com/go-itsm/itsm/internal/strict"
)

// maxJSON is the most bytes of a calendar or an agreement as JSON.
const maxJSON = 1 << 20

// ParseCalendar reads a calendar's JSON form, such as
//
//	{
//	  "name": "Berlin office", "version": 3, "tz": "Europe/Berlin",
//	  "weekly": {"mon": [["09:00","12:00"],["13:00","17:00"]], "fri": [["22:00","06:00"]]},
//	  "holidays": ["01-01", {"on": "12-25 or next weekday", "name": "Christmas Day"}],
//	  "exceptions": {"2026-12-24": [["09:00","12:00"]], "2026-12-31": []},
//	  "editions": [{"from": "2027-01-01", "weekly": {"mon": [["08:00","16:00"]]}}]
//	}
//
// or {"op": "union", "of": [{…}, {…}]}. At most 1 MiB of valid UTF-8 is read.
//
// It returns an [ErrInvalid] with everything that is wrong: names that are not
// known or there twice, values of the wrong type, and whatever the calendar
// says that cannot be. Whether the zone is known and whether the calendar ever
// opens is for [Calendar.Compile] to say.
func ParseCalendar(data []byte) (Calendar, error) {
	return parse(data, func(c Calendar) error { return c.check(&checker{}) })
}

// parse reads a value and validates it. What could not be read is not found missing
// as well.
func parse[T any](data []byte, validate func(T) error) (T, error) {
	var v, none T
	f, covered := read(data, &v)
	for _, one := range Findings(validate(v)) {
		if !covered(one.Field) {
			f = append(f, one)
		}
	}
	if err := f.err(); err != nil {
		return none, err
	}
	return v, nil
}

// read reads JSON into a value, and returns what could not be read and where that is.
func read(data []byte, target any) (f findings, covered func(field string) bool) {
	faults := strict.Read(data, target, maxJSON)
	for _, one := range faults {
		f.check(false, one.Field, one.Reason)
	}
	return f, faults.Cover()
}

// isNull reports whether there is nothing to read: by custom, an UnmarshalJSON then
// leaves its target alone.
func isNull(data []byte) bool { return string(bytes.TrimSpace(data)) == "null" }
