package pair

import (
	"os"
	"strconv"
	"testing"
)

// Environment variables of TestFailover.
const (
	// EnvFailovers is the number of failovers, half of them with masquerade, half with
	// source addresses that stay. EnvConnections is that of connections.
	EnvFailovers   = "PAIR_FAILOVERS"
	EnvConnections = "PAIR_CONNECTIONS"
	// EnvHook is the order of a failover: "stock" or "before".
	EnvHook = "PAIR_HOOK"
	// EnvResets has the nodes not drop what is invalid and for themselves: what comes from
	// the server after the addresses and before the entries is answered by a reset.
	EnvResets = "PAIR_RESETS"
	// EnvMode, EnvChannel and EnvOld are the mode, the channel, and whether both daemons
	// are conntrack-tools'.
	EnvMode    = "PAIR_MODE"
	EnvChannel = "PAIR_CHANNEL"
	EnvOld     = "PAIR_OLD"
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
// With PAIR_FAILOVERS it is a measurement: see the variables above.
func TestFailover(t *testing.T) {
	rounds := number(t, EnvFailovers, 2*len(Losses))
	for _, c := range []Config{{NAT: Masquerade}, {NAT: SourceNAT}} {
		n := rounds / 2
		if os.Getenv(EnvFailovers) == "" && c.NAT == SourceNAT {
			n = 1
		}
		t.Run(c.NAT, func(t *testing.T) { failover(t, c, n) })
	}
}

func failover(t *testing.T, c Config, rounds int) {
	l := lab(t, c)
	program := Daemon
	if os.Getenv(EnvOld) != "" {
		needs(t, Old)
		program = Old
	}
	for _, n := range l.Nodes {
		if os.Getenv(EnvResets) == "" {
			n.Rules(dropInvalid)
		}
		n.StartDaemon(program, Settings{
			Mode: os.Getenv(EnvMode), Channel: or(os.Getenv(EnvChannel), UDP),
			Options: "ExpectationSync on",
		})
	}
	to := []string{ServerV4}
	if c.NAT == Masquerade {
		to = append(to, ServerV6)
	}
	p := Failover{
		Lab: l, Traffic: NewTraffic(l, to...), Hook: or(Hook(os.Getenv(EnvHook)), Stock),
		Connections: number(t, EnvConnections, 200), Rate: 250,
	}
	var all, young Tally
	for i := range rounds {
		o := p.Round(Losses[i%len(Losses)], true)
		all.Add(o.Old)
		young.Add(o.Young)
		if o.Old.Survived != o.Old.All() || o.FTP != nil {
			t.Errorf("failover %d: connections are lost", i+1)
		}
		if !p.Ready() {
			t.Errorf("failover %d: %s does not know all connections", i+1, o.From)
		}
	}
	t.Logf("all: %v; young: %v", all, young)
}
