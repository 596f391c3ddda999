// Tour is a walk through the service value system for students: one story in twelve
// chapters, from a demand to its value, told by the library itself in virtual time.
// Everything that it says about what happened is read from the records and their
// histories. It speaks English and Korean.
//
//	go run ./examples/tour                    the whole story
//	go run ./examples/tour -lang ko           in Korean
//	go run ./examples/tour -chapter 3 -fast   one chapter, without pauses
//	go run ./examples/tour -check 3           looks at your answer to its exercise
//
// Each chapter ends with an exercise: a small function in the folder exercises that is
// wrong as it stands. Mend it, and let -check look at it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
	_ "time/tzdata" // so that it runs where the system has no time zones
)

func main() {
	pause := func(time.Duration) {}
	if terminal(os.Stdout) {
		pause = time.Sleep
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr, pause))
}

// run is the program: it returns its exit status, 2 for a command that it does not
// understand, and 1 for an exercise that is not solved yet.
func run(args []string, out, complaints io.Writer, pause func(time.Duration)) int {
	flags := flag.NewFlagSet("tour", flag.ContinueOnError)
	flags.SetOutput(complaints)
	lang := flags.String("lang", "en", "language: en or ko")
	one := flags.Int("chapter", 0, "tell only this chapter; 0 tells all")
	check := flags.Int("check", 0, "look at your answer to the exercise of this chapter")
	fast := flags.Bool("fast", false, "do not pause")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	words, err := loadTexts(*lang)
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	for _, n := range []int{*one, *check} {
		if err == nil && (n < 0 || n > len(chapters())) {
			err = fmt.Errorf("there is no chapter %d, only 1 to %d", n, len(chapters()))
		}
	}
	if err != nil {
		_, _ = fmt.Fprintln(complaints, "tour:", err)
		return 2
	}
	if *fast {
		pause = func(time.Duration) {}
	}
	n := &narrator{out: out, words: words, pause: pause}
	if *check > 0 {
		if !n.judge(*check, mine()) {
			return 1
		}
		return 0
	}
	if err := n.tell(*one); err != nil {
		_, _ = fmt.Fprintln(complaints, "tour:", err)
		return 1
	}
	return 0
}

// terminal reports whether somebody reads along.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
