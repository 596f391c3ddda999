package itsm

// Next is how a practice asks the machine, for the proof that machine and table
// agree.
func (l *Lifecycle) Next(from State, action string) (State, bool) { return l.next(from, action) }
