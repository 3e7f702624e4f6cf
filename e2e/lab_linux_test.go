package e2e

import (
	"fmt"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// lab makes a small network: lab [CLIENT...] (default: one client, named client). The script's own namespace is the
// router.
//
//	client  ── 10.0.0.2  10.0.0.1 ──┐
//	           fd00::2    fd00::1   │          192.0.2.1    192.0.2.2
//	                                ├─ router ─────────────────────── server
//	second  ── 10.0.1.2  10.0.1.1 ──┘        2001:db8::1    2001:db8::2
//	           fd00:1::2  fd00:1::1
//
// The router's interfaces are lan0, lan1, … and wan; each other namespace has eth0 and a default route to the router.
func (run *scenarioRun) lab(ts *testscript.TestScript, _ bool, clients []string) {
	if len(clients) == 0 {
		clients = []string{"client"}
	}
	for i, client := range clients {
		v6 := "fd00::"
		if i > 0 {
			v6 = fmt.Sprintf("fd00:%x::", i)
		}
		run.wire(ts, client, fmt.Sprintf("lan%d", i), fmt.Sprintf("10.0.%d.", i), v6)
	}
	run.wire(ts, "server", "wan", "192.0.2.", "2001:db8::")
	run.set(ts, "net.ipv4.ip_forward", "1")
	run.set(ts, "net.ipv6.conf.all.forwarding", "1")
}

// wire makes a namespace and connects it to the router. The router has the addresses .1 and ::1, the other .2 and
// ::2.
func (run *scenarioRun) wire(ts *testscript.TestScript, name, port, v4, v6 string) {
	ns, err := newNetns()
	ts.Check(err)
	run.netns[name] = ns
	run.sh(ts, "", `
		ip link add PORT type veth peer name eth0 netns PEER
		ip addr add V4.1/24 dev PORT
		ip addr add V6.1/64 dev PORT nodad
		ip link set PORT up`, "PORT", port, "PEER", ns.path(), "V4.", v4, "V6.", v6)
	run.sh(ts, name, `
		ip addr add V4.2/24 dev eth0
		ip addr add V6.2/64 dev eth0 nodad
		ip link set eth0 up
		ip route add default via V4.1
		ip route add default via V6.1`, "V4.", v4, "V6.", v6)
}

// sh runs commands in a namespace; all must succeed.
func (run *scenarioRun) sh(ts *testscript.TestScript, netns, script string, replace ...string) {
	s := step{netns: netns, command: "set -e\n" + strings.NewReplacer(replace...).Replace(script)}
	p, err := run.spawn(ts, s)
	ts.Check(err)
	if r := p.wait(commandTimeout); r.status != 0 {
		ts.Fatalf("%s\n%s%s", s.command, r.stdout, r.stderr)
	}
}

// sysctl sets variables of the script's namespace: sysctl KEY=VALUE...
func (run *scenarioRun) sysctl(ts *testscript.TestScript, _ bool, args []string) {
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			ts.Fatalf("usage: sysctl KEY=VALUE...")
		}
		run.set(ts, key, value)
	}
}

func (run *scenarioRun) set(ts *testscript.TestScript, key, value string) {
	path := "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
	ts.Check(run.netns[""].do(func() error { return os.WriteFile(path, []byte(value), 0) }))
}

// listeners counts the sockets of the script's namespace that listen to events.
func (run *scenarioRun) listeners() (n int, seen string, err error) {
	err = run.netns[""].do(func() error {
		table, err := os.ReadFile("/proc/thread-self/net/netlink")
		seen = string(table)
		return err
	})
	return countListeners(seen), seen, err
}

// countListeners counts the sockets of the netfilter protocol that have joined a group. The fields of a line are
// sk Eth (the protocol) Pid Groups.
func countListeners(table string) int {
	n := 0
	for line := range strings.Lines(table) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == "12" && strings.Trim(f[3], "0") != "" {
			n++
		}
	}
	return n
}
