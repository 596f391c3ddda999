package knowledge

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// A Source is the article that another one translates, as the translation knows it. A
// translation has a life of its own; when its source has a new edition it is stale
// ([Article.Stale]) until its text says the same ([Improve].Covers).
type Source struct {
	Article itsm.ID `json:"article,omitempty"`
	// Edition is the number of its latest edition, and Withdrawn says that it has no
	// live one any more, or not yet.
	Edition   int  `json:"edition,omitempty"`
	Withdrawn bool `json:"withdrawn,omitempty"`
}

// admits checks which edition of the source a text says the same as.
func (s Source) admits(covers int, field string) error {
	var v itsm.Validation
	v.Check(covers == 0 || s.Article != "", field, "must be 0 for what is no translation")
	v.Check(s.Article == "" || covers <= s.Edition, field, fmt.Sprintf("must be an edition of the source, of which there are %d", s.Edition))
	return v.Err()
}

// A Translation is another article that is the translation of this one.
type Translation struct {
	ID     itsm.ID `json:"id"`
	Locale string  `json:"locale"`
}

// AdoptTranslation is what capturing or restoring a translation does to its source.
type AdoptTranslation struct {
	Translation Translation `json:"translation"`
}

// Action returns "adopt_translation".
func (AdoptTranslation) Action() string { return "adopt_translation" }

// Apply adds it.
func (a AdoptTranslation) Apply(r *Article, _ itsm.Moment) error {
	if len(r.Translations) >= maxTranslations {
		return itsm.Refuse("it has %d translations already", maxTranslations)
	}
	r.Translations = append(r.Translations, a.Translation)
	return nil
}

// ReleaseTranslation is what retiring a translation does to its source.
type ReleaseTranslation struct {
	Translation Translation `json:"translation"`
}

// Action returns "release_translation".
func (ReleaseTranslation) Action() string { return "release_translation" }

// Apply removes it.
func (a ReleaseTranslation) Apply(r *Article, _ itsm.Moment) error {
	r.Translations = slices.DeleteFunc(r.Translations, func(t Translation) bool { return t == a.Translation })
	if len(r.Translations) == 0 {
		r.Translations = nil
	}
	return nil
}

// FollowSource is what a new edition of an article, or its retirement, does to its
// translations.
type FollowSource struct {
	Source Source `json:"source"`
}

// Action returns "follow_source".
func (FollowSource) Action() string { return "follow_source" }

// Apply keeps how the source stands.
func (a FollowSource) Apply(r *Article, _ itsm.Moment) error {
	r.Source = a.Source
	return nil
}

// asSource is how its translations know an article.
func (r *Article) asSource() Source {
	return Source{Article: r.ID, Edition: r.Editions, Withdrawn: r.Live == nil}
}

// source finds the article that another one translates, or says why there is none.
func (cfg *Config) source(tx *itsm.Tx[Article], field string, id itsm.ID, locale string) (Source, error) {
	r, err := tx.Get(id)
	if errors.Is(err, itsm.ErrNotFound) {
		return Source{}, &itsm.FieldError{Field: field, Reason: fmt.Sprintf("there is no article %s", short.Text(id))}
	}
	if err != nil {
		return Source{}, err
	}
	var v itsm.Validation
	v.Rule(r.Source.Article == "", fmt.Sprintf("%s is itself a translation of %s", id, r.Source.Article))
	v.Rule(!cfg.Lifecycle.IsEnd(r.State), fmt.Sprintf("%s is %s", id, r.State))
	taken := r.Locale == locale
	for _, t := range r.Translations {
		taken = taken || t.Locale == locale
	}
	v.Rule(!taken, fmt.Sprintf("there is %s in %s already", id, short.Text(locale)))
	v.Rule(len(r.Translations) < maxTranslations, fmt.Sprintf("%s has %d translations already", id, maxTranslations))
	return r.asSource(), v.Err()
}

// translated does to others what an action means for translations.
func (cfg *Config) translated(tx *itsm.Tx[Article], r *Article, action itsm.Action[Article], e itsm.Event) error {
	if r.Source.Article != "" {
		mine := Translation{ID: r.ID, Locale: r.Locale}
		var tell itsm.Action[Article]
		switch {
		case e.From == "" || cfg.Lifecycle.IsEnd(e.From) && !cfg.Lifecycle.IsEnd(e.To):
			tell = AdoptTranslation{mine}
		case !cfg.Lifecycle.IsEnd(e.From) && cfg.Lifecycle.IsEnd(e.To):
			tell = ReleaseTranslation{mine}
		default:
			return nil
		}
		_, err := tx.Do(r.Source.Article, tell)
		return err
	}
	switch action.(type) {
	case RecordUse, Rate, Flag, ResolveFlag, Note, Link, Unlink, SetFields, Vote, Delegate, CountVotes,
		AdoptTranslation, ReleaseTranslation, SampleLink, ScoreChecklist, Classify, Plan, MoveClocks, PassThreshold:
		return nil // which never bring another edition
	}
	for _, t := range slices.Clone(r.Translations) {
		there, err := tx.Get(t.ID)
		if err != nil {
			return err
		}
		if now := r.asSource(); there.Source != now {
			if _, err := tx.Do(t.ID, FollowSource{now}); err != nil {
				return err
			}
		}
	}
	return nil
}
