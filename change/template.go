package change

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

// A Template is a standard change as it was approved: what is done, how, and how to
// get back. Its risk was assessed once, and again with each version. It keeps its
// standing as long as the changes made from this version succeed.
type Template struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Title   string `json:"title"`
	// Model is the name of the model; empty means standard.
	Model    string   `json:"model,omitempty"`
	Services []string `json:"services,omitempty"`
	CIs      []string `json:"cis,omitempty"`
	Category string   `json:"category,omitempty"`
	Plan     Plan     `json:"plan"`
	Tasks    []Step   `json:"tasks,omitempty"`
	// Risk is the level to which its assessment came.
	Risk RiskLevel `json:"risk"`
	// Approved is when this version was, and By who did; a template without them is
	// a draft.
	Approved time.Time `json:"approved,omitzero"`
	By       string    `json:"by,omitempty"`
	// MinSuccess is the percentage of its changes that have to succeed; 0 means 95.
	// MinRuns is the number by which it is judged while there are fewer: in the
	// first 20 at 95 %, one may fail. 0 means 20.
	MinSuccess int `json:"min_success,omitempty"`
	MinRuns    int `json:"min_runs,omitempty"`
	// Retired says that no more changes are to be made from it.
	Retired bool `json:"retired,omitempty"`
}

// Ref names a template's version: "restart@2".
func (t Template) Ref() string { return t.Name + "@" + strconv.Itoa(t.Version) }

// Validate returns an [itsm.ErrInvalid] with everything that is wrong with the
// template.
func (t Template) Validate() error {
	var v itsm.Validation
	v.Text("name", t.Name, 1, maxName)
	v.Check(!strings.Contains(t.Name, "@"), "name", "must not contain @")
	v.Check(t.Version >= 0, "version", "must not be negative")
	v.Text("title", t.Title, 1, maxTitle)
	v.Text("model", t.Model, 0, maxName)
	v.Texts("services", t.Services, maxItems, maxName)
	v.Texts("cis", t.CIs, maxItems, maxName)
	v.Text("category", t.Category, 0, maxName)
	v.Add(t.Plan.validate("plan."))
	v.Add(validSteps(t.Tasks))
	v.Check(t.Risk.known(), "risk", fmt.Sprintf("must be low, medium, high or very_high, is %q", t.Risk))
	v.Check(t.Approved.IsZero() == (t.By == ""), "by", "and approved must be given together")
	v.Check(t.MinSuccess >= 0 && t.MinSuccess <= 100, "min_success", "must be a percentage from 1 to 100, or 0 for 95")
	v.Check(t.MinRuns >= 0 && t.MinRuns <= 10_000, "min_runs", "must be from 1 to 10000, or 0 for 20")
	return v.Err()
}

// ParseTemplate reads the JSON form of a template. It returns an [itsm.ErrInvalid]
// with every finding, as [itsm.ParseJSON] and [Template.Validate] have them.
func ParseTemplate(data []byte) (Template, error) { return itsm.ParseJSON[Template](data) }

// Standing says why no standard change may be scheduled from the template, given
// how those before went: an [itsm.ErrNotAllowed] with every finding, or nil.
func (t Template) Standing(track Track) error {
	var v itsm.Validation
	v.Rule(!t.Approved.IsZero(), fmt.Sprintf("the template %s is not approved", t.Ref()))
	v.Rule(!t.Retired, fmt.Sprintf("the template %s is retired", t.Ref()))
	least, runs := t.MinSuccess, t.MinRuns
	if least == 0 {
		least = 95
	}
	if runs == 0 {
		runs = 20
	}
	runs = max(runs, track.Done)
	may := runs * (100 - least) / 100
	v.Rule(track.Done-track.Good <= may, fmt.Sprintf("the template %s has lost its standing: %d of %d changes did not succeed, of %d at most %d may",
		t.Ref(), track.Done-track.Good, track.Done, runs, may))
	return v.Err()
}

// A Track says how changes of one kind went.
type Track struct {
	// Done counts those that were carried out, and Good those that succeeded.
	Done int `json:"done"`
	Good int `json:"good"`
}

// Grade says in a word how they went: "none" were carried out, "good" if at least
// 95 % succeeded, "mixed" if at least 80 %, or "bad".
func (t Track) Grade() string {
	switch percent := t.Good * 100; {
	case t.Done == 0:
		return "none"
	case percent >= t.Done*95:
		return "good"
	case percent >= t.Done*80:
		return "mixed"
	}
	return "bad"
}

// A History knows how the changes went that have a key: {"template", "restart@2"},
// {"ci", "db-1"}, {"service", "mail"}. [Results] is one; a host may ask its own
// tables. It must be safe for concurrent use.
type History interface {
	Track(ctx context.Context, key itsm.Key) (Track, error)
}

// Results remembers how the last changes went, by template, service and
// configuration item. It is a view: the practice keeps it up to date if it is
// among [Config].Views. It is safe for concurrent use.
type Results struct {
	keep int

	mu    sync.RWMutex
	byKey map[itsm.Key][]result
	seen  map[itsm.ID]seen
}

type result struct {
	id   itsm.ID
	at   time.Time
	good bool
}

// seen is what was last read of a record, so that it can be taken back.
type seen struct {
	version itsm.Version
	keys    []itsm.Key
}

// NewResults returns a memory of the last so many changes of each key; 0 means 100.
func NewResults(keep int) *Results {
	if keep <= 0 {
		keep = 100
	}
	return &Results{keep: keep, byKey: map[itsm.Key][]result{}, seen: map[itsm.ID]seen{}}
}

// Put takes a change's record into account: what is done counts, unless it was not
// implemented. An older version of a record than was seen is passed over.
func (h *Results) Put(r Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.seen[r.ID]
	if r.Version < before.version {
		return
	}
	for _, key := range before.keys {
		h.byKey[key] = slices.DeleteFunc(h.byKey[key], func(one result) bool { return one.id == r.ID })
	}
	now := seen{version: r.Version}
	if r.Outcome.Good() || r.Outcome.Bad() {
		for _, key := range r.AppendKeys(nil) {
			if key.Field != "template" && key.Field != "service" && key.Field != "ci" {
				continue
			}
			now.keys = append(now.keys, key)
			all := append(h.byKey[key], result{r.ID, r.Ended, r.Outcome.Good()})
			slices.SortStableFunc(all, func(a, b result) int { return a.at.Compare(b.at) })
			h.byKey[key] = slices.Clone(all[max(0, len(all)-h.keep):])
		}
	}
	h.seen[r.ID] = now
}

// Track counts the last changes that have a key. It never fails.
func (h *Results) Track(_ context.Context, key itsm.Key) (Track, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	var t Track
	for _, one := range h.byKey[key] {
		t.Done++
		if one.good {
			t.Good++
		}
	}
	return t, nil
}
