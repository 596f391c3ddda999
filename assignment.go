package itsm

// An Assignment says whose a record is: a group's, or one person's in it.
type Assignment struct {
	Group  string `json:"group,omitempty"`
	Person string `json:"person,omitempty"`
}

// Validate checks that it names somebody, with at most 200 characters each.
func (a Assignment) Validate() error {
	var v Validation
	v.Check(a != Assignment{}, "group", "or person must be given")
	v.Text("group", a.Group, 0, 200)
	v.Text("person", a.Person, 0, 200)
	return v.Err()
}

// TakenFrom reports whether the group or the person that had it does not have it any
// more. The first assignment takes nothing, nor does naming a person in the group that
// has it.
func (a Assignment) TakenFrom(had Assignment) bool {
	return had.Group != "" && had.Group != a.Group || had.Person != "" && had.Person != a.Person
}

// Take makes sure that a person has it: who begins the work, if nobody had.
func (a *Assignment) Take(at Moment) {
	if a.Person == "" {
		a.Person = at.Actor.ID
	}
}
