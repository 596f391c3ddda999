package exercises

import (
	"time"

	"github.com/go-itsm/itsm/change"
)

// Window returns when the change is to be carried out: the first time from c.Start on
// that is free, and as long. It has to be over by until.
//
// 변경을 언제 수행할지 돌려줍니다. c.Start 이후로 처음 비어 있는, 길이가 같은 시간대이며
// until까지는 끝나야 합니다.
func Window(schedule *change.Calendar, c change.Planned, until time.Time) change.Span {
	return c.Span
}
