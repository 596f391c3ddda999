//go:build race

package incident_test

const raceDetector = true
