// Holidays shows a service desk that follows the sun: a team in Berlin, a team in
// Tokyo, and the holidays of both countries from github.com/rickar/cal/v2.
//
//	go run -C examples/holidays .
//
// It is a module of its own, so that its holidays are nobody else's. Any other
// source will do: what [sla.Dates] wants is a sequence of dates.
package main

import (
	"fmt"
	"iter"
	"log"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/jp"

	"github.com/go-itsm/itsm/sla"
)

func main() {
	office := sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 18 * time.Hour})

	// Two countries, five lines each.
	berlin := sla.Calendar{Name: "Berlin", Zone: "Europe/Berlin"}
	berlin.Weekly = office
	for _, h := range de.HolidaysBE {
		berlin.Holidays = append(berlin.Holidays, sla.Dates(h.Name, observed(h))...)
	}

	tokyo := sla.Calendar{Name: "Tokyo", Zone: "Asia/Tokyo"}
	tokyo.Weekly = office
	for _, h := range jp.Holidays {
		tokyo.Holidays = append(tokyo.Holidays, sla.Dates(h.Name, observed(h))...)
	}

	desk := compile(sla.Union(berlin, tokyo))
	alone := compile(berlin)

	fmt.Println("The desk in Golden Week, in UTC:")
	monday := time.Date(2026, time.April, 27, 0, 0, 0, 0, time.UTC)
	for day := monday; day.Before(monday.AddDate(0, 0, 11)); day = day.AddDate(0, 0, 1) {
		fmt.Print("  ", day.Format("Mon _2 Jan"))
		for o := range desk.Openings(day, day.AddDate(0, 0, 1)) {
			fmt.Print("  ", o.Open.Format("15:04"), " to ", o.Close.Format("15:04"))
		}
		fmt.Println()
	}

	fmt.Println("\nWhy nobody is there:")
	for _, at := range []time.Time{
		time.Date(2026, time.May, 1, 12, 0, 0, 0, time.UTC),
		time.Date(2026, time.May, 4, 3, 0, 0, 0, time.UTC),
	} {
		fmt.Println("  " + at.Format("Mon _2 Jan 15:04") + "  " + desk.Closed(at))
	}

	fmt.Println("\nA mail server breaks down on Thursday, 30 April, at 15:00 UTC. Eight hours later it is")
	broken := time.Date(2026, time.April, 30, 15, 0, 0, 0, time.UTC)
	for _, h := range []struct {
		who   string
		hours *sla.Hours
	}{{"for both teams", desk}, {"for Berlin alone", alone}} {
		fmt.Println("  " + h.hours.Add(broken, 8*time.Hour).Format("Mon _2 Jan 15:04") + " UTC " + h.who)
	}
}

// observed yields the dates on which a holiday is kept: the substitute, if it
// moves off a weekend. The years are those that tickets are about.
func observed(h *cal.Holiday) iter.Seq[sla.Date] {
	return func(yield func(sla.Date) bool) {
		for year := 2020; year <= 2035; year++ {
			if _, kept := h.Calc(year); !kept.IsZero() && !yield(sla.DateOf(kept)) {
				return
			}
		}
	}
}

func compile(c sla.Calendar) *sla.Hours {
	hours, err := c.Compile()
	if err != nil {
		log.Fatal(err)
	}
	return hours
}
