package exercises

import (
	"time"

	"github.com/go-itsm/itsm/svs"
)

// Decide records why the image is built anew instead of renewing certificates by hand.
// Whoever reads it in a year has to understand the reason.
//
// 인증서를 손으로 갱신하는 대신 이미지를 새로 만들기로 한 까닭을 남깁니다. 일 년 뒤에 읽는
// 사람도 이유를 알 수 있어야 합니다.
func Decide() svs.Decision {
	return svs.Decision{
		ID: "d-1", Title: "The certificate of the shop", Chosen: "build the image anew",
		By: "kim", At: time.Date(2026, 3, 11, 2, 0, 0, 0, time.UTC),
	}
}
