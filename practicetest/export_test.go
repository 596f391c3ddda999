package practicetest

// WholeError is [Whole] without a test.
func WholeError[R any](begin func(store *Faulty[R]) (Call[R], error)) error { return whole(begin) }

// Lives tests a practice, and tells after each of the ways in which it does.
func Lives[R any](h Harness[R], hosts []Host[R], lived func(name string, err error)) {
	for _, l := range lives[R]() {
		_, err := l.live(h.ready(), hosts)
		lived(l.name, err)
	}
}
