package problem

// Depth returns how deep the tree of a line of incidents is: what a question of it
// costs, whatever else the machine is doing.
func (d *Detector) Depth(service, symptom string) int {
	var depth func(t *node) int
	depth = func(t *node) int {
		if t == nil {
			return 0
		}
		return 1 + max(depth(t.left), depth(t.right))
	}
	return depth(d.lines[lineKey{service, symptom}].root)
}
