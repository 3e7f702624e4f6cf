package daemon

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestOldFlush shows what TestFlush is about with the old daemon: -f empties the kernel's
// table where there is no internal cache, and peers are not told of -F.
func TestOldFlush(t *testing.T) {
	needOld(t)
	old := [2]bool{true, true}
	a := pair(t, "NOTRACK { DisableInternalCache on }", old)[0]
	a.in(func() { create(t, 3) })
	a.do(t, "-f")
	until(t, "an empty table after -f", func() bool { return a.table(t) == 0 })

	sides := pair(t, "FTFW { }", old)
	a, b := sides[0], sides[1]
	a.in(func() { create(t, 20) })
	until(t, "20 at the peer", func() bool { a.do(t, "-B"); return entries(b.do(t, "-e")) == 20 })
	a.do(t, "-F")
	until(t, "an empty table after -F", func() bool { return a.table(t) == 0 })
	if n := entries(b.do(t, "-e")); n != 20 {
		t.Errorf("the old daemon has told of -F: %d entries", n)
	}
}

// TestListTable lists the kernel's table, where there is no internal cache.
func TestListTable(t *testing.T) {
	namespace(t)
	f := configure(t, strings.Replace(syncSection, "FTFW { }", "NOTRACK { DisableInternalCache on }", 1), "")
	create(t, 3)
	f.start(t, false)
	if r := f.run(t, false, "-i"); entries(r) != 3 {
		t.Errorf("-i: %+v", r)
	}
	if r := f.run(t, false, "-i", "-x"); strings.Count(r.stdout, "<flow>") != 3 {
		t.Errorf("-i -x: %+v", r)
	}
}

// TestDefaults starts without Scheduler and without a maximum for the buffer: scheduling is
// ordinary, and the size is used.
func TestDefaults(t *testing.T) {
	namespace(t)
	f := configure(t, syncSection, "NetlinkBufferSize 1048576")
	f.start(t, false)
	pid, err := strconv.Atoi(strings.TrimSpace(f.read("lock")))
	if err != nil {
		t.Fatal(err)
	}
	attr, err := unix.SchedGetAttr(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	if attr.Policy != unix.SCHED_NORMAL {
		t.Errorf("scheduling policy %d, want the ordinary one", attr.Policy)
	}
	const want = "netlink event socket buffer size has been set to 1048576 bytes\n"
	if log := f.read("log"); !strings.Contains(log, want) {
		t.Errorf("the log lacks %q:\n%s", want, log)
	}
}

// TestLossIsKnown: where nothing is done about events that were lost (NetlinkOverrunResync
// off), the status says so until the table is read.
func TestLossIsKnown(t *testing.T) {
	namespace(t)
	f := configure(t, statsSection, "NetlinkBufferSize 4096\n NetlinkBufferSizeMaxGrowth 4096\n NetlinkOverrunResync off")
	c, _, _ := f.console(t)
	status := func() string { return f.run(t, false, "--status", "-o", "json").stdout }
	c.Process.Signal(syscall.SIGSTOP)
	create(t, 2000)
	c.Process.Signal(syscall.SIGCONT)
	until(t, "the loss is known", func() bool { return strings.Contains(status(), `"resync": true`) })
	f.run(t, false, "-R")
	if s := status(); !strings.Contains(s, `"resync": false`) || !strings.Contains(s, `"entries": 2000`) {
		t.Errorf("after -R: %s", s)
	}
	if r := f.run(t, false, "--demote"); r != (result{1, noPeers + "\n", ""}) {
		t.Errorf("--demote in the statistics mode: %+v", r)
	}
	c.Process.Signal(syscall.SIGTERM)
	c.Wait()
}
