package request_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/practicetest"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/sla"
)

type (
	action = itsm.Action[request.Request]
	world  = practicetest.World[request.Request]
)

// A desk is a practice over a memory store, with a clock and a test. Mia works
// there, jin orders, kim is jin's manager, and bot is the automation.
type desk struct {
	*request.Practice
	*practicetest.Desk[request.Request]
}

var (
	morning = practicetest.Morning()
	mia     = itsm.As(context.Background(), "mia")
	jin     = itsm.As(context.Background(), "jin")
	kim     = itsm.As(context.Background(), "kim")
	bot     = itsm.As(context.Background(), "bot")
	sys     = itsm.WithActor(context.Background(), itsm.System())
)

func newDesk(t testing.TB, cfg request.Config) *desk {
	d := new(desk)
	d.Desk = practicetest.NewDesk(t, host(t, cfg, &d.Practice))
	return d
}

// host is a way to run the practice, with the catalogue of the tests; made is the last
// that was made.
func host(t testing.TB, cfg request.Config, made **request.Practice) practicetest.Host[request.Request] {
	if cfg.Catalogue == nil {
		cfg.Catalogue = office(t)
	}
	if cfg.Directory == nil {
		cfg.Directory = directory
	}
	if cfg.Approvers == nil {
		cfg.Approvers = approvers
	}
	return func(store itsm.Store[request.Request], given itsm.Config) (*itsm.Practice[request.Request], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := request.NewPractice(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
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

// order orders as jin.
func (d *desk) order(lines ...request.Line) request.Request {
	d.T.Helper()
	r, err := d.Order(jin, request.Order{Title: "Please", Lines: lines})
	require.NoError(d.T, err)
	return r
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

var errDown = errors.New("the store is down")

// over puts the desk over another store and the same clock.
func (d *desk) over(store itsm.Store[request.Request], cfg request.Config) {
	d.T.Helper()
	var err error
	d.Kernel, err = host(d.T, cfg, &d.Practice)(store, itsm.Config{Now: d.Time.Now})
	require.NoError(d.T, err)
}
