package ctnetlink

import (
	"errors"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestOpenIn: a Conn of another network namespace acts on the table there, and
// leaves the caller's thread where it is.
func TestOpenIn(t *testing.T) {
	needNetfilter(t)
	type result struct {
		file *os.File
		err  error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		var file *os.File
		if err == nil {
			file, err = os.Open("/proc/thread-self/ns/net")
		}
		made <- result{file, err}
	}()
	ns := <-made
	if ns.err != nil {
		t.Skipf("SKIPPED, no network namespace: %v", ns.err)
	}
	defer ns.file.Close()
	here, there := Open(), OpenIn(ns.file)
	defer here.Close()
	defer there.Close()
	orig := Tuple{Has: FieldAddrs | FieldProto, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), Proto: 99}
	reply := orig
	reply.Src, reply.Dst = orig.Dst, orig.Src
	en := &FlowSpec{Family: FamilyIPv4, Orig: orig, Reply: reply, Timeout: 100 * time.Second, Set: AttrSet(0).With(AttrTimeout)}
	if err := there.Create(en); err != nil {
		t.Fatal(err)
	}
	named := &FlowSpec{Family: en.Family, Orig: en.Orig}
	if _, err := there.Get(named); err != nil {
		t.Error(err)
	}
	n := 0
	for _, err := range there.Dump(&DumpRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d entries there, want 1", n)
	}
	if _, err := here.Get(named); !errors.Is(err, ENOENT) {
		t.Errorf("the entry is here: %v", err)
	}
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	none := OpenIn(file)
	defer none.Close()
	if _, _, err := none.Count(); !errors.Is(err, EINVAL) {
		t.Errorf("a file that is no namespace: %v", err)
	}
}
