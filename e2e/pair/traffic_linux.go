package pair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// echoPort is the server's echo service.
const echoPort = "7"

// echoInterval is the time between two messages of a connection.
const echoInterval = time.Second

// A Traffic is TCP connections from the client to the server. Each has a message echoed
// every second.
type Traffic struct {
	lab *Lab
	to  []string
	ctx context.Context
	all sync.WaitGroup

	mu     sync.Mutex
	flows  map[*Flow]bool
	opened int
}

// A Flow is a connection of a Traffic, which protects its members.
type Flow struct {
	conn  net.Conn // nil until it is open
	first time.Time
	sent  time.Time // when the message was sent that came back last
	err   error
}

// NewTraffic makes a Traffic to addresses of the server, which ends with the test.
func NewTraffic(l *Lab, to ...string) *Traffic {
	l.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tr := &Traffic{lab: l, to: to, ctx: ctx, flows: map[*Flow]bool{}}
	listener := l.Server.Listen("tcp", "[::]:"+echoPort)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.Copy(c, c)
			}()
		}
	}()
	l.t.Cleanup(func() {
		cancel()
		tr.mu.Lock()
		for f := range tr.flows {
			tr.end(f)
		}
		tr.mu.Unlock()
		tr.all.Wait()
	})
	return tr
}

// end closes a connection. The Traffic is locked.
func (tr *Traffic) end(f *Flow) {
	delete(tr.flows, f)
	if f.conn != nil {
		f.conn.Close()
	}
}

// Open begins to open n connections, rate of them each second. It returns a function that
// ends that before time.
func (tr *Traffic) Open(n, rate int) (stop func()) {
	ctx, cancel := context.WithCancel(tr.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for range n {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				tr.open()
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (tr *Traffic) open() {
	f := new(Flow)
	tr.mu.Lock()
	tr.flows[f] = true
	to := tr.to[tr.opened%len(tr.to)]
	tr.opened++
	tr.mu.Unlock()
	tr.all.Go(func() {
		if err := tr.run(f, net.JoinHostPort(to, echoPort)); err != nil {
			tr.mu.Lock()
			f.err = err
			tr.mu.Unlock()
		}
	})
}

func (tr *Traffic) run(f *Flow, to string) error {
	c, err := tr.lab.Client.Dial("tcp", "", to, testwait.Scale(20*time.Second))
	if err != nil {
		return err
	}
	defer c.Close()
	tr.mu.Lock()
	f.conn = c
	known := tr.flows[f]
	tr.mu.Unlock()
	if !known {
		return nil
	}
	buf := make([]byte, 8)
	for i := 0; ; i++ {
		message := fmt.Sprintf("%08d", i)
		sent := time.Now()
		if _, err := io.WriteString(c, message); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, buf); err != nil {
			return err
		}
		if string(buf) != message {
			return fmt.Errorf("%q came back for %q", buf, message)
		}
		tr.mu.Lock()
		if i == 0 {
			f.first = time.Now()
		}
		f.sent = sent
		tr.mu.Unlock()
		select {
		case <-tr.ctx.Done():
			return nil
		case <-time.After(time.Until(sent.Add(echoInterval))):
		}
	}
}

// Working returns how many connections have had a first message back.
func (tr *Traffic) Working() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	n := 0
	for f := range tr.flows {
		if f.err == nil && !f.first.IsZero() {
			n++
		}
	}
	return n
}

// Ends returns the client's ends of the connections that have had a first message back.
func (tr *Traffic) Ends() (list []netip.AddrPort) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for f := range tr.flows {
		if f.err == nil && !f.first.IsZero() {
			list = append(list, f.conn.LocalAddr().(*net.TCPAddr).AddrPort())
		}
	}
	return list
}

// Trim closes the connections that have failed or have had no message back that they sent
// after a time, and others until there are n.
func (tr *Traffic) Trim(n int, since time.Time) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for f := range tr.flows {
		if f.err != nil || !f.sent.After(since) {
			tr.end(f)
		}
	}
	for f := range tr.flows {
		if len(tr.flows) <= n {
			return
		}
		tr.end(f)
	}
}

// A Tally is what became of connections.
type Tally struct{ Survived, Reset, Failed, Silent int }

// All returns how many there were.
func (t Tally) All() int { return t.Survived + t.Reset + t.Failed + t.Silent }

func (t Tally) String() string {
	return fmt.Sprintf("%4d of %4d survived, %d reset, %d failed, %d silent",
		t.Survived, t.All(), t.Reset, t.Failed, t.Silent)
}

func (f *Flow) knownAt(t time.Time) bool { return !f.first.IsZero() && f.first.Before(t) }

// Settled reports whether each connection whose first message was back before a time has
// had a message back that it sent after another time, or has failed.
func (tr *Traffic) Settled(before, since time.Time) bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for f := range tr.flows {
		if f.err == nil && f.knownAt(before) && !f.sent.After(since) {
			return false
		}
	}
	return true
}

// Lost returns copies of those that Settled waits for, and of those that have failed.
func (tr *Traffic) Lost(before, since time.Time) (lost []Flow) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for f := range tr.flows {
		if f.knownAt(before) && (f.err != nil || !f.sent.After(since)) {
			lost = append(lost, *f)
		}
	}
	return lost
}

// Count tells what became of the connections whose first message was back before a time,
// and of the others: what they have sent since another time has come back.
func (tr *Traffic) Count(before, since time.Time) (old, young Tally) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for f := range tr.flows {
		t := &young
		if f.knownAt(before) {
			t = &old
		}
		switch {
		case errors.Is(f.err, syscall.ECONNRESET) || errors.Is(f.err, syscall.ECONNREFUSED):
			t.Reset++
		case f.err != nil:
			t.Failed++
		case f.sent.After(since):
			t.Survived++
		default:
			t.Silent++
		}
	}
	return old, young
}

// Add adds another Tally.
func (t *Tally) Add(o Tally) {
	t.Survived += o.Survived
	t.Reset += o.Reset
	t.Failed += o.Failed
	t.Silent += o.Silent
}
