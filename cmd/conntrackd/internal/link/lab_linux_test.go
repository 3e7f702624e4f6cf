package link

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

const bound = 10 * time.Second

// TestMain has more tests run at a time than there are processors: they wait for the kernel.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "8")
	os.Exit(m.Run())
}

// namespace is a network namespace of a test.
type namespace struct {
	file *os.File
}

// enter calls f by a thread of the namespace.
func (n namespace) enter(f func() error) error { return netlab.Enter(n.file, f) }

// path names the namespace for programs.
func (n namespace) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.file.Fd()) }

// ip runs ip(8) in the namespace.
func (n namespace) ip(t testing.TB, arguments string) {
	t.Helper()
	err := n.enter(func() error {
		out, err := exec.Command("ip", strings.Fields(arguments)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("ip %s: %v: %s", arguments, err, out)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// lab makes two namespaces with two pairs of devices, sy0 and sy1: addresses 10.99.0.N
// and fd99::N, 10.98.0.N and fd98::N.
func lab(t testing.TB) (sides [2]namespace) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skipf("SKIPPED, no ip command: %v", err)
	}
	for i := range sides {
		file, err := netlab.Namespace(nil)
		if err != nil {
			t.Skipf("SKIPPED, no network namespace: %v", err)
		}
		t.Cleanup(func() { file.Close() })
		sides[i].file = file
	}
	for _, n := range sides {
		n.ip(t, "link set lo up")
		err := n.enter(func() error {
			return os.WriteFile("/proc/sys/net/ipv6/conf/default/accept_dad", []byte("0"), 0)
		})
		if err != nil {
			t.Skipf("SKIPPED, no IPv6: %v", err)
		}
	}
	for k := range 2 {
		pairOf(t, sides, k)
	}
	for _, n := range sides {
		wait(t, "link-local addresses", n.ready)
	}
	return sides
}

// pairOf makes the devices syK.
func pairOf(t testing.TB, sides [2]namespace, k int) {
	t.Helper()
	sides[0].ip(t, fmt.Sprintf("link add sy%d type veth peer name sy%[1]d netns %s", k, sides[1].path()))
	for i, n := range sides {
		n.ip(t, fmt.Sprintf("addr add 10.%d.0.%d/24 dev sy%d", 99-k, i+1, k))
		n.ip(t, fmt.Sprintf("addr add fd%d::%d/64 dev sy%d nodad", 99-k, i+1, k))
		n.ip(t, fmt.Sprintf("link set sy%d up", k))
	}
}

// ready reports whether both devices have the address that the kernel gives them when
// they have a carrier. Before, they take no multicasts over IPv6.
func (n namespace) ready() bool {
	count := 0
	n.enter(func() error {
		b, err := os.ReadFile("/proc/thread-self/net/if_inet6")
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) == 6 && strings.HasPrefix(f[0], "fe80") && f[4] != "40" {
				count++
			}
		}
		return err
	})
	return count == 2
}

// configure returns link k of a side.
func configure(kind config.Kind, v6 bool, side, k int) config.Link {
	c := config.Link{Kind: kind, Port: 3780 + k, Interface: fmt.Sprintf("sy%d", k), Checksum: true, Default: k == 0}
	local, remote := fmt.Sprintf("10.%d.0.%d", 99-k, side+1), fmt.Sprintf("10.%d.0.%d", 99-k, 2-side)
	if v6 {
		local, remote = fmt.Sprintf("fd%d::%d", 99-k, side+1), fmt.Sprintf("fd%d::%d", 99-k, 2-side)
	}
	if kind == config.Multicast {
		remote = "225.0.0.50"
		if v6 {
			local, remote = "", "ff02::123"
		}
	}
	c.Remote = netip.MustParseAddr(remote)
	if local != "" {
		c.Local = netip.MustParseAddr(local)
	}
	return c
}

// node is a set with what it received and was told.
type node struct {
	set *Set

	mu       sync.Mutex
	messages [][]byte // each without what follows it
	senders  map[Sender]int
	lines    []string
	sizes    []int // of datagrams, or parts of streams
	up, down []int
	room     int
	pause    sync.RWMutex // held for writing by a test: nothing is read

	counting bool // messages of 92 bytes are only counted
	heard    atomic.Uint64
}

func (n *node) Receive(from Sender, b []byte) {
	if n.counting {
		n.heard.Add(uint64(len(b)) / 92)
		return
	}
	n.pause.RLock()
	defer n.pause.RUnlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.senders[from]++
	n.sizes = append(n.sizes, len(b))
	for len(b) > 0 {
		l, ok := messageLen(b)
		if !ok || l == 0 || l > len(b) {
			n.messages = append(n.messages, slices.Clone(b))
			return
		}
		n.messages = append(n.messages, slices.Clone(b[:l]))
		b = b[l:]
	}
}

func (n *node) Connected(link int) { n.mu.Lock(); n.up = append(n.up, link); n.mu.Unlock() }
func (n *node) Lost(link int)      { n.mu.Lock(); n.down = append(n.down, link); n.mu.Unlock() }
func (n *node) Room()              { n.mu.Lock(); n.room++; n.mu.Unlock() }

func (n *node) Log(level config.Level, text string) {
	n.mu.Lock()
	n.lines = append(n.lines, text)
	n.mu.Unlock()
}

// has reports whether a line was logged.
func (n *node) has(line string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.lines, line)
}

func (n *node) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.messages)
}

// calls returns how often Receive was called.
func (n *node) calls() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.sizes)
}

// start opens links in a namespace.
func (n namespace) start(t testing.TB, o Options) *node {
	t.Helper()
	_, counting := t.(*testing.B)
	h := &node{senders: map[Sender]int{}, counting: counting}
	o.Handler, o.enter = h, n.enter
	if o.ErrorQueue == 0 {
		o.ErrorQueue = 128
	}
	var err error
	if h.set, err = Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.set.Close)
	return h
}

// wait fails unless a condition comes to hold.
func wait(t testing.TB, what string, condition func() bool) {
	t.Helper()
	if !testwait.For(bound, condition) {
		t.Fatalf("never: %s", what)
	}
}

// greeted sends messages until one arrives: with a key, the first ones do not.
func greeted(t testing.TB, a, b *node) {
	t.Helper()
	wait(t, "a message", func() bool {
		a.set.Append(message(0, 92))
		a.set.Flush()
		return b.count() > 0
	})
	a.set.Append(message(1, 8))
	a.set.Flush()
	wait(t, "the last message", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		last := b.messages[len(b.messages)-1]
		if len(last) == 8 {
			b.messages, b.sizes = nil, nil
			return true
		}
		return false
	})
}

// arrived fails unless messages message(seq, size) for each seq below n arrive, in order.
func (n *node) arrived(t testing.TB, count, size int) {
	t.Helper()
	wait(t, fmt.Sprintf("%d messages of %d bytes", count, size), func() bool { return n.count() >= count })
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, m := range n.messages {
		if !bytes.Equal(m, message(uint32(i), size)) {
			t.Fatalf("message %d of %d: %x", i, len(n.messages), m)
		}
	}
	n.messages = nil
}
