package timo

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ti-mo/conntrack"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// namespace moves the rest of the test, which must stay on this goroutine, into
// a new network namespace with a loopback device that is up, and returns a
// client of each library for its table. Accounting and time stamps are on.
func namespace(t testing.TB) (ours *Conn, theirs *conntrack.Conn) {
	t.Helper()
	runtime.LockOSThread() // the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	theirs, err := conntrack.Dial(nil)
	if err != nil {
		t.Skipf("SKIPPED, no netfilter sockets: %v", err)
	}
	t.Cleanup(func() { theirs.Close() })
	// A benchmark's requests come from another thread.
	ns, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	ours = New(ctnetlink.OpenIn(ns))
	t.Cleanup(func() { ours.Close() })

	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acct", "timestamp"} {
		if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_"+name, []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
	}
	return ours, theirs
}

// labelRules make the kernel keep labels.
const labelRules = `table inet labels {
	chain output {
		type filter hook output priority 0
		ct label 1 counter
	}
}`

// trafficRules track what goes over the loopback device, with marks, labels and
// zones.
const trafficRules = labelRules + `
table inet traffic {
	chain before {
		type filter hook output priority -400
		udp dport 7001 ct zone set 7
		udp dport 7002 ct original zone set 8
		udp dport 7003 ct reply zone set 9
	}
	chain after {
		type filter hook output priority 0
		tcp dport 1-65535 ct mark set 0x1234 ct label set 5
		ct state new counter
	}
}`

// nft loads a rule set into the namespace.
func nft(t testing.TB, rules string) {
	t.Helper()
	path, err := exec.LookPath("nft")
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/nft"); err != nil {
			t.Skip("SKIPPED, no nft command")
		}
	}
	c := exec.Command(path, "-f", "-")
	c.Stdin = strings.NewReader(rules)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// talk exchanges datagrams and bytes over the loopback device: n connections of
// TCP and UDP each.
func talk(t testing.TB, n int) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 2000)
	for i := range n {
		host := []string{"127.0.0.1", "::1"}[i%2]
		l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
		must(err)
		out, err := net.Dial("tcp", l.Addr().String())
		must(err)
		in, err := l.Accept()
		must(err)
		must(in.SetDeadline(time.Now().Add(testwait.Scale(10 * time.Second))))
		_, err = out.Write(buf[:1+i*7%len(buf)])
		must(err)
		_, err = in.Read(buf)
		must(err)
		if i%3 == 0 {
			must(out.Close())
		} else {
			defer out.Close()
		}
		must(in.Close())
		must(l.Close())

		server, err := net.ListenPacket("udp", net.JoinHostPort(host, fmt.Sprint(7000+i%4)))
		must(err)
		must(server.SetDeadline(time.Now().Add(testwait.Scale(10 * time.Second))))
		client, err := net.Dial("udp", server.LocalAddr().String())
		must(err)
		_, err = client.Write(buf[:1+i*11%len(buf)])
		must(err)
		_, from, err := server.ReadFrom(buf)
		must(err)
		if i%2 == 0 {
			_, err = server.WriteTo(buf[:9], from)
			must(err)
		}
		must(client.Close())
		must(server.Close())
	}
}
