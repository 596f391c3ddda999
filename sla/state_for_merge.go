package sla

// A State is where a clock stands.
type State string

// The states of a clock.
const (
	Pending   State = "pending"
	Running   State = "running"
	Paused    State = "paused"
	Breached  State = "breached"
	Met       State = "met"
	Missed    State = "missed"
	Cancelled State = "cancelled"
)

// States lists the states of a clock in the order of its life.
func States() []State {
	return []State{Pending, Running, Paused, Breached, Met, Missed, Cancelled}
}
