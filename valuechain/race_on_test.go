//go:build race

package valuechain_test

const raceDetector = true
