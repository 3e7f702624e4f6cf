// Package pair is a laboratory for conntrackd: firewalls that keep their tables alike, a
// client on one side of them and a server on the other, each in a network namespace of
// its own.
//
//	client ── lan ──┬── node 1 ──┬── wan ── server
//	                │  sy0  sy1  │
//	                └── node 2 ──┘
//
// A Lab has the Client, the Server and the Nodes, all of them Hosts: programs and sockets
// can be started in their namespaces. A Node can run a daemon with Settings, of this
// project or of conntrack-tools, and be asked for its tables. Take gives a node the
// virtual addresses that client and server use as gateways.
//
// The environment of the tests chooses what they run:
//
//	PAIR_LONG=1          TestMatrix: every combination; TestStock: every pair, and commit-first
//	PAIR_ONLY=REGEXP     TestMatrix, TestFailover: combinations with such names, MODE/CHANNEL/PAIR as
//	                     NOTRACK-Internal/mcast6/ours-old; TestFailover has also CHANNEL-signed and
//	                     CHANNEL-sealed, and the pairs old-old
//	PAIR_OLD=1           TestMatrix: the pairs old-old as well
//	PAIR_FAILOVERS=N     TestFailover: so many failovers of each combination; it prints a table
//	PAIR_CONNECTIONS=N   with so many connections at least
//	PAIR_HOOK=before     by the example commit-first
//	PAIR_RESETS=1        without a rule that drops what is invalid and for a node itself
//
// Functions report what goes wrong to a T, such as a *testing.T, and do not return then.
package pair

// A T is told what goes wrong, and what to do at the end. A *testing.T is one.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
	// Cleanup calls f at the end; what was registered last is called first.
	Cleanup(f func())
}
