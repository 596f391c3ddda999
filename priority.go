package itsm

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Impact, Urgency and Priority count down from 1, the highest, as ITIL tables
// and most products do; beware of those where the highest number is the
// highest level. 0 means that it was not judged.
//
// Impact is how much harm is done to the business, Urgency how soon it hurts.
type (
	Impact   uint8
	Urgency  uint8
	Priority uint8
)

// Names for the three levels of [StandardMatrix].
const (
	HighImpact   Impact = 1
	MediumImpact Impact = 2
	LowImpact    Impact = 3

	HighUrgency   Urgency = 1
	MediumUrgency Urgency = 2
	LowUrgency    Urgency = 3
)

// String returns "P1" and so on, or "-" if there is none.
func (p Priority) String() string {
	if p == 0 {
		return "-"
	}
	return fmt.Sprintf("P%d", p)
}

// A Matrix derives a priority from impact and urgency. It is total and
// monotone: every impact and urgency has a priority, and more of either never
// makes it lower. It is immutable; the zero value is the [StandardMatrix]. Its
// JSON form is a list of rows, one for each impact, with a column for each
// urgency.
type Matrix struct {
	rows [][]Priority
}

// standardRows is the 3×3 table that products and practitioners share: impact
// plus urgency minus one. ITIL prescribes none.
func standardRows() [][]Priority {
	return [][]Priority{{1, 2, 3}, {2, 3, 4}, {3, 4, 5}}
}

// StandardMatrix returns the usual matrix of three impacts, three urgencies and
// five priorities: impact plus urgency minus one.
func StandardMatrix() Matrix { return Matrix{standardRows()} }

// NewMatrix returns a matrix with a row for each impact and a column for each
// urgency, the highest first. It returns an [ErrInvalid] with every finding if
// it is not total and monotone.
func NewMatrix(rows [][]Priority) (Matrix, error) {
	var v Validation
	v.Check(len(rows) > 0 && len(rows[0]) > 0, "", "must have a row for each impact and a column for each urgency")
	v.Check(len(rows) < 100, "", "must have less than 100 impacts")
	own := make([][]Priority, len(rows))
	for i, row := range rows {
		own[i] = slices.Clone(row)
		v.Check(len(row) == len(rows[0]) && len(row) < 100, fmt.Sprintf("[%d]", i),
			fmt.Sprintf("must have a priority for each of %d urgencies, has %d", len(rows[0]), len(row)))
		for j, p := range row {
			field := fmt.Sprintf("[%d][%d]", i, j)
			v.Check(p > 0, field, "must be 1 or more")
			if j > 0 {
				v.Check(p >= row[j-1], field, fmt.Sprintf("is %s, above the %s of a higher urgency", p, row[j-1]))
			}
			if i > 0 && j < len(rows[i-1]) {
				v.Check(p >= rows[i-1][j], field, fmt.Sprintf("is %s, above the %s of a higher impact", p, rows[i-1][j]))
			}
		}
	}
	if err := v.Err(); err != nil {
		return Matrix{}, err
	}
	return Matrix{own}, nil
}

func (m Matrix) table() [][]Priority {
	if m.rows == nil {
		return standardRows()
	}
	return m.rows
}

// Priority returns the priority of an impact and an urgency, or an [ErrInvalid]
// with a finding for each that the matrix does not have.
func (m Matrix) Priority(i Impact, u Urgency) (Priority, error) {
	rows := m.table()
	if i > 0 && u > 0 && int(i) <= len(rows) && int(u) <= len(rows[0]) {
		return rows[i-1][u-1], nil
	}
	var v Validation
	v.Check(i > 0 && int(i) <= len(rows), "impact", fmt.Sprintf("must be 1 to %d, is %d", len(rows), i))
	v.Check(u > 0 && int(u) <= len(rows[0]), "urgency", fmt.Sprintf("must be 1 to %d, is %d", len(rows[0]), u))
	return 0, v.Err()
}

// Lowest returns the number of the lowest priority.
func (m Matrix) Lowest() Priority {
	rows := m.table()
	last := rows[len(rows)-1]
	return last[len(last)-1]
}

// MarshalJSON writes the rows.
func (m Matrix) MarshalJSON() ([]byte, error) {
	var rows [][]int // a []Priority would be written as bytes
	for _, row := range m.table() {
		ints := make([]int, len(row))
		for j, p := range row {
			ints[j] = int(p)
		}
		rows = append(rows, ints)
	}
	return json.Marshal(rows)
}

// UnmarshalJSON reads the rows and verifies them, as [NewMatrix] does.
func (m *Matrix) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil // by convention of encoding/json
	}
	var read [][]uint16
	if err := decodeStrict(data, &read, maxDefinition); err != nil {
		return err
	}
	var v Validation
	rows := make([][]Priority, len(read))
	for i, row := range read {
		rows[i] = make([]Priority, len(row))
		for j, p := range row {
			v.Check(p <= 255, fmt.Sprintf("[%d][%d]", i, j), "must be at most 255")
			rows[i][j] = Priority(p)
		}
	}
	if err := v.Err(); err != nil {
		return err
	}
	made, err := NewMatrix(rows)
	if err == nil {
		*m = made
	}
	return err
}
