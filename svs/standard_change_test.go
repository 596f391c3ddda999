package svs_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/change"
	"github.com/go-itsm/itsm/request"
	"github.com/go-itsm/itsm/storage/memory"
	"github.com/go-itsm/itsm/svs"
)

// A request for a folder is fulfilled by a standard change, from the order to the end;
// cancelling it afterwards takes the access back by another one.
func TestStandardChanges(t *testing.T) {
	now := monday
	cfg := itsm.Config{Now: func() time.Time { return now }}
	catalogue, err := request.NewCatalogue(request.CatalogueSpec{
		Models: []request.Model{{Name: "access", Automatic: true, Tasks: []request.TaskModel{
			{Key: "grant", Title: "Open the folder", Change: "open", Undo: &request.Undo{Title: "Close the folder", Change: "close"}},
			{Key: "tell", Title: "Say hello", Needs: []string{"grant"}},
		}}},
		Offerings: []request.Offering{{Name: "folder", Version: 1, Status: request.Published, Title: "A folder", Model: "access", Service: "files"}},
	})
	require.NoError(t, err)
	requests, err := request.NewPractice(memory.New[request.Request](), request.Config{Config: cfg, Catalogue: catalogue})
	require.NoError(t, err)
	template := change.Template{Name: "open", Version: 1, Title: "Access to a folder", Services: []string{"files"}, Risk: change.LowRisk,
		Plan: change.Plan{Implementation: "add", BackOut: "remove", Test: "look"}, Approved: monday.AddDate(0, -1, 0), By: "ann"}
	changes, err := change.NewPractice(memory.New[change.Change](), change.Config{Config: cfg, Templates: []change.Template{template}})
	require.NoError(t, err)
	sys, err := svs.NewSystem(svs.Config{Reactions: svs.StandardChanges(requests, changes), Refused: func(_ context.Context, r svs.Refusal) {
		t.Errorf("refused: %+v", r)
	}})
	require.NoError(t, err)
	catchUp := func() {
		t.Helper()
		_, err := sys.CatchUp(t.Context())
		require.NoError(t, err)
	}
	latest := func() (c change.Change) {
		for one, err := range changes.All(jin, itsm.Query{}) {
			require.NoError(t, err)
			c = one
		}
		return c
	}

	req, err := requests.Order(jin, request.Order{Lines: []request.Line{{Offering: "folder"}}})
	require.NoError(t, err)
	require.Equal(t, request.InFulfilment, req.State)
	catchUp()
	c := latest()
	require.Equal(t, "Open the folder", c.Title)
	require.Equal(t, "jin", c.Initiator)
	require.Equal(t, []string{"files"}, c.Services)
	require.Contains(t, c.Links, itsm.Link{Rel: change.RequestedBy, To: itsm.Ref{Kind: "request", ID: req.ID}})
	req, err = requests.Get(jin, req.ID)
	require.NoError(t, err)
	require.Equal(t, &itsm.Ref{Kind: "change", ID: c.ID}, req.Tasks[0].Record)

	for _, a := range []itsm.Action[change.Change]{
		change.SetWindow{Span: change.Span{Start: now, End: now.Add(time.Hour)}}, change.Schedule{}, change.Start{},
		change.Complete{Outcome: change.Successful}, change.Close{},
	} {
		_, err := changes.Do(jin, c.ID, a)
		require.NoError(t, err, a.Action())
	}
	catchUp()
	req, err = requests.Get(jin, req.ID)
	require.NoError(t, err)
	require.Equal(t, request.TaskDone, req.Tasks[0].State)
	require.Contains(t, req.Tasks[0].Note, string(c.ID))
	require.Equal(t, request.InFulfilment, req.State, "there is another task")

	// There is no template for the way back: somebody has to look.
	_, err = requests.Do(jin, req.ID, request.Cancel{Reason: "moved on"})
	require.NoError(t, err)
	catchUp()
	req, err = requests.Get(jin, req.ID)
	require.NoError(t, err)
	last := req.Tasks[len(req.Tasks)-1]
	require.Equal(t, "Close the folder", last.Title)
	require.Equal(t, request.TaskFailed, last.State)
	require.Contains(t, last.Note, "template")
}

// A change that does not come to a good end fails its task, and one that belongs to
// no request is nobody's business.
func TestStandardChangeFails(t *testing.T) {
	for name, actions := range map[string][]itsm.Action[change.Change]{
		"not_implemented": {change.Cancel{Reason: "no"}},
		"failed":          {change.Start{}, change.Complete{Outcome: change.Failed, Note: "no"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := itsm.Config{Now: func() time.Time { return monday }}
			catalogue, err := request.NewCatalogue(request.CatalogueSpec{
				Models:    []request.Model{{Name: "access", Automatic: true, Tasks: []request.TaskModel{{Key: "grant", Title: "Open", Change: "open"}}}},
				Offerings: []request.Offering{{Name: "folder", Version: 1, Status: request.Published, Title: "A folder", Model: "access"}},
			})
			require.NoError(t, err)
			requests, err := request.NewPractice(memory.New[request.Request](), request.Config{Config: cfg, Catalogue: catalogue})
			require.NoError(t, err)
			changes, err := change.NewPractice(memory.New[change.Change](), change.Config{Config: cfg, Templates: []change.Template{{
				Name: "open", Version: 1, Title: "Access", Risk: change.LowRisk, Services: []string{"files"},
				Plan: change.Plan{Implementation: "add", BackOut: "remove", Test: "look"}, Approved: monday.AddDate(0, -1, 0), By: "ann"}}})
			require.NoError(t, err)
			sys, err := svs.NewSystem(svs.Config{Reactions: svs.StandardChanges(requests, changes)})
			require.NoError(t, err)
			_, err = changes.Open(jin, change.Propose{Title: "Another", Services: []string{"mail"}})
			require.NoError(t, err)
			req, err := requests.Order(jin, request.Order{Lines: []request.Line{{Offering: "folder"}}})
			require.NoError(t, err)
			_, err = sys.CatchUp(t.Context())
			require.NoError(t, err)
			req, err = requests.Get(jin, req.ID)
			require.NoError(t, err)
			id := req.Tasks[0].Record.ID
			_, err = changes.Do(jin, id, change.SetWindow{Span: change.Span{Start: monday, End: monday.Add(time.Hour)}})
			require.NoError(t, err)
			_, err = changes.Do(jin, id, change.Schedule{})
			require.NoError(t, err)
			for _, a := range actions {
				_, err := changes.Do(jin, id, a)
				require.NoError(t, err, a.Action())
			}
			_, err = sys.CatchUp(t.Context())
			require.NoError(t, err)
			req, err = requests.Get(jin, req.ID)
			require.NoError(t, err)
			require.Equal(t, request.TaskFailed, req.Tasks[0].State)
			require.Contains(t, req.Tasks[0].Note, name)
		})
	}
}
