package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/go-itsm/itsm/incident"
	"github.com/go-itsm/itsm/storage/jetstream"
)

// A process is this program once more, in another part.
type process struct {
	name, url string
	args      []string
	cmd       *exec.Cmd
	heard     chan struct{} // closed when all it said has been heard
}

// start begins it, and has its lines heard.
func (p *process) start(hear func(line []byte)) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	p.cmd, p.heard = exec.Command(program, p.args...), make(chan struct{})
	if _, err := p.cmd.StdinPipe(); err != nil { // which ends when this program does
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(p.heard)
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				return
			}
			if hear != nil {
				hear(bytes.TrimSpace(line))
			}
		}
	}()
	return nil
}

func (p *process) alive() bool { return p.cmd != nil }

// kill ends it at once, wherever it is.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	<-p.heard
	_ = p.cmd.Wait()
	p.cmd = nil
}

// child plays the part that the arguments name, until the program that started
// it ends. It reports whether there is one.
func child(args []string) bool {
	if len(args) == 0 || args[0] != "node" && args[0] != "host" {
		return false
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	if args[0] == "node" {
		playNode(args[1])
	} else {
		playHost(args[1], args[2])
	}
	return true
}

// playNode is a server, as its configuration says.
func playNode(file string) {
	o, err := server.ProcessConfigFile(file)
	must(err)
	s, err := server.NewServer(o)
	must(err)
	s.Start()
	select {}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// newNodes writes the configurations of three nodes that sync everything to
// the disk before they say that they have it.
func newNodes(dir string) (nodes []*process, err error) {
	var clients, routes []string
	for range 3 {
		for _, list := range []*[]string{&clients, &routes} {
			l, err := net.Listen("tcp", "127.0.0.1:0") // a free port
			if err != nil {
				return nil, err
			}
			defer func() { _ = l.Close() }()
			*list = append(*list, l.Addr().String())
		}
	}
	for i, listen := range clients {
		name := fmt.Sprint("n", i+1)
		file := filepath.Join(dir, name+".conf")
		text := fmt.Sprintf("server_name: %s\nlisten: %q\njetstream: {store_dir: %q, sync_interval: always}\n"+
			"cluster: {name: desk, listen: %q, routes: [\"nats://%s\"]}\n",
			name, listen, filepath.Join(dir, name), routes[i], strings.Join(routes, `", "nats://`))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return nil, err
		}
		nodes = append(nodes, &process{name: name, url: "nats://" + listen, args: []string{"node", file}})
	}
	return nodes, nil
}

// open opens the desk over the cluster.
func open(ctx context.Context, urls string, cfg incident.Config, nodes int) (*incident.Practice, error) {
	nc, err := nats.Connect(urls, nats.DontRandomize(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	store, err := jetstream.Open[incident.Incident](ctx, nc, jetstream.Options{Stream: "INCIDENTS", Replicas: nodes, Patience: time.Minute, Slow: -1})
	if err != nil {
		return nil, err
	}
	cfg.AutoClose = incident.After(closesAfter)
	return incident.NewPractice(store, cfg)
}

// closesAfter is when a resolved incident closes by itself.
const closesAfter = time.Second

// waitForCluster returns when the nodes have found each other.
func waitForCluster(urls string) (*incident.Practice, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for {
		desk, err := open(ctx, urls, incident.Config{}, 3)
		if err == nil || ctx.Err() != nil {
			return desk, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}
