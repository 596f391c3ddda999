//go:build race

package knowledge_test

const raceDetector = true
