package sla

// openings are the spans of a week, counted. The questions that all others are
// made of are two: how many seconds are open before an instant (rank), and when
// the second with a number is (at). They are inverse to each other.
type openings []span

// count sets what each span has before it.
func (o openings) count() {
	n := int32(0)
	for i := range o {
		o[i].before = n
		n += o[i].close - o[i].open
	}
}

// total returns the open seconds of the week.
func (o openings) total() int32 {
	if len(o) == 0 {
		return 0
	}
	last := &o[len(o)-1]
	return last.before + last.close - last.open
}

// rank returns how many seconds are open before one of the week, and whether
// that one is open. The last span that begins no later is among those before
// number high, and if there is one before number low, it is among the rest.
func (o openings) rank(second int32, low, high int) (n int32, open bool) {
	for low < high {
		if mid := int(uint(low+high) >> 1); o[mid].open <= second {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return 0, false
	}
	s := &o[low-1]
	if second < s.close {
		return s.before + second - s.open, true
	}
	return s.before + s.close - s.open, false
}

// at returns the second of the week that has n open ones before it and is open,
// for n less than total. The bounds are like those of rank, for the last span
// with no more than n open seconds before it.
func (o openings) at(n int32, low, high int) int32 {
	for low < high {
		if mid := int(uint(low+high) >> 1); o[mid].before <= n {
			low = mid + 1
		} else {
			high = mid
		}
	}
	s := &o[low-1]
	return s.open + n - s.before
}

// closedAt returns the second of the week that has n closed ones before it and
// is closed, for n less than the closed seconds of the week.
func (o openings) closedAt(n int32) int32 {
	low, high := 0, len(o)
	for low < high {
		if mid := int(uint(low+high) >> 1); o[mid].open-o[mid].before <= n {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return n
	}
	s := &o[low-1]
	return n + s.before + s.close - s.open
}
