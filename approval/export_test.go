package approval

// States returns the people of an electorate, and a function that says what their
// votes come to; an empty vote is that of one who has not voted.
func States(e Electorate) (people []string, outcome func(votes []Vote) Outcome) {
	t := newAssembly(&e)
	for _, s := range t.seats {
		people = append(people, s.person)
	}
	return people, func(votes []Vote) Outcome {
		for i, s := range t.seats {
			s.voted, s.vote = votes[i] != "", votes[i].value()
		}
		return t.outcome()
	}
}
