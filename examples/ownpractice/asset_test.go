package main

import (
	"testing"

	"github.com/go-itsm/itsm/practicetest"
)

func TestAssets(t *testing.T) {
	practicetest.Test(t, practicetest.Harness[Asset]{}, NewAssets)
}
