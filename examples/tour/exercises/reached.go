package exercises

// Reached reports whether an improvement came where it wanted to. Less is better: these
// are hours of downtime in a month.
//
// 개선이 목표에 닿았는지 돌려줍니다. 한 달의 중단 시간이므로 작을수록 좋습니다.
func Reached(baseline, target, measured float64) bool {
	return measured < baseline
}
