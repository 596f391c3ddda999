package knowledge

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/sla"
)

// A Sample is an article with what happened to it: what measures are made from.
type Sample struct {
	Article Article
	// Uses are all of them, oldest first; views that were gathered are one.
	Uses []Use
	// Editions says when each was published.
	Editions []time.Time
	// Flags says when each flag was raised, and when it was dealt with; zero if it is
	// open.
	Flags []Closure
	// Links says when a use was sampled, and whether it was right.
	Links []Sampling
}

// A Closure is from when until when something was open.
type Closure struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until,omitzero"`
}

// A Sampling is a use that somebody looked at.
type Sampling struct {
	At       time.Time `json:"at"`
	Relevant bool      `json:"relevant"`
}

// Sample reads an article and its history. It returns [itsm.ErrNotFound] if there is none.
func (p *Practice) Sample(ctx context.Context, id itsm.ID) (Sample, error) {
	var s Sample
	editions := 0
	open := map[int]int{} // the flags that are open, by number
	for past, err := range p.Walk(p.History(ctx, id)) {
		if err != nil {
			return Sample{}, err
		}
		at := past.Event.At
		s.Article = past.Record
		switch a := past.Action.(type) {
		case Capture:
			if a.From != (itsm.Ref{}) {
				s.Uses = append(s.Uses, Use{Kind: CreatedFrom, For: a.From, At: at})
			}
		case RecordUse:
			s.Uses = append(s.Uses, Use{Kind: a.Kind, For: a.For, At: at})
		case SampleLink:
			s.Links = append(s.Links, Sampling{At: at, Relevant: a.Relevant})
		}
		if past.Record.Editions > editions {
			editions = past.Record.Editions
			s.Editions = append(s.Editions, at)
		}
		still := map[int]bool{}
		for _, f := range past.Record.Flags {
			still[f.Number] = true
			if _, known := open[f.Number]; !known {
				open[f.Number] = len(s.Flags)
				s.Flags = append(s.Flags, Closure{From: f.At})
			}
		}
		for number, i := range open {
			if !still[number] {
				s.Flags[i].Until = at
				delete(open, number)
			}
		}
	}
	if s.Article.Version == 0 {
		return Sample{}, fmt.Errorf("%s %s: %w", Kind, id, itsm.ErrNotFound)
	}
	return s, nil
}

// Samples yields a sample of every article that matches a query. It returns
// [itsm.ErrUnsupported] if the store is no [itsm.Lister]; an error ends the sequence.
func (p *Practice) Samples(ctx context.Context, q itsm.Query) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for r, err := range p.All(ctx, q) {
			var s Sample
			if err == nil {
				s, err = p.Sample(ctx, r.ID)
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// A Case is a record that was closed, as the link rate counts it: an incident.
type Case struct {
	Ref    itsm.Ref
	Closed time.Time
	// Links are the record's own.
	Links []itsm.Link
}

// linked reports whether one of the record's own links says that knowledge was used.
func (c Case) linked() bool {
	for _, l := range c.Links {
		if l.To.Kind == Kind && l.Rel != string(Viewed) && l.Rel != string(Rejected) {
			return true
		}
	}
	return false
}

// Measures are the figures of a period. Shares are exact fractions, and of nothing there is
// none. None of them is for anybody's goals: counts of activity that are rewarded go up and
// mean nothing.
type Measures struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`

	// Captured, Published and Retired count the articles to which that happened, and
	// Improved the editions after the first.
	Captured  int `json:"captured"`
	Published int `json:"published"`
	Improved  int `json:"improved"`
	Retired   int `json:"retired"`

	// LinkRate is the share of the closed cases in whose work an article was used or
	// captured, as either side has it.
	LinkRate sla.Fraction `json:"link_rate"`
	// LinkAccuracy is the share of the links that somebody looked at which were right.
	LinkAccuracy sla.Fraction `json:"link_accuracy"`

	// Reuse counts the uses that solved a case, and Known is their share of these and of
	// the captures: how much of what is asked is known.
	Reuse int          `json:"reuse"`
	Known sla.Fraction `json:"known"`
	// Reused is the share of the articles live at the end that solved a case, and
	// Rejected the share of those uses and of the rejections that were rejections.
	Reused   sla.Fraction `json:"reused"`
	Rejected sla.Fraction `json:"rejected"`

	// TimeToPublish is from the capture until the first edition, of those that had it in
	// the period.
	TimeToPublish sla.Mean `json:"time_to_publish"`
	// Stale is the share of those live that are ([Article.Stale]), Validated that of
	// those somebody vouches for, and Public that of those others see, as they are now.
	Stale     sla.Fraction `json:"stale"`
	Validated sla.Fraction `json:"validated"`
	Public    sla.Fraction `json:"public"`
	// StaleTranslations is the share of the live translations whose source has moved on.
	StaleTranslations sla.Fraction `json:"stale_translations"`

	// FlagsClosed is the share of the flags raised in the period that were dealt with,
	// and TimeToClose how long that took.
	FlagsClosed sla.Fraction `json:"flags_closed"`
	TimeToClose sla.Mean     `json:"time_to_close"`
	// Helpful is the share of all ratings of those live.
	Helpful sla.Fraction `json:"helpful"`
	// Checklist is the share of the criteria that were met, of the articles scored in the
	// period.
	Checklist sla.Fraction `json:"checklist"`
	// Duplicates counts the articles that were retired for another one.
	Duplicates int `json:"duplicates"`
}

// Measure computes the measures of a period, [from, until), from samples of articles and
// from the cases that were closed, each once; those that were closed outside of it are
// passed over, and no cases at all give no link rate. It is pure. An error of the sequences
// is returned as it is; a period that ends before it starts is an [itsm.ErrInvalid].
func Measure(samples iter.Seq2[Sample, error], cases iter.Seq2[Case, error], from, until time.Time) (Measures, error) {
	m := Measures{From: from, Until: until}
	if !from.Before(until) {
		return m, &itsm.FieldError{Field: "until", Reason: "must be after from"}
	}
	within := func(t time.Time) bool { return !t.IsZero() && !t.Before(from) && t.Before(until) }
	used := map[itsm.Ref]bool{}
	var publishing, closing sla.Total
	for s, err := range samples {
		if err != nil {
			return Measures{}, err
		}
		r := s.Article
		count(&m.Captured, within(r.Created))
		count(&m.Published, within(r.Published))
		count(&m.Retired, within(r.Retired))
		count(&m.Duplicates, within(r.Retired) && r.Retirement.Replacement != "")
		if within(r.Published) {
			publishing.Add(r.Published.Sub(r.Created))
		}
		for i, at := range s.Editions {
			count(&m.Improved, i > 0 && within(at))
		}
		solved := false
		for _, u := range s.Uses {
			if u.Kind == UsedToSolve || u.Kind == CreatedFrom {
				used[u.For] = true
			}
			if !within(u.At) {
				continue
			}
			switch u.Kind {
			case UsedToSolve:
				solved = true
				m.Reuse++
				m.Known.Count(true)
				m.Rejected.Count(false)
			case CreatedFrom:
				m.Known.Count(false)
			case Rejected:
				m.Rejected.Count(true)
			case Viewed:
			}
		}
		for _, l := range s.Links {
			if within(l.At) {
				m.LinkAccuracy.Count(l.Relevant)
			}
		}
		for _, f := range s.Flags {
			if within(f.From) {
				m.FlagsClosed.Count(!f.Until.IsZero())
				if !f.Until.IsZero() {
					closing.Add(f.Until.Sub(f.From))
				}
			}
		}
		if within(r.Checklist.At) {
			m.Checklist.Part += int64(r.Checklist.Met)
			m.Checklist.Of += int64(r.Checklist.Applicable)
		}
		if r.Live == nil {
			continue
		}
		m.Reused.Count(solved)
		m.Stale.Count(r.Stale() != "")
		m.Validated.Count(r.Live.Confidence == Validated)
		m.Public.Count(r.Public())
		if r.Source.Article != "" {
			m.StaleTranslations.Count(r.Source.Withdrawn || r.covers() < r.Source.Edition)
		}
		m.Helpful.Part += int64(r.Rating.Helpful)
		m.Helpful.Of += int64(r.Rating.Helpful + r.Rating.Unhelpful)
	}
	for c, err := range cases {
		if err != nil {
			return Measures{}, err
		}
		if within(c.Closed) {
			m.LinkRate.Count(used[c.Ref] || c.linked())
		}
	}
	m.TimeToPublish, m.TimeToClose = publishing.Mean(""), closing.Mean("")
	return m, nil
}

func count(n *int, is bool) {
	if is {
		*n++
	}
}
