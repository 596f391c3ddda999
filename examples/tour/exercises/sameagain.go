package exercises

import "github.com/go-itsm/itsm/incident"

// SameAgain reports whether one incident looks like another one coming back.
//
// 한 인시던트가 다른 인시던트의 재발로 보이는지 돌려줍니다.
func SameAgain(a, b incident.Incident) bool {
	return a.Title == b.Title
}
