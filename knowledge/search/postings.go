package search

import "slices"

// A posting says how much a document has of a word: how often, each time weighted by the
// field that it stands in.
type posting struct {
	doc, tf uint32
}

// blockSize is how many postings stand together. Taking one out of a long list or putting
// one in moves a block at the most, and a block that cannot have a document is passed
// over.
const blockSize = 128

// A list is all documents that have a word, in the order of their numbers.
type list struct {
	term string
	id   uint32
	df   int
	// most is at least the greatest tf of any posting there is.
	most   uint32
	blocks [][]posting
	// lasts are the last documents of the blocks, which is where a document is
	// looked for.
	lasts []uint32
}

// block returns the first block whose last document is not before the given one, of
// those from a place on.
func (l *list) block(from int, doc uint32) int {
	lo, hi := from, len(l.lasts)
	for lo < hi {
		if mid := (lo + hi) / 2; l.lasts[mid] < doc {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// place returns where in a block a document is or would be.
func place(b []posting, doc uint32) int {
	lo, hi := 0, len(b)
	for lo < hi {
		if mid := (lo + hi) / 2; b[mid].doc < doc {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// add puts in a document that is not there.
func (l *list) add(p posting) {
	l.df++
	l.most = max(l.most, p.tf)
	i := l.block(0, p.doc)
	if i == len(l.blocks) {
		if i == 0 || len(l.blocks[i-1]) == blockSize {
			l.blocks, l.lasts = append(l.blocks, []posting{p}), append(l.lasts, p.doc)
			return
		}
		l.blocks[i-1], l.lasts[i-1] = append(l.blocks[i-1], p), p.doc
		return
	}
	b := slices.Insert(l.blocks[i], place(l.blocks[i], p.doc), p)
	l.blocks[i] = b
	if len(b) > blockSize {
		half := len(b) / 2
		left := slices.Clone(b[:half])
		l.blocks[i], l.lasts[i] = b[half:], left[half-1].doc
		l.blocks, l.lasts = slices.Insert(l.blocks, i, left), slices.Insert(l.lasts, i+1, b[len(b)-1].doc)
	}
}

// set gives another tf to a document that is there.
func (l *list) set(p posting) {
	l.most = max(l.most, p.tf)
	b := l.blocks[l.block(0, p.doc)]
	b[place(b, p.doc)].tf = p.tf
}

// remove takes a document out that is there.
func (l *list) remove(doc uint32) {
	l.df--
	i := l.block(0, doc)
	b := l.blocks[i]
	j := place(b, doc)
	if b = slices.Delete(b, j, j+1); len(b) > 0 {
		l.blocks[i], l.lasts[i] = b, b[len(b)-1].doc
		return
	}
	l.blocks, l.lasts = slices.Delete(l.blocks, i, i+1), slices.Delete(l.lasts, i, i+1)
}

// A cursor walks a list forwards.
type cursor struct {
	*list
	block, place int
	// weight is what a document gets for the word at the most, if it were nothing
	// but this word, and bound is at least what any document gets.
	weight float64
	bound  int64
}

// peek returns the document where the cursor stands, if it is not at the end.
func (c *cursor) peek() (uint32, bool) {
	if c.block == len(c.blocks) {
		return 0, false
	}
	return c.blocks[c.block][c.place].doc, true
}

// window returns postings in their order up to the end of a block, as far as they are
// before a document, and goes past them; none if there are no more.
func (c *cursor) window(end uint32) []posting {
	if c.block == len(c.blocks) {
		return nil
	}
	b := c.blocks[c.block][c.place:]
	if c.lasts[c.block] < end {
		c.block, c.place = c.block+1, 0
		return b
	}
	n := place(b, end)
	c.place += n
	return b[:n]
}

// seek goes to the first document that is not before the given one, and returns how
// often that one has the word.
func (c *cursor) seek(doc uint32) uint32 {
	if c.block == len(c.blocks) {
		return 0
	}
	if c.lasts[c.block] < doc {
		c.block, c.place = c.list.block(c.block+1, doc), 0
		if c.block == len(c.blocks) {
			return 0
		}
	}
	b := c.blocks[c.block]
	c.place += place(b[c.place:], doc)
	if b[c.place].doc != doc {
		return 0
	}
	return b[c.place].tf
}
