package exercises

import "time"

// StepTime is how long a piece of work was in a step, waiting included, and how much
// of that somebody worked on it.
//
// 일이 한 단계에 머문 시간(대기 포함)과 그중 실제로 작업한 시간입니다.
type StepTime struct {
	Lead, Process time.Duration
}

// Efficiency returns the flow efficiency of the whole way, from 0 to 1.
//
// 전체 흐름 효율을 0에서 1 사이의 값으로 돌려줍니다.
func Efficiency(steps []StepTime) float64 {
	sum := 0.0
	for _, s := range steps {
		sum += s.Process.Hours() / s.Lead.Hours()
	}
	return sum / float64(len(steps))
}
