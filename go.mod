module github.com/go-itsm/itsm

go 1.26.0

require github.com/looplab/fsm v1.0.3

require (
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
