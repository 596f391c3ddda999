package enginetest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// partVariable tells a process its part, and its arguments.
const partVariable = "ITSM_ENGINETEST_PART"

// Play plays the part for which this process was started by a [Program], and ends
// it: with an error, or when whoever started it is gone. In any other process it
// returns at once. TestMain begins with it.
func Play(parts map[string]func(args ...string) error) {
	text := os.Getenv(partVariable)
	if text == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	var part []string
	err := json.Unmarshal([]byte(text), &part)
	if err == nil {
		err = parts[part[0]](part[1:]...)
	}
	fmt.Fprintln(os.Stderr, text, err)
	os.Exit(2)
}

// A Program is this test program once more, as a process that plays another part
// ([Play]) until it is killed, and can be started again then.
type Program struct {
	// Part is its name and its arguments.
	Part []string

	hear  func(line string)
	cmd   *exec.Cmd
	heard chan struct{} // closed when all it said has been heard
}

// Hear has a function called with each line that it writes from its next start on,
// if the line was written whole.
func (p *Program) Hear(line func(line string)) { p.hear = line }

// Ended reports whether it has ended by itself since it was started.
func (p *Program) Ended() bool {
	select {
	case <-p.heard:
		return p.cmd != nil
	default:
		return false
	}
}

// Start starts it.
func (p *Program) Start() error {
	part, err := json.Marshal(p.Part)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program)
	cmd.Env, cmd.Stderr = append(os.Environ(), partVariable+"="+string(part), endAtRace()), os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // which ends when this process does
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd, p.heard = cmd, make(chan struct{})
	heard := p.heard
	go func() {
		defer close(heard)
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return // and what is not whole was not said
			}
			if p.hear != nil {
				p.hear(strings.TrimSuffix(line, "\n"))
			}
		}
	}()
	return nil
}

// endAtRace is the environment in which a data race ends a process, if it was built to
// find them: whoever kills it then learns of it.
func endAtRace() string { return "GORACE=" + os.Getenv("GORACE") + " halt_on_error=1" }

// Kill kills it, wherever it is, and returns when everything that it has written has
// been heard. It returns an error if it was not there to be killed any more, however
// it has ended, and nil if it was killed before.
func (p *Program) Kill() error {
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Kill()
	<-p.heard
	_ = p.cmd.Wait()
	end := p.cmd.ProcessState
	p.cmd = nil
	killed := -1 // as what ended by a signal has no code of its own
	if runtime.GOOS == "windows" {
		killed = 1 // as who kills a process there ends it
	}
	if end.ExitCode() != killed {
		return fmt.Errorf("%v had ended by itself: %v", p.Part, end)
	}
	return nil
}

// A Victim is what can be killed and started again: a [Program], or a server.
type Victim interface {
	Kill() error
	Start() error
}

// A Host is a [Victim] that says what was acknowledged: a [Program] whose part is
// [Tower.Run].
type Host interface {
	Victim
	Hear(line func(line string))
	Ended() bool
}

// Havoc has hosts work on a tower and kills them while they do, one at a time, or one
// of the others that all of them need, or both at once. It brings back whom it killed
// after a moment, and goes on when every host has done something since. In the end
// users go home, what is due is done, and the account is made ([Tower.Audit]); it is an
// error too if something was never done. The tower is over handles of the caller's own.
func (t Tower) Havoc(ctx context.Context, hosts []Host, others []Victim, kills int) (r Report, err error) {
	s := &scene{hosts: hosts, patience: t.patience(), heard: make([]int, len(hosts)), home: make([]bool, len(hosts))}
	defer func() {
		for _, h := range hosts {
			err = errors.Join(err, h.Kill())
		}
	}()
	for i, h := range hosts {
		h.Hear(func(line string) { s.hear(i, line) })
		if err := h.Start(); err != nil {
			return r, err
		}
	}
	hostKills, otherKills := 0, 0
	var which []int // a host, somebody else, or both: each as often
	for k := range kills {
		if k%3 == 0 {
			which = rand.Perm(3)
		}
		if err := s.wait(ctx, s.working); err != nil {
			return r, err
		}
		time.Sleep(rand.N(200 * time.Millisecond))
		var down []Victim
		if which[k%3] > 0 || len(others) == 0 {
			down, hostKills = append(down, hosts[rand.IntN(len(hosts))]), hostKills+1
		}
		if which[k%3] < 2 && len(others) > 0 {
			down, otherKills = append(down, others[rand.IntN(len(others))]), otherKills+1
		}
		for _, v := range down {
			if err := v.Kill(); err != nil {
				return r, err
			}
		}
		time.Sleep(rand.N(200 * time.Millisecond))
		s.forget()
		for _, v := range down {
			if err := v.Start(); err != nil {
				return r, err
			}
		}
	}
	if err := s.wait(ctx, s.working); err != nil {
		return r, err
	}
	if err := t.Close(); err != nil {
		return r, err
	}
	if err := s.wait(ctx, s.gone); err != nil {
		return r, err
	}
	unsettled := t.Settle(ctx)
	for _, h := range hosts {
		if err := h.Kill(); err != nil { // and all it had to say is heard
			return r, err
		}
	}
	for try := 1; ; try++ {
		r, err = t.Audit(ctx, s.told)
		r.HostKills, r.OtherKills = hostKills, otherKills
		if err == nil {
			err = r.complete()
		}
		if err == nil || unsettled != nil || try == 5 {
			return r, errors.Join(unsettled, err)
		}
		time.Sleep(time.Second) // a feed may hold the latest back a little while
	}
}

// A scene is what is heard of hosts.
type scene struct {
	hosts    []Host
	patience time.Duration
	mu       sync.Mutex
	told     []string // what was acknowledged
	heard    []int    // lines of each host, since somebody was killed
	home     []bool   // whether its users are
}

func (s *scene) hear(host int, line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if line == home {
		s.home[host] = true
		return
	}
	s.told = append(s.told, line)
	s.heard[host]++
}

func (s *scene) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.heard)
}

// working reports whether every host has done something since somebody was killed.
func (s *scene) working() bool { return slices.Min(s.heard) >= 10 }

// gone reports whether all users have gone home.
func (s *scene) gone() bool { return !slices.Contains(s.home, false) }

// wait waits until something is so.
func (s *scene) wait(ctx context.Context, until func() bool) error {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		ok, heard := until(), fmt.Sprint(s.heard)
		s.mu.Unlock()
		switch {
		case ok || ctx.Err() != nil:
			return ctx.Err()
		case slices.ContainsFunc(s.hosts, Host.Ended):
			return errors.New("a host works no more") // which, is told when it is to be killed
		}
		if time.Since(begun) > s.patience {
			return fmt.Errorf("after %v hosts have been heard %s times", s.patience, heard)
		}
	}
}
