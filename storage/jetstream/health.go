package jetstream

import (
	"context"
	"fmt"
)

// Health is how the stream of a store is.
type Health struct {
	Stream string
	// Leader is the node that answers; empty on a server without a cluster.
	Leader string
	// Nodes are the nodes that keep the stream; Current are those, the leader
	// among them, that have everything it has.
	Nodes, Current int
	// Lag is how many operations the node that is furthest behind has to catch
	// up with.
	Lag uint64
	// Messages and Bytes are what is kept on each node: a message for each
	// revision, and one for each event where event ids are kept unique.
	Messages, Bytes uint64
	// Subjects is one for each record, and one for each event where event ids
	// are kept unique.
	Subjects uint64
}

// Health asks how the stream is. It returns an error if there is no leader, or
// too few nodes are current for it to acknowledge anything.
//
// Errors: the context's; those of the connection.
func (s *Store[R]) Health(ctx context.Context) (h Health, err error) {
	if err := ctx.Err(); err != nil {
		return Health{}, err
	}
	info, err := s.stream.info(ctx)
	if err != nil {
		return Health{}, fmt.Errorf("jetstream: stream %s: %w", s.stream.name, err)
	}
	h = Health{
		Stream: s.stream.name, Nodes: 1, Current: 1,
		Messages: info.State.Msgs, Bytes: info.State.Bytes, Subjects: info.State.NumSubjects,
	}
	if info.Cluster == nil || info.Cluster.Name == "" {
		return h, nil
	}
	h.Leader = info.Cluster.Leader
	for _, peer := range info.Cluster.Replicas {
		h.Nodes++
		if peer.Current && !peer.Offline {
			h.Current++
		}
		h.Lag = max(h.Lag, peer.Lag)
	}
	if h.Leader == "" || h.Current <= h.Nodes/2 {
		return h, fmt.Errorf("jetstream: stream %s: %d of %d nodes are current, leader %q", h.Stream, h.Current, h.Nodes, h.Leader)
	}
	return h, nil
}
