package pair

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Environment variables of TestFailover.
const (
	// EnvFailovers is the number of failovers of each pair, half of them with masquerade, half
	// with source addresses that stay. EnvConnections is that of connections.
	EnvFailovers   = "PAIR_FAILOVERS"
	EnvConnections = "PAIR_CONNECTIONS"
	// EnvHook is the order of a failover: "stock", or "before" for that of the example
	// commit-first.
	EnvHook = "PAIR_HOOK"
	// EnvResets has the nodes not drop what is invalid and for themselves: what comes from
	// the server after the addresses and before the entries is answered by a reset.
	EnvResets = "PAIR_RESETS"
)

// dropInvalid is a rule that the nodes of the Lab do not have for packets to themselves.
// With tcp_loose=0 they have nothing else for connections that are not committed yet.
const dropInvalid = `table inet f {
	chain own { type filter hook input priority 0
		ct state invalid counter drop
	}
}
`

// number returns the value of an environment variable, otherwise another number.
func number(t *testing.T, env string, other int) int {
	t.Helper()
	text := os.Getenv(env)
	if text == "" {
		return other
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", env, err)
	}
	return n
}

// Every connection that is older than a moment survives each kind of failover, and so do
// sessions of FTP, while others are opened. The nodes take over from each other again and
// again, and the same connections go on.
//
// With PAIR_FAILOVERS or PAIR_ONLY it is a measurement: see the variables above.
func TestFailover(t *testing.T) {
	rounds := number(t, EnvFailovers, 2*len(Losses))
	cases, measured := failoverCases(), os.Getenv(EnvFailovers) != "" || os.Getenv(EnvOnly) != ""
	var rows failoverRows
	for _, c := range cases {
		for _, nat := range []string{Masquerade, SourceNAT} {
			n, hook := rounds/2, os.Getenv(EnvHook)
			if !measured && nat == SourceNAT {
				n, hook = 2, "before"
			}
			t.Run(c.String()+" "+nat, func(t *testing.T) {
				if c.primary == Old || c.backup == Old {
					needs(t, Old)
				}
				c.run(t, nat, hook, n, rows.add(c, nat))
			})
		}
	}
	t.Logf("\n%v", rows)
}

// run has the nodes take over from each other a number of times.
func (c failoverCase) run(t *testing.T, nat, hook string, rounds int, row *failoverRow) {
	l := lab(t, Config{NAT: nat})
	for i, n := range l.Nodes {
		if os.Getenv(EnvResets) == "" {
			n.Rules(dropInvalid)
		}
		n.StartDaemon([]string{c.primary, c.backup}[i], c.settings(t))
	}
	to := []string{ServerV4}
	if nat == Masquerade {
		to = append(to, ServerV6)
	}
	p := Failover{
		Lab: l, Traffic: NewTraffic(l, to...),
		Connections: number(t, EnvConnections, 200), Rate: 250, Injected: c.injects(),
		Patience: 10 * time.Second,
	}
	if hook == "before" {
		path, err := filepath.Abs("../../cmd/conntrackd/examples/commit-first")
		if err != nil {
			t.Fatal(err)
		}
		p.Script = path
		for _, h := range []*Host{l.Client, l.Server} {
			h.IP("neigh flush all nud permanent\n") // the script tells them where the addresses are
		}
	}
	// conntrack-tools' daemon loses sessions of FTP.
	ours := c.primary == Daemon && c.backup == Daemon
	for i := range rounds {
		how := Losses[i%len(Losses)]
		o := p.Round(how, ours)
		row.add(how, o)
		whole := o.Old.Survived == o.Old.All() && o.FTP == nil
		if !whole && ours {
			t.Errorf("failover %d: connections are lost", i+1)
		}
		if !p.Ready() {
			row.unready++
			if ours {
				t.Errorf("failover %d: %s does not know all connections", i+1, o.From)
			}
		}
	}
}
