package search

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	mathbits "math/bits"
	"slices"
	"strings"
	"sync"

	"github.com/go-itsm/itsm"
)

// Config is what a host decides about a [Memory]. The zero value is ready.
type Config struct {
	// K1 says how soon more of the same word stops counting; 0 means 1.2.
	K1 float64
	// B says how much the length of a document counts against it, from 0 to 1; 0
	// means 0.75, and a negative number that it does not count.
	B float64
	// Weights say as how many a word in a field counts; a field that is not there
	// counts once, and the title three times.
	Weights map[string]int
	// Words cuts a text into words, for stems, synonyms or words that say nothing;
	// nil means [Words]. It must be safe for concurrent use, and must not call the
	// index.
	Words func(text string) iter.Seq[Word]
}

// maxWeight bounds a weight so that sums fit.
const maxWeight = 1000

// maxCounting is how many words a document may have so that the room for counting them
// is kept.
const maxCounting = 10_000

// A Memory is an index in memory, which ranks with BM25. Make it with [NewMemory]. It is
// safe for concurrent use: many may search while nobody writes.
//
// It keeps of each document its title and which words it has, not the texts. Adding one,
// replacing it by another text of it, and removing it cost in proportion to the words that
// come and go, and hardly more with many others there.
type Memory struct {
	cfg Config

	mu     sync.RWMutex
	number map[itsm.Ref]uint32
	docs   []document
	free   []uint32 // numbers of documents that were removed
	// lengths are those of the documents, weighted, and total is their sum.
	lengths []uint32
	total   int64
	terms   map[string]*list
	lists   []*list // by id
	unused  []uint32
	keys    names[itsm.Key]
	people  names[string]
	// counting is where the words of a document are counted, under mu.
	counting map[uint32]counted
	scan     scanner
}

// A document is what is kept of one.
type document struct {
	ref    itsm.Ref
	title  string
	fields []string // beside title and body, sorted
	terms  []occurrence
	keys   []uint32
	people []uint32
}

// An occurrence is a word of a document, how often it has it, weighted, and the fields that
// it stands in, a bit each.
type occurrence struct {
	id, tf, where uint32
}

type counted struct{ tf, where uint32 }

// names numbers the values of keys and audiences, and counts the documents that have
// each.
type names[K comparable] struct {
	ids    map[K]uint32
	values []K
	count  []int
	free   []uint32
}

func (n *names[K]) add(value K) uint32 {
	id, ok := n.ids[value]
	if !ok {
		if last := len(n.free) - 1; last >= 0 {
			id, n.free = n.free[last], n.free[:last]
			n.values[id] = value
		} else {
			id = uint32(len(n.values))
			n.values, n.count = append(n.values, value), append(n.count, 0)
		}
		n.ids[value] = id
	}
	n.count[id]++
	return id
}

func (n *names[K]) remove(id uint32) {
	if n.count[id]--; n.count[id] == 0 {
		delete(n.ids, n.values[id])
		n.free = append(n.free, id)
	}
}

// NewMemory returns an empty index. It returns an [itsm.ErrInvalid] with every finding if
// a figure makes no sense.
func NewMemory(cfg Config) (*Memory, error) {
	var v itsm.Validation
	v.Check(cfg.K1 >= 0 && cfg.K1 <= maxWeight, "k1", fmt.Sprintf("must be from 0 to %d", maxWeight))
	v.Check(cfg.B <= 1, "b", "must be at most 1")
	for _, field := range slices.Sorted(maps.Keys(cfg.Weights)) {
		w := cfg.Weights[field]
		v.Check(w >= 0 && w <= maxWeight, "weights."+field, fmt.Sprintf("must be from 0 to %d", maxWeight))
	}
	if err := v.Err(); err != nil {
		return nil, err
	}
	cfg.K1 = cmp.Or(cfg.K1, 1.2)
	cfg.B = max(cmp.Or(cfg.B, 0.75), 0)
	weights := map[string]int{Title: 3}
	maps.Copy(weights, cfg.Weights)
	cfg.Weights = weights
	return &Memory{
		cfg: cfg, number: map[itsm.Ref]uint32{}, terms: map[string]*list{},
		keys: names[itsm.Key]{ids: map[itsm.Key]uint32{}}, people: names[string]{ids: map[string]uint32{}},
		counting: map[uint32]counted{},
	}, nil
}

// Len returns how many documents there are.
func (m *Memory) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.number)
}

// Put implements [Index].
func (m *Memory) Put(ctx context.Context, docs ...Document) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var v itsm.Validation
	for i, d := range docs {
		if err := d.Validate(); err != nil {
			v.Check(false, fmt.Sprintf("docs[%d]", i), err.Error())
		}
	}
	if err := v.Err(); err != nil {
		return err
	}
	for i := range docs {
		m.put(&docs[i])
	}
	return nil
}

func (m *Memory) put(d *Document) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, ok := m.number[d.Ref]
	switch last := len(m.free) - 1; {
	case ok:
	case last >= 0:
		n, m.free = m.free[last], m.free[:last]
	default:
		n = uint32(len(m.docs))
		m.docs, m.lengths = append(m.docs, document{}), append(m.lengths, 0)
	}
	m.number[d.Ref] = n
	doc := document{ref: d.Ref, title: strings.Clone(d.Title), fields: slices.Sorted(maps.Keys(d.Fields))}
	length := m.count(Title, d.Title, 0) + m.count(Body, d.Body, 1)
	for i, name := range doc.fields {
		length += m.count(name, d.Fields[name], 2+i)
	}
	doc.terms = make([]occurrence, 0, len(m.counting))
	for id, c := range m.counting {
		doc.terms = append(doc.terms, occurrence{id, c.tf, c.where})
	}
	slices.SortFunc(doc.terms, byID)
	for _, k := range d.Keys {
		if id, ok := m.keys.ids[k]; !ok || !slices.Contains(doc.keys, id) {
			doc.keys = append(doc.keys, m.keys.add(k))
		}
	}
	for _, p := range d.Audience {
		if id, ok := m.people.ids[p]; !ok || !slices.Contains(doc.people, id) {
			doc.people = append(doc.people, m.people.add(p))
		}
	}
	// Words that it had and has as often cost nothing.
	old := m.docs[n].terms
	for _, t := range doc.terms {
		switch i, had := slices.BinarySearchFunc(old, t, byID); {
		case !had:
			m.lists[t.id].add(posting{n, t.tf})
		case old[i].tf != t.tf:
			m.lists[t.id].set(posting{n, t.tf})
		}
	}
	m.drop(n, func(id uint32) bool { _, has := m.counting[id]; return !has })
	if len(m.counting) > maxCounting {
		m.counting = map[uint32]counted{} // or it would take its time for every other one
	}
	clear(m.counting)
	m.docs[n], m.lengths[n] = doc, length
	m.total += int64(length)
}

func byID(a, b occurrence) int { return cmp.Compare(a.id, b.id) }

// count counts the words of a field and returns how long it is.
func (m *Memory) count(field, text string, bit int) (length uint32) {
	weight := uint32(1)
	if w, ok := m.cfg.Weights[field]; ok {
		weight = uint32(w)
	}
	if weight == 0 {
		return 0
	}
	one := func(l *list) {
		c := m.counting[l.id]
		c.tf += weight
		c.where |= 1 << bit
		m.counting[l.id] = c
		length += weight
	}
	if m.cfg.Words != nil {
		for w := range m.cfg.Words(text) {
			one(m.list([]byte(w.Term)))
		}
		return length
	}
	m.scan = scanner{text: text, term: m.scan.term}
	for m.scan.next() {
		one(m.list(m.scan.term))
	}
	m.scan.text = ""
	return length
}

// list returns the list of a word, and begins it if there is none.
func (m *Memory) list(term []byte) *list {
	if l := m.terms[string(term)]; l != nil {
		return l
	}
	l := &list{term: string(term)}
	if last := len(m.unused) - 1; last >= 0 {
		l.id, m.unused = m.unused[last], m.unused[:last]
		m.lists[l.id] = l
	} else {
		l.id = uint32(len(m.lists))
		m.lists = append(m.lists, l)
	}
	m.terms[l.term] = l
	return l
}

// drop takes out what a document has put in, of its words those that are gone.
func (m *Memory) drop(n uint32, gone func(id uint32) bool) {
	doc := &m.docs[n]
	for _, t := range doc.terms {
		if !gone(t.id) {
			continue
		}
		l := m.lists[t.id]
		if l.remove(n); l.df == 0 {
			delete(m.terms, l.term)
			m.lists[l.id] = nil
			m.unused = append(m.unused, l.id)
		}
	}
	for _, id := range doc.keys {
		m.keys.remove(id)
	}
	for _, id := range doc.people {
		m.people.remove(id)
	}
	m.total -= int64(m.lengths[n])
	m.docs[n], m.lengths[n] = document{}, 0
}

// Remove implements [Index].
func (m *Memory) Remove(ctx context.Context, refs ...itsm.Ref) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ref := range refs {
		if n, ok := m.number[ref]; ok {
			m.drop(n, func(uint32) bool { return true })
			delete(m.number, ref)
			m.free = append(m.free, n)
		}
	}
	return nil
}

// Search implements [Index].
func (m *Memory) Search(ctx context.Context, q Query) ([]Hit, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := q.Validate(); err != nil {
		return nil, err
	}
	asked := m.ask(q.Text)
	m.mu.RLock()
	defer m.mu.RUnlock()
	s := m.plan(q, asked)
	if s == nil {
		return nil, nil
	}
	s.run()
	return s.hits(asked, q), nil
}

// A question is the words of a query.
type question struct {
	words []Word // every one, in the order of the text
	terms []string
}

func (m *Memory) ask(text string) question {
	cut := m.cfg.Words
	if cut == nil {
		cut = Words
	}
	var a question
	seen := map[string]bool{}
	for w := range cut(text) {
		if w.Start < 0 || w.End > len(text) || w.Start >= w.End { // a host's may say nothing of it
			w.Start, w.End, w.Pair = 0, 0, false
		}
		a.words = append(a.words, w)
		if !seen[w.Term] {
			seen[w.Term] = true
			a.terms = append(a.terms, w.Term)
		}
	}
	return a
}

// idf says how telling it is that a document has what so many have.
func (m *Memory) idf(have int) float64 {
	return math.Log(1 + (float64(len(m.number)-have)+0.5)/(float64(have)+0.5))
}

// plan finds the lists that a query needs, or nil if nothing can be found.
func (m *Memory) plan(q Query, asked question) *run {
	s := &run{Memory: m, size: q.Skip + q.Size()}
	for _, term := range asked.terms {
		if l := m.terms[term]; l != nil {
			s.cursors = append(s.cursors, cursor{list: l})
		}
	}
	if len(s.cursors) > maxTerms {
		slices.SortFunc(s.cursors, func(a, b cursor) int {
			return cmp.Or(cmp.Compare(a.df, b.df), strings.Compare(a.term, b.term))
		})
		s.cursors = s.cursors[:maxTerms]
	}
	s.needed = q.Needed(min(len(asked.terms), maxTerms))
	if len(s.cursors) < s.needed {
		return nil
	}
	s.readers = make([]bool, len(m.people.values))
	any := false
	for _, p := range q.Audience {
		if id, ok := m.people.ids[p]; ok {
			s.readers[id], any = true, true
		}
	}
	if !any {
		return nil
	}
	s.kinds = q.Kinds
	for _, k := range q.Where {
		id, ok := m.keys.ids[k]
		if !ok {
			return nil
		}
		s.where = append(s.where, id)
	}
	for _, k := range q.Prefer {
		if id, ok := m.keys.ids[k]; ok && !slices.Contains(s.prefer, id) {
			s.prefer = append(s.prefer, id)
			s.bonus += units(m.idf(m.keys.count[id]))
		}
	}
	k1, b := m.cfg.K1, m.cfg.B
	s.base, s.slope = k1*(1-b), k1*b*float64(len(m.number))/float64(max(m.total, 1))
	for i := range s.cursors {
		c := &s.cursors[i]
		c.weight = m.idf(c.df) * (k1 + 1)
		c.bound = units(c.weight*float64(c.most)/(float64(c.most)+s.base)) + 1
	}
	slices.SortFunc(s.cursors, func(a, b cursor) int {
		return cmp.Or(cmp.Compare(a.bound, b.bound), strings.Compare(a.term, b.term))
	})
	s.upTo = make([]int64, len(s.cursors)+1)
	for i := range s.cursors {
		s.upTo[i+1] = s.upTo[i] + s.cursors[i].bound
	}
	return s
}

// A run answers one query. It goes through the documents in the order of their numbers,
// a window at a time, and passes over those that cannot be among the best any more
// (H. Turtle and J. Flood, "Query evaluation: strategies and optimizations", 1995:
// MaxScore).
//
// Scores are added up as whole numbers, in units of 2⁻³², so that a sum is the same in
// whatever order it is made, and what is equal is equal to the last bit.
type run struct {
	*Memory
	size, needed int
	readers      []bool
	kinds        []string
	where        []uint32
	prefer       []uint32
	bonus        int64 // the most that prefer can bring

	base, slope float64
	cursors     []cursor // in the order of their bounds
	upTo        []int64  // the sum of the bounds of the first of them
	best        []scored // a heap, the worst first

	sums    [window]int64
	counts  [window]uint8
	touched [window / 64]uint64
}

type scored struct {
	doc   uint32
	score int64
}

// window is how many documents are looked at together.
const window = 4096

// unit is what scores are counted in.
const unit = 1 << 32

func units(score float64) int64 { return int64(score*unit + 0.5) }

func (s *run) run() {
	first := 0 // of cursors: those before it cannot bring a document in by themselves
	for {
		for first < len(s.cursors) && s.upTo[first+1]+s.bonus < s.worst() {
			first++
		}
		begin, ok := uint32(0), false
		for i := range s.cursors[first:] {
			if doc, more := s.cursors[first+i].peek(); more && (!ok || doc < begin) {
				begin, ok = doc, true
			}
		}
		if !ok {
			return
		}
		begin &^= window - 1
		for i := range s.cursors[first:] {
			s.collect(&s.cursors[first+i], begin)
		}
		// While many are left, it costs less to go through the next word as well than
		// to look for it in each of them.
		rest := first
		for rest > 0 && s.many(s.worst()-s.bonus-s.upTo[rest]) {
			rest--
			s.cursors[rest].seek(begin)
			s.collect(&s.cursors[rest], begin)
		}
		for i, bits := range s.touched {
			for ; bits != 0; bits &= bits - 1 {
				at := uint32(i*64 + mathbits.TrailingZeros64(bits))
				s.consider(begin+at, s.sums[at], int(s.counts[at]), rest)
				s.sums[at], s.counts[at] = 0, 0
			}
			s.touched[i] = 0
		}
	}
}

// many reports whether more than a few documents of the window have a sum.
func (s *run) many(sum int64) bool {
	n := 0
	for i, bits := range s.touched {
		for ; bits != 0; bits &= bits - 1 {
			if s.sums[i*64+mathbits.TrailingZeros64(bits)] >= sum {
				if n++; n > window/64 {
					return true
				}
			}
		}
	}
	return false
}

// collect adds up what the documents of a window get for a word.
func (s *run) collect(c *cursor, begin uint32) {
	weight, base, slope := c.weight, s.base, s.slope
	lengths := s.lengths[begin:]
	for {
		part := c.window(begin + window)
		if len(part) == 0 {
			return
		}
		for _, p := range part {
			at := (p.doc - begin) % window
			s.sums[at] += gain(weight, p.tf, base+slope*float64(lengths[at]))
			if s.counts[at]++; s.counts[at] == 1 {
				s.touched[at/64] |= 1 << (at % 64)
			}
		}
	}
}

// gain is what a document gets for a word of a weight that it has so often, weighted.
func gain(weight float64, tf uint32, norm float64) int64 {
	times := float64(tf)
	return units(weight * times / (times + norm))
}

// consider adds what a document gets for the rest of the words, and keeps it if it is among
// the best.
func (s *run) consider(doc uint32, sum int64, found, rest int) {
	worst := s.worst()
	for i := rest - 1; i >= 0; i-- {
		if sum+s.upTo[i+1]+s.bonus < worst {
			return
		}
		if tf := s.cursors[i].seek(doc); tf > 0 {
			sum += gain(s.cursors[i].weight, tf, s.base+s.slope*float64(s.lengths[doc]))
			found++
		}
	}
	if sum+s.bonus < worst || found < s.needed {
		return
	}
	d := &s.docs[doc]
	if !s.admits(d) {
		return
	}
	for _, id := range s.prefer {
		if slices.Contains(d.keys, id) {
			sum += units(s.idf(s.keys.count[id]))
		}
	}
	s.offer(scored{doc, sum})
}

// admits reports whether a document is one of those that are asked for.
func (s *run) admits(d *document) bool {
	return slices.ContainsFunc(d.people, func(id uint32) bool { return s.readers[id] }) &&
		(len(s.kinds) == 0 || slices.Contains(s.kinds, d.ref.Kind)) &&
		!slices.ContainsFunc(s.where, func(id uint32) bool { return !slices.Contains(d.keys, id) })
}

// worst is the score that a document has to reach to be among the best.
func (s *run) worst() int64 {
	if len(s.best) < s.size {
		return 0
	}
	return s.best[0].score
}

// offer keeps a document if it is among the best.
func (s *run) offer(one scored) {
	if len(s.best) < s.size {
		s.best = append(s.best, one)
		for i := len(s.best) - 1; i > 0; {
			parent := (i - 1) / 2
			if s.compare(s.best[i], s.best[parent]) <= 0 {
				return
			}
			s.best[i], s.best[parent] = s.best[parent], s.best[i]
			i = parent
		}
		return
	}
	if s.compare(one, s.best[0]) >= 0 {
		return
	}
	s.best[0] = one
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(s.best) {
			return
		}
		if child+1 < len(s.best) && s.compare(s.best[child+1], s.best[child]) > 0 {
			child++
		}
		if s.compare(s.best[child], s.best[i]) <= 0 {
			return
		}
		s.best[i], s.best[child] = s.best[child], s.best[i]
		i = child
	}
}

// compare orders hits: the highest score first, then by reference.
func (s *run) compare(a, b scored) int {
	if a.score != b.score {
		return cmp.Compare(b.score, a.score)
	}
	x, y := s.docs[a.doc].ref, s.docs[b.doc].ref
	return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.ID, y.ID))
}

// hits makes the answer of the best.
func (s *run) hits(asked question, q Query) []Hit {
	slices.SortFunc(s.best, s.compare)
	var hits []Hit
	for _, one := range s.best[min(q.Skip, len(s.best)):] {
		d := &s.docs[one.doc]
		h := Hit{Ref: d.ref, Title: d.title, Score: float64(one.score) / unit, Matches: s.matches(asked, q.Text, d)}
		for _, k := range q.Prefer {
			if id, ok := s.keys.ids[k]; ok && slices.Contains(d.keys, id) && !slices.Contains(h.Preferred, k) {
				h.Preferred = append(h.Preferred, k)
			}
		}
		hits = append(hits, h)
	}
	return hits
}

// matches says which of the words that were looked for stand where.
func (s *run) matches(asked question, text string, d *document) []Match {
	where := map[string]uint32{}
	for i := range s.cursors {
		l := s.cursors[i].list
		if at, ok := slices.BinarySearchFunc(d.terms, l.id, func(o occurrence, id uint32) int { return cmp.Compare(o.id, id) }); ok {
			where[l.term] = d.terms[at].where
		}
	}
	var all []Match
	for bit := range 2 + len(d.fields) {
		if words := spell(asked.words, text, func(term string) bool { return where[term]&(1<<bit) != 0 }); len(words) > 0 {
			field := Title
			switch {
			case bit == 1:
				field = Body
			case bit > 1:
				field = d.fields[bit-2]
			}
			all = append(all, Match{Field: field, Words: words})
		}
	}
	return all
}

// spell lists the words of a text that are wanted, each once, as the text has them.
// Pairs that overlap are one word.
func spell(words []Word, text string, wanted func(term string) bool) []string {
	var all []string
	seen := map[string]bool{}
	for i := 0; i < len(words); i++ {
		if !wanted(words[i].Term) {
			continue
		}
		start, end, said := words[i].Start, words[i].End, words[i].Term
		for ; words[i].Pair && i+1 < len(words) && words[i+1].Pair && words[i+1].Start < end && wanted(words[i+1].Term); i++ {
			end = words[i+1].End
			said += " " + words[i+1].Term
		}
		if !seen[said] {
			seen[said] = true
			if end > 0 {
				said = strings.ToValidUTF8(text[start:end], "")
			}
			all = append(all, said)
		}
	}
	return all
}
