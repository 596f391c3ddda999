module github.com/go-itsm/itsm/examples/holidays

go 1.26.0

require (
	github.com/go-itsm/itsm v0.0.0
	github.com/rickar/cal/v2 v2.1.13
)

require golang.org/x/exp v0.0.0-20261113113407-e3970619a1a4 // indirect

replace github.com/go-itsm/itsm => ../..
