package itsm_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
)

func TestStandardMatrix(t *testing.T) {
	for _, m := range []itsm.Matrix{{}, itsm.StandardMatrix()} {
		for i := itsm.HighImpact; i <= itsm.LowImpact; i++ {
			for u := itsm.HighUrgency; u <= itsm.LowUrgency; u++ {
				p, err := m.Priority(i, u)
				require.NoError(t, err)
				require.Equal(t, itsm.Priority(int(i)+int(u)-1), p)
			}
		}
		require.Equal(t, itsm.Priority(5), m.Lowest())
		data, err := json.Marshal(m)
		require.NoError(t, err)
		require.JSONEq(t, "[[1,2,3],[2,3,4],[3,4,5]]", string(data))
		_, err = m.Priority(0, 4)
		require.Equal(t, []string{"impact must be 1 to 3, is 0", "urgency must be 1 to 3, is 4"}, messages(err))
		_, err = m.Priority(4, 1)
		require.Equal(t, []string{"impact must be 1 to 3, is 4"}, messages(err))
		_, err = m.Priority(1, 255)
		require.ErrorIs(t, err, itsm.ErrInvalid)
	}
	require.Equal(t, "P1", itsm.Priority(1).String())
	require.Equal(t, "-", itsm.Priority(0).String())
}

func TestNewMatrixRefusesWithAllFindings(t *testing.T) {
	many := make([][]itsm.Priority, 100)
	for i := range many {
		many[i] = []itsm.Priority{1}
	}
	wide := make([]itsm.Priority, 100)
	for i := range wide {
		wide[i] = 1
	}
	for _, tt := range []struct {
		name string
		rows [][]itsm.Priority
		want []string
	}{
		{"one", [][]itsm.Priority{{1}}, nil},
		{"flat", [][]itsm.Priority{{3, 3}, {3, 3}}, nil},
		{"steps that skip", [][]itsm.Priority{{1, 4}, {2, 200}}, nil},
		{"nothing", nil, []string{"must have a row for each impact and a column for each urgency"}},
		{"no columns", [][]itsm.Priority{{}}, []string{"must have a row for each impact and a column for each urgency"}},
		{"a hole, ragged, not monotone either way", [][]itsm.Priority{{1, 2}, {2, 1, 3}, {0}}, []string{
			"[1] must have a priority for each of 2 urgencies, has 3",
			"[1][1] is P1, above the P2 of a higher urgency",
			"[1][1] is P1, above the P2 of a higher impact",
			"[2] must have a priority for each of 2 urgencies, has 1",
			"[2][0] must be 1 or more",
			"[2][0] is -, above the P2 of a higher impact",
		}},
		{"too many impacts", many, []string{"must have less than 100 impacts"}},
		{"too many urgencies", [][]itsm.Priority{wide}, []string{"[0] must have a priority for each of 100 urgencies, has 100"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := itsm.NewMatrix(tt.rows)
			require.Equal(t, tt.want, messages(err))
			if err != nil {
				require.ErrorIs(t, err, itsm.ErrInvalid)
			}
		})
	}
}

// monotone is the promise, each pair of cells compared with each other.
func monotone(rows [][]itsm.Priority) bool {
	if len(rows) == 0 || len(rows) >= 100 || len(rows[0]) == 0 || len(rows[0]) >= 100 {
		return false
	}
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return false
		}
		for j, p := range row {
			for i2 := i; i2 < len(rows); i2++ {
				for j2 := j; j2 < len(rows[i2]); j2++ {
					if rows[i2][j2] < p {
						return false
					}
				}
			}
			if p == 0 {
				return false
			}
		}
	}
	return true
}

func TestMatrixVerificationIsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	accepted := 0
	for range 20_000 {
		rows := make([][]itsm.Priority, r.IntN(4))
		columns := r.IntN(4)
		for i := range rows {
			rows[i] = make([]itsm.Priority, columns)
			if r.IntN(20) == 0 {
				rows[i] = make([]itsm.Priority, r.IntN(4))
			}
			for j := range rows[i] {
				rows[i][j] = itsm.Priority(r.IntN(3) + i/2 + j/2)
			}
		}
		m, err := itsm.NewMatrix(rows)
		require.Equal(t, monotone(rows), err == nil, "%v: %v", rows, err)
		if err == nil {
			accepted++
			for i, row := range rows {
				for j, want := range row {
					row[j] = 99 // the matrix keeps a copy
					p, err := m.Priority(itsm.Impact(i+1), itsm.Urgency(j+1))
					require.NoError(t, err)
					require.Equal(t, want, p)
				}
			}
		}
	}
	require.Greater(t, accepted, 500)
}

func TestMatrixJSON(t *testing.T) {
	m, err := itsm.NewMatrix([][]itsm.Priority{{1, 2}, {3, 255}})
	require.NoError(t, err)
	require.Equal(t, itsm.Priority(255), m.Lowest())
	data, err := json.Marshal(struct{ M itsm.Matrix }{m})
	require.NoError(t, err)
	require.JSONEq(t, `{"M":[[1,2],[3,255]]}`, string(data))
	var again struct{ M itsm.Matrix }
	require.NoError(t, json.Unmarshal(data, &again))
	require.Equal(t, m, again.M)

	for _, tt := range []struct {
		json string
		want []string
	}{
		{`[[1,2],[2,1]]`, []string{"[1][1] is P1, above the P2 of a higher urgency", "[1][1] is P1, above the P2 of a higher impact"}},
		{`[["1",-2],{},[1.5]]`, []string{
			"[0][0] must be a whole number from 0 of at most 16 bits", "[0][1] must be a whole number from 0 of at most 16 bits",
			"[1] must be a list", "[2][0] must be a whole number from 0 of at most 16 bits"}},
		{`[[256]]`, []string{"[0][0] must be at most 255"}},
		{`7`, []string{"must be a list"}},
		{`[]`, []string{"must have a row for each impact and a column for each urgency"}},
	} {
		kept := m
		err := kept.UnmarshalJSON([]byte(tt.json))
		require.Equal(t, tt.want, messages(err), tt.json)
		require.ErrorIs(t, err, itsm.ErrInvalid)
		require.Equal(t, m, kept, "unchanged after an error")
	}
}

func FuzzMatrix(f *testing.F) {
	f.Add([]byte(`[[1,2,3],[2,3,4],[3,4,5]]`))
	f.Add([]byte(`[[1],[1,2]]`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m itsm.Matrix
		if err := m.UnmarshalJSON(data); err != nil {
			require.ErrorIs(t, err, itsm.ErrInvalid)
			return
		}
		again, err := json.Marshal(m)
		require.NoError(t, err)
		var rows [][]int
		require.NoError(t, json.Unmarshal(again, &rows))
		cells := make([][]itsm.Priority, len(rows))
		for i, row := range rows {
			for j, p := range row {
				cells[i] = append(cells[i], itsm.Priority(p))
				got, err := m.Priority(itsm.Impact(i+1), itsm.Urgency(j+1))
				require.NoError(t, err)
				require.Equal(t, itsm.Priority(p), got)
			}
		}
		require.True(t, monotone(cells), "%s", again)
	})
}
