package itsm

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"
)

// crockford is Douglas Crockford's base 32 in lower case: no i, l, o, u, so
// that ids survive being read aloud, and its order is that of the bytes.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID makes an id that says what it names and sorts by time:
// "inc_" and 26 characters for the prefix "inc". They hold 56 bits of
// microseconds since 1970, which lasts until the year 4253, and 72 bits from
// crypto/rand, so that ids cannot be guessed.
func NewID(prefix string, at time.Time) ID {
	var raw [16]byte
	// Read never fails: it ends the program where the system has no randomness.
	_, _ = rand.Read(raw[:])
	return makeID(prefix, at, binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:]))
}

// makeID spells a time and the lower 8 and 64 of random bits.
func makeID(prefix string, at time.Time, random8, random64 uint64) ID {
	hi, lo := uint64(at.UnixMicro())<<8|random8&0xff, random64
	var room [64]byte
	out := append(append(room[:0], prefix...), "_00000000000000000000000000"...)
	// 128 bits in 26 characters of 5 bits: the last twelve from the lower half,
	// one from both, the rest from the upper.
	text := (*[26]byte)(out[len(out)-26:])
	for i := 25; i > 13; i-- {
		text[i] = crockford[lo&31]
		lo >>= 5
	}
	text[13] = crockford[(hi<<4|lo)&31]
	hi >>= 1
	for i := 12; i >= 0; i-- {
		text[i] = crockford[hi&31]
		hi >>= 5
	}
	return ID(out)
}

// IDTime returns the time in an id made by [NewID], and whether it is one.
func IDTime(id ID) (time.Time, bool) {
	if len(id) < 27 || id[len(id)-27] != '_' {
		return time.Time{}, false
	}
	// The first twelve characters hold 3 + 11×5 bits, the time and two more.
	var bits uint64
	for i, c := range []byte(id[len(id)-26:]) {
		five := strings.IndexByte(crockford, c)
		if five < 0 || i == 0 && five > 7 {
			return time.Time{}, false
		}
		if i < 12 {
			bits = bits<<5 | uint64(five)
		}
	}
	return time.UnixMicro(int64(bits >> 2)).UTC(), true
}
