package sla

import (
	"fmt"
	"time"
)

// A Date is a day of the civil calendar (Gregorian throughout), in no time
// zone: 2026-03-29. Years run from 1 to 9999. It can be compared with == and be
// the key of a map.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the date that the calendar on the wall shows at t in t's own
// location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

// String returns the form 2026-03-29.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

// MarshalText returns the form 2026-03-29, or an [ErrInvalid] if there is no
// such date.
func (d Date) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, &Finding{Reason: notDate}
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads the form 2026-03-29 and nothing else. It returns an
// [ErrInvalid] if there is no such date.
func (d *Date) UnmarshalText(text []byte) error {
	read, ok := parseDate(string(text))
	if !ok {
		return &Finding{Reason: notDate}
	}
	*d = read
	return nil
}

const notDate = "must be a date from 0001-01-01 to 9999-12-31, such as 2026-03-29"

func parseDate(s string) (Date, bool) {
	if len(s) != len("2026-03-29") || s[4] != '-' || s[7] != '-' {
		return Date{}, false
	}
	year, ok1 := digits(s[:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:])
	d := Date{Year: year, Month: time.Month(month), Day: day}
	return d, ok1 && ok2 && ok3 && d.valid()
}

// digits reads a number that is written with nothing but digits.
func digits(s string) (n int, ok bool) {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, s != ""
}

func (d Date) valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && d.Month >= time.January && d.Month <= time.December &&
		d.Day >= 1 && d.Day <= daysIn(d.Year, d.Month)
}

func (d Date) day() day { return dayOf(d.Year, d.Month, d.Day) }

// A day counts civil days from 1970-01-01. Days are stepped as such integers,
// never through instants: not every zone has a midnight on every date.
type day int64

const secondsPerDay = 24 * 60 * 60

// dayOf counts in eras of 400 years, after which the Gregorian calendar repeats,
// and in years that begin in March, so that the leap day comes last.
func dayOf(year int, month time.Month, dayOfMonth int) day {
	y, m := int64(year), (int64(month)+9)%12
	if month <= time.February {
		y--
	}
	era := floorDiv(y, 400)
	ofEra := y - era*400
	ofYear := (153*m+2)/5 + int64(dayOfMonth) - 1
	return day(era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - 719468)
}

// date is the inverse of dayOf. The year may lie outside 1 to 9999 by one.
func (n day) date() Date {
	z := int64(n) + 719468
	era := floorDiv(z, 146097)
	ofEra := z - era*146097
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	m := (5*ofYear + 2) / 153
	d := Date{Year: int(yearOfEra + era*400), Month: time.Month((m+2)%12 + 1), Day: int(ofYear-(153*m+2)/5) + 1}
	if d.Month <= time.February {
		d.Year++
	}
	return d
}

// weekday of 1970-01-01 was a Thursday.
func (n day) weekday() time.Weekday { return time.Weekday(floorMod(int64(n)+4, 7)) }

func (n day) weekend() bool { return n.weekday() == time.Saturday || n.weekday() == time.Sunday }

// second counts civil seconds from 1970-01-01T00:00 on the wall.
func (n day) second() int64 { return int64(n) * secondsPerDay }

func daysIn(year int, month time.Month) int {
	switch month {
	case time.February:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	default:
		return 31
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }
