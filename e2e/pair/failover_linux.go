package pair

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// A Loss is how the node that has the addresses loses its role.
type Loss string

// How a role is lost.
const (
	Killed   Loss = "killed"    // the machine is dead: no daemon, no links
	Orderly  Loss = "orderly"   // it lives, and gives its addresses away
	LinkDown Loss = "link down" // it lives, its links to client and server do not
)

// Losses are all ways to lose a role.
var Losses = []Loss{Killed, Orderly, LinkDown}

// A Failover has two nodes take over from each other while connections go on.
type Failover struct {
	Lab     *Lab
	Traffic *Traffic
	// Script is called with primary, backup or fault, and moves the addresses. If it is "",
	// the addresses move before the requests of the stock script, as with keepalived.
	Script string
	// Connections is how many there are at least at each failover, and Rate how many more are
	// opened each second meanwhile.
	Connections, Rate int
	// Patience is how long connections have to go on; 0 means 20 seconds.
	Patience time.Duration
	// Injected says that the node that waits has the connections in its kernel's table.
	Injected bool

	primary int // its index
}

// An Outcome is that of a failover.
type Outcome struct {
	From, To   string
	Old, Young Tally         // those old enough to be known, and the others
	FTP        error         // of the sessions of active FTP
	Took       time.Duration // until the other node had connections and addresses
}

func (o Outcome) String() string {
	s := fmt.Sprintf("%s to %s: %s; young: %s; in %.2f s", o.From, o.To, o.Old, o.Young, o.Took.Seconds())
	if o.FTP != nil {
		s += fmt.Sprintf("; FTP: %v", o.FTP)
	}
	return s
}

// old is how long before the loss the first message of a connection has to be back so
// that the other node must know of it.
const old = 100 * time.Millisecond

// notice is how long a node takes at most to notice that it is to take over.
const notice = time.Second

// Round has the primary node fail, the other take over, and the first come back.
func (p *Failover) Round(how Loss, ftp bool) (o Outcome) {
	t := p.Lab.t
	t.Helper()
	from, to := p.Lab.Nodes[p.primary], p.Lab.Nodes[1-p.primary]
	o.From, o.To = from.Name, to.Name
	tr := p.Traffic
	tr.Open(p.Connections-tr.Working(), 1000)
	if !testwait.For(time.Minute, func() bool { return tr.Working() >= p.Connections }) {
		t.Fatalf("%d of %d connections are open", tr.Working(), p.Connections)
	}
	var sessions *ftpSessions
	if ftp {
		sessions = newFTPSessions(p.Lab)
		defer sessions.close()
	}
	enough := tr.Working() + p.Rate/2
	stop := tr.Open(4*p.Rate, max(p.Rate, 1))
	defer stop()
	if !testwait.For(time.Minute, func() bool { return tr.Working() >= enough }) {
		t.Fatalf("%d of %d connections are open", tr.Working(), enough)
	}

	at := time.Now()
	var left chan error
	switch how {
	case Killed:
		from.Kill()
		from.IP("link set lan down\nlink set wan down\nlink set sy0 down\nlink set sy1 down\n")
	case Orderly:
		left = p.leave(from, "backup", "-t", "-n")
	case LinkDown:
		from.IP("link set lan down\nlink set wan down\n")
		left = p.leave(from, "fault", "-t") // keepalived takes the addresses, too
	}
	if how != Killed && p.Lab.masquerades {
		p.removed(from)
	}
	since := p.takeOver(to)
	o.Took = since.Sub(at)
	stop()
	if left != nil {
		if err := <-left; err != nil {
			t.Fatalf("%v", err)
		}
	}
	// The younger ones do not matter, but are counted.
	settle := func(before time.Time, limit time.Duration) {
		end := time.Now().Add(limit)
		testwait.For(limit, func() bool { return tr.Settled(before, since) || time.Now().After(end) })
	}
	settle(at.Add(-old), or(p.Patience, 20*time.Second))
	settle(since, time.Second)
	o.Old, o.Young = tr.Count(at.Add(-old), since)
	for i, f := range tr.Lost(at.Add(-old), since) {
		if i < maxShown {
			port := fmt.Sprint(f.conn.LocalAddr().(*net.TCPAddr).Port)
			t.Logf("%v: first message back %v before the loss, last %v after: %v\n%s: %v\n%s: %v", f.conn.LocalAddr(),
				at.Sub(f.first), f.sent.Sub(at), f.err, from.Name, from.Table("-p", "tcp", "--sport", port),
				to.Name, to.Table("-p", "tcp", "--sport", port))
		}
	}
	if ftp {
		o.FTP = sessions.goOn()
	}
	t.Logf("%s: %v", how, o)
	tr.Trim(p.Connections, since)
	p.back(from, how)
	p.primary = 1 - p.primary
	return o
}

// removed waits until the kernel removes no more of what was masqueraded at a node that has
// lost its addresses, or for as long as another node takes to notice: the daemon hears of all
// ends before the other node takes over.
func (p *Failover) removed(n *Node) {
	before, limit := -1, time.Now().Add(notice)
	testwait.For(notice, func() bool {
		// What was committed here stays.
		last := before
		before = len(n.Table("-p", "tcp", "--dport", echoPort, "--state", "ESTABLISHED"))
		return before == last || time.Now().After(limit)
	})
}

// leave has a node give up its addresses, and be told its role beside all else.
func (p *Failover) leave(n *Node, role string, words ...string) chan error {
	p.Lab.t.Helper()
	done := make(chan error, 1)
	if p.Script != "" {
		go func() { done <- p.script(n, role) }()
		return done
	}
	n.Leave()
	go func() {
		var all error
		for _, word := range words {
			_, err := n.Output("", n.Program, "-C", n.Configuration(), word)
			all = errors.Join(all, err)
		}
		done <- all
	}()
	return done
}

// takeOver has a node get the addresses, and be told its role. It returns the time when it
// had them, and the connections.
func (p *Failover) takeOver(n *Node) time.Time {
	p.Lab.t.Helper()
	if p.Script != "" {
		if err := p.script(n, "primary"); err != nil {
			p.Lab.t.Fatalf("%v", err)
		}
		return time.Now()
	}
	p.Lab.Add(n.Number)
	n.Ask("-c")
	since := time.Now()
	for _, word := range []string{"-f", "-R", "-B"} {
		n.Ask(word)
	}
	return since
}

// addressList is the file of addresses of the example commit-first.
func addressList() string {
	list := new(strings.Builder)
	for _, v := range virtual {
		fmt.Fprintf(list, "%s %s\n", v.dev, v.prefix)
	}
	return list.String()
}

// script runs the script, which must not say anything.
func (p *Failover) script(n *Node, role string) error {
	addresses := n.file("addresses")
	if err := os.WriteFile(addresses, []byte(addressList()), 0o600); err != nil {
		return err
	}
	out, err := n.Output("", "env", "CONNTRACKD="+n.Program, "CONNTRACKD_CONF="+n.Configuration(),
		"ADDRESSES="+addresses, p.Script, role)
	if err == nil && out != "" {
		err = fmt.Errorf("%s: %s %s: %s", n.Name, p.Script, role, out)
	}
	return err
}

// back has a node come back as the one that waits.
func (p *Failover) back(n *Node, how Loss) {
	p.Lab.t.Helper()
	switch how {
	case Killed:
		n.Leave()
		n.Flush() // the machine was dead
		n.IP("link set lan up\nlink set wan up\n")
		n.Links()
		n.Restart()
	case LinkDown:
		n.IP("link set lan up\nlink set wan up\n")
	case Orderly:
		return
	}
	n.Ask("-t")
	n.Ask("-n")
}

// Ready waits until the node that waits knows all connections, or for a while.
func (p *Failover) Ready() bool {
	n := p.Lab.Nodes[1-p.primary]
	return testwait.For(10*time.Second, func() bool {
		var lines string
		if p.Injected {
			lines = n.Run(Conntrack, "-L", "-p", "tcp", "--dport", echoPort)
		} else {
			lines = n.Ask("-e")
		}
		known := map[string]bool{}
		for _, m := range clientEnd.FindAllStringSubmatch(lines, -1) {
			known[m[1]+" "+m[2]] = true
		}
		for _, end := range p.Traffic.Ends() {
			if !known[fmt.Sprintf("%s %d", end.Addr().Unmap(), end.Port())] {
				return false
			}
		}
		return true
	})
}

// clientEnd matches the client's end of an entry of a connection with the echo service.
var clientEnd = regexp.MustCompile(`(?m)src=(\S+) dst=\S+ sport=(\d+) dport=` + echoPort + ` `)
