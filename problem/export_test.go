package problem

// Depth returns how deep the tree of a line of incidents is: what a question of it
// costs, whatever else the machine is doing.
func (d *Detector) Depth(service, symptom string) int {
	var depth func(m *mark) int
	depth = func(m *mark) int {
		if m == nil {
			return 0
		}
		return 1 + max(depth(m.left), depth(m.right))
	}
	return depth(d.lines[lineKey{service, symptom}].root)
}
