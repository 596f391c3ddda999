// Package approval decides whether something is approved.
package approval
