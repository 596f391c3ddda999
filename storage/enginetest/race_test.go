//go:build race

package enginetest_test

// races says whether this program finds data races.
const races = true
