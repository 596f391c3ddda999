package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

var update = flag.Bool("update", false, "write the golden files anew")

// newNarrator returns one that tells into a buffer, and the keys that it uses.
func newNarrator(t testing.TB, lang string) (*narrator, *bytes.Buffer, map[string]bool) {
	t.Helper()
	words, err := loadTexts(lang)
	require.NoError(t, err)
	said := map[string]bool{}
	words.said = func(key string) { said[key] = true }
	var out bytes.Buffer
	return &narrator{out: &out, words: words, pause: quick}, &out, said
}

// Every chapter says what it says, in both languages, and it is the same whether it is
// told alone or as a part of the whole.
func TestChapters(t *testing.T) {
	for _, lang := range languages() {
		t.Run(lang, func(t *testing.T) {
			n, out, _ := newNarrator(t, lang)
			require.NoError(t, n.tell(0))
			whole := out.String()
			require.NotContains(t, whole, "{", "a text or a placeholder is missing")
			for i := range chapters() {
				n, out, _ := newNarrator(t, lang)
				require.NoError(t, n.tell(i+1))
				require.Contains(t, whole, out.String())
				name := filepath.Join("testdata", lang, fmt.Sprintf("%02d.golden", i+1))
				if *update {
					require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
					require.NoError(t, os.WriteFile(name, out.Bytes(), 0o644))
				}
				golden, err := os.ReadFile(name)
				require.NoError(t, err)
				require.Equal(t, string(golden), out.String(), "go test ./examples/tour -update rewrites %s", name)
			}
		})
	}
}

// Both languages tell of the same: everybody does the same things, at the same times,
// and the same follows from them.
func TestSameStory(t *testing.T) {
	var told [][]itsm.Event
	for _, lang := range languages() {
		words, err := loadTexts(lang)
		require.NoError(t, err)
		w := newWorld(words)
		for _, c := range chapters() {
			c.tell(w, &narrator{out: io.Discard, words: words, pause: quick})
		}
		events := w.events()
		for i := range events {
			events[i].ID, events[i].Cause, events[i].Data = "", "", nil // what was said is in one language
		}
		told = append(told, events)
	}
	require.Greater(t, len(told[0]), 100)
	require.Equal(t, told[0], told[1])
}

// The story breaks no rule: every record is the fold of its history, and no reaction
// was refused.
func TestTheRecordsAreTrue(t *testing.T) {
	words, err := loadTexts("en")
	require.NoError(t, err)
	w := newWorld(words)
	n := &narrator{out: io.Discard, words: words, pause: quick}
	for _, c := range chapters() {
		require.NotEmpty(t, c.tell(w, n).events, c.name)
	}
	require.Empty(t, w.refused)
	replay(t, w.requests.Practice, 1)
	replay(t, w.incidents.Practice, 8)
	replay(t, w.problems.Practice, 2)
	replay(t, w.errors.Practice, 1)
	replay(t, w.changes.Practice, 2)
	replay(t, w.articles.Practice, 2)
	replay(t, w.register.Practice, 1)
}

func replay[R any](t *testing.T, p *itsm.Practice[R], want int) {
	t.Helper()
	records := all(p)
	require.Len(t, records, want, p.Name())
	for _, r := range records {
		again, err := p.Replay(p.History(nobody(), itsm.MetaOf(&r).ID))
		require.NoError(t, err)
		require.Equal(t, r, again)
	}
}

// Every text is there in both languages, with the same placeholders and as many
// paragraphs, and somebody says it.
func TestTexts(t *testing.T) {
	placeholder := regexp.MustCompile(`\{\w+\}`)
	shape := func(text string) []string {
		found := placeholder.FindAllString(text, -1)
		slices.Sort(found)
		return append(slices.Compact(found), fmt.Sprint(strings.Count(text, "\n\n")))
	}
	all := map[string]*texts{}
	for _, lang := range languages() {
		n, _, said := newNarrator(t, lang)
		all[lang] = n.words
		require.NoError(t, n.tell(0))
		for i := range chapters() {
			n.judge(i+1, mine())
			n.judge(i+1, solutions())
		}
		for _, m := range mistakes() {
			a := solutions()
			m.wrong(&a)
			n.judge(m.number, a)
		}
		require.Equal(t, slices.Sorted(maps.Keys(n.words.by)), slices.Sorted(maps.Keys(said)), "what is there is said, and the other way round")
	}
	en, ko := all["en"].by, all["ko"].by
	require.Greater(t, len(en), 250)
	require.Equal(t, slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(ko)))
	hangul := regexp.MustCompile(`\p{Hangul}`)
	for key, text := range en {
		require.Equal(t, shape(text), shape(ko[key]), key)
		require.False(t, hangul.MatchString(text), key)
		if plain := placeholder.ReplaceAllString(ko[key], ""); regexp.MustCompile(`[A-Za-z]{3}`).MatchString(placeholder.ReplaceAllString(text, "")) {
			require.True(t, hangul.MatchString(plain), "%s is not translated", key)
		}
	}
}

// What stands behind a placeholder in Korean must not depend on its last sound.
func TestKoreanParticles(t *testing.T) {
	words, err := loadTexts("ko")
	require.NoError(t, err)
	wrong := regexp.MustCompile(`\}(을|를|은|는|이|가|과|와|으로)([ .,]|$)`)
	for key, text := range words.by {
		require.Empty(t, wrong.FindString(text), key)
	}
	require.NotEmpty(t, wrong.FindString("{id}을 봅니다."))
}

// Every term is introduced once, and is in the list that the names come from.
func TestGlossary(t *testing.T) {
	words, err := loadTexts("ko")
	require.NoError(t, err)
	introduced := map[string]int{}
	for _, c := range chapters() {
		for _, en := range c.terms {
			introduced[en]++
		}
	}
	require.Len(t, introduced, len(words.terms))
	for _, term := range words.terms {
		require.Equal(t, 1, introduced[term.en], term.en)
		require.Regexp(t, `\p{Hangul}`, term.ko)
	}

	dir := os.Getenv("ITSM_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	file, err := os.ReadFile(filepath.Join(dir, "ITIL4.md"))
	if err != nil {
		t.Skip("there is no ITIL4.md; ITSM_SHARED says in which directory it is")
	}
	_, section, found := strings.Cut(string(file), "## 11.")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	count := 0
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.Contains(line, "English") {
			continue
		}
		for i := 0; i < 4; i += 2 {
			en, ko := strings.TrimSpace(cells[i]), strings.TrimSpace(strings.ReplaceAll(cells[i+1], " ✓", ""))
			got, ok := words.term(en)
			require.True(t, ok, en)
			require.Equal(t, ko, got.ko, en)
			count++
		}
	}
	require.Equal(t, len(words.terms), count)
}

// Every exercise is wrong as it stands, can be solved, and each mistake is answered by
// what is wrong with it. None of that stops the program.
func TestExercises(t *testing.T) {
	for _, lang := range languages() {
		n, out, _ := newNarrator(t, lang)
		for i, c := range chapters() {
			require.FileExists(t, filepath.Join("exercises", c.file))
			out.Reset()
			require.False(t, n.judge(i+1, mine()), "chapter %d: as it stands it must be wrong", i+1)
			require.Contains(t, out.String(), "  - ")
			require.Contains(t, out.String(), n.words.text("check.hint"))
			out.Reset()
			require.True(t, n.judge(i+1, solutions()), "chapter %d: %s", i+1, out)
		}
	}
	for i, m := range mistakes() {
		n, _, said := newNarrator(t, "en")
		a := solutions()
		m.wrong(&a)
		clear(said)
		wrong := n.look(chapters()[m.number-1], a)
		require.NotEmpty(t, wrong, "mistake %d", i)
		var keys []string
		for key := range said {
			if strings.Contains(key, ".wrong") || key == "check.panic" {
				keys = append(keys, key)
			}
		}
		slices.Sort(keys)
		slices.Sort(m.keys)
		require.Equal(t, m.keys, keys, "mistake %d of chapter %d", i, m.number)
		require.Contains(t, strings.Join(wrong, "\n"), m.says)
	}
}

func TestRun(t *testing.T) {
	run := func(args ...string) (status int, out, complaints string) {
		var o, c bytes.Buffer
		status = run(args, &o, &c, quick)
		return status, o.String(), c.String()
	}
	for _, tt := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"-h"}, 0, "exercise"},
		{[]string{"-nothing"}, 2, "nothing"},
		{[]string{"-lang", "de"}, 2, `no language "de"`},
		{[]string{"-chapter", "13"}, 2, "no chapter 13"},
		{[]string{"-check", "-1"}, 2, "no chapter -1"},
		{[]string{"more"}, 2, `unknown argument "more"`},
	} {
		status, out, complaints := run(tt.args...)
		require.Equal(t, tt.status, status, tt.args)
		require.Empty(t, out)
		require.Contains(t, complaints, tt.says)
	}
	status, out, _ := run("-check", "1")
	require.Equal(t, 1, status)
	require.Contains(t, out, "deadline.go")
	status, out, complaints := run("-fast", "-chapter", "2", "-lang", "ko")
	require.Zero(t, status, complaints)
	golden, err := os.ReadFile(filepath.Join("testdata", "ko", "02.golden"))
	require.NoError(t, err)
	require.Equal(t, string(golden), out)
}

// Without -fast it waits after every line, and reads the same.
func TestPauses(t *testing.T) {
	var slow, fast bytes.Buffer
	var waited time.Duration
	require.Zero(t, run([]string{"-chapter", "1"}, &slow, io.Discard, func(d time.Duration) { waited += d }))
	require.Greater(t, waited, 10*time.Second)
	require.Zero(t, run([]string{"-chapter", "1", "-fast"}, &fast, io.Discard, func(time.Duration) { t.Error("it waits") }))
	require.Equal(t, slow.String(), fast.String())
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer file.Close()
	require.False(t, terminal(file))
	require.NoError(t, file.Close())
	require.False(t, terminal(file))
}

// What the library refuses ends the story, and is no panic; what is a fault of the
// program stays one.
func TestFailures(t *testing.T) {
	try := func(f func()) (err error) {
		defer recoverFailure(&err)
		f()
		return nil
	}
	require.NoError(t, try(func() {}))
	require.ErrorIs(t, try(func() { must(itsm.ErrNotFound) }), itsm.ErrNotFound)
	require.Panics(t, func() { _ = try(func() { panic("a fault") }) })
}

func TestSpelling(t *testing.T) {
	en, _, _ := newNarrator(t, "en")
	ko, _, _ := newNarrator(t, "ko")
	for _, tt := range []struct {
		value  any
		en, ko string
	}{
		{time.Duration(0), "0 min", "0분"},
		{90 * time.Second, "1 min 30 s", "1분 30초"},
		{time.Hour + 29*time.Second, "1 h", "1시간"},
		{26 * time.Hour, "26 h", "26시간"},
		{24 * time.Hour, "1 d", "1일"},
		{59*time.Hour + 15*time.Minute, "2 d 11 h 15 min", "2일 11시간 15분"},
		{-5 * time.Minute, "-5 min", "-5분"},
		{day(time.March, 4, 9, 5), "Wed 4 Mar 09:05", "3월 4일(수) 09:05"},
		{[]string{"a", "b"}, "a, b", "a, b"},
		{[]itsm.ID{"x-1", "x-2"}, "x-1, x-2", "x-1, x-2"},
		{0.401, "0.4", "0.4"},
		{3.0, "3", "3"},
		{7, "7", "7"},
	} {
		require.Equal(t, tt.en, en.spell(tt.value))
		require.Equal(t, tt.ko, ko.spell(tt.value))
	}
}

func TestWidth(t *testing.T) {
	require.Equal(t, 5, width("a가나"))
	require.Equal(t, "가  |", pad("가", 4)+"|")
	require.Equal(t, []string{"가나 다", "라마바사"}, wrap("가나 다 라마바사", 8))
	require.Nil(t, wrap("", 8))
	require.Equal(t, []string{"가  b", "cc"}, table([][]string{{"가", "b"}, {"cc"}}))
	for _, lang := range languages() {
		n, out, _ := newNarrator(t, lang)
		require.NoError(t, n.tell(0))
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			require.LessOrEqual(t, width(line), 100, line)
			require.Equal(t, strings.TrimRight(line, " "), line)
			if !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "─") {
				require.LessOrEqual(t, width(line), columns, line)
			}
		}
	}
}

// What is wrong with a file of texts is found, and what is missing shows itself.
func TestFaultyTexts(t *testing.T) {
	for _, file := range []string{"@ a\n", "@ a\nx\n@ a\ny\n"} {
		_, err := parseTexts(file)
		require.ErrorContains(t, err, `"a"`)
	}
	by, err := parseTexts("for editors\n\n@ a\none\n two\n\nthree\n")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "one two\n\nthree"}, by)
	for _, file := range []string{"a", "a = b\na = c"} {
		_, err := parseGlossary(file)
		require.ErrorContains(t, err, "glossary")
	}
	n, out, _ := newNarrator(t, "en")
	n.say("no.such.text")
	n.terms([]string{"no such term"})
	n.draw(way{})
	require.Equal(t, "{no.such.text}\n\n  {no such term}\n\n", out.String())
	require.Equal(t, "No Such Title", n.title("No Such Title"))
	_, err = loadTexts("de")
	require.Error(t, err)
}

func BenchmarkTour(b *testing.B) {
	words, err := loadTexts("ko")
	require.NoError(b, err)
	n := &narrator{out: io.Discard, words: words, pause: quick}
	b.ReportAllocs()
	for b.Loop() {
		if err := n.tell(0); err != nil {
			b.Fatal(err)
		}
	}
}
