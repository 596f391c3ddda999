// Cluster has three hosts work on the same incidents over three nodes of NATS,
// kills them while they do, and shows that nothing was lost or done twice.
//
//	go run -C examples/cluster .
//
// Nodes and hosts are programs of their own, started by this one on loopback and
// killed with SIGKILL. A row of the picture is half a second:
//
//	       nodes        hosts, and what each did
//	       n1  n2  n3    seoul  berlin  austin     due
//	0.5 s  up  up  up       31      28      30       0
//	1.0 s  up  --  up       12      --      14       7
//
// due is what time brought: a resolved incident closes by itself, once, on
// whichever host is first.
//
// node.go and host.go are the programs, audit.go is what is checked in the end.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-itsm/itsm"
)

func main() {
	if child(os.Args[1:]) {
		return
	}
	if err := run(os.Stdout, script); err != nil {
		log.Fatal(err)
	}
}

// script is who is killed, one after the other. Each comes back, and it goes on
// when somebody has been answered since.
var script = [][]string{{"node"}, {"host"}, {"node", "host"}, {"node", "node"}, {"node", "node", "node"}, {"host", "host", "host"}}

// A scene is the cluster and what can be seen of it.
type scene struct {
	out          io.Writer
	nodes, hosts []*process
	mu           sync.Mutex
	acknowledged []itsm.Event // by whichever host
	did          map[string]int
	began        time.Time
	rows         int
	patience     time.Duration
}

const row = 500 * time.Millisecond

func run(out io.Writer, script [][]string) (err error) {
	dir, err := os.MkdirTemp("", "cluster")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s := &scene{out: out, did: map[string]int{}, patience: 2 * time.Minute}
	defer func() {
		for _, p := range s.all() {
			p.kill()
		}
	}()
	if s.nodes, err = newNodes(dir); err != nil {
		return err
	}
	var urls []string
	for _, p := range s.nodes {
		urls = append(urls, p.url)
		if err := p.start(nil); err != nil {
			return err
		}
	}
	desk, err := waitForCluster(strings.Join(urls, ","))
	if err != nil {
		return err
	}
	for i, name := range []string{"seoul", "berlin", "austin"} {
		// Each talks to a node of its own first.
		own := append(slices.Clone(urls[i:]), urls[:i]...)
		p := &process{name: name, args: []string{"host", name, strings.Join(own, ",")}}
		s.hosts = append(s.hosts, p)
		if err := p.start(s.hear); err != nil {
			return err
		}
	}
	s.began = time.Now()
	fmt.Fprintf(out, "         nodes        hosts, and what each did\n        ")
	for _, p := range s.nodes {
		fmt.Fprintf(out, " %-3s", p.name)
	}
	for _, p := range s.hosts {
		fmt.Fprintf(out, " %7s", p.name)
	}
	fmt.Fprintf(out, " %7s\n", "due")

	if err := s.goOn(); err != nil {
		return err
	}
	for _, kinds := range script {
		if err := s.strike(kinds); err != nil {
			return err
		}
	}
	for _, p := range s.hosts {
		p.kill() // in the middle of it
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return audit(context.Background(), out, desk, s.acknowledged)
}

func (s *scene) all() []*process { return append(slices.Clone(s.nodes), s.hosts...) }

// hear takes a line of a host: an event that was acknowledged.
func (s *scene) hear(line []byte) {
	var e itsm.Event
	if json.Unmarshal(line, &e) != nil {
		return // it was killed in the middle of a word
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acknowledged = append(s.acknowledged, e)
	if e.Action == "auto_close" {
		s.did["due"]++
	} else {
		s.did[e.Actor.ID]++
	}
}

// strike kills some at random, shows two rows without them, and starts them
// again.
func (s *scene) strike(kinds []string) error {
	nodes, hosts := rand.Perm(len(s.nodes)), rand.Perm(len(s.hosts))
	var down []*process
	for _, kind := range kinds {
		if kind == "node" {
			down, nodes = append(down, s.nodes[nodes[0]]), nodes[1:]
		} else {
			down, hosts = append(down, s.hosts[hosts[0]]), hosts[1:]
		}
	}
	for _, p := range down {
		p.kill()
	}
	s.show()
	s.show()
	for _, p := range down {
		hear := s.hear
		if slices.Contains(s.nodes, p) {
			hear = nil
		}
		if err := p.start(hear); err != nil {
			return err
		}
	}
	return s.goOn()
}

// goOn shows rows until somebody has been answered since.
func (s *scene) goOn() error {
	count := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.acknowledged)
	}
	before, ends := count(), time.Now().Add(s.patience)
	for count() < before+20 {
		if time.Now().After(ends) {
			return fmt.Errorf("nobody was answered for %v", s.patience)
		}
		s.show()
	}
	return nil
}

// show waits for the end of a row and prints it.
func (s *scene) show() {
	s.rows++
	time.Sleep(time.Until(s.began.Add(time.Duration(s.rows) * row)))
	s.mu.Lock()
	did := s.did
	s.did = map[string]int{}
	s.mu.Unlock()
	fmt.Fprintf(s.out, "%5.1f s ", (time.Duration(s.rows) * row).Seconds())
	for _, p := range s.nodes {
		state := "up"
		if !p.alive() {
			state = "--"
		}
		fmt.Fprintf(s.out, " %-3s", state)
	}
	for _, p := range s.hosts {
		if p.alive() {
			fmt.Fprintf(s.out, " %7d", did[p.name])
		} else {
			fmt.Fprintf(s.out, " %7s", "--")
		}
	}
	fmt.Fprintf(s.out, " %7d\n", did["due"])
}
