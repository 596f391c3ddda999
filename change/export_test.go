package change

// Visited counts the nodes that a question looks at: what it costs, whatever else the
// machine is doing.
func (c *Calendar) Visited(p Planned) int {
	n := 0
	var walk func(t *node)
	start, end := p.Start.UnixMicro(), p.End.UnixMicro()
	walk = func(t *node) {
		if t == nil {
			return
		}
		n++
		if t.lastLeft > start {
			walk(t.left)
		}
		if t.start < end && t.lastRight > start {
			walk(t.right)
		}
	}
	for _, r := range c.rules.related(p.Items) {
		walk(c.byItem[r.item])
	}
	return n
}
