package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-itsm/itsm"
)

// Check puts an index to the test: it says of each rule that every [Index] keeps whether
// this one does, by an error that has a line for each rule that is broken. The function
// makes an empty index each time it is called; Check closes none. It is for the tests of
// those who implement one.
//
// What it does not test is how well an index ranks, and whether it is safe for concurrent
// use; the race detector finds that where many search while others put.
func Check(ctx context.Context, empty func() (Index, error)) error {
	var broken []error
	for _, r := range rules {
		ix, err := empty()
		if err != nil {
			return err
		}
		if err := r.test(&checker{ctx: ctx, Index: ix}); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", r.says, err))
		}
	}
	return errors.Join(broken...)
}

// A checker asks an index.
type checker struct {
	Index
	ctx context.Context
	err error
}

func (c *checker) put(docs ...Document) {
	if c.err == nil {
		c.err = c.Put(c.ctx, docs...)
	}
}

// finds checks which documents a query finds, in any order.
func (c *checker) finds(q Query, ids ...itsm.ID) []Hit {
	if c.err != nil {
		return nil
	}
	if q.Audience == nil {
		q.Audience = []string{"staff"}
	}
	hits, err := c.Search(c.ctx, q)
	if err != nil {
		c.err = err
		return nil
	}
	var found []itsm.ID
	for _, h := range hits {
		found = append(found, h.Ref.ID)
	}
	slices.Sort(found)
	if !slices.Equal(found, ids) {
		c.err = fmt.Errorf("%q finds %v and not %v", q.Text, found, ids)
	}
	return hits
}

func (c *checker) want(ok bool, format string, args ...any) {
	if c.err == nil && !ok {
		c.err = fmt.Errorf(format, args...)
	}
}

func doc(id, title, body string) Document {
	return Document{Ref: itsm.Ref{Kind: "note", ID: itsm.ID(id)}, Title: title, Body: body, Audience: []string{"staff"}}
}

type rule struct {
	says string
	test func(c *checker) error
}

var rules = []rule{
	{"a document is found by each word of its title, body and fields, in upper or lower case", func(c *checker) error {
		d := doc("1", "Alpha", "beta gamma")
		d.Fields = map[string]string{"symptoms": "delta Épsilon", "cause": "zeta9"}
		c.put(d, doc("2", "other", "nothing"))
		for _, word := range []string{"alpha", "BETA", "Gamma", "delta", "épsilon", "zeta9", "alpha unheard"} {
			c.finds(Query{Text: word}, "1")
		}
		c.finds(Query{Text: "unheard"})
		c.finds(Query{Text: "?!"})
		return c.err
	}},
	{"Chinese, Japanese and Korean are found by part of what is written in one piece", func(c *checker) error {
		c.put(doc("1", "메일서버가 멈춤", ""), doc("2", "データベース接続エラー", ""), doc("3", "无法连接服务器", ""))
		c.finds(Query{Text: "서버"}, "1")
		c.finds(Query{Text: "接続"}, "2")
		c.finds(Query{Text: "连接"}, "3")
		return c.err
	}},
	{"what is put again is found by its new words and not by its old ones", func(c *checker) error {
		c.put(doc("1", "alpha", "beta"))
		c.put(doc("1", "gamma", "beta"))
		c.finds(Query{Text: "alpha"})
		c.finds(Query{Text: "gamma"}, "1")
		c.finds(Query{Text: "beta"}, "1")
		return c.err
	}},
	{"what is removed is not found, and removing what is not there is nothing", func(c *checker) error {
		c.put(doc("1", "alpha", ""), doc("2", "alpha", ""))
		if c.err == nil {
			c.err = c.Remove(c.ctx, itsm.Ref{Kind: "note", ID: "1"}, itsm.Ref{Kind: "note", ID: "9"}, itsm.Ref{Kind: "memo", ID: "2"})
		}
		c.finds(Query{Text: "alpha"}, "2")
		return c.err
	}},
	{"a document is found by those for whom it is, and what is for nobody by nobody", func(c *checker) error {
		hr, both, none := doc("1", "alpha", ""), doc("2", "alpha", ""), doc("3", "alpha", "")
		hr.Audience, both.Audience, none.Audience = []string{"hr"}, []string{"hr", "staff"}, nil
		c.put(hr, both, none)
		c.finds(Query{Text: "alpha"}, "2")
		c.finds(Query{Text: "alpha", Audience: []string{"hr"}}, "1", "2")
		c.finds(Query{Text: "alpha", Audience: []string{"staff", "guest", "hr"}}, "1", "2")
		c.finds(Query{Text: "alpha", Audience: []string{"guest"}})
		c.finds(Query{Text: "alpha", Audience: []string{}})
		return c.err
	}},
	{"kinds and keys restrict what is found", func(c *checker) error {
		a, b := doc("1", "alpha", ""), doc("2", "alpha", "")
		a.Keys, b.Ref.Kind = []itsm.Key{{Field: "service", Value: "mail"}, {Field: "locale", Value: "ko"}}, "memo"
		b.Keys = a.Keys[:1]
		c.put(a, b, doc("3", "alpha", ""))
		c.finds(Query{Text: "alpha", Where: a.Keys[:1]}, "1", "2")
		c.finds(Query{Text: "alpha", Where: a.Keys}, "1")
		c.finds(Query{Text: "alpha", Where: []itsm.Key{{Field: "service", Value: "erp"}}})
		c.finds(Query{Text: "alpha", Kinds: []string{"memo"}}, "2")
		c.finds(Query{Text: "alpha", Kinds: []string{"memo", "note"}}, "1", "2", "3")
		return c.err
	}},
	{"the share of the words that is asked for is needed", func(c *checker) error {
		c.put(doc("1", "alpha", ""), doc("2", "alpha beta", ""), doc("3", "alpha", "beta gamma"))
		c.finds(Query{Text: "alpha beta gamma"}, "1", "2", "3")
		c.finds(Query{Text: "alpha beta gamma", Least: 0.5}, "2", "3")
		c.finds(Query{Text: "alpha beta gamma", Least: 1}, "3")
		c.finds(Query{Text: "alpha beta gamma delta", Least: 1})
		return c.err
	}},
	{"the best comes first, those of the same score in the order of their references, and each time alike", func(c *checker) error {
		for _, id := range []string{"3", "1", "2"} {
			c.put(doc(id, "alpha", "and more"))
		}
		c.put(doc("4", "gamma delta", "epsilon zeta eta theta alpha"), doc("5", "alpha", "beta"))
		for range 3 {
			var order []string
			for _, h := range c.finds(Query{Text: "alpha beta"}, "1", "2", "3", "4", "5") {
				order = append(order, string(h.Ref.ID))
			}
			c.want(len(order) > 0 && order[0] == "5", "first comes %v", order)
			same := strings.Join(slices.DeleteFunc(order, func(id string) bool { return id == "4" || id == "5" }), " ")
			c.want(same == "1 2 3", "the same come as %s", same)
		}
		return c.err
	}},
	{"pages follow each other", func(c *checker) error {
		for i := range 25 {
			c.put(doc(fmt.Sprintf("%02d", i), "alpha", strings.Repeat("beta ", i%3)))
		}
		var all []itsm.ID
		for skip := 0; c.err == nil; skip += 10 {
			hits, err := c.Search(c.ctx, Query{Text: "alpha", Audience: []string{"staff"}, Skip: skip})
			if err != nil {
				return err
			}
			c.want(len(hits) == min(10, max(0, 25-skip)), "there are %d after %d", len(hits), skip)
			if len(hits) == 0 {
				break
			}
			for _, h := range hits {
				all = append(all, h.Ref.ID)
			}
		}
		slices.Sort(all)
		c.want(len(slices.Compact(all)) == 25, "there are %d in all", len(all))
		return c.err
	}},
	{"preferred keys raise a document and find none", func(c *checker) error {
		mail := doc("2", "alpha", "")
		mail.Keys = []itsm.Key{{Field: "service", Value: "mail"}}
		other := doc("3", "beta", "")
		other.Keys = mail.Keys
		c.put(doc("1", "alpha", ""), mail, other)
		hits := c.finds(Query{Text: "alpha", Prefer: mail.Keys}, "1", "2")
		c.want(len(hits) == 2 && hits[0].Ref.ID == "2" && slices.Equal(hits[0].Preferred, mail.Keys) && len(hits[1].Preferred) == 0, "the hits are %v", hits)
		return c.err
	}},
	{"a hit says which words matched, as they were asked for, and where", func(c *checker) error {
		d := doc("1", "Mail queue", "the queue is full")
		d.Fields = map[string]string{"symptoms": "메일서버 mail"}
		c.put(d)
		hits := c.finds(Query{Text: "Queue MAIL 서버 lost"}, "1")
		c.want(len(hits) == 1 && hits[0].Title == "Mail queue" && hits[0].Reason() == "title: Queue, MAIL; body: Queue; symptoms: MAIL, 서버", "the hits are %v", hits)
		return c.err
	}},
	{"bad documents and queries are refused, and nothing of them is put", func(c *checker) error {
		invalid := func(err error) { c.want(errors.Is(err, itsm.ErrInvalid), "it returns %v", err) }
		invalid(c.Put(c.ctx, doc("1", "alpha", ""), doc("", "beta", "")))
		c.finds(Query{Text: "alpha"})
		for _, q := range []Query{{}, {Text: "a", Limit: -1}, {Text: "a", Skip: -1}, {Text: "a", Least: 2}, {Text: "a", Limit: 2000}} {
			_, err := c.Search(c.ctx, q)
			invalid(err)
		}
		return c.err
	}},
	{"what the caller does to its arguments afterwards does not show", func(c *checker) error {
		d := doc("1", "alpha", "")
		d.Fields, d.Keys = map[string]string{"cause": "beta"}, []itsm.Key{{Field: "service", Value: "mail"}}
		c.put(d)
		d.Fields["cause"], d.Keys[0].Value, d.Audience[0] = "gamma", "erp", "guest"
		c.put(doc("2", "other", ""))
		c.finds(Query{Text: "beta", Where: []itsm.Key{{Field: "service", Value: "mail"}}}, "1")
		return c.err
	}},
}
