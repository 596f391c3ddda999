package practicetest

// WholeError is [Whole] without a test.
func WholeError[R any](begin func(store *Faulty[R]) (Call, error)) error { return whole(begin) }
