//go:build race

package problem_test

const raceDetector = true
