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
