package search

import (
	"iter"
	"unicode"
	"unicode/utf8"
)

// A Word is a word of a text, in the form in which words are compared.
type Word struct {
	// Term is the word in lower case.
	Term string
	// Start and End are where it stands in the text, in bytes: [Start, End).
	Start, End int
	// Pair says that it is two neighbouring characters of a run of Chinese, Japanese
	// or Korean.
	Pair bool
}

// maxTerm is the most characters of a word; what is longer is cut.
const maxTerm = 64

// Words yields the words of a text in its order: runs of letters and digits of any
// script, in lower case; and of Chinese, Japanese and Korean the pairs of neighbouring
// characters, or the character that stands alone. Wide forms of ASCII are taken for ASCII,
// and Korean letters that are written one by one for the syllables that they form, as some
// systems have them in file names. Whatever is no letter or digit only separates; bytes
// that are no UTF-8 do, too.
func Words(text string) iter.Seq[Word] {
	return func(yield func(Word) bool) {
		s := scanner{text: text}
		for s.next() {
			if !yield(Word{Term: string(s.term), Start: s.start, End: s.end, Pair: s.pair}) {
				return
			}
		}
	}
}

// A scanner goes from word to word without allocating for each.
type scanner struct {
	text string
	pos  int
	// left is the character before, of the run that is being taken in pairs, and
	// single says that the run has had no pair yet.
	left      rune
	leftStart int
	inRun     bool
	single    bool

	term       []byte
	start, end int
	pair       bool
}

// next finds the next word.
func (s *scanner) next() bool {
	s.term = s.term[:0]
	for s.pos < len(s.text) {
		r, size := s.read()
		switch {
		case !isCJK(r):
			if s.inRun {
				s.inRun = false
				if s.single { // it stands alone
					s.alone(s.pos)
					return true
				}
			}
			if isWord(r) {
				s.word()
				return true
			}
			s.pos += size
		case s.inRun:
			s.term = utf8.AppendRune(utf8.AppendRune(s.term, s.left), r)
			s.start, s.end, s.pair = s.leftStart, s.pos+size, true
			s.left, s.leftStart, s.single = r, s.pos, false
			s.pos += size
			return true
		default:
			s.left, s.leftStart, s.inRun, s.single = r, s.pos, true, true
			s.pos += size
		}
	}
	if s.inRun && s.single {
		s.inRun = false
		s.alone(s.pos)
		return true
	}
	return false
}

// alone makes a word of the one character of a run.
func (s *scanner) alone(end int) {
	s.term = utf8.AppendRune(s.term, s.left)
	s.start, s.end, s.pair = s.leftStart, end, false
}

// word takes a run of letters and digits.
func (s *scanner) word() {
	s.start, s.pair = s.pos, false
	for n := 0; s.pos < len(s.text); n++ {
		if c := s.text[s.pos]; c < utf8.RuneSelf { // most are
			if !wordByte[c] {
				break
			}
			if n < maxTerm {
				if 'A' <= c && c <= 'Z' {
					c += 'a' - 'A'
				}
				s.term = append(s.term, c)
			}
			s.pos++
			continue
		}
		r, size := s.read()
		if isCJK(r) || !isWord(r) && !unicode.IsMark(r) {
			break
		}
		if n < maxTerm {
			s.term = utf8.AppendRune(s.term, r)
		}
		s.pos += size
	}
	s.end = s.pos
}

var wordByte = func() (is [utf8.RuneSelf]bool) {
	for c := range is {
		is[c] = '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
	}
	return is
}()

// read returns the character at the position, in the form in which it is compared, and
// how many bytes it has.
func (s *scanner) read() (rune, int) {
	if c := s.text[s.pos]; c < utf8.RuneSelf {
		return unicode.ToLower(rune(c)), 1
	}
	r, size := utf8.DecodeRuneInString(s.text[s.pos:])
	switch {
	case r == utf8.RuneError && size == 1:
		return ' ', 1
	case r >= hangulL && r < hangulL+hangulLs: // a leading consonant
		v, more := utf8.DecodeRuneInString(s.text[s.pos+size:])
		if v < hangulV || v >= hangulV+hangulVs {
			return r, size
		}
		r, size = hangul+((r-hangulL)*hangulVs+(v-hangulV))*hangulTs, size+more
	case r >= 0xFF01 && r <= 0xFF5E: // wide forms of ASCII
		return unicode.ToLower(r - 0xFF01 + '!'), size
	case r < hangul || r >= hangul+hangulLs*hangulVs*hangulTs:
		return unicode.ToLower(unicode.ToUpper(r)), size
	}
	// A syllable may have its last consonant yet to come.
	if (r-hangul)%hangulTs == 0 {
		if t, more := utf8.DecodeRuneInString(s.text[s.pos+size:]); t > hangulT && t < hangulT+hangulTs {
			return r + t - hangulT, size + more
		}
	}
	return r, size
}

// How Unicode composes Korean syllables (The Unicode Standard, section 3.12).
const (
	hangul                       = 0xAC00
	hangulL                      = 0x1100
	hangulV                      = 0x1161
	hangulT                      = 0x11A7
	hangulLs, hangulVs, hangulTs = 19, 21, 28
)

// isWord reports whether a character is part of a word.
func isWord(r rune) bool {
	if r < utf8.RuneSelf {
		return wordByte[r]
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// isCJK reports whether a character is of a script that is searched in pairs. The long
// vowel mark of Japanese belongs to no script alone.
func isCJK(r rune) bool {
	if r < hangulL {
		return false
	}
	return r == 'ー' || unicode.In(r, unicode.Hangul, unicode.Han, unicode.Hiragana, unicode.Katakana)
}
