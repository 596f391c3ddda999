package sla

import "time"

// A stretch is a time of constant UTC offset: seconds from start until just
// before end, on the wall later than UTC by offset.
type stretch struct {
	start, end, offset int64
}

// forever is later than every second that is asked for.
const forever = int64(1) << 60

// stretchAt returns a stretch that begins at sec. It may end although the
// offset stays the same.
func stretchAt(loc *time.Location, sec int64) stretch {
	s := stretch{start: sec}
	s.offset, s.end = offsetAt(loc, sec)
	// Around the turn of the year ends come that change nothing. Looking behind
	// a few of them makes longer stretches, which is cheaper further on.
	const looks = 3
	for range looks {
		if s.end == forever {
			break
		}
		offset, end := offsetAt(loc, s.end)
		if offset != s.offset {
			break
		}
		s.end = end
	}
	return s
}

// offsetAt returns the offset at an instant and a later one until which it
// certainly stays.
func offsetAt(loc *time.Location, sec int64) (offset, end int64) {
	t := time.Unix(sec, 0).In(loc)
	_, seconds := t.Zone()
	_, until := t.ZoneBounds()
	if until.IsZero() {
		return int64(seconds), forever
	}
	// Behind the last transition that is listed in a zone's file, package time
	// works by a rule, one year of UTC at a time: within the year its bounds are
	// exact, but where a rule runs beyond the end of one they are not. And it
	// takes every year to have 365 days, so that on 31 December of a leap year
	// the end that it returns is not after t; from there on nothing changes
	// until the year ends.
	year := time.Unix(sec, 0).UTC().Year()
	return int64(seconds), laterOf(until.Unix(), sec, dayOf(year+1, time.January, 1).second())
}

// laterOf returns end, but no more than most, which it also is if end is not
// after start.
func laterOf(end, start, most int64) int64 {
	if end <= start {
		return most
	}
	return min(end, most)
}
