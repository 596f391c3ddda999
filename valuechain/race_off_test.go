//go:build !race

package valuechain_test

// raceDetector says that tests run under the race detector, and so do less.
const raceDetector = false
