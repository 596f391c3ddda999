package sla

import (
	"encoding/json"
	"fmt"
	"time"
)

// A Window is a time of opening, from Open until just before Close, as the clock
// on the wall shows it. Both count from midnight, in whole seconds.
//
// Open lies before 24 hours; Close goes up to 24 hours, which ends the day. A
// window whose Close is not after its Open runs into the next civil day, and
// belongs to the date on which it starts: 22:00 to 06:00 on a Friday is open on
// Saturday until 06:00. From 09:00 to 09:00 is 24 hours.
//
// Its JSON form is ["09:00","17:00"], with seconds where they are not 0:
// ["09:00:30","24:00"].
type Window struct {
	Open, Close time.Duration
}

const dayLength = 24 * time.Hour

// String returns the form 09:00–17:00.
func (w Window) String() string { return clockText(w.Open) + "–" + clockText(w.Close) }

// MarshalJSON returns the form ["09:00","17:00"], or an [ErrInvalid] if the
// window is none.
func (w Window) MarshalJSON() ([]byte, error) {
	var f findings
	w.check(&f, "")
	if err := f.err(); err != nil {
		return nil, err
	}
	return json.Marshal([2]string{clockText(w.Open), clockText(w.Close)})
}

// UnmarshalJSON reads the form ["09:00","17:00"]. It returns an [ErrInvalid]
// with everything that is wrong.
func (w *Window) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		return nil
	}
	var pair []any
	if json.Unmarshal(data, &pair) != nil || len(pair) != 2 {
		return &Finding{Reason: `must be a window, such as ["09:00","17:00"]`}
	}
	var f findings
	read := Window{
		Open:  f.clock(pair[0], "[0]", notOpen, dayLength-1),
		Close: f.clock(pair[1], "[1]", notClose, dayLength),
	}
	if err := f.err(); err != nil {
		return err
	}
	*w = read
	return nil
}

// clock reads a time of day, up to most.
func (f *findings) clock(value any, field, reason string, most time.Duration) time.Duration {
	text, _ := value.(string)
	d, ok := parseClock(text)
	f.check(ok && d <= most, field, reason)
	return d
}

func (w Window) check(f *findings, field string) {
	f.check(w.Open >= 0 && w.Open < dayLength && w.Open%time.Second == 0, join(field, "[0]"), notOpen)
	f.check(w.Close >= 0 && w.Close <= dayLength && w.Close%time.Second == 0, join(field, "[1]"), notClose)
}

const (
	notOpen  = `must be a time of day in whole seconds from "00:00" to "23:59:59"`
	notClose = `must be a time of day in whole seconds from "00:00" to "24:00"`
)

func clockText(d time.Duration) string {
	s := int64(d / time.Second)
	if s%60 != 0 {
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
}

// parseClock reads 09:00 or 09:00:30, up to 24:00.
func parseClock(s string) (time.Duration, bool) {
	if len(s) != len("09:00") && len(s) != len("09:00:30") || s[2] != ':' {
		return 0, false
	}
	hour, ok1 := digits(s[:2])
	minute, ok2 := digits(s[3:5])
	second, ok3 := 0, true
	if len(s) > 5 {
		second, ok3 = digits(s[6:])
		ok3 = ok3 && s[5] == ':'
	}
	d := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
	return d, ok1 && ok2 && ok3 && minute < 60 && second < 60 && d <= dayLength
}

// A Week lists the windows of each weekday; its index is a [time.Weekday]. They
// may overlap, touch and stand in any order.
//
// Its JSON form is {"mon":[["09:00","12:00"],["13:00","17:00"]],"sat":[…]}; days
// that are left out are closed.
type Week [7][]Window

// MondayToFriday returns a week with the same windows on Monday to Friday.
func MondayToFriday(windows ...Window) Week {
	week := EveryDay(windows...)
	week[time.Saturday], week[time.Sunday] = nil, nil
	return week
}

// EveryDay returns a week with the same windows on all seven days.
func EveryDay(windows ...Window) Week {
	var week Week
	for i := range week {
		week[i] = cloneList(windows)
	}
	return week
}

// weekJSON is a week in JSON.
type weekJSON struct {
	Mon []Window `json:"mon,omitempty"`
	Tue []Window `json:"tue,omitempty"`
	Wed []Window `json:"wed,omitempty"`
	Thu []Window `json:"thu,omitempty"`
	Fri []Window `json:"fri,omitempty"`
	Sat []Window `json:"sat,omitempty"`
	Sun []Window `json:"sun,omitempty"`
}

// MarshalJSON returns the form {"mon":[["09:00","17:00"]]}, from Monday to
// Sunday, or an [ErrInvalid] if a window is none.
func (w Week) MarshalJSON() ([]byte, error) {
	return json.Marshal(weekJSON{w[1], w[2], w[3], w[4], w[5], w[6], w[0]})
}

// UnmarshalJSON reads the form {"mon":[["09:00","17:00"]]}. It returns an
// [ErrInvalid] with everything that is wrong; the week then has what could be read.
func (w *Week) UnmarshalJSON(data []byte) error {
	if isNull(data) {
		return nil
	}
	var days weekJSON
	f, _ := read(data, &days)
	*w = Week{days.Sun, days.Mon, days.Tue, days.Wed, days.Thu, days.Fri, days.Sat} // what could be read is judged all the same
	return f.err()
}

// IsZero reports whether the week has no window, so that it is left out of JSON.
func (w Week) IsZero() bool { return w.size() == 0 }

// size counts the windows.
func (w Week) size() int {
	n := 0
	for _, windows := range w {
		n += len(windows)
	}
	return n
}

func (w Week) clone() Week {
	for i := range w {
		w[i] = cloneList(w[i])
	}
	return w
}

var (
	weekdayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	monthNames   = [12]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	ordinalNames = [5]string{"first", "second", "third", "fourth", "last"}
	weekOrder    = [7]time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday, time.Sunday}
)

// cloneList copies a list, and makes an empty one nil: both mean the same, and
// JSON knows but one.
func cloneList[T any](list []T) []T { return append([]T(nil), list...) }
