// Package sla says whether a service gives its users what was agreed: calendars
// of service hours, clocks that measure against a goal in them, agreements that
// say which goals apply to what, and reports on how they were kept.
//
// Everything here is a value or a pure function of values: no clock but the one
// that is passed in, no storage, no goroutine. The package imports nothing of
// the rest of the module, so that it can be used alone.
package sla
