package main

import (
	"fmt"
	"io"
)

// A chapter is a part of the story. Its texts have keys that begin with its name; it
// has a title, an exercise ("task") and a hint to it.
type chapter struct {
	name string
	// tell lets it happen, says what did, and returns the way of the record that it
	// was about.
	tell func(w *world, n *narrator) way
	// terms are those of the glossary that it introduces, in English.
	terms []string
	// file is where the exercise is, and check looks at an answer to it: it returns
	// what is wrong.
	file  string
	check func(c *checker, a answers)
}

// chapters lists the story in its order.
func chapters() []chapter {
	return []chapter{
		catalogue(), restoration(), recurrence(), cause(), knownError(), cure(),
		knowing(), improving(), flowing(), dimensions(), principles(), views(),
	}
}

// tell tells one chapter, or with 0 all of them. What comes before a chapter happens
// too, silently.
func (n *narrator) tell(only int) (err error) {
	defer recoverFailure(&err)
	w := newWorld(n.words)
	silent := *n
	silent.out, silent.pause = io.Discard, quick
	if only == 0 {
		n.say("tour.welcome")
	}
	for i, c := range chapters() {
		number := i + 1
		if only > 0 && number < only {
			c.tell(w, &silent)
			continue
		}
		if only > 0 && number > only {
			break
		}
		n.chapter(w, c, number)
	}
	if only == 0 {
		n.say("tour.end")
	}
	return nil
}

// chapter tells one chapter: the story, its terms, its diagram, its exercise.
func (n *narrator) chapter(w *world, c chapter, number int) {
	n.line("")
	n.line(fmt.Sprintf("══ %s ══", n.text("tour.chapter", with{
		"number": number, "of": len(chapters()), "title": n.text(c.name + ".title")})))
	n.line("")
	record := c.tell(w, n)
	n.draw(record)
	n.heading("tour.terms")
	n.terms(c.terms)
	n.heading("tour.exercise")
	n.say(c.name + ".task")
	n.hang("", n.text("tour.how", with{"file": "examples/tour/exercises/" + c.file}))
	n.line(fmt.Sprintf("  go run ./examples/tour -lang %s -check %d", n.words.lang, number))
	n.line("")
	n.pause(afterChapter)
}
