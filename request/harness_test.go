package request_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/storage/memory"
)

// morning is when the tests begin: a Monday.
var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// A clock stands still until it is moved, forwards or backwards.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A desk is a practice over a memory store, with a clock and a test. Mia works
// there, jin orders, kim is jin's manager, and bot is the automation.
type desk struct {
	*request.Practice
	t     testing.TB
	clock *clock
	store *memory.Store[request.Request]
}

var (
	mia = itsm.As(context.Background(), "mia")
	jin = itsm.As(context.Background(), "jin")
	kim = itsm.As(context.Background(), "kim")
	bot = itsm.As(context.Background(), "bot")
	sys = itsm.WithActor(context.Background(), itsm.System())
)

type action = itsm.Action[request.Request]

func newDesk(t testing.TB, cfg request.Config) *desk {
	d := &desk{t: t, clock: &clock{t: morning}, store: memory.New[request.Request]()}
	cfg.Now = d.clock.now
	if cfg.NewID == nil {
		cfg.NewID = serial()
	}
	if cfg.Catalogue == nil {
		cfg.Catalogue = office(t)
	}
	if cfg.Directory == nil {
		cfg.Directory = directory
	}
	if cfg.Approvers == nil {
		cfg.Approvers = approvers
	}
	p, err := request.NewPractice(d.store, cfg)
	require.NoError(t, err)
	d.Practice = p
	return d
}

func directory(_ context.Context, person string) (sla.Facts, error) {
	department := map[string]string{"jin": "sales", "mia": "it", "guest": "outside"}[person]
	return sla.FactMap{"department": department}, nil
}

func approvers(_ context.Context, _ request.Request, kind approval.Kind, name string) ([]string, error) {
	if kind == approval.Computed && name == "manager" {
		return []string{"kim", "jin"}, nil
	}
	return nil, fmt.Errorf("no %s %q here", kind, name)
}

// officeSpec is a catalogue with everything that a catalogue can say.
func officeSpec() request.CatalogueSpec {
	staff := sla.Conditions{{"department": {"sales", "it"}}}
	until := request.Variable{Name: "until", Type: request.Day}
	return request.CatalogueSpec{
		Zone: "Europe/Berlin",
		Policies: map[string]approval.Policy{
			"manager": {Rule: approval.Rule{Need: approval.Any, Of: []approval.Member{{Computed: "manager"}}},
				Exclude: []string{"requester", "recipient"}, Within: 48 * time.Hour},
			"budget": {Rule: approval.Rule{Need: approval.All, Of: approval.Persons("lee", "ann")}},
		},
		Approvals: []request.OrderApprover{{Policy: "budget", From: request.Price{{Value: "5000", Currency: "EUR"}}}},
		Models: []request.Model{
			{Name: "plain", Tasks: []request.TaskModel{{Key: "do", Title: "Do it"}}},
			{Name: "talk", Without: []string{"hold", "seek_approval"}},
			{Name: "account", Automatic: true, Eligible: staff, Tasks: []request.TaskModel{
				{Key: "check", Title: "Look for the name", Automation: "find_account"},
				{Key: "create", Title: "Create the account", Automation: "create_account", Needs: []string{"check"},
					When: sla.Condition{"task.check": {"free"}}, Undo: &request.Undo{Title: "Remove the account", Automation: "remove_account"}},
				{Key: "greet", Title: "Say hello", Group: "desk", Needs: []string{"create"}, Opens: "first_day", Within: 4 * time.Hour},
			}},
			{Name: "device", Approvals: []request.Approver{
				{Policy: "manager"},
				{Policy: "budget", From: request.Price{{Value: "2000", Currency: "EUR"}}},
			}, Tasks: []request.TaskModel{
				{Key: "buy", Title: "Buy it", Group: "purchasing", Undo: &request.Undo{Title: "Send it back", Group: "purchasing"}},
				{Key: "install", Title: "Set it up", Needs: []string{"buy"}, Undo: &request.Undo{Title: "Wipe it"}},
				{Key: "dock", Title: "Set up the dock", Needs: []string{"buy"}, When: sla.Condition{"option.dock": {"true"}}},
				{Key: "hand", Title: "Hand it over", Needs: []string{"install", "dock"}, Undo: &request.Undo{Title: "Collect it"}},
			}},
			{Name: "access", Automatic: true, Approvals: []request.Approver{{Policy: "manager", When: sla.Condition{"level": {"write", "admin"}}}},
				Tasks: []request.TaskModel{
					{Key: "grant", Title: "Open the folder", Change: "std-access", Undo: &request.Undo{Title: "Close the folder", Change: "std-access-off"}},
				}},
		},
		Offerings: []request.Offering{
			{Name: "question", Version: 1, Status: request.Published, Title: "A question", Model: "talk", Kind: request.InformationRequest},
			{Name: "chair", Version: 1, Status: request.Published, Title: "A chair", Model: "plain", MaxQuantity: 10,
				Price: request.Price{{Value: "99.90", Currency: "EUR"}}},
			{Name: "account", Version: 1, Status: request.Published, Title: "An account", Model: "account", Service: "directory",
				Form: request.Form{Variables: []request.Variable{
					{Name: "login", Type: request.Text, Required: true, Pattern: "^[a-z]+$", MaxLength: 20},
					{Name: "first_day", Type: request.Day},
				}}},
			{Name: "laptop", Version: 1, Status: request.Retired, Title: "A laptop of old", Model: "device", Options: []request.Option{{Name: "dock"}}},
			{Name: "laptop", Version: 2, Status: request.Published, Title: "A laptop", Model: "device", MaxQuantity: 3, Order: staff,
				Price: request.Price{{Value: "1200.00", Currency: "EUR"}, {Value: "9.90", Currency: "EUR", Per: request.Monthly}},
				Options: []request.Option{
					{Name: "dock", Title: "Dock", Price: request.Price{{Value: "150.5", Currency: "EUR"}}},
					{Name: "small", Group: "size"}, {Name: "large", Group: "size", Price: request.Price{{Value: "200", Currency: "EUR"}}},
				},
				Form: request.Form{Variables: []request.Variable{
					{Name: "system", Type: request.OneOf, Required: true, Choices: []request.Choice{{Value: "linux"}, {Value: "other"}}},
					{Name: "which", Type: request.Text, Required: true, When: sla.Condition{"system": {"other"}}},
				}}, Expiry: request.Expiry{After: 1000 * time.Hour, Extend: &request.Extension{}}},
			{Name: "laptop", Version: 3, Status: request.DraftOffering, Title: "A laptop to come", Model: "device", Options: []request.Option{{Name: "dock"}}},
			{Name: "folder", Version: 1, Status: request.Published, Title: "A folder", Model: "access", See: staff, Service: "files",
				Form: request.Form{Variables: []request.Variable{
					{Name: "level", Type: request.OneOf, Required: true, Choices: []request.Choice{{Value: "read"}, {Value: "write"}, {Value: "admin"}}}, until,
				}}, Expiry: request.Expiry{Variable: "until", Extend: &request.Extension{Policy: "manager", Longest: 30 * 24 * time.Hour, Times: 2}}},
			{Name: "start", Version: 1, Status: request.Published, Title: "Everything for a newcomer",
				Price: request.Price{{Value: "10", Currency: "EUR"}},
				Form: request.Form{Variables: []request.Variable{
					{Name: "login", Type: request.Text, Required: true}, until, {Name: "first_day", Type: request.Day},
				}},
				Bundle: []request.Component{
					{Offering: "account"},
					{Offering: "laptop", Optional: true, Options: []string{"dock"}, Values: itsm.Fields{"system": []byte(`"linux"`)}},
					{Offering: "folder", Values: itsm.Fields{"level": []byte(`"read"`)}},
				}},
		},
	}
}

func office(t testing.TB) *request.Catalogue {
	c, err := request.NewCatalogue(officeSpec())
	require.NoError(t, err)
	return c
}

// Lines of orders.
func laptop(options ...string) request.Line {
	return request.Line{Offering: "laptop", Options: options, Values: itsm.Fields{"system": []byte(`"linux"`)}}
}

func account() request.Line {
	return request.Line{Offering: "account", Values: itsm.Fields{"login": []byte(`"jin"`)}}
}

func folder(level, until string) request.Line {
	l := request.Line{Offering: "folder", Values: itsm.Fields{"level": []byte(`"` + level + `"`)}}
	if until != "" {
		l.Values["until"] = []byte(`"` + until + `"`)
	}
	return l
}

var chair = request.Line{Offering: "chair"}

// serial numbers records and events, so that tests and examples say the same
// each time.
func serial() func(context.Context, string, time.Time) (itsm.ID, error) {
	var mu sync.Mutex
	last := map[string]int{}
	return func(_ context.Context, prefix string, _ time.Time) (itsm.ID, error) {
		mu.Lock()
		defer mu.Unlock()
		last[prefix]++
		return itsm.ID(fmt.Sprintf("%s-%d", prefix, last[prefix])), nil
	}
}

// order orders as jin.
func (d *desk) order(lines ...request.Line) request.Request {
	d.t.Helper()
	r, err := d.Order(jin, request.Order{Title: "Please", Lines: lines})
	require.NoError(d.t, err)
	return r
}

// do does actions as mia, a minute apart, and checks each against its replay.
func (d *desk) do(id itsm.ID, actions ...action) request.Request {
	d.t.Helper()
	return d.as(mia, id, actions...)
}

func (d *desk) as(ctx context.Context, id itsm.ID, actions ...action) request.Request {
	d.t.Helper()
	r := d.get(id)
	for _, a := range actions {
		d.clock.advance(time.Minute)
		var err error
		r, err = d.Do(ctx, id, a)
		require.NoError(d.t, err, "%s", a.Action())
	}
	d.replays(id)
	return r
}

func (d *desk) get(id itsm.ID) request.Request {
	d.t.Helper()
	r, err := d.Get(mia, id)
	require.NoError(d.t, err)
	return r
}

// replays proves that the history leads to the record.
func (d *desk) replays(id itsm.ID) {
	d.t.Helper()
	again, err := d.Replay(d.History(mia, id))
	require.NoError(d.t, err)
	require.Equal(d.t, d.get(id), again)
}

// refuse does an action that must be refused, with exactly these findings, and
// change nothing.
func (d *desk) refuse(ctx context.Context, id itsm.ID, a action, findings ...string) {
	d.t.Helper()
	before := d.get(id)
	_, err := d.Do(ctx, id, a)
	require.Error(d.t, err)
	require.Equal(d.t, findings, said(err))
	require.Equal(d.t, before, d.get(id))
}

// said lists the findings of an error as text.
func said(err error) []string {
	var all []string
	for _, f := range itsm.Findings(err) {
		all = append(all, f.Error())
	}
	return all
}

// history lists the actions done to a request.
func (d *desk) history(id itsm.ID) []string {
	d.t.Helper()
	var names []string
	for e, err := range d.History(mia, id) {
		require.NoError(d.t, err)
		names = append(names, e.Action)
	}
	return names
}

// due lets time pass and does what it brings.
func (d *desk) due(after time.Duration) int {
	d.t.Helper()
	d.clock.advance(after)
	n, _, err := d.RunDue(sys)
	require.NoError(d.t, err)
	return n
}

// states lists those of the tasks.
func states(r request.Request) []request.TaskState {
	var all []request.TaskState
	for _, t := range r.Tasks {
		all = append(all, t.State)
	}
	return all
}

// outcomes lists those of the items.
func outcomes(r request.Request) []request.Outcome {
	var all []request.Outcome
	for _, i := range r.Items {
		all = append(all, i.Outcome)
	}
	return all
}

var approve = request.Vote{Vote: approval.Approve}

// A flaky store fails commits as it is told.
type flaky struct {
	itsm.Store[request.Request]
	itsm.DueStore
	mu sync.Mutex
	// before is asked before a commit, after when it has happened.
	before, after func() error
}

func (f *flaky) Commit(ctx context.Context, revs ...itsm.Revision[request.Request]) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		if err := f.before(); err != nil {
			return err
		}
	}
	if err := f.Store.Commit(ctx, revs...); err != nil {
		return err
	}
	if f.after != nil {
		return f.after()
	}
	return nil
}

var errDown = errors.New("the store is down")

// over puts the desk over another store and the same clock.
func (d *desk) over(store itsm.Store[request.Request], cfg request.Config) {
	d.t.Helper()
	cfg.Now, cfg.Catalogue, cfg.Directory, cfg.Approvers = d.clock.now, office(d.t), directory, approvers
	p, err := request.NewPractice(store, cfg)
	require.NoError(d.t, err)
	d.Practice = p
}

// everything lists all requests.
func (d *desk) everything() map[itsm.ID]request.Request {
	d.t.Helper()
	all := map[itsm.ID]request.Request{}
	for after := itsm.Cursor(""); ; {
		page, err := d.store.List(mia, itsm.Query{After: after})
		require.NoError(d.t, err)
		for _, r := range page.Records {
			all[r.ID] = r
		}
		if after = page.Next; after == "" {
			return all
		}
	}
}
