package main

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// The agreement that the log's owner had is not published. This one was fitted to
// its column made_sla: the open time from opening to closing, by the priority that
// an incident had in the end, without holidays or pauses.
//
//go:embed agreement.json
var agreementJSON []byte

//go:embed calendar.json
var calendarJSON []byte

// MadeSLA compares the log's column with our own clocks.
type MadeSLA struct {
	Agreement string `json:"agreement"`
	Calendar  string `json:"calendar"`
	// Agreed counts the incidents on which both say the same, Of all of those
	// that the agreement covers and that were opened and closed.
	Agreed  int       `json:"agreed"`
	Of      int       `json:"of"`
	LeftOut int       `json:"left_out"`
	Differ  []Dispute `json:"differ"`
}

// A Dispute is an incident on which the log and the clock do not agree.
type Dispute struct {
	Incident itsm.ID   `json:"incident"`
	Priority string    `json:"priority"`
	Opened   time.Time `json:"opened"`
	Closed   time.Time `json:"closed"`
	Elapsed  int64     `json:"elapsed_seconds"`
	Goal     int64     `json:"goal_seconds"`
	Log      bool      `json:"log"`
	Ours     bool      `json:"ours"`
}

// readBook reads the agreement and its calendar, as a vendor would from where it
// stores them.
func readBook() (*sla.Book, error) {
	calendar, err := sla.ParseCalendar(calendarJSON)
	if err != nil {
		return nil, err
	}
	hours, err := calendar.Compile()
	if err != nil {
		return nil, err
	}
	agreement, err := sla.ParseAgreement(agreementJSON)
	if err != nil {
		return nil, err
	}
	return sla.NewBook([]*sla.Hours{hours}, []sla.Agreement{agreement})
}

// madeSLA measures every incident from its opening to its closing.
func (r *reporter) madeSLA() (*MadeSLA, error) {
	book, err := readBook()
	if err != nil {
		return nil, err
	}
	m := &MadeSLA{Differ: []Dispute{}}
	for _, c := range r.order {
		if c.opened.IsZero() || c.last.Closed.IsZero() {
			m.LeftOut++
			continue
		}
		priority, _, _ := strings.Cut(c.last.Priority, " ")
		promises := book.Promises(c.opened, sla.FactMap{"priority": priority})
		if len(promises) == 0 {
			m.LeftOut++
			continue
		}
		clock, err := book.Clock(sla.Target{Terms: promises[0].Terms, Marks: []sla.Mark{
			{At: c.opened, Do: sla.Start}, {At: c.last.Closed, Do: sla.Stop},
		}})
		if err != nil {
			return nil, err
		}
		reading := clock.At(c.last.Closed)
		m.Agreement, m.Calendar = fmt.Sprintf("%s@%d", promises[0].Agreement, promises[0].Version), promises[0].Calendar
		m.Of++
		if made := reading.State == sla.Met; made != c.last.MadeSLA {
			m.Differ = append(m.Differ, Dispute{c.id, priority, c.opened, c.last.Closed,
				int64(reading.Elapsed / time.Second), int64(reading.Goal / time.Second), c.last.MadeSLA, made})
			continue
		}
		m.Agreed++
	}
	return m, nil
}

func (m *MadeSLA) print(w io.Writer) {
	fmt.Fprintf(w, "\nThe log's made_sla and agreement %s in the hours of %s\n", m.Agreement, m.Calendar)
	fmt.Fprintf(w, "  agreed on %s of %s incidents; %s left out\n", number(m.Agreed), number(m.Of), number(m.LeftOut))
	verdict := map[bool]string{true: "kept", false: "missed"}
	for _, d := range m.Differ {
		fmt.Fprintf(w, "  %s  priority %s, %s to %s: %s open of %s; the log says %s, the clock %s\n", d.Incident, d.Priority,
			d.Opened.Format(time.DateTime), d.Closed.Format(time.DateTime),
			time.Duration(d.Elapsed)*time.Second, time.Duration(d.Goal)*time.Second, verdict[d.Log], verdict[d.Ours])
	}
}
