package kernel

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// skipped counts the tests that found no namespace.
var skipped atomic.Int32

func TestMain(m *testing.M) {
	code := m.Run()
	if n := skipped.Load(); n > 0 {
		fmt.Fprintf(os.Stderr, "\n*** %d TESTS OF THE LIVE KERNEL WERE SKIPPED: no network namespace or no nft ***\n\n", n)
	}
	os.Exit(code)
}

// namespace moves the rest of the test, which must stay on this goroutine, into a network
// namespace of its own, with a rule set.
func namespace(t testing.TB, rules string) {
	t.Helper()
	runtime.LockOSThread() // the thread ends with the goroutine
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		skipped.Add(1)
		t.Skipf("SKIPPED, no network namespace: %v", err)
	}
	if fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER); err != nil {
		skipped.Add(1)
		t.Skipf("SKIPPED, no netfilter: %v", err)
	} else {
		unix.Close(fd)
	}
	run(t, "ip link set lo up", "ip")
	if rules != "" {
		run(t, rules, "nft", "-f", "-")
	}
}

// run runs a program with an input; ip has its command as the input.
func run(t testing.TB, input string, name string, args ...string) {
	t.Helper()
	path := ""
	for _, dir := range []string{"", "/usr/sbin/", "/sbin/"} {
		if p, err := exec.LookPath(dir + name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		skipped.Add(1)
		t.Skipf("SKIPPED, no %s", name)
	}
	if name == "ip" {
		args = strings.Fields(input)[1:]
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// here returns the file of the namespace: other goroutines open sockets too.
func here(t testing.TB) *os.File {
	t.Helper()
	ns, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return ns
}

// told is what a sink was told.
type told struct {
	typ    wire.Type
	object wire.Object
	silent bool
}

// sink is a Sink that keeps a cache as a node does, and all that it was told.
type sink struct {
	sync.Mutex
	cache  map[wire.Key]wire.Object
	told   []told
	ended  int
	losses []netip.Addr // of AddressesLost
	logs   []string

	lossAtDelete []bool // for each Delete: the loss of 192.0.2.1 was told before

	overruns atomic.Int32
	table    *Table
	refresh  atomic.Bool // Overrun dumps
}

func (s *sink) Event(typ wire.Type, o wire.Object, silent bool) {
	o = append(wire.Object(nil), o...)
	s.told = append(s.told, told{typ, o, silent})
	if typ >= wire.ExpectNew {
		return
	}
	if typ == wire.Delete {
		s.lossAtDelete = append(s.lossAtDelete, slices.Contains(s.losses, netip.MustParseAddr("192.0.2.1")))
		delete(s.cache, o.Key())
	} else {
		s.cache[o.Key()] = o
	}
}

func (s *sink) Find(k *wire.Key) wire.Object { return s.cache[*k] }
func (s *sink) Ended(*ctnetlink.Flow)        { s.ended++ }

func (s *sink) Overrun() {
	if s.refresh.Load() {
		s.Lock()
		clear(s.cache)
		s.Unlock()
		_ = s.table.Dump(s.table.closing, false)
	}
	s.overruns.Add(1)
}

func (s *sink) AddressesLost(addresses []netip.Addr) {
	s.Lock()
	defer s.Unlock()
	s.losses = append(s.losses, addresses...)
}

func (s *sink) Log(_ config.Level, text string) {
	s.Lock()
	defer s.Unlock()
	s.logs = append(s.logs, text)
}

// settings returns a configuration without filter.
func settings() *config.Config {
	return &config.Config{Mode: config.FTFW, EventIterationLimit: 100, OverrunResync: 30 * time.Second}
}

// start opens the namespace's table and runs it until the end of the test.
func start(t testing.TB, c *config.Config) (*Table, *sink) {
	t.Helper()
	s := &sink{cache: map[wire.Key]wire.Object{}}
	table, err := openAll(c, s, ctnetlink.OpenIn(here(t)))
	if err != nil {
		t.Fatal(err)
	}
	s.table = table
	done := make(chan error, 1)
	go func() { done <- table.Run(t.Context()) }()
	t.Cleanup(func() {
		table.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return table, s
}

// until waits until f, which is called with the lock held, is true.
func (s *sink) until(t testing.TB, what string, f func() bool) {
	t.Helper()
	if !testwait.For(10*time.Second, func() bool {
		s.Lock()
		defer s.Unlock()
		return f()
	}) {
		s.Lock()
		defer s.Unlock()
		t.Fatalf("waited in vain for %s; told %d, logs %q", what, len(s.told), s.logs)
	}
}
