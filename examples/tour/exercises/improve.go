package exercises

import "github.com/go-itsm/itsm/knowledge"

// Improve completes the draft of an article, so that somebody else can find it by what
// they see and can do what it says. The title stays.
//
// 지식 문서의 초안을 완성합니다. 다른 사람이 자기가 본 증상으로 찾아내어 그대로 따라 할 수
// 있어야 합니다. 제목은 그대로 둡니다.
func Improve(text knowledge.Content) knowledge.Content {
	text.Body = "Ask mia, she knows."
	return text
}
