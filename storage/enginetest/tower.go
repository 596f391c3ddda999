package enginetest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
	"github.com/go-itsm/itsm/svs"
)

// A Tower is where bells hang that any number of hosts ring: one practice in which
// time brings something again and again, and one in which it echoes. Each host has
// handles of its own to the same records.
type Tower struct {
	Bells interface {
		itsm.Store[Bell]
		itsm.Lister[Bell]
		itsm.Feeder
		itsm.DueStore
	}
	Echoes interface {
		itsm.Store[Echo]
		itsm.Feeder
	}
	// Folder is one that all hosts share. They keep there how far they have read,
	// and find there whether it is time for users to go home.
	Folder string
	// Patience is how long [Tower.Havoc] waits for what is to happen before it takes
	// it that it never will. 0 means three minutes, for machines that are busy.
	Patience time.Duration
}

func (t Tower) patience() time.Duration { return cmp.Or(t.Patience, 3*time.Minute) }

// What users do, and how much: what hosts can follow on a slow machine that they
// share with their servers.
const (
	users = 2 // of each host
	ropes = 6
	often = 10 // is how many times a bell rings at most
	pause = 200 * time.Millisecond
	least = 50 * time.Millisecond // between two rings
	most  = 800 * time.Millisecond
)

// home is what a host says when its users have gone home.
const home = `"home"`

// Run is what the process of a host does until it is killed or the context ends:
// its users hang and strike bells, until [Tower.Close]; one [itsm.Runner] has them
// ring, and one [svs.System] has each ring heard and each strike replied to. It writes
// every event that was acknowledged to out, in a line, before anything else happens.
// What fails is not done, or is done by another host; what no store should answer is
// returned.
func (t Tower) Run(ctx context.Context, name string, out io.Writer) error {
	ctx, stop := context.WithCancelCause(itsm.As(ctx, name))
	defer stop(nil)
	var mu sync.Mutex
	say := func(line []byte) {
		mu.Lock()
		defer mu.Unlock()
		if _, err := out.Write(append(line, '\n')); err != nil {
			stop(err)
		}
	}
	var system *svs.System
	bells, echoes, err := t.practices(itsm.Config{Notify: func(_ context.Context, events []itsm.Event) {
		for _, e := range events {
			line, err := json.Marshal(e)
			if err != nil {
				stop(err)
			}
			say(line)
		}
		system.Wake()
	}})
	if err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler) // that a server is away is no news here
	system, err = svs.NewSystem(svs.Config{
		Name: "tower", Cursors: cursors(t.Folder), Actor: itsm.Actor{ID: name}, Interval: 100 * time.Millisecond, Log: quiet,
		Refused: func(_ context.Context, r svs.Refusal) { stop(r.Err) },
		Reactions: []svs.Reaction{
			svs.On[Bell]{
				Name: "hear", Practice: bells, Actions: []string{"ring"}, Leads: []svs.Point{{Practice: "echo", Action: "hear"}},
				Decide: func(_ context.Context, past itsm.Past[Bell]) ([]svs.Effect, error) {
					return []svs.Effect{svs.Create(echoes, hear{past.Record.ID, past.Action.(ring).For})}, nil
				},
			},
			svs.On[Bell]{
				Name: "reply", Practice: bells, Actions: []string{"strike"}, Leads: []svs.Point{{Practice: "bell", Action: "reply"}},
				Decide: func(_ context.Context, past itsm.Past[Bell]) ([]svs.Effect, error) {
					return []svs.Effect{svs.Do(bells, cmp.Or(past.Record.Beside, past.Record.ID), reply{})}, nil
				},
			},
		},
	})
	if err != nil {
		return err
	}
	runner := itsm.NewRunner(itsm.RunnerConfig{Interval: 100 * time.Millisecond, Actor: itsm.Actor{ID: name}, Log: quiet}, bells)
	var all, people sync.WaitGroup
	for range users {
		people.Go(func() { t.use(ctx, bells, stop) })
	}
	all.Go(func() { stop(runner.Run(ctx)) })
	all.Go(func() { stop(system.Run(ctx)) })
	all.Go(func() {
		people.Wait()
		say([]byte(home))
	})
	all.Wait()
	return context.Cause(ctx)
}

// use is what a user does: there are always some bells, and most of what is done is
// done to those.
func (t Tower) use(ctx context.Context, bells *itsm.Practice[Bell], stop context.CancelCauseFunc) {
	for ctx.Err() == nil && !t.closed() {
		page, err := bells.List(ctx, itsm.Query{States: []itsm.State{stateHung}, Limit: ropes})
		switch {
		case err != nil:
		case len(page.Records) < ropes:
			a := hang{Every: (least + rand.N(most-least)).Truncate(time.Millisecond), Times: 1 + rand.IntN(often)}
			a.First = time.Now().Add(a.Every)
			if len(page.Records) > 0 {
				a.Beside = page.Records[rand.IntN(len(page.Records))].ID
			}
			_, err = bells.Create(ctx, a)
		default:
			_, err = bells.Do(ctx, page.Records[rand.IntN(ropes)].ID, strike{})
		}
		if errors.Is(err, itsm.ErrInvalid) || errors.Is(err, itsm.ErrNotFound) || errors.Is(err, itsm.ErrExists) {
			stop(err)
		}
		time.Sleep(rand.N(pause))
	}
}

func (t Tower) practices(cfg itsm.Config) (bells *itsm.Practice[Bell], echoes *itsm.Practice[Echo], err error) {
	bell, err1 := bellDefinition()
	echo, err2 := echoDefinition()
	if err = errors.Join(err1, err2); err != nil {
		return nil, nil, err
	}
	bells, err1 = itsm.NewPractice(bell, itsm.Store[Bell](t.Bells), cfg)
	echoes, err2 = itsm.NewPractice(echo, itsm.Store[Echo](t.Echoes), cfg)
	return bells, echoes, errors.Join(err1, err2)
}

// Close sends the users of all hosts home, those that are yet to come too.
func (t Tower) Close() error { return os.WriteFile(filepath.Join(t.Folder, "closed"), nil, 0o600) }

func (t Tower) closed() bool {
	_, err := os.Stat(filepath.Join(t.Folder, "closed"))
	return err == nil
}

// Settle waits until the hosts have done what is due and what follows from it: until
// every bell that was hung is silent, and there are as many effects as there are
// causes. It returns an error if nothing more happens before.
func (t Tower) Settle(ctx context.Context) error {
	var cursors [2]itsm.Cursor
	hung, open := 0, 0
	for changed := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		due, err := t.Bells.NextDue(ctx, time.Time{})
		if err != nil {
			return err
		}
		for i, f := range []itsm.Feeder{t.Bells, t.Echoes} {
			for d, err := range f.Feed(ctx, cursors[i]) {
				if err != nil {
					return err
				}
				cursors[i], changed = d.Cursor, time.Now()
				switch d.Event.Action {
				case "hang":
					hung++
				case "rest":
					hung--
				case "ring", "strike":
					open++
				case "hear", "reply":
					open--
				}
			}
		}
		switch {
		case due.IsZero() && hung <= 0 && open <= 0: // less is for the audit to say
			return nil
		case time.Since(changed) > t.patience():
			return fmt.Errorf("%d bells are not silent, and the first is due at %v; %d effects are missing", hung, due, open)
		}
	}
}

// cursors are kept in a folder, a file for each reader.
type cursors string

func (c cursors) file(reader string) string { return filepath.Join(string(c), url.PathEscape(reader)) }

func (c cursors) Cursor(_ context.Context, reader string) (itsm.Cursor, error) {
	data, err := os.ReadFile(c.file(reader))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return itsm.Cursor(data), err
}

// SaveCursor never leaves half of one there.
func (c cursors) SaveCursor(_ context.Context, reader string, cursor itsm.Cursor) error {
	f, err := os.CreateTemp(string(c), "cursor")
	if err != nil {
		return err
	}
	_, err = f.WriteString(string(cursor))
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), c.file(reader))
}
