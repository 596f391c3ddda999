package knowledge

import "strings"

// A Difference is a part of a text that is not the same in two versions of it.
type Difference struct {
	// Part is its name: "title", "resolution".
	Part  string `json:"part"`
	Lines []Line `json:"lines"`
}

// A Line of a text, or how it was changed.
type Line struct {
	// Sign is "-" for a line that is gone, "+" for one that is new, and " " for one that
	// stayed.
	Sign string `json:"sign"`
	Text string `json:"text"`
}

// maxCompared bounds the work of comparing: where the lines that differ are more in either
// text, all of the old ones are gone and all of the new ones new.
const maxCompared = 2000

// Compare lists the parts in which two texts differ, line by line: as few lines gone and new
// as there can be, and gone before new.
func Compare(was, is Content) []Difference {
	var all []Difference
	parts := map[string]string{}
	for name, text := range is.Parts() {
		parts[name] = text
	}
	for name, text := range was.Parts() {
		if text != parts[name] {
			all = append(all, Difference{name, compare(lines(text), lines(parts[name]))})
		}
	}
	return all
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// compare finds a longest common subsequence of lines.
func compare(was, is []string) []Line {
	var head, tail []Line
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		head = append(head, Line{" ", was[0]})
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		tail = append(tail, Line{" ", was[len(was)-1]})
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	if len(was) <= maxCompared && len(is) <= maxCompared {
		head = append(head, middle(was, is)...)
	} else {
		head = append(append(head, signed("-", was)...), signed("+", is)...)
	}
	for i := len(tail) - 1; i >= 0; i-- {
		head = append(head, tail[i])
	}
	return head
}

func signed(sign string, lines []string) []Line {
	var all []Line
	for _, text := range lines {
		all = append(all, Line{sign, text})
	}
	return all
}

func middle(was, is []string) []Line {
	// common[i][j] is how many lines was[i:] and is[j:] have in common, in order.
	common := make([][]int16, len(was)+1)
	for i := range common {
		common[i] = make([]int16, len(is)+1)
	}
	for i := len(was) - 1; i >= 0; i-- {
		for j := len(is) - 1; j >= 0; j-- {
			if was[i] == is[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var all []Line
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		switch {
		case i < len(was) && j < len(is) && was[i] == is[j]:
			all = append(all, Line{" ", was[i]})
			i, j = i+1, j+1
		case i < len(was) && (j == len(is) || common[i+1][j] >= common[i][j+1]):
			all = append(all, Line{"-", was[i]})
			i++
		default:
			all = append(all, Line{"+", is[j]})
			j++
		}
	}
	return all
}
