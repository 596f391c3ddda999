package exercises

import "github.com/go-itsm/itsm/sla"

// Delivered returns which part of the agreed service time of a week the service was
// there, from 0 to 1. What happens outside of the agreed hours does not count.
//
// 한 주의 합의된 서비스 시간 가운데 서비스가 제공된 비율을 0에서 1 사이로 돌려줍니다. 합의된
// 시간 밖에서 일어난 일은 세지 않습니다.
func Delivered(hours *sla.Hours, week sla.Period, outages []sla.Period) float64 {
	all := week.To.Sub(week.From)
	there := all
	for _, o := range outages {
		there -= o.To.Sub(o.From)
	}
	return float64(there) / float64(all)
}
