package change

// Looked counts what a question looks at, stretches and entries: what it costs,
// whatever else the machine is doing.
func (c *Calendar) Looked(p Planned) (stretches, entries int) {
	start, end := outwards(p.Span)
	var walk func(s *stretch)
	walk = func(s *stretch) {
		stretches++
		for _, e := range s.entries {
			entries++
			if e.end <= start {
				return
			}
		}
		if s.parts == nil {
			return
		}
		for i, latest := range s.parts.latest {
			if s.from+uint64(i)<<s.partSize() < end && latest > start {
				walk(&s.parts.of[i])
			}
		}
	}
	for _, r := range c.rules.related(p.Items) {
		if s, ok := c.byItem[r.item]; ok {
			walk(&s)
		}
	}
	return stretches, entries
}
