package telemetry

import (
	"context"
	"errors"

	"github.com/go-itsm/itsm"
)

const (
	conflict = "conflict"
	other    = "_OTHER"
)

// refusal reports whether an answer is one that whoever asked has to live with,
// and not the program.
func refusal(kind string) bool {
	switch kind {
	case "not_found", "exists", "denied", "no_actor", "invalid", "not_allowed":
		return true
	}
	return false
}

// errorType is the value of error.type: one of few words for every error, and
// none for none.
func errorType(err error) string {
	if err == nil {
		return ""
	}
	for _, one := range [...]struct {
		is   error
		word string
	}{
		// An outcome that is not known may have other errors with it, which
		// say why.
		{itsm.ErrUnknown, "unknown"},
		{context.Canceled, "canceled"},
		{context.DeadlineExceeded, "timeout"},
		{itsm.ErrConflict, conflict},
		{itsm.ErrExists, "exists"},
		{itsm.ErrNotFound, "not_found"},
		{itsm.ErrDenied, "denied"},
		{itsm.ErrNoActor, "no_actor"},
		{itsm.ErrNotAllowed, "not_allowed"},
		{itsm.ErrInvalid, "invalid"},
		{itsm.ErrUnsupported, "unsupported"},
		{itsm.ErrSingleRevision, "single_revision"},
	} {
		if errors.Is(err, one.is) {
			return one.word
		}
	}
	return other
}
