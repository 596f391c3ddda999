module github.com/go-itsm/itsm/examples/holidays

go 1.26.0

require (
	github.com/go-itsm/itsm v0.0.0
	github.com/rickar/cal/v2 v2.1.13
)

replace github.com/go-itsm/itsm => ../..
