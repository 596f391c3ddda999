package problem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/go-itsm/itsm"
)

// A Query is what is known of an incident for which a known error is sought.
type Query struct {
	Service string
	CI      string
	// Version is that of the CI, if it is known.
	Version string
	// Text is whatever the caller said: title, description, symptom.
	Text string
}

// A Match is a known error that may help with an incident, in the form in which an
// incident keeps what is proposed: it converts to incident.Proposal.
type Match struct {
	To itsm.Ref `json:"to"`
	// Score orders them, the highest first: 4 points for the configuration item, 2 for
	// its version, 2 for the service, 1 for each word in common with its symptoms, and 3
	// for each symptom all of whose words are there.
	Score float64 `json:"score"`
	// Reason says why, point by point.
	Reason string `json:"reason"`
}

// A Matcher finds published known errors for an incident: exactly, without learning
// anything, and with a reason for each that people can check. A known error is proposed
//
//   - if the incident's configuration item has it, in that version if one is known;
//   - if it is one of the incident's service and a word of its symptoms is there;
//   - if it names no service, or the incident has none, and two words are there.
//
// It is a view: known errors keep it up to date if it is among
// [KnownErrorConfig].Views. It is safe for concurrent use. A question takes as long as
// there are known errors that share a word, the service or the CI with it.
type Matcher struct {
	mu sync.RWMutex
	// versions are those of the records last seen, so that a late reader does not bring
	// back what was.
	versions map[itsm.ID]itsm.Version
	known    map[itsm.ID]matchable
	// by has the known errors of a word, a service, a CI.
	by map[clue]map[itsm.ID]bool
}

type clue struct{ kind, value string }

// matchable is what has to be known of a known error.
type matchable struct {
	services []string
	affected []Affected
	symptoms [][]string
	clues    []clue
}

// NewMatcher returns a matcher that knows nothing.
func NewMatcher() *Matcher {
	return &Matcher{versions: map[itsm.ID]itsm.Version{}, known: map[itsm.ID]matchable{}, by: map[clue]map[itsm.ID]bool{}}
}

// Put makes the matcher know a known error as its record says, as long as it is
// published. An older version than was seen is passed over.
func (m *Matcher) Put(r KnownError) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r.Version < m.versions[r.ID] {
		return
	}
	m.versions[r.ID] = r.Version
	for _, c := range m.known[r.ID].clues {
		if delete(m.by[c], r.ID); len(m.by[c]) == 0 {
			delete(m.by, c)
		}
	}
	delete(m.known, r.ID)
	if !r.Public() {
		return
	}
	k := matchable{services: slices.Clone(r.Services)}
	for _, s := range r.Services {
		k.clues = append(k.clues, clue{"service", s})
	}
	for _, a := range r.Affected {
		k.affected = append(k.affected, Affected{a.CI, slices.Clone(a.Versions)})
		k.clues = append(k.clues, clue{"ci", a.CI})
	}
	for _, s := range r.Symptoms {
		words := wordsOf(s)
		k.symptoms = append(k.symptoms, words)
		for _, w := range words {
			k.clues = append(k.clues, clue{"word", w})
		}
	}
	m.known[r.ID] = k
	for _, c := range k.clues {
		if m.by[c] == nil {
			m.by[c] = map[itsm.ID]bool{}
		}
		m.by[c][r.ID] = true
	}
}

// Find returns the known errors that may help, best first and those with the same score
// in the order of their ids; at most 20.
func (m *Matcher) Find(q Query) []Match {
	m.mu.RLock()
	defer m.mu.RUnlock()
	words := wordsOf(q.Text)
	candidates := map[itsm.ID]bool{}
	consider := func(c clue) {
		for id := range m.by[c] {
			candidates[id] = true
		}
	}
	consider(clue{"ci", q.CI})
	for _, w := range words {
		consider(clue{"word", w})
	}
	var all []Match
	for id := range candidates {
		if match, ok := m.known[id].match(q, words); ok {
			match.To = KnownErrorRef(id)
			all = append(all, match)
		}
	}
	slices.SortFunc(all, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.To.ID, b.To.ID))
	})
	return all[:min(len(all), 20)]
}

// match says whether a known error is proposed, and why.
func (k matchable) match(q Query, words []string) (Match, bool) {
	var why []string
	score := 0
	ci := slices.IndexFunc(k.affected, func(a Affected) bool { return a.CI == q.CI })
	if ci >= 0 {
		a := k.affected[ci]
		if !a.Has(q.Version) {
			return Match{}, false
		}
		score += 4
		why = append(why, "same CI "+a.CI)
		if q.Version != "" && len(a.Versions) > 0 {
			score += 2
			why = append(why, "affected version "+q.Version)
		}
	}
	service := q.Service != "" && slices.Contains(k.services, q.Service)
	if service {
		score += 2
		why = append(why, "same service "+q.Service)
	}
	var shared []string
	whole := 0
	for _, symptom := range k.symptoms {
		here := 0
		for _, w := range symptom {
			if _, ok := slices.BinarySearch(words, w); ok {
				here++
				shared = append(shared, w)
			}
		}
		if here > 0 && here == len(symptom) {
			whole++
		}
	}
	slices.Sort(shared)
	shared = slices.Compact(shared)
	if len(shared) > 0 {
		score += len(shared) + 3*whole
		why = append(why, "symptom words: "+strings.Join(shared, ", "))
	}
	switch {
	case whole == 1:
		why = append(why, "a whole symptom")
	case whole > 1:
		why = append(why, fmt.Sprintf("%d whole symptoms", whole))
	}
	anywhere := q.Service == "" || len(k.services) == 0
	ok := ci >= 0 || service && len(shared) > 0 || anywhere && len(shared) >= 2
	return Match{Score: float64(score), Reason: strings.Join(why, "; ")}, ok
}

// wordsOf returns the words of a text that say something, in lower case, sorted, each
// once: runs of letters and digits, of at least three characters where they are ASCII,
// except the most common ones of English.
func wordsOf(text string) []string {
	var all []string
	for _, w := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		ascii := len(w) == utf8.RuneCountInString(w)
		if ascii && len(w) < 3 || slices.Contains(common(), w) {
			continue
		}
		all = append(all, w)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// common are words that are in every complaint.
func common() []string {
	return []string{"and", "any", "are", "but", "can", "cannot", "did", "does", "for", "from", "had", "has", "have", "its",
		"not", "our", "that", "the", "there", "they", "this", "was", "when", "will", "with", "you"}
}

// A Hook is a [Matcher] as a practice of incidents asks for one: it is an
// incident.Matcher, although the two packages do not know each other.
//
//	known := problem.NewMatcher()
//	desk, err := incident.NewPractice(store, incident.Config{
//		Matcher: problem.Hook[incident.Incident, incident.Proposal]{
//			Matcher: known,
//			Query: func(inc incident.Incident) problem.Query {
//				return problem.Query{Service: inc.Service, CI: inc.CI, Text: inc.Title + " " + inc.Description + " " + inc.Category}
//			},
//		},
//	})
//
// I is the record of an incident, P what it keeps of a proposal.
type Hook[I any, P ~struct {
	To     itsm.Ref `json:"to"`
	Score  float64  `json:"score"`
	Reason string   `json:"reason"`
}] struct {
	// Matcher finds the known errors, and Query says what to look for.
	Matcher *Matcher
	Query   func(incident I) Query
}

// Match returns what [Matcher.Find] finds. It fails with the context's error only.
func (h Hook[I, P]) Match(ctx context.Context, incident I) ([]P, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var all []P
	for _, m := range h.Matcher.Find(h.Query(incident)) {
		all = append(all, P(m))
	}
	return all, nil
}
