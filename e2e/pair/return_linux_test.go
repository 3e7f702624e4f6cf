package pair

import (
	"fmt"
	"os"
	"testing"
)

// A backup that was away gets everything without being told to ask: what was made, and
// not what has ended meanwhile.
func TestReturn(t *testing.T) {
	t.Parallel() // it waits most of the time
	l := lab(t, Config{NAT: SourceNAT})
	first, second := l.Nodes[0], l.Nodes[1]
	list := []combination{{FTFW, "", UDP, Old, Daemon}, {NoTrack, "", TCP, Daemon, Daemon}}
	if os.Getenv(EnvLong) != "" {
		list = append(list, []combination{
			{FTFW, "", UDP, Daemon, Daemon}, {FTFW, "", Multicast, Daemon, Old}, {FTFW, "", TCP, Daemon, Old},
			{NoTrack, "", Multicast, Daemon, Daemon}, {NoTrack, "", UDP, Old, Daemon}, {NoTrack, "", UDP, Daemon, Old},
		}...)
	}
	for _, c := range list {
		t.Run(c.String(), func(t *testing.T) {
			if c.primary == Old || c.backup == Old {
				needs(t, Old)
			}
			l.in(t, func() {
				for i, n := range l.Nodes {
					n.Flush()
					n.StartDaemon([]string{c.primary, c.backup}[i], c.settings())
				}
				c.connected(l)
				first.Load(load{0, 300}.commands())
				c.told(l, first, second, 0)
				second.Kill()
				first.Load(load{300, 300}.commands())
				first.Run(Conntrack, "-D", "-p", "tcp", "--dport", "80")
				second.Restart()
				c.told(l, first, second, 0)
				second.Ask("-c")
				c.alike(l, 400)
			})
		})
	}
}

// alone are entries that conntrack-tools' daemons cannot tell apart, or tell in part.
func alone(n int) (commands string) {
	for i := range n {
		for _, kind := range []string{
			"-p gre -s 10.16.0.1 -d 192.0.2.100 --srckey {P} --dstkey 7",
			"-p udplite -s 10.16.0.1 -d 192.0.2.100 --sport {P} --dport 53",
			"-p udp -s 10.16.0.1 -d 192.0.2.100 --sport {P} --dport 53 --orig-zone 3",
			"-p udp -s 10.16.0.1 -d 192.0.2.100 --sport {P} --dport 53 --reply-zone 4",
		} {
			commands += fmt.Sprintf("-I %s -t %d\n", fill(kind, i), lifetime)
		}
	}
	return commands
}

// Nodes of this project tell each other of what conntrack-tools' daemon cannot be told:
// keys of GRE, ports of UDP-Lite, zones of one direction. It is not told of them at all.
func TestOurs(t *testing.T) {
	t.Parallel() // it waits most of the time
	l := lab(t, Config{NAT: SourceNAT})
	for _, c := range []combination{{FTFW, "", UDP, Daemon, Daemon}, {NoTrack, "", Multicast, Daemon, Daemon},
		{FTFW, "", UDP, Daemon, Old}} {
		t.Run(c.String(), func(t *testing.T) {
			if c.backup == Old {
				needs(t, Old)
			}
			l.in(t, func() {
				first, second := l.Nodes[0], l.Nodes[1]
				for i, n := range l.Nodes {
					n.Flush()
					n.StartDaemon([]string{c.primary, c.backup}[i], c.settings())
				}
				first.Load(alone(50))
				first.Load(load{0, 30}.commands())
				want := 230
				if c.backup == Old {
					want = 30
				}
				second.Await(limit, "external entries", func() bool { return second.Counts().External == want })
				second.Ask("-c")
				if c.backup != Old {
					c.alike(l, want)
				}
			})
		})
	}
}
