module github.com/go-itsm/itsm/storage/enginetest

go 1.26.0

require (
	github.com/anishathalye/porcupine v1.3.1
	github.com/go-itsm/itsm v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/looplab/fsm v1.0.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/exp v0.0.0-20261113113407-e3970619a1a4 // indirect
)

replace github.com/go-itsm/itsm => ../..
