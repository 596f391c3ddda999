package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A figure is a number as the report spells it, empty (null) where there is
// nothing to count. It is text, so that what was computed exactly stays exact.
type figure string

// MarshalJSON writes the number or null.
func (f figure) MarshalJSON() ([]byte, error) {
	if f == "" {
		return []byte("null"), nil
	}
	return []byte(f), nil
}

func whole(n int64) figure { return figure(strconv.FormatInt(n, 10)) }

// decimal rounds to a number of decimals: the binary value that x has, exactly, half
// to even. Trailing zeros go, but for one that says that it is no integer.
func decimal(x float64, decimals int) figure {
	s := strings.TrimRight(strconv.FormatFloat(x, 'f', decimals, 64), "0")
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return figure(s)
}

// A Share is a count and what it is a part of.
type Share struct{ Count, Of int }

// MarshalJSON adds the share itself.
func (s Share) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Count int    `json:"count"`
		Of    int    `json:"of"`
		Share figure `json:"share"`
	}{s.Count, s.Of, share(s.Count, s.Of)})
}

func share(count, of int) figure {
	if of == 0 {
		return ""
	}
	return decimal(float64(count)/float64(of), 6)
}

// A Duration is how long something took, by two clocks.
type Duration struct {
	Wall     Times `json:"wall_clock"`
	Business Times `json:"business_hours"`
}

// Times is what a list of times adds up to.
type Times struct {
	N           int    `json:"n"`
	Sum         int64  `json:"sum_seconds"`
	Mean        figure `json:"mean_seconds"`
	Median      figure `json:"median_seconds"`
	P90         figure `json:"p90_nearest_rank_seconds"`
	P90Linear   figure `json:"p90_linear_seconds"`
	Min         figure `json:"min_seconds"`
	Max         figure `json:"max_seconds"`
	MeanHours   figure `json:"mean_hours"`
	MedianHours figure `json:"median_hours"`
	P90Hours    figure `json:"p90_nearest_rank_hours"`
}

// spans collects from when to when.
type spans struct{ wall, business []int64 }

// add leaves out what has no beginning or no end.
func (s *spans) add(from, to time.Time) {
	if from.IsZero() || to.IsZero() {
		return
	}
	s.wall = append(s.wall, to.Unix()-from.Unix())
	s.business = append(s.business, businessSeconds(from.Unix(), to.Unix()))
}

func (s *spans) duration() Duration { return Duration{newTimes(s.wall), newTimes(s.business)} }

// newTimes computes with integers as long as it can: seconds are whole, and so
// are tenths of the linear percentile.
func newTimes(seconds []int64) Times {
	n := len(seconds)
	t := Times{N: n}
	if n == 0 {
		return t
	}
	sorted := slices.Sorted(slices.Values(seconds))
	for _, s := range sorted {
		t.Sum += s
	}
	mean := float64(t.Sum) / float64(n)
	t.Mean, t.MeanHours = decimal(mean, 6), decimal(mean/3600, 3)

	middle := sorted[n/2]
	t.Median, t.MedianHours = whole(middle), hours(middle)
	if n%2 == 0 {
		half := float64(sorted[n/2-1]+middle) / 2
		t.Median, t.MedianHours = decimal(half, 6), decimal(half/3600, 3)
	}
	p90 := sorted[nearestRank(n)-1]
	t.P90, t.P90Hours = whole(p90), hours(p90)
	t.P90Linear = decimal(float64(linearTenths(sorted))/10, 6)
	t.Min, t.Max = whole(sorted[0]), whole(sorted[n-1])
	return t
}

func hours(seconds int64) figure { return decimal(float64(seconds)/3600, 3) }

// nearestRank is ceil(0.9·n), counted from 1.
func nearestRank(n int) int { return (9*n + 9) / 10 }

// linearTenths is ten times the value at index 0.9·(n-1), between its neighbours.
func linearTenths(sorted []int64) int64 {
	at := 9 * (len(sorted) - 1)
	i, tenths := at/10, int64(at%10)
	if tenths == 0 {
		return 10 * sorted[i]
	}
	return 10*sorted[i] + tenths*(sorted[i+1]-sorted[i])
}

// businessSeconds counts the seconds of [from, to) within 09:00 to 17:00 UTC from
// Monday to Friday; none if to is before from.
func businessSeconds(from, to int64) int64 {
	return max(0, businessSince(to)-businessSince(from))
}

// businessSince counts them from a Monday long ago.
func businessSince(t int64) int64 {
	const (
		hour   = 60 * 60
		day    = 24 * hour
		opens  = 9 * hour
		open   = 8 * hour       // a day
		monday = -2_208_988_800 // 1 January 1900, before any time of a log
	)
	t -= monday
	days, sinceMidnight := t/day, t%day
	weeks, weekday := days/7, days%7
	total := (weeks*5 + min(weekday, 5)) * open
	if weekday < 5 {
		total += min(max(sinceMidnight-opens, 0), open)
	}
	return total
}
