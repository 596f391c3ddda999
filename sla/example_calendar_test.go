package sla_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-itsm/itsm/sla"
)

// An office in Berlin with a lunch break, its holidays, a short Christmas Eve
// and, from 2027 on, longer hours.
func ExampleCalendar() {
	morning := sla.Window{Open: 9 * time.Hour, Close: 12 * time.Hour}
	afternoon := sla.Window{Open: 13 * time.Hour, Close: 17 * time.Hour}
	office := sla.Calendar{
		Name: "Berlin office",
		Zone: "Europe/Berlin",
		Rules: sla.Rules{
			Weekly: sla.MondayToFriday(morning, afternoon),
			Holidays: []sla.Holiday{
				{On: "01-01", Name: "New Year's Day"},
				{On: "easter-2", Name: "Good Friday"},
				{On: "12-25", Name: "Christmas Day"},
			},
			Exceptions: map[sla.Date][]sla.Window{
				{Year: 2026, Month: time.December, Day: 24}: {morning},
			},
		},
		Editions: []sla.Edition{{
			From:  sla.Date{Year: 2027, Month: time.January, Day: 1},
			Rules: sla.Rules{Weekly: sla.MondayToFriday(sla.Window{Open: 8 * time.Hour, Close: 20 * time.Hour})},
		}},
	}
	hours, err := office.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	berlin, _ := time.LoadLocation("Europe/Berlin")
	for o := range hours.Openings(time.Date(2026, 12, 23, 0, 0, 0, 0, berlin), time.Date(2027, 1, 5, 0, 0, 0, 0, berlin)) {
		if o.Open.In(berlin).Day() < 29 {
			fmt.Println(o.Open.In(berlin).Format("Mon 2 Jan 2006 15:04"), "to", o.Close.In(berlin).Format("15:04"))
		}
	}
	fmt.Println("25 December:", hours.Closed(time.Date(2026, 12, 25, 10, 0, 0, 0, berlin)))
	// Output:
	// Wed 23 Dec 2026 09:00 to 12:00
	// Wed 23 Dec 2026 13:00 to 17:00
	// Thu 24 Dec 2026 09:00 to 12:00
	// Mon 28 Dec 2026 09:00 to 12:00
	// Mon 28 Dec 2026 13:00 to 17:00
	// Fri 1 Jan 2027 08:00 to 20:00
	// Mon 4 Jan 2027 08:00 to 20:00
	// 25 December: Christmas Day
}

// Four hours of work that begin on a Friday at 15:00 are done on Monday at 11:00.
// Eight hours are reached when the office closes, and work goes on the next
// morning.
func ExampleHours_Add() {
	office := sla.Calendar{Zone: "Europe/Berlin", Rules: sla.Rules{
		Weekly: sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 17 * time.Hour}),
	}}
	hours, err := office.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	berlin, _ := time.LoadLocation("Europe/Berlin")
	show := func(t time.Time) string { return t.In(berlin).Format("Mon 15:04") }

	friday := time.Date(2026, 6, 5, 15, 0, 0, 0, berlin)
	fmt.Println(show(hours.Add(friday, 4*time.Hour)))

	monday := time.Date(2026, 6, 8, 9, 0, 0, 0, berlin)
	deadline := hours.Add(monday, 8*time.Hour)
	fmt.Println(show(deadline), "then", show(hours.NextOpen(deadline)))
	fmt.Println(hours.Between(friday, deadline))
	fmt.Println(show(hours.Add(deadline, -10*time.Hour)))
	// Output:
	// Mon 11:00
	// Mon 17:00 then Tue 09:00
	// 10h0m0s
	// Fri 15:00
}

// Two teams follow the sun; the one is there when the other sleeps.
func ExampleUnion() {
	day := sla.MondayToFriday(sla.Window{Open: 9 * time.Hour, Close: 18 * time.Hour})
	berlin := sla.Calendar{Name: "Berlin", Zone: "Europe/Berlin", Rules: sla.Rules{Weekly: day}}
	seoul := sla.Calendar{Name: "Seoul", Zone: "Asia/Seoul", Rules: sla.Rules{
		Weekly:   day,
		Holidays: []sla.Holiday{{On: "2026-02-17", Name: "Seollal"}},
	}}
	hours, err := sla.Union(berlin, seoul).Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	for o := range hours.Openings(time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC), time.Date(2026, 2, 18, 0, 0, 0, 0, time.UTC)) {
		fmt.Println(o.Open.Format("Mon 15:04"), "to", o.Close.Format("15:04"))
	}
	fmt.Println(hours.Closed(time.Date(2026, 2, 17, 3, 0, 0, 0, time.UTC)))
	// Output:
	// Mon 00:00 to 17:00
	// Tue 08:00 to 17:00
	// Berlin: outside hours; Seoul: Seollal
}

// The weekly maintenance is no service time.
func ExampleDifference() {
	maintenance := sla.Calendar{Name: "maintenance", Zone: "UTC", Rules: sla.Rules{
		Weekly: sla.Week{time.Saturday: {{Open: 22 * time.Hour, Close: 2 * time.Hour}}},
	}}
	hours, err := sla.Difference(sla.AlwaysOpen(), maintenance).Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	saturday := time.Date(2026, 6, 6, 12, 0, 0, 0, time.UTC)
	fmt.Println(hours.NextClose(saturday).Format("Mon 15:04"))
	fmt.Println(hours.Add(saturday, 12*time.Hour).Format("Mon 15:04"))
	fmt.Println(hours.Closed(saturday.Add(11 * time.Hour)))
	// Output:
	// Sat 22:00
	// Sun 04:00
	// during maintenance
}

// Dates of any kind become holidays: here those of a table.
func ExampleDates() {
	table := []sla.Date{{Year: 2026, Month: 2, Day: 17}, {Year: 2027, Month: 2, Day: 7}}
	text, _ := json.Marshal(sla.Dates("Seollal", slices.Values(table)))
	fmt.Println(string(text))
	// Output:
	// [{"on":"2026-02-17","name":"Seollal"},{"on":"2027-02-07","name":"Seollal"}]
}

// A text from outside is refused with everything that is wrong with it.
func ExampleParseCalendar() {
	_, err := sla.ParseCalendar([]byte(`{
		"tz": "Europe/Berlin",
		"weekly": {"mon": [["9:00", "17:00"]], "tues": []},
		"holidays": ["25-12"]
	}`))
	for _, finding := range sla.Findings(err) {
		fmt.Println(finding.Field)
	}
	// Output:
	// weekly.mon[0][0]
	// weekly.tues
	// holidays[0].on
}
