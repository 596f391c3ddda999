package sla

import "fmt"

// A CSAT counts the answers to "how satisfied are you with this?", from 1 to 5:
// customer satisfaction, which is about one thing just done. 4 and 5 are
// satisfied. It must not be read while Add counts.
type CSAT struct {
	// Sent is how many were asked; 0 if it is not known.
	Sent int64 `json:"sent,omitempty"`
	// Answers are how many answered 1, 2, 3, 4, 5.
	Answers [5]int64 `json:"answers"`
}

// Add counts one answer. It returns an [ErrInvalid] if it is not 1 to 5.
func (c *CSAT) Add(answer int) error { return addAnswer(c.Answers[:], answer, 1) }

// Responses returns n, how many answered. Say it with every score: of three
// answers a score says little.
func (c CSAT) Responses() int64 { return countAll(c.Answers[:]) }

// Score returns how many of those who answered are satisfied. Without answers it
// is undefined.
func (c CSAT) Score() Fraction { return Fraction{countAll(c.Answers[3:]), c.Responses()} }

// Rate returns how many of those asked have answered. It is undefined where it is
// not known how many were asked.
func (c CSAT) Rate() Fraction { return Fraction{c.Responses(), c.Sent} }

// Validate returns an [ErrInvalid] with everything that is wrong: negative
// counts, or more answers than questions.
func (c CSAT) Validate() error { return validateAnswers(c.Answers[:], c.Sent) }

// String returns "CSAT 80.0 % (n = 10, response rate 25.0 %)".
func (c CSAT) String() string {
	return fmt.Sprintf("CSAT %s (n = %d, response rate %s)", c.Score().withSign(1), c.Responses(), c.Rate().withSign(1))
}

// An NPS counts the answers to "how likely are you to recommend us?", from 0 to
// 10: the net promoter score, which is about the relationship as a whole. 9 and
// 10 are promoters, 0 to 6 detractors, the others passives. It must not be read
// while Add counts.
type NPS struct {
	// Sent is how many were asked; 0 if it is not known.
	Sent int64 `json:"sent,omitempty"`
	// Answers are how many answered 0, 1, … 10.
	Answers [11]int64 `json:"answers"`
}

// Add counts one answer. It returns an [ErrInvalid] if it is not 0 to 10.
func (s *NPS) Add(answer int) error { return addAnswer(s.Answers[:], answer, 0) }

// Responses returns n, how many answered.
func (s NPS) Responses() int64 { return countAll(s.Answers[:]) }

// Promoters returns how many answered 9 or 10.
func (s NPS) Promoters() int64 { return countAll(s.Answers[9:]) }

// Passives returns how many answered 7 or 8.
func (s NPS) Passives() int64 { return countAll(s.Answers[7:9]) }

// Detractors returns how many answered 0 to 6.
func (s NPS) Detractors() int64 { return countAll(s.Answers[:7]) }

// Score returns promoters without detractors, of all who answered: from -100 to
// 100 if it is taken in percent, as it is usual. Without answers it is undefined.
func (s NPS) Score() Fraction { return Fraction{s.Promoters() - s.Detractors(), s.Responses()} }

// Rate returns how many of those asked have answered. It is undefined where it is
// not known how many were asked.
func (s NPS) Rate() Fraction { return Fraction{s.Responses(), s.Sent} }

// Validate returns an [ErrInvalid] with everything that is wrong: negative
// counts, or more answers than questions.
func (s NPS) Validate() error { return validateAnswers(s.Answers[:], s.Sent) }

// String returns "NPS 30.0 (n = 10, response rate 25.0 %)".
func (s NPS) String() string {
	return fmt.Sprintf("NPS %s (n = %d, response rate %s)", s.Score().Percent(1), s.Responses(), s.Rate().withSign(1))
}

func addAnswer(counts []int64, answer, least int) error {
	i := answer - least
	if i < 0 || i >= len(counts) {
		return &Finding{Field: "answer", Reason: fmt.Sprintf("must be %d to %d, is %d", least, least+len(counts)-1, answer)}
	}
	counts[i]++
	return nil
}

func countAll(counts []int64) int64 {
	n := int64(0)
	for _, c := range counts {
		n += c
	}
	return n
}

func validateAnswers(counts []int64, sent int64) error {
	const most = 1_000_000_000_000_000 // so that sums fit
	var f findings
	for i, c := range counts {
		f.check(c >= 0 && c <= most, fmt.Sprintf("answers[%d]", i), fmt.Sprintf("must be 0 to %d", int64(most)))
	}
	f.check(sent >= 0 && sent <= most, "sent", fmt.Sprintf("must be 0 to %d", int64(most)))
	if err := f.err(); err != nil {
		return err
	}
	f.check(sent == 0 || countAll(counts) <= sent, "sent", fmt.Sprintf("must be at least the %d who answered", countAll(counts)))
	return f.err()
}
