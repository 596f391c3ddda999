package svs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

// Cursors keep where readers of feeds have come to, for as long as the feeds exist:
// a table of two columns. Both methods are safe for concurrent use.
type Cursors interface {
	// Cursor returns what was saved for a reader, empty if nothing was.
	Cursor(ctx context.Context, reader string) (itsm.Cursor, error)
	// SaveCursor saves it. Where several hosts are one reader an older cursor may
	// be saved after a newer one, which costs time and nothing else.
	SaveCursor(ctx context.Context, reader string, c itsm.Cursor) error
}

// Config is what a host decides for a [System]. All but Reactions has a default.
type Config struct {
	// Name tells the cursors of this system from those of others. Empty means
	// "svs".
	Name      string
	Reactions []Reaction
	// Cursors keep where the system has come to. Nil means in memory, for tests
	// and for stores in memory: when the program starts the feeds are read from
	// their beginning, and all is decided again. What was done is not done again.
	Cursors Cursors
	// Actor is who the histories say it was. Zero means [itsm.System].
	Actor itsm.Actor
	// Refused is told what could not be done because of what it was, or of how
	// the record stood: nobody will try it again. It is told at least once. Nil
	// means that it is logged.
	Refused func(ctx context.Context, r Refusal)
	// Interval is how often [System.Run] looks for new events when nobody calls
	// [System.Wake]. 0 means a second.
	Interval time.Duration
	// Log gets what failed and will be tried again; nil means slog.Default().
	Log *slog.Logger
}

// A Refusal is an effect that did not happen, and why.
type Refusal struct {
	Reaction string
	// Event is what it would have been because of.
	Event itsm.Event
	// Effect is what was to be done, and Record to what; both are empty if the
	// reaction itself refused to decide.
	Effect Point
	Record itsm.ID
	Err    error
}

// A System carries out reactions: it follows the feeds of practices and does what
// their events lead to. Each effect happens once, however many hosts run the same
// system over the same stores, and whichever of them dies at whatever point: events
// are read at least once, and [itsm.Because] makes what is done again be refused.
//
// It is safe for concurrent use. It starts nothing by itself.
type System struct {
	cfg    Config
	feeds  []feed
	woken  chan struct{}
	chains chains
}

// A feed is one practice that is followed, and what its actions lead to.
type feed struct {
	practice practice
	reader   string
	rules    map[string][]rule // by action
}

// NewSystem puts a system together. It returns an [itsm.ErrInvalid] with every
// finding: what is missing, names that are there twice, actions that a practice does
// not have, and every circle in which reactions could turn for ever.
func NewSystem(cfg Config) (*System, error) {
	if cfg.Name == "" {
		cfg.Name = "svs"
	}
	if cfg.Cursors == nil {
		cfg.Cursors = &cursors{all: map[string]itsm.Cursor{}}
	}
	if cfg.Actor.ID == "" {
		cfg.Actor = itsm.System()
	}
	if cfg.Interval <= 0 {
		cfg.Interval = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.Refused == nil {
		cfg.Refused = func(ctx context.Context, r Refusal) {
			cfg.Log.WarnContext(ctx, "a reaction was refused", "reaction", r.Reaction, "event", r.Event.ID,
				"effect", r.Effect.String(), "record", r.Record, "error", r.Err)
		}
	}
	rules, err := check(cfg.Reactions)
	if err != nil {
		return nil, err
	}
	s := &System{cfg: cfg, woken: make(chan struct{}, 1)}
	for _, r := range rules {
		i := slices.IndexFunc(s.feeds, func(f feed) bool { return f.practice == r.source })
		if i < 0 {
			i = len(s.feeds)
			s.feeds = append(s.feeds, feed{r.source, cfg.Name + "/" + r.source.Name(), map[string][]rule{}})
		}
		for _, a := range r.actions {
			s.feeds[i].rules[a] = append(s.feeds[i].rules[a], r)
		}
	}
	return s, nil
}

// check returns the rules, or everything that is wrong with them.
func check(reactions []Reaction) ([]rule, error) {
	var v itsm.Validation
	var rules []rule
	names, sources := map[string]bool{}, map[string]practice{}
	for i, one := range reactions {
		field := fmt.Sprintf("reactions[%d]", i)
		if one == nil {
			v.Check(false, field, "must not be nil")
			continue
		}
		r := one.rule()
		r.field = field
		v.Check(r.name != "", field+".name", "must not be empty")
		v.Check(r.name == "" || !names[r.name], field+".name", fmt.Sprintf("%q is there twice", r.name))
		names[r.name] = true
		for _, missing := range r.missing {
			v.Check(false, field+"."+missing, "must not be nil")
		}
		v.Check(len(r.actions) > 0, field+".actions", "must not be empty")
		if r.source != nil {
			name := r.source.Name()
			v.Check(sources[name] == nil || sources[name] == r.source, field+".practice",
				fmt.Sprintf("is another practice than the %s of a reaction before", name))
			sources[name] = r.source
			actions := actionsOf(r.source.Lifecycle())
			for j, a := range r.actions {
				v.Check(actions[a], fmt.Sprintf("%s.actions[%d]", field, j), fmt.Sprintf("%q is no action of %s", a, name))
				v.Check(!slices.Contains(r.actions[:j], a), fmt.Sprintf("%s.actions[%d]", field, j), fmt.Sprintf("%q is there twice", a))
			}
		}
		rules = append(rules, r)
	}
	for _, r := range rules {
		for j, p := range r.leads {
			if source := sources[p.Practice]; source != nil {
				v.Check(actionsOf(source.Lifecycle())[p.Action], fmt.Sprintf("%s.leads[%d]", r.field, j),
					fmt.Sprintf("%q is no action of %s", p.Action, p.Practice))
			}
		}
	}
	if v.Err() == nil {
		for _, c := range circles(rules) {
			v.Check(false, "reactions", "could turn in a circle: "+c)
		}
	}
	return rules, v.Err()
}

func actionsOf(l *itsm.Lifecycle) map[string]bool {
	spec := l.Spec()
	all := map[string]bool{spec.Create: true}
	for _, t := range spec.Transitions {
		all[t.Action] = true
	}
	return all
}

// circles lists the shortest way round through each reaction that can lead to
// itself, each circle once.
func circles(rules []rule) []string {
	// next lists the reactions that one can lead to.
	next := make([][]int, len(rules))
	for i, r := range rules {
		for j, other := range rules {
			if slices.ContainsFunc(other.actions, func(a string) bool {
				return slices.Contains(r.leads, Point{other.source.Name(), a})
			}) {
				next[i] = append(next[i], j)
			}
		}
	}
	found := map[string]bool{}
	for i := range rules {
		from := map[int]int{}
		queue := []int{i}
		for len(queue) > 0 {
			at := queue[0]
			queue = queue[1:]
			for _, j := range next[at] {
				if _, seen := from[j]; !seen {
					from[j] = at
					queue = append(queue, j)
				}
			}
		}
		if _, back := from[i]; !back {
			continue
		}
		way := []string{rules[i].name}
		for at := from[i]; at != i; at = from[at] {
			way = append(way, rules[at].name)
		}
		slices.Reverse(way)
		least := slices.Index(way, slices.Min(way))
		way = append(way[least:], way[:least]...)
		found[strings.Join(append(way, way[0]), " → ")] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// Mermaid returns a flowchart of what leads where.
func (s *System) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[Point]string{}
	node := func(p Point) string {
		if ids[p] == "" {
			ids[p] = fmt.Sprintf("p%d", len(ids))
			fmt.Fprintf(&b, "    %s[\"%s\"]\n", ids[p], p)
		}
		return ids[p]
	}
	for _, one := range s.cfg.Reactions {
		r := one.rule()
		for _, a := range r.actions {
			from := node(Point{r.source.Name(), a})
			for _, p := range r.leads {
				fmt.Fprintf(&b, "    %s -->|%s| %s\n", from, r.name, node(p))
			}
		}
	}
	return b.String()
}

// saveEvery is how many events are read between two saves of a cursor when none of
// them leads to anything.
const saveEvery = 256

// CatchUp does what follows from the events that are in the feeds, and from those
// that this adds, until there are no more, and returns how many effects it had. What
// failed is in the error: its feed stops there, and is tried again next time; the
// other feeds go on. An [itsm.ErrUnsupported] says that a store has no feed.
func (s *System) CatchUp(ctx context.Context) (done int, err error) {
	ctx = itsm.WithActor(ctx, s.cfg.Actor)
	stopped := make([]bool, len(s.feeds))
	var failed []error
	for more := true; more; {
		more = false
		for i := range s.feeds {
			if stopped[i] {
				continue
			}
			read, n, err := s.follow(ctx, &s.feeds[i])
			done += n
			more = more || read > 0
			if err != nil {
				stopped[i] = true
				failed = append(failed, fmt.Errorf("reactions to %s: %w", s.feeds[i].practice.Name(), err))
			}
			if ctx.Err() != nil {
				return done, ctx.Err()
			}
		}
	}
	return done, errors.Join(failed...)
}

// follow reads what is new in a feed, and does what follows from it.
func (s *System) follow(ctx context.Context, f *feed) (read, done int, err error) {
	cursor, err := s.cfg.Cursors.Cursor(ctx, f.reader)
	if err != nil {
		return 0, 0, err
	}
	unsaved := 0
	save := func() error {
		if unsaved == 0 {
			return nil
		}
		unsaved = 0
		return s.cfg.Cursors.SaveCursor(ctx, f.reader, cursor)
	}
	for d, err := range f.practice.Feed(ctx, cursor) {
		if err != nil {
			return read, done, errors.Join(err, save())
		}
		rules := f.rules[d.Event.Action]
		length := s.chains.length(d.Event, len(rules) > 0)
		if length > maxChain && len(rules) > 0 {
			return read, done, errors.Join(fmt.Errorf("%s is the last of more than %d events that followed from one another: the reactions turn in a circle",
				d.Event.ID, maxChain), save())
		}
		for _, r := range rules {
			n, err := s.react(ctx, r, d.Event)
			done += n
			if err != nil {
				return read, done, errors.Join(fmt.Errorf("%s, because of %s: %w", r.name, d.Event.ID, err), save())
			}
		}
		cursor = d.Cursor
		read++
		unsaved++
		if len(rules) > 0 || unsaved == saveEvery {
			if err := save(); err != nil {
				return read, done, err
			}
		}
	}
	return read, done, save()
}

// react does what one reaction says about one event.
func (s *System) react(ctx context.Context, r rule, e itsm.Event) (done int, err error) {
	effects, err := r.decide(ctx, e)
	if err != nil {
		if !refused(err) {
			return 0, err
		}
		s.cfg.Refused(ctx, Refusal{Reaction: r.name, Event: e, Err: err})
		return 0, nil
	}
	if err := r.fits(effects); err != nil {
		return 0, err
	}
	for _, effect := range effects {
		did, err := s.effect(ctx, r, e, effect)
		if err != nil {
			return done, fmt.Errorf("%s %s: %w", effect.Point(), effect.record, err)
		}
		if did {
			done++
		}
	}
	return done, nil
}

// effect does one thing, or what is to be done instead.
func (s *System) effect(ctx context.Context, r rule, e itsm.Event, effect Effect) (did bool, err error) {
	name := r.name
	if effect.key != "" {
		name += "/" + effect.key
	}
	err = effect.do(itsm.Because(ctx, e, name))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, itsm.ErrExists):
		return false, nil // it was done before
	case !refused(err):
		return false, err
	case effect.or == nil:
		s.cfg.Refused(ctx, Refusal{r.name, e, effect.Point(), effect.record, err})
		return false, nil
	}
	instead := effect.or(err)
	if err := r.fits([]Effect{instead}); err != nil {
		return false, err
	}
	return s.effect(ctx, r, e, instead)
}

// fits returns what is wrong with the effects themselves: a fault of the reaction,
// which must not go on as if nothing were.
func (r rule) fits(effects []Effect) error {
	type identity struct {
		practice string
		record   itsm.ID
		key      string
	}
	seen := map[identity]bool{}
	var wrong []error
	for _, e := range effects {
		if e.target == nil {
			wrong = append(wrong, errors.New("an effect was not made by Do or Create"))
			continue
		}
		if p := e.Point(); !slices.Contains(r.leads, p) {
			wrong = append(wrong, fmt.Errorf("%s is not among what it leads to", p))
		}
		id := identity{e.target.Name(), e.record, e.key}
		if seen[id] {
			wrong = append(wrong, fmt.Errorf("two effects on %s %q are both named %q", id.practice, id.record, id.key))
		}
		seen[id] = true
	}
	return errors.Join(wrong...)
}

// Skip passes over all that is in the feeds now: a system that is added to records
// that were there before it reacts to what comes. It is called once, before Run.
func (s *System) Skip(ctx context.Context) error {
	for _, f := range s.feeds {
		cursor, err := s.cfg.Cursors.Cursor(ctx, f.reader)
		if err != nil {
			return err
		}
		for d, err := range f.practice.Feed(ctx, cursor) {
			if err != nil {
				return err
			}
			cursor = d.Cursor
		}
		if cursor == "" {
			continue // there is nothing yet
		}
		if err := s.cfg.Cursors.SaveCursor(ctx, f.reader, cursor); err != nil {
			return err
		}
	}
	return nil
}

// Run reacts to events as they come, until the context ends, whose error it returns,
// or at once an [itsm.ErrUnsupported] if a store has no feed. What fails is logged
// and tried again after an Interval.
func (s *System) Run(ctx context.Context) error {
	timer := time.NewTimer(s.cfg.Interval)
	defer timer.Stop()
	for {
		_, err := s.CatchUp(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, itsm.ErrUnsupported):
			return err
		case err != nil:
			s.cfg.Log.ErrorContext(ctx, "reactions failed", "error", err)
		}
		woken := s.woken
		if err != nil {
			woken = nil // what failed is not tried faster because of what others do
		}
		timer.Reset(s.cfg.Interval)
		select {
		case <-timer.C:
		case <-woken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Wake makes [System.Run] look for new events at once. It never waits: a host calls
// it from [itsm.Config.Notify].
func (s *System) Wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it was woken already
	}
}

// cursors are kept in memory.
type cursors struct {
	mu  sync.Mutex
	all map[string]itsm.Cursor
}

func (c *cursors) Cursor(ctx context.Context, reader string) (itsm.Cursor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.all[reader], ctx.Err()
}

func (c *cursors) SaveCursor(ctx context.Context, reader string, cursor itsm.Cursor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[reader] = cursor
	return nil
}

// maxChain bounds how many events may follow from one another across practices
// without anybody in between.
const maxChain = 64

// chains know how many events led to one, as far as this system has seen it happen:
// the alarm for circles through what practices do by themselves, which no list shows.
// They remember the latest.
type chains struct {
	mu      sync.Mutex
	lengths map[itsm.ID]int
	order   []itsm.ID // a ring, oldest at next
	next    int
}

// remembered is how many events are.
const remembered = 4096

// length returns how many events led to one, and remembers it where more may follow.
func (c *chains) length(e itsm.Event, source bool) int {
	if e.Cause == "" && !source {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	if before, ok := c.lengths[e.Cause]; ok {
		n = before + 1
	}
	if _, known := c.lengths[e.ID]; known || n == 0 && !source {
		return n
	}
	if c.lengths == nil {
		c.lengths = map[itsm.ID]int{}
	}
	if len(c.order) < remembered {
		c.order = append(c.order, e.ID)
	} else {
		delete(c.lengths, c.order[c.next])
		c.order[c.next] = e.ID
		c.next = (c.next + 1) % remembered
	}
	c.lengths[e.ID] = n
	return n
}
