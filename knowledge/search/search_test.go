package search_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/race"
	"github.com/go-itsm/itsm/knowledge/search"
)

func newMemory(t testing.TB, cfg search.Config) *search.Memory {
	t.Helper()
	m, err := search.NewMemory(cfg)
	require.NoError(t, err)
	return m
}

func TestMemoryKeepsTheRules(t *testing.T) {
	require.NoError(t, search.Check(t.Context(), func() (search.Index, error) { return search.NewMemory(search.Config{}) }))
	_, err := search.NewMemory(search.Config{K1: -1, B: 2, Weights: map[string]int{"a": -1, "b": 1001}})
	require.Equal(t, []string{"k1 must be from 0 to 1000", "b must be at most 1", "weights.a must be from 0 to 1000", "weights.b must be from 0 to 1000"}, said(err))
	require.ErrorIs(t, search.Check(t.Context(), func() (search.Index, error) { return nil, errDown }), errDown)
}

var errDown = errors.New("the engine is down")

func said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// A bad index breaks one rule.
type bad struct {
	*search.Memory
	put    func(d search.Document) *search.Document
	query  func(q search.Query) search.Query
	hits   func(hits []search.Hit) []search.Hit
	remove func(refs []itsm.Ref) []itsm.Ref
	err    error
}

func (b *bad) Put(ctx context.Context, docs ...search.Document) error {
	if b.err != nil {
		return b.err
	}
	if b.put != nil {
		var kept []search.Document
		for _, d := range docs {
			if d := b.put(d); d != nil {
				kept = append(kept, *d)
			}
		}
		docs = kept
	}
	return b.Memory.Put(ctx, docs...)
}

func (b *bad) Remove(ctx context.Context, refs ...itsm.Ref) error {
	if b.remove != nil {
		refs = b.remove(refs)
	}
	return b.Memory.Remove(ctx, refs...)
}

func (b *bad) Search(ctx context.Context, q search.Query) ([]search.Hit, error) {
	if b.query != nil {
		q = b.query(q)
	}
	hits, err := b.Memory.Search(ctx, q)
	if b.hits != nil {
		hits = b.hits(hits)
	}
	return hits, err
}

// lazy keeps documents as they were given and puts them when it is asked.
type lazy struct{ bad }

func (l *lazy) Put(_ context.Context, docs ...search.Document) error {
	for _, d := range docs {
		if err := d.Validate(); err != nil {
			return err
		}
	}
	last := l.query
	l.query = func(q search.Query) search.Query {
		if last != nil {
			q = last(q)
		}
		if err := l.Memory.Put(context.Background(), docs...); err != nil {
			panic(err)
		}
		return q
	}
	return nil
}

// Each rule finds the index that breaks it.
func TestCheckFindsBrokenIndexes(t *testing.T) {
	said := map[string]bool{}
	for name, b := range map[string]func(m *search.Memory) search.Index{
		"title only": func(m *search.Memory) search.Index {
			return &bad{Memory: m, put: func(d search.Document) *search.Document { d.Body, d.Fields = "", nil; return &d }}
		},
		"words by spaces": func(*search.Memory) search.Index {
			m := newMemory(t, search.Config{Words: func(text string) iter.Seq[search.Word] {
				return func(yield func(search.Word) bool) {
					for w := range strings.FieldsSeq(strings.ToLower(text)) {
						if !yield(search.Word{Term: w, End: len(text)}) {
							return
						}
					}
				}
			}})
			return m
		},
		"put adds": func(m *search.Memory) search.Index {
			n := 0
			return &bad{Memory: m, put: func(d search.Document) *search.Document {
				n++
				d.Ref.ID += itsm.ID(strings.Repeat(" ", n))
				return &d
			}, hits: func(hits []search.Hit) []search.Hit {
				for i := range hits {
					hits[i].Ref.ID = itsm.ID(strings.TrimRight(string(hits[i].Ref.ID), " "))
				}
				return hits
			}}
		},
		"removes nothing": func(m *search.Memory) search.Index {
			return &bad{Memory: m, remove: func([]itsm.Ref) []itsm.Ref { return nil }}
		},
		"for everybody": func(m *search.Memory) search.Index {
			return &bad{Memory: m, put: func(d search.Document) *search.Document { d.Audience = []string{"staff"}; return &d }}
		},
		"asks for any": func(m *search.Memory) search.Index {
			return &bad{Memory: m, query: func(q search.Query) search.Query { q.Least = min(q.Least, 0); q.Where = nil; q.Kinds = nil; return q }}
		},
		"worst first": func(m *search.Memory) search.Index {
			return &bad{Memory: m, hits: func(hits []search.Hit) []search.Hit { slices.Reverse(hits); return hits }}
		},
		"one page": func(m *search.Memory) search.Index {
			return &bad{Memory: m, query: func(q search.Query) search.Query { q.Skip = 0; return q }}
		},
		"prefers nothing": func(m *search.Memory) search.Index {
			return &bad{Memory: m, query: func(q search.Query) search.Query { q.Prefer = nil; return q }}
		},
		"says nothing": func(m *search.Memory) search.Index {
			return &bad{Memory: m, hits: func(hits []search.Hit) []search.Hit {
				for i := range hits {
					hits[i].Matches = nil
				}
				return hits
			}}
		},
		"takes anything": func(m *search.Memory) search.Index {
			return &bad{Memory: m, put: func(d search.Document) *search.Document {
				if d.Validate() != nil {
					return nil
				}
				return &d
			}}
		},
		"is down":    func(m *search.Memory) search.Index { return &bad{Memory: m, err: errDown} },
		"keeps ours": func(m *search.Memory) search.Index { return &lazy{bad{Memory: m}} },
	} {
		err := search.Check(t.Context(), func() (search.Index, error) { return b(newMemory(t, search.Config{})), nil })
		require.Error(t, err, name)
		for line := range strings.SplitSeq(err.Error(), "\n") {
			rule, _, _ := strings.Cut(line, ": ")
			said[rule] = true
		}
	}
	require.Len(t, said, 13, "every rule was broken by one of them: %v", slices.Sorted(maps.Keys(said)))
}

// A shelf is the plain definition of what Memory does: all documents, each as the list of
// its words, the title three times over.
type shelf map[itsm.Ref]book

type book struct {
	search.Document
	words []string
}

var (
	wordish = regexp.MustCompile(`[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}ー]+|[\p{L}\p{N}][\p{L}\p{N}\p{M}]*`)
	script  = regexp.MustCompile(`[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}ー]`)
)

// cut is what a word is, without regard to what it costs. Between letters and marks of
// other scripts, a run of CJK begins a new word.
func cut(text string) []string {
	var words []string
	var piece strings.Builder
	for _, r := range text {
		if script.MatchString(string(r)) != script.MatchString(last(piece.String())) {
			piece.WriteByte(' ')
		}
		piece.WriteRune(r)
	}
	for _, w := range wordish.FindAllString(piece.String(), -1) {
		runes := []rune(w)
		if script.MatchString(w) && len(runes) > 1 {
			for i := range len(runes) - 1 {
				words = append(words, string(runes[i:i+2]))
			}
			continue
		}
		words = append(words, strings.ToLower(w))
	}
	return words
}

func last(s string) string {
	r, _ := utf8.DecodeLastRuneInString(s)
	return string(r)
}

func (s shelf) put(d search.Document) {
	text := []string{d.Title, d.Title, d.Title, d.Body}
	for _, f := range d.Fields {
		text = append(text, f)
	}
	s[d.Ref] = book{d, cut(strings.Join(text, "\n"))}
}

func times(words []string, word string) (n int) {
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}

type ranked struct {
	ref   itsm.Ref
	score float64
}

// search is BM25 as it is written down: for each document the sum over the words.
func (s shelf) search(q search.Query) []ranked {
	var words []string
	for _, w := range cut(q.Text) {
		if !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	all := len(words)
	total, have := 0, map[string]int{}
	keys := map[itsm.Key]int{}
	for _, b := range s {
		total += len(b.words)
		for _, w := range words {
			if slices.Contains(b.words, w) {
				have[w]++
			}
		}
		for i, k := range q.Prefer {
			if slices.Contains(b.Keys, k) && !slices.Contains(q.Prefer[:i], k) {
				keys[k]++
			}
		}
	}
	n, average := float64(len(s)), float64(total)/float64(len(s))
	idf := func(have int) float64 { return math.Log(1 + (n-float64(have)+0.5)/(float64(have)+0.5)) }
	words = slices.DeleteFunc(words, func(w string) bool { return have[w] == 0 })
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(have[a], have[b]), cmp.Compare(a, b)) })
	words = words[:min(len(words), 32)]
	needed := max(1, int(math.Ceil(q.Least*float64(min(all, 32)))))
	var found []ranked
	for ref, b := range s {
		ok := slices.ContainsFunc(b.Audience, func(a string) bool { return slices.Contains(q.Audience, a) })
		for _, k := range q.Where {
			ok = ok && slices.Contains(b.Keys, k)
		}
		score, matched := 0.0, 0
		for _, w := range words {
			if tf := float64(times(b.words, w)); tf > 0 {
				score += idf(have[w]) * tf * 2.2 / (tf + 1.2*(1-0.75+0.75*float64(len(b.words))/average))
				matched++
			}
		}
		for i, k := range q.Prefer {
			if slices.Contains(b.Keys, k) && !slices.Contains(q.Prefer[:i], k) {
				score += idf(keys[k])
			}
		}
		if ok && matched >= needed {
			found = append(found, ranked{ref, score})
		}
	}
	slices.SortFunc(found, func(a, b ranked) int {
		if math.Abs(a.score-b.score) > tolerance {
			return cmp.Compare(b.score, a.score)
		}
		return cmp.Compare(a.ref.ID, b.ref.ID)
	})
	return found[min(q.Skip, len(found)):min(q.Skip+q.Size(), len(found))]
}

// tolerance is what sums of 32 words may differ by.
const tolerance = 1e-7

// speaker says random things in a few words of several languages.
type speaker struct{ *rand.Rand }

var tongues = strings.Fields(`mail Mail MAIL queue the the the server servers Straße ÉTÉ été 10.0.0.1 0x80 naïve Αθήνα ΑΘΗΝΑ Москва
	메일서버 메일 서버가 멈췄다 인증서 갱신 한 데이터베이스 データベース 接続エラー サーバー 無法連接 连接 服务器 税 Exchange메일 vpn연결 αβγ हिन्दी`)

func (s speaker) say(most int) string {
	var b strings.Builder
	for range s.IntN(most + 1) {
		b.WriteString(tongues[min(s.IntN(len(tongues)), s.IntN(len(tongues)))])
		b.WriteString([]string{" ", " ", ", ", "-", "\n", "", "…"}[s.IntN(7)])
	}
	return b.String()
}

func (s speaker) document(n int) search.Document {
	d := search.Document{Ref: itsm.Ref{Kind: "k", ID: itsm.ID(fmt.Sprintf("%03d", n))}, Title: s.say(4), Body: s.say(30)}
	if s.IntN(2) == 0 {
		d.Fields = map[string]string{"issue": s.say(6), "cause": s.say(3)}
	}
	for _, k := range []string{"mail", "erp", "vpn"} {
		if s.IntN(3) == 0 {
			d.Keys = append(d.Keys, itsm.Key{Field: "service", Value: k})
		}
	}
	for _, a := range []string{"staff", "guest", "hr"} {
		if s.IntN(2) == 0 {
			d.Audience = append(d.Audience, a)
		}
	}
	return d
}

// Documents come, change and go, and whatever is asked, Memory ranks as the definition
// does.
func TestMemoryRanksAsDefined(t *testing.T) {
	worlds, hits, queries := 120, 0, 0
	if race.Detector || testing.Short() {
		worlds = 3
	}
	for seed := range uint64(worlds) {
		say := speaker{rand.New(rand.NewPCG(seed, 7))}
		m, s := newMemory(t, search.Config{}), shelf{}
		for range 400 {
			d := say.document(say.IntN(80))
			if say.IntN(4) == 0 {
				require.NoError(t, m.Remove(t.Context(), d.Ref))
				delete(s, d.Ref)
				continue
			}
			if was, ok := s[d.Ref]; ok && say.IntN(2) == 0 { // a little of it changes
				d.Title, d.Fields = was.Title, was.Fields
			}
			require.NoError(t, m.Put(t.Context(), d))
			s.put(d)
		}
		require.Equal(t, len(s), m.Len())
		for range 60 {
			q := search.Query{Text: say.say(12) + "x", Audience: [][]string{{"staff"}, {"guest", "hr"}, {"nobody"}}[min(say.IntN(9)/4, 2)], Limit: 1 + say.IntN(20), Skip: say.IntN(3) * say.IntN(5)}
			if say.IntN(6) == 0 {
				q.Text = say.say(200) + "x"
			}
			if say.IntN(3) == 0 {
				q.Least = float64(say.IntN(11)) / 10
			}
			if say.IntN(3) == 0 {
				q.Where = []itsm.Key{{Field: "service", Value: "mail"}}
			}
			if say.IntN(2) == 0 {
				q.Prefer = []itsm.Key{{Field: "service", Value: "erp"}, {Field: "service", Value: "vpn"}, {Field: "service", Value: "erp"}, {Field: "x"}}
			}
			want := s.search(q)
			got, err := m.Search(t.Context(), q)
			require.NoError(t, err)
			require.Len(t, got, len(want), "%+v", q)
			for i, h := range got {
				require.Equal(t, want[i].ref, h.Ref, "seed %d, place %d of %+v", seed, i, q)
				require.InDelta(t, want[i].score, h.Score, tolerance)
				require.NotEmpty(t, h.Reason())
			}
			queries, hits = queries+1, hits+len(got)
		}
	}
	t.Logf("%d queries, %d hits, each as defined", queries, hits)
	require.Greater(t, hits, queries*3)
}

// A corpus that is larger than a window and than a block, with words that most documents
// have: what is passed over would not have been among the best.
func TestMemoryRanksLargeCorporaAsDefined(t *testing.T) {
	size := 9000
	if race.Detector || testing.Short() {
		size = 200
	}
	v := newVocabulary(3)
	m, s := newMemory(t, search.Config{}), shelf{}
	for n := range size {
		d := v.article(n)
		d.Body, d.Fields = v.text(12), nil
		require.NoError(t, m.Put(t.Context(), d))
		s.put(d)
	}
	for n := 0; n < size; n += 7 { // and holes in it
		require.NoError(t, m.Remove(t.Context(), itsm.Ref{Kind: "knowledge", ID: itsm.ID(fmt.Sprintf("kba-%d", n))}))
		delete(s, itsm.Ref{Kind: "knowledge", ID: itsm.ID(fmt.Sprintf("kba-%d", n))})
	}
	for i := range 24 {
		q := search.Query{Text: v.text(1 + i%9), Audience: []string{"public"}, Limit: 10, Least: float64(i%3) / 4}
		if i%2 == 0 {
			q.Text += " " + word(0) + " " + word(1) + " " + word(2)
			q.Prefer = []itsm.Key{{Field: "service", Value: "7"}}
		}
		want := s.search(q)
		got, err := m.Search(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, got, len(want))
		for i, h := range got {
			require.Equal(t, want[i].ref, h.Ref, "place %d of %+v", i, q)
		}
	}
}

// A corpus made so that of one word all documents have, another comes often, then hardly
// ever, then often again; and that lists grow in their middle. The best are where they are
// looked for last.
func TestMemoryRanksAfterAGap(t *testing.T) {
	size := 13_000
	if race.Detector || testing.Short() {
		size = 600
	}
	m, s := newMemory(t, search.Config{}), shelf{}
	put := func(n int, extra string) {
		title := "common" + extra
		if third := n * 3 / size; third != 1 && n%9 == 0 || n%300 == 0 {
			title += " rare rare rare"
		} else if n%4 == 0 {
			title += " rare"
		}
		if n%2 == 1 {
			title += " odd"
		}
		// The later they are put, the sooner they come among equals.
		d := search.Document{Ref: itsm.Ref{Kind: "k", ID: itsm.ID(fmt.Sprintf("%05d", size-n))}, Title: title, Audience: []string{"staff"}}
		require.NoError(t, m.Put(t.Context(), d))
		s.put(d)
	}
	check := func() {
		for _, text := range []string{"common rare", "odd", "rare odd", "common odd more", "more", "rare"} {
			for _, limit := range []int{10, 200} {
				q := search.Query{Text: text, Audience: []string{"staff"}, Limit: limit}
				want := s.search(q)
				got, err := m.Search(t.Context(), q)
				require.NoError(t, err)
				require.Len(t, got, len(want), text)
				for i, h := range got {
					require.Equal(t, want[i].ref, h.Ref, "place %d of %q", i, text)
				}
			}
		}
	}
	for n := range size {
		put(n, "")
	}
	check()
	for n := 0; n < size; n += 2 {
		put(n, " odd more")
	}
	check()
	for n := 1; n < size; n += 3 {
		ref := itsm.Ref{Kind: "k", ID: itsm.ID(fmt.Sprintf("%05d", size-n))}
		require.NoError(t, m.Remove(t.Context(), ref))
		delete(s, ref)
	}
	check()
	for n := 1; n < size; n += 3 {
		put(n, " more more")
	}
	check()
}

// What was removed leaves nothing behind: an index that went through much is as one that
// was made of what is left.
func TestMemoryForgets(t *testing.T) {
	say := speaker{rand.New(rand.NewPCG(1, 1))}
	m := newMemory(t, search.Config{})
	for n := range 300 {
		require.NoError(t, m.Put(t.Context(), say.document(n)))
	}
	for n := range 300 {
		require.NoError(t, m.Remove(t.Context(), itsm.Ref{Kind: "k", ID: itsm.ID(fmt.Sprintf("%03d", n))}))
	}
	require.Zero(t, m.Len())
	d := search.Document{Ref: itsm.Ref{Kind: "k", ID: "1"}, Title: "mail", Audience: []string{"staff"}}
	require.NoError(t, m.Put(t.Context(), d))
	fresh := newMemory(t, search.Config{})
	require.NoError(t, fresh.Put(t.Context(), d))
	q := search.Query{Text: "mail 메일서버", Audience: []string{"staff", "guest"}}
	got, err := m.Search(t.Context(), q)
	require.NoError(t, err)
	want, err := fresh.Search(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

// Many search while others put and remove.
func TestMemoryIsSafeForConcurrentUse(t *testing.T) {
	m := newMemory(t, search.Config{})
	var all sync.WaitGroup
	for writer := range 4 {
		all.Go(func() {
			say := speaker{rand.New(rand.NewPCG(uint64(writer), 2))}
			for n := range 150 {
				d := say.document(writer*100 + n%40)
				var err error
				if n%5 == 4 {
					err = m.Remove(t.Context(), d.Ref)
				} else {
					err = m.Put(t.Context(), d)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range 150 {
				hits, err := m.Search(t.Context(), search.Query{Text: "mail 서버 the", Audience: []string{"staff"}})
				if err != nil {
					t.Error(err)
				}
				if !slices.IsSortedFunc(hits, func(a, b search.Hit) int { return cmp.Compare(b.Score, a.Score) }) {
					t.Errorf("out of order: %v", hits)
				}
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, m.Put(ctx), context.Canceled)
	require.ErrorIs(t, m.Remove(ctx), context.Canceled)
	_, err := m.Search(ctx, search.Query{Text: "a"})
	require.ErrorIs(t, err, context.Canceled)
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"Mail isn't there.": "mail isn t there",
		"메일서버가 멈춤":          "메일 일서 서버 버가 멈춤",
		"税 金":               "税 金",
		"Windows에서 VPN연결":   "windows 에서 vpn 연결",
		"サーバーのエラー":          "サー ーバ バー ーの のエ エラ ラー",
		"ＭＡＩＬ ４２":           "mail 42",
		"\u1112\u1161\u11ab\u1100\u1173\u11af x \u1100": "한글 x \u1100",
		"\uac00\u11a8\u11a7 \u1100a":                    "각\u11a7 \u1100 a",
		"a\xffb \xe3\x81":                               "a b",
		"ΣΊΣΥΦΟΣ σίσυφος ſ K":                           "σίσυφοσ σίσυφοσ s k",
		"हिन्दी":                                        "हिन्दी",
		strings.Repeat("x", 70) + " y":                  strings.Repeat("x", 64) + " y",
		strings.Repeat("é", 70) + "한":                   strings.Repeat("é", 64) + " 한",
	} {
		var got []string
		for w := range search.Words(text) {
			got = append(got, w.Term)
		}
		require.Equal(t, want, strings.Join(got, " "), "%q", text)
	}
	for range search.Words("a b") { // may stop
		break
	}
}

// FuzzWords cuts anything. Words stand where they say they do, in order; a word is a
// word again; and for text in the plain forms the words are those of the definition.
func FuzzWords(f *testing.F) {
	for _, s := range append(slices.Clone(tongues), "", "a\xff", "ᄒ", "각", "ｱｲ", "̀a", "한 \u1112\u1161", strings.Join(tongues, "")) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end, plain := 0, true
		var terms []string
		for w := range search.Words(text) {
			require.True(t, w.Start < w.End && w.End <= len(text))
			require.True(t, w.Start >= end || w.Pair)
			end = w.End
			require.NotEmpty(t, w.Term)
			require.True(t, utf8.ValidString(w.Term))
			n := 0
			for again := range search.Words(w.Term) {
				require.Equal(t, w.Term, again.Term)
				n++
			}
			require.Equal(t, 1, n, "%q", w.Term)
			terms = append(terms, w.Term)
		}
		for _, r := range text {
			plain = plain && r != utf8.RuneError && r < 0xFF00 && (r < 0x1100 || r > 0x11FF) && unicode.ToLower(r) == unicode.ToLower(unicode.ToUpper(r)) && string(unicode.ToLower(r)) == strings.ToLower(string(r))
		}
		long := slices.ContainsFunc(terms, func(w string) bool { return utf8.RuneCountInString(w) == 64 })
		if plain && !long && !strings.ContainsRune(text, 'Σ') {
			require.Equal(t, cut(text), terms)
		}
	})
}

// FuzzSearch asks anything of a small index: it is answered as defined or refused.
func FuzzSearch(f *testing.F) {
	f.Add("mail 서버", 0.5, 3, 0)
	f.Add("", -1.0, -1, 9)
	f.Fuzz(func(t *testing.T, text string, least float64, limit, skip int) {
		m, say := newMemory(t, search.Config{}), speaker{rand.New(rand.NewPCG(5, 5))}
		for n := range 20 {
			require.NoError(t, m.Put(t.Context(), say.document(n)))
		}
		d := search.Document{Ref: itsm.Ref{Kind: "k", ID: "x"}, Title: text, Audience: []string{"staff"}}
		require.NoError(t, m.Put(t.Context(), d))
		hits, err := m.Search(t.Context(), search.Query{Text: text, Least: least, Limit: limit, Skip: skip, Audience: []string{"staff"}})
		if err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			return
		}
		for _, h := range hits {
			require.NotEmpty(t, h.Matches)
		}
		for range search.Words(text) {
			hits, err := m.Search(t.Context(), search.Query{Text: text, Least: 0, Limit: 100, Audience: []string{"staff"}})
			require.NoError(t, err)
			require.True(t, slices.ContainsFunc(hits, func(h search.Hit) bool { return h.Ref == d.Ref }))
			break
		}
	})
}

// Weights and words of a host's own: here without stop words and plural.
func TestConfig(t *testing.T) {
	stems := func(text string) iter.Seq[search.Word] {
		return func(yield func(search.Word) bool) {
			for w := range search.Words(text) {
				w.Term = strings.TrimSuffix(w.Term, "s")
				if w.Term != "the" && !yield(w) {
					return
				}
			}
		}
	}
	m := newMemory(t, search.Config{Words: stems, B: -1, K1: 2, Weights: map[string]int{"cause": 9, "hidden": 0}})
	for id, d := range map[string]search.Document{
		"1": {Title: "mail servers"},
		"2": {Fields: map[string]string{"cause": "the server"}},
		"3": {Fields: map[string]string{"hidden": "server"}},
	} {
		d.Ref, d.Audience = itsm.Ref{Kind: "k", ID: itsm.ID(id)}, []string{"staff"}
		require.NoError(t, m.Put(t.Context(), d))
	}
	hits, err := m.Search(t.Context(), search.Query{Text: "The Server's", Audience: []string{"staff"}})
	require.NoError(t, err)
	require.Len(t, hits, 2)
	require.Equal(t, itsm.ID("2"), hits[0].Ref.ID)
	require.Equal(t, "cause: Server", hits[0].Reason())
}

// A host's words need not say where they stand, and are then told as they are compared.
func TestWordsWithoutAPlace(t *testing.T) {
	m := newMemory(t, search.Config{Words: func(text string) iter.Seq[search.Word] {
		return func(yield func(search.Word) bool) {
			yield(search.Word{Term: "always", Start: -1, End: len(text) + 9, Pair: true})
		}
	}})
	require.NoError(t, m.Put(t.Context(), search.Document{Ref: itsm.Ref{Kind: "k", ID: "1"}, Title: "x", Audience: []string{"staff"}}))
	hits, err := m.Search(t.Context(), search.Query{Text: "y", Audience: []string{"staff"}})
	require.NoError(t, err)
	require.Equal(t, "title: always; body: always", hits[0].Reason())
}

func TestReasonIsShort(t *testing.T) {
	m := newMemory(t, search.Config{})
	d := search.Document{Ref: itsm.Ref{Kind: "k", ID: "1"}, Title: "a b c d e f g h i j 메일서버", Keys: []itsm.Key{{Field: "ci", Value: "mx-1"}}, Audience: []string{"staff"}}
	require.NoError(t, m.Put(t.Context(), d))
	hits, err := m.Search(t.Context(), search.Query{Text: "메일서버는 a b a 메일서버 c d e f g h i j", Audience: []string{"staff"}, Prefer: d.Keys})
	require.NoError(t, err)
	require.Equal(t, "title: 메일서버, a, b, c, d, e, f, g, …; same ci: mx-1", hits[0].Reason())
}

func TestMatcher(t *testing.T) {
	m := newMemory(t, search.Config{})
	require.NoError(t, m.Put(t.Context(), search.Document{Ref: itsm.Ref{Kind: "k", ID: "1"}, Title: "mail", Audience: []string{"staff"}}))
	match := search.Matcher[string]{Index: m, Query: func(s string) search.Query {
		return search.Query{Text: s, Audience: []string{"staff"}, Prefer: []itsm.Key{{Field: "service"}}}
	}}
	all, err := match.Match(t.Context(), "No mail"+strings.Repeat(" very", 30_000))
	require.NoError(t, err)
	require.Equal(t, "title: mail", all[0].Reason)
	require.Equal(t, itsm.Ref{Kind: "k", ID: "1"}, all[0].To)
	all, err = match.Match(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, all)
	match.Query = func(string) search.Query { return search.Query{Text: "a", Limit: -1} }
	_, err = match.Match(t.Context(), "a")
	require.ErrorIs(t, err, itsm.ErrInvalid)
}

func TestDocumentsAreRefusedWithEveryFinding(t *testing.T) {
	fields := map[string]string{"title": "t"}
	for i := range 31 {
		fields[fmt.Sprint(i)] = ""
	}
	err := search.Document{Body: strings.Repeat("x", 1<<20+1), Fields: fields, Keys: make([]itsm.Key, 5001), Audience: make([]string, 1001)}.Validate()
	require.Equal(t, []string{"ref.kind must not be empty", "ref.id must not be empty", "fields must be at most 30, are 32",
		"fields must have a name of at most 200 bytes that is not title or body", "must have at most 1048576 bytes of text, has 1048578", "keys must be at most 5000, are 5001", "audience must be at most 1000, are 1001"}, said(err))
}
