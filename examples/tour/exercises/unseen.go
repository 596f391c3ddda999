package exercises

import "github.com/go-itsm/itsm/svs"

// Unseen lists the dimensions that nobody has looked at, in their usual order, given
// how many questions were answered in each. Who did not look is not in the map.
//
// 아무도 살펴보지 않은 차원을 원래 순서대로 돌려줍니다. 차원마다 답한 질문의 수가 주어지며,
// 전혀 살펴보지 않은 차원은 맵에 없을 수도 있습니다.
func Unseen(answered map[svs.Dimension]int) []svs.Dimension {
	var unseen []svs.Dimension
	for d, n := range answered {
		if n == 0 {
			unseen = append(unseen, d)
		}
	}
	return unseen
}
