//go:build !unix

package pgserver

import "syscall"

// somebody returns as whom to run what may not be run by root: whoever we are.
func somebody(string) (*syscall.SysProcAttr, error) { return nil, nil }
