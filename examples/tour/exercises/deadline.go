package exercises

import (
	"time"

	"github.com/go-itsm/itsm/sla"
)

// Deadline returns until when an order has to be fulfilled: the goal counts only while
// the office is open.
//
// 주문을 언제까지 처리해야 하는지 돌려줍니다. 목표 시간은 사무실이 열려 있는 동안에만 셉니다.
func Deadline(hours *sla.Hours, ordered time.Time, goal time.Duration) time.Time {
	return ordered.Add(goal)
}
