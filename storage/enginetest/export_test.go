package enginetest

import (
	"net"
	"time"

	"github.com/go-itsm/itsm"
)

// What tests do to bells by themselves.
type (
	Hang   = hang
	Ring   = ring
	Reply  = reply
	Hear   = hear
	Strike = strike
)

// Practices returns the practices of a tower, of whose bells time brings something
// else if next is given.
func (t Tower) Practices(cfg itsm.Config, next func(b *Bell) (time.Time, itsm.Action[Bell])) (*itsm.Practice[Bell], *itsm.Practice[Echo], error) {
	bells, echoes, err := t.practices(cfg)
	if next != nil && err == nil {
		var def itsm.Definition[Bell]
		if def, err = bellDefinition(); err == nil {
			def.Next = next
			bells, err = itsm.NewPractice(def, itsm.Store[Bell](t.Bells), cfg)
		}
	}
	return bells, echoes, err
}

// Link passes on what two ends say to each other.
func (p *Proxy) Link(client, server net.Conn) { p.link(client, server) }
