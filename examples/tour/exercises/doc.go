// Package exercises is for you: one small function for each chapter of the tour, wrong
// as it stands. Mend it, and ask what is left to do:
//
//	go run ./examples/tour -check 1
//
// 장마다 작은 함수가 하나씩 있고, 지금은 모두 틀린 상태입니다. 고친 다음 확인해 보세요.
//
//	go run ./examples/tour -lang ko -check 1
package exercises
