package knowledge_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/approval"
	"github.com/go-itsm/itsm/knowledge"
	"github.com/go-itsm/itsm/practicetest"
)

type (
	action = itsm.Action[knowledge.Article]
	world  = practicetest.World[knowledge.Article]
)

// A library is a practice over a memory store, with a clock and a test. Mia writes; ann,
// bob and cai decide.
type library struct {
	*knowledge.Practice
	*practicetest.Desk[knowledge.Article]
}

var (
	morning = practicetest.Morning()
	mia     = as("mia")
)

func as(id string) context.Context { return itsm.As(context.Background(), id) }

func newLibrary(t testing.TB, cfg knowledge.Config) *library {
	l := new(library)
	l.Desk = practicetest.NewDesk(t, host(cfg, &l.Practice))
	return l
}

// host is a way to run the practice; made is the last that was made.
func host(cfg knowledge.Config, made **knowledge.Practice) practicetest.Host[knowledge.Article] {
	return func(store itsm.Store[knowledge.Article], given itsm.Config) (*itsm.Practice[knowledge.Article], error) {
		own := cfg
		own.Config = practicetest.With(cfg.Config, given)
		p, err := knowledge.NewPractice(store, own)
		if err != nil {
			return nil, err
		}
		*made = p
		return p.Practice, nil
	}
}

// What most tests do on the way to what they are about.
var (
	mail = knowledge.Content{Title: "No mail after a change of password", Issue: "Outlook asks for the password again and again",
		Environment: "Outlook 16", Resolution: "Delete the stored password.", Cause: "The old one is stored."}
	publish = knowledge.Publish{}
	submit  = knowledge.Submit{Reviewers: []string{"ann", "bob"}}
	yes, no = knowledge.Vote{Vote: approval.Approve}, knowledge.Vote{Vote: approval.Reject}
	retire  = knowledge.Retire{Reason: "not needed"}
	inc     = func(n int) itsm.Ref { return itsm.Ref{Kind: "incident", ID: itsm.ID(fmt.Sprintf("inc-%d", n))} }
	solves  = func(n int) knowledge.RecordUse {
		return knowledge.RecordUse{Kind: knowledge.UsedToSolve, For: inc(n)}
	}
	comply = knowledge.SetGovernance{Governance: knowledge.Compliance}
)

// write captures an article about mail and does the actions to it, as mia.
func (l *library) write(actions ...action) knowledge.Article {
	l.T.Helper()
	r, err := l.Capture(mia, knowledge.Capture{Content: mail, Services: []string{"mail"}})
	require.NoError(l.T, err)
	return l.Did(mia, r.ID, actions...)
}

// finds lists the articles that a reader finds.
func (l *library) finds(who knowledge.Reader, text string) []itsm.ID {
	l.T.Helper()
	hits, err := l.Search(mia, knowledge.Search{Text: text, Reader: who})
	require.NoError(l.T, err)
	var ids []itsm.ID
	for _, h := range hits {
		ids = append(ids, h.Article.ID)
	}
	return ids
}

var (
	staff    = knowledge.Reader{Reach: knowledge.Internal}
	writer   = knowledge.Reader{Reach: knowledge.Internal, Unpublished: true}
	customer = knowledge.Reader{Reach: knowledge.Customer}
)

var errDown = errors.New("the host is down")
