package memory_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/storage/memory"
)

// Loan is a record of a program's own.
type Loan struct {
	itsm.Meta
	Laptop   string `json:"laptop"`
	Borrower string `json:"borrower"`
}

// AppendKeys lets loans be listed by their borrower.
func (l Loan) AppendKeys(keys []itsm.Key) []itsm.Key {
	return append(keys, itsm.Key{Field: "borrower", Value: l.Borrower})
}

// A practice does all this for its caller: it loads, decides and commits.
func Example() {
	ctx := context.Background()
	store := memory.New[Loan]()
	monday := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

	// step is a new version of a loan and the event that led to it.
	step := func(l Loan, action string, to itsm.State) itsm.Revision[Loan] {
		e := itsm.Event{
			ID: itsm.ID(fmt.Sprintf("%s-%d", l.ID, l.Version+1)), Practice: "loan", Record: l.ID, Version: l.Version + 1,
			Action: action, From: l.State, To: to, At: monday, Actor: itsm.Actor{ID: "jin"},
		}
		base := l.Version
		l.Version, l.State = e.Version, to
		return itsm.Revision[Loan]{Base: base, Record: l, Events: []itsm.Event{e}}
	}
	must := func(err error) {
		if err != nil {
			panic(err)
		}
	}

	for i, borrower := range []string{"kim", "sam", "kim"} {
		l := Loan{Laptop: fmt.Sprint("laptop ", i+1), Borrower: borrower}
		l.ID = itsm.ID(fmt.Sprint("loan", i+1))
		l.Due = monday.AddDate(0, 0, 7-i)
		must(store.Commit(ctx, step(l, "lend", "lent")))
	}

	// Two people take back the same laptop: one of them was first.
	loan, err := store.Load(ctx, "loan1")
	must(err)
	loan.Due = time.Time{}
	must(store.Commit(ctx, step(loan, "return", "returned")))
	lost := step(loan, "lose", "lost")
	lost.Events[0].ID = "another event"
	fmt.Println("conflict:", errors.Is(store.Commit(ctx, lost), itsm.ErrConflict))

	page, err := store.List(ctx, itsm.Query{Where: []itsm.Key{{Field: "borrower", Value: "kim"}}})
	must(err)
	for _, l := range page.Records {
		fmt.Println("kim:", l.Laptop, l.State)
	}
	for w, err := range store.Due(ctx, monday.AddDate(0, 1, 0)) {
		must(err)
		fmt.Println("due:", w.ID, w.Due.Format(time.DateOnly))
	}
	for d, err := range store.Feed(ctx, "") {
		must(err)
		fmt.Println("feed:", d.Event.Record, d.Event.Version, d.Event.Action)
	}
	// Output:
	// conflict: true
	// kim: laptop 1 returned
	// kim: laptop 3 lent
	// due: loan3 2026-03-07
	// due: loan2 2026-03-08
	// feed: loan1 1 lend
	// feed: loan2 1 lend
	// feed: loan3 1 lend
	// feed: loan1 2 return
}
