package exercises

import "github.com/go-itsm/itsm/problem"

// Cause says why the expired certificate comes back, so that something can be done
// about it, and how that is known.
//
// 만료된 인증서가 왜 되돌아오는지, 손을 쓸 수 있는 원인과 그 근거를 적습니다.
func Cause() problem.Cause {
	return problem.Cause{Text: "human error"}
}
