package knowledge

import (
	"fmt"
	"slices"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/internal/short"
)

// A Reach is how far an audience reaches, from one's own people to everybody; each has in
// it those before it. Which there are is not settled by KCS; these are the usual ones.
type Reach string

const (
	// Internal are the people of the provider.
	Internal Reach = "internal"
	// Partner are suppliers and others who help, too.
	Partner Reach = "partner"
	// Customer are customers and their users, too.
	Customer Reach = "customer"
	// Public is everybody.
	Public Reach = "public"
)

// Reaches lists them, the nearest first.
func Reaches() []Reach { return []Reach{Internal, Partner, Customer, Public} }

// External reports whether others than one's own people are reached.
func (a Reach) External() bool { return a != Internal && a != "" }

// An Audience says for whom an article is. External readers see it only once it is
// validated; until then it is for the provider's own people.
type Audience struct {
	Reach Reach `json:"reach"`
	// Domains narrow it, on every level, to those who belong to one of them: a
	// department, a customer. Internal with domains is what KCS calls within a domain.
	// None means that it is not narrowed.
	Domains []string `json:"domains,omitempty"`
}

// Validate returns an [itsm.ErrInvalid] with every finding.
func (a Audience) Validate() error {
	var v itsm.Validation
	v.Check(slices.Contains(Reaches(), a.Reach), "reach", fmt.Sprintf("must be %s, is %q", list(Reaches()), short.Text(a.Reach)))
	v.Texts("domains", a.Domains, maxDomains, maxName)
	return v.Err()
}

// within reports whether whoever belongs to an audience belongs to another one, too.
func (a Audience) within(b Audience) bool {
	inside := func(domain string) bool { return slices.Contains(b.Domains, domain) }
	return slices.Index(Reaches(), a.Reach) <= slices.Index(Reaches(), b.Reach) &&
		(len(b.Domains) == 0 || len(a.Domains) > 0 && !slices.ContainsFunc(a.Domains, func(d string) bool { return !inside(d) }))
}

// A Reader is who asks for knowledge.
type Reader struct {
	// Reach is where they stand; empty, or anything that is no Reach, means [Public]:
	// nobody knows them.
	Reach Reach `json:"reach"`
	// Domains are those that they belong to.
	Domains []string `json:"domains,omitempty"`
	// Unpublished says that they also read what has no live edition yet, as those do
	// who write.
	Unpublished bool `json:"unpublished,omitempty"`
}

// unpublished is the audience of what has no live edition.
const unpublished = "unpublished"

// Audience returns the names of all audiences that the reader is part of: what a
// search.Query takes.
func (who Reader) Audience() []string {
	reach := who.Reach
	if !slices.Contains(Reaches(), reach) {
		reach = Public
	}
	names := []string{string(reach)}
	if who.Unpublished {
		names = append(names, unpublished)
	}
	for _, name := range slices.Clone(names) {
		for _, domain := range who.Domains {
			names = append(names, name+"/"+domain)
		}
	}
	return names
}

// Readers returns the names of the audiences that see the article now: what a
// search.Document takes. What is retired nobody sees.
func (r *Article) Readers() []string {
	var names []string
	audience := r.Audience
	switch {
	case r.State == Retired:
		return nil
	case r.Live == nil:
		names = []string{unpublished}
	default:
		audience = r.Live.Audience
		for _, reach := range Reaches() {
			if !reach.External() || r.Live.Confidence == Validated {
				names = append(names, string(reach))
			}
			if reach == audience.Reach {
				break
			}
		}
	}
	if len(audience.Domains) == 0 {
		return names
	}
	var narrowed []string
	for _, name := range names {
		for _, domain := range audience.Domains {
			narrowed = append(narrowed, name+"/"+domain)
		}
	}
	return narrowed
}

// VisibleTo reports whether a reader sees the article now.
func (r *Article) VisibleTo(who Reader) bool {
	mine := who.Audience()
	return slices.ContainsFunc(r.Readers(), func(name string) bool { return slices.Contains(mine, name) })
}

// TextFor returns the text that a reader sees now, and whether they see any: the live
// edition's, or the draft's of what has none.
func (r *Article) TextFor(who Reader) (Content, bool) {
	if !r.VisibleTo(who) {
		return Content{}, false
	}
	return r.shown(), true
}

// shown is what is seen of it by whoever sees it.
func (r *Article) shown() Content {
	if r.Live != nil {
		return r.Live.Content
	}
	return r.Text()
}

// Public reports whether others than the provider's own people see it: what is validated
// and for them. It is what older versions of KCS call published.
func (r *Article) Public() bool {
	return r.Live != nil && r.State != Retired && r.Live.Audience.Reach.External() && r.Live.Confidence == Validated
}
