package knowledge

import (
	"context"
	"strings"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
	"github.com/go-itsm/itsm/slm"
)

// MoveClocks and PassThreshold are what the agreements do by themselves
// ([Config].Agreements).
type (
	// MoveClocks is what follows from an action for the clocks of the agreements that
	// apply: they start, pause, stop.
	MoveClocks = slm.MoveClocks[Article]
	// PassThreshold is what happens when a clock comes to a threshold or past its goal.
	// What is to be done then is in its moves for the host to send.
	PassThreshold = slm.PassThreshold[Article]
)

// join joins the agreements to the practice.
func (cfg Config) join() slm.Levels[Article] {
	return slm.Levels[Article]{
		Book: cfg.Agreements,
		Of: func(r *Article) (service, priority string) {
			return strings.Join(r.Services, ", "), ""
		},
		Facts: func(r *Article, a itsm.Action[Article], _ itsm.Actor) sla.Facts {
			return facts{Article: r, action: a.Action()}
		},
	}
}

// facts are what rules and agreements may ask about an article.
type facts struct {
	*Article
	// action is what was just done; it may be empty.
	action string
}

// Fact returns a fact by its name: see [ApprovalRule] and [Config].Agreements.
func (f facts) Fact(name string) string {
	r := f.Article
	switch name {
	case "state":
		return string(r.State)
	case "governance":
		return string(r.Governance)
	case "audience":
		return string(r.Audience.Reach)
	case "confidence":
		return string(r.Confidence)
	case "category":
		return r.Category
	case "locale":
		return r.Locale
	case "author":
		return r.Author
	case "owner":
		return r.Owner
	case "live":
		return sla.Yes(r.Live != nil)
	case "flagged":
		return sla.Yes(len(r.Flags) > 0)
	case "stale":
		return sla.Yes(r.Stale() != "")
	case "approval":
		return string(r.Approval.Outcome)
	case "action":
		return f.action
	}
	return r.Fields.Text(name)
}

// Results returns what every clock of an article came to, or how it stands now, for reports
// ([sla.NewReport]). It reads the history. It returns an [itsm.ErrInvalid] if a calendar is
// not in the book any more.
func (p *Practice) Results(ctx context.Context, id itsm.ID, now time.Time) ([]sla.Result, error) {
	return p.cfg.levels.Results(ctx, p.Practice, id, now)
}

// Clock returns the clock of one target of an article, to be read at any moment and
// explained. It returns an [itsm.ErrInvalid] if its calendar is not in the book.
func (p *Practice) Clock(t sla.Target) (*sla.Clock, error) { return p.cfg.levels.Clock(t) }

// PublicationMetric is the time from the capture until readers see the article.
func PublicationMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "publication", Calendar: calendar, Goals: goals,
		Stop:   sla.Conditions{{"live": {"yes"}}},
		Cancel: sla.Conditions{{"state": {string(Retired)}}},
	}
}

// FlagMetric is the time for which a flag may be open; it begins anew with the next one
// after all were dealt with.
func FlagMetric(calendar string, goals ...sla.GoalRule) sla.Metric {
	return sla.Metric{
		Name: "flags", Calendar: calendar, Goals: goals,
		Start:  sla.Conditions{{"flagged": {"yes"}}},
		From:   sla.FromCondition,
		Stop:   sla.Conditions{{"flagged": {""}}},
		Cancel: sla.Conditions{{"state": {string(Retired)}}},
		Reopen: sla.ReopenRestart,
	}
}
