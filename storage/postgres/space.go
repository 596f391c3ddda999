package postgres

import "fmt"

// A Space says whose records a store keeps. What is in one space, no store of
// another sees or feels, whatever the ids.
type Space struct {
	// Tenant is the host's name for the tenant. Empty where there is one only.
	Tenant string
	// Practice is the name of the practice, such as "incident". Several share a
	// database, each in a space of its own.
	Practice string
}

// check panics if the database could not keep the names, which are the program's.
func (s Space) check() {
	if !keepable(s.Tenant) || !keepable(s.Practice) {
		panic(fmt.Sprintf("postgres: the names of %#v are not UTF-8 without zero bytes", s))
	}
}
