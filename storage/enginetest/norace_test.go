//go:build !race

package enginetest_test

const races = false
