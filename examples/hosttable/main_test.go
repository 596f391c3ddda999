package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The whole story: what the program prints, word for word.
func Example() {
	tellOnSQLite(context.Background(), os.Stdout)
	// Output:
	// The ticket table, as it has been for years:
	//   no  subject               status    customer  agent  prio
	//   40  Printer prints grey   archived  acme      mina   4
	//   41  VPN drops every hour  working   globex    mina   2
	//   42  Cannot open the wiki  open      acme             3
	//
	// Resolve an archived one? incident INC0000040: action "resolve" is not permitted in state "closed", from which lead on: reject_resolution, reopen
	//
	// Three calls come in:
	//   INC0000043 Mail bounces
	//   no: the contract of globex has no tickets left
	//   INC0000044 Badge does not open the door
	//
	// Three days later, due actions done: 1
	//
	// The ticket table after that:
	//   no  subject                       status    customer  agent  prio
	//   40  Printer prints grey           archived  acme      mina   4
	//   41  VPN drops every hour          archived  globex    mina   2
	//   42  Cannot open the wiki          working   acme      mina   2
	//   43  Mail bounces                  open      globex           0
	//   44  Badge does not open the door  open      acme             0
	//
	// The contracts:
	//   customer  tickets_left
	//   acme      4
	//   globex    0
	//
	// What is remembered of ticket 41, asked in SQL:
	//   version  at                    who        action
	//   1        2026-02-27T08:30:00Z  globex     report
	//   2        2026-02-27T09:05:00Z  migration  migrate
	//   3        2026-03-02T09:15:00Z  mina       resolve
	//   4        2026-03-05T09:45:00Z  system     auto_close
	//
	// Replayed, it is closed by mina at version 4; stored, closed by mina at version 4.
}

// It is the same over both databases.
func TestTwin(t *testing.T) {
	if missing != nil {
		t.Skip(missing)
	}
	var one, other strings.Builder
	tellOnSQLite(t.Context(), &one)
	tellOnPostgres(t.Context(), &other, server)
	require.Equal(t, one.String(), other.String())
}
