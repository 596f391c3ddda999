package exercises

import (
	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/incident"
)

// Restore returns what is to be done, one after the other, to an incident that is new.
// A spare certificate lets the shop work again. Why the old one comes back, nobody
// knows yet.
//
// 새로 등록된 인시던트에 차례로 무엇을 할지 돌려줍니다. 예비 인증서를 쓰면 서점은 다시
// 열립니다. 옛 인증서가 왜 되돌아오는지는 아직 아무도 모릅니다.
func Restore() []itsm.Action[incident.Incident] {
	return []itsm.Action[incident.Incident]{
		incident.Start{},
		incident.PutOnHold{Reason: incident.AwaitingProblem, Note: "until we know why"},
	}
}
