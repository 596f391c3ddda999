//go:build race

// Package race says whether a program runs under the race detector.
package race

// Detector says that tests run under the race detector, and so do less.
const Detector = true
