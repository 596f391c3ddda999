//go:build !race

package approval_test

const racing = false
