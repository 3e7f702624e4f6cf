package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// The requests of conntrack-tools' control socket.
const (
	requestKill    = 20
	requestCounts  = 21
	requestBulk    = 22
	requestNetwork = 28
	requestResync  = 44
)

// oldDaemon is conntrack-tools' conntrackd in a network namespace of its own, which
// sends its messages to received.
type oldDaemon struct {
	dir      string
	ns       *os.File
	conn     *ctnetlink.Conn
	cmd      *exec.Cmd
	received net.PacketConn
}

// within calls f by a thread of the namespace.
func (d *oldDaemon) within(t *testing.T, f func() error) {
	t.Helper()
	if err := netlab.Enter(d.ns, f); err != nil {
		t.Fatal(err)
	}
}

// run runs a program to its end.
func run(input string, name string, arg ...string) error {
	c := exec.Command(name, arg...)
	c.Stdin = bytes.NewReader([]byte(input))
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w: %s", c.Args, err, out)
	}
	return nil
}

// skipped counts the tests that found no daemon, or no kernel for it.
var skipped int

func TestMain(m *testing.M) {
	code := m.Run()
	if skipped > 0 {
		fmt.Fprintf(os.Stderr, "\n*** %d TESTS WITH CONNTRACK-TOOLS' DAEMON WERE SKIPPED ***\n\n", skipped)
	}
	os.Exit(code)
}

// skip skips a test that cannot be run here.
func skip(t *testing.T, format string, arg ...any) {
	t.Helper()
	skipped++
	t.Skipf("SKIPPED, "+format, arg...)
}

func startOld(t *testing.T) *oldDaemon {
	t.Helper()
	for _, p := range []string{"conntrackd", "ip", "nft"} {
		if _, err := exec.LookPath(p); err != nil {
			skip(t, "no %s", p)
		}
	}
	ns, err := netlab.Namespace(nil)
	if err != nil {
		skip(t, "no network namespace: %v", err)
	}
	t.Cleanup(func() { ns.Close() })
	d := &oldDaemon{dir: t.TempDir(), ns: ns}
	switch d.conn, err = ctnetlink.DialIn(ns); {
	case errors.Is(err, unix.EPROTONOSUPPORT):
		skip(t, "no netfilter: %v", err) // a program for another processor, under qemu-user
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { d.conn.Close() })
	conf := fmt.Sprintf(`Sync {
 Mode NOTRACK { }
 UDP { IPv4_address 127.0.0.1
  IPv4_Destination_Address 127.0.0.2
  Port 3780
  Interface lo }
 Options { TCPWindowTracking On
  ExpectationSync On }
}
General {
 LockFile %[1]s/lock
 UNIX { Path %[1]s/ctl }
 Scheduler { Type RR Priority 0 }
 Filter From Userspace { Address Ignore { IPv4_address 127.0.0.0/8 } }
}
`, d.dir)
	if err := os.WriteFile(filepath.Join(d.dir, "conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	d.within(t, func() error {
		if err := run("", "ip", "link", "set", "lo", "up"); err != nil {
			return err
		}
		// Labels are there where a rule uses them.
		rules := "table inet x {\n chain c {\n type filter hook forward priority 0; ct label set 1\n }\n}\n"
		if err := run(rules, "nft", "-f", "-"); err != nil {
			return err
		}
		if d.received, err = net.ListenPacket("udp", "127.0.0.2:3780"); err != nil {
			return err
		}
		d.cmd = exec.Command("conntrackd", "-C", filepath.Join(d.dir, "conf"))
		return d.cmd.Start()
	})
	t.Cleanup(func() {
		if _, err := d.ask(requestKill); err != nil {
			d.cmd.Process.Kill()
		}
		d.cmd.Wait()
		d.received.Close()
	})
	if !testwait.For(10*time.Second, func() bool { _, err := d.ask(255); return err == nil }) {
		t.Fatal("conntrackd does not answer")
	}
	return d
}

// ask makes a request at the control socket and returns the answer.
func (d *oldDaemon) ask(n uint32) (string, error) {
	c, err := net.Dial("unix", filepath.Join(d.dir, "ctl"))
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(testwait.Scale(5 * time.Second)))
	if _, err := c.Write(binary.NativeEndian.AppendUint32(nil, n)); err != nil {
		return "", err
	}
	b, err := io.ReadAll(c)
	return string(b), err
}

// number returns the number behind a word of the answer to a request, and its first
// occurrence behind another word; -1 if there is none.
func (d *oldDaemon) number(request uint32, behind, word string) int {
	text, err := d.ask(request)
	if err != nil {
		return -1
	}
	_, text, _ = strings.Cut(text, behind)
	_, text, _ = strings.Cut(text, word)
	n := -1
	fmt.Sscan(text, &n)
	return n
}

// withoutNoise returns an object without what differs between two tellings of the same
// entry: the timeout's value, which must be about the one that was set, and the ports of
// translated queries, which are 0.
func withoutNoise(t *testing.T, o []byte) []byte {
	t.Helper()
	o = bytes.Clone(o)
	for i := 0; ; {
		num, v, end := Object(o).next(i)
		if end == 0 {
			return o
		}
		switch {
		case num == int(connAttrs[sTimeout].num) && !Object(o).Expect():
			if n := binary.BigEndian.Uint32(v); n > 5000 || n < 4000 {
				t.Errorf("timeout %d", n)
			}
			copy(v, "\x00\x00\x00\x00")
		case num == int(expectAttrs[xTimeout].num) && Object(o).Expect():
			copy(v, "\x00\x00\x00\x00")
		case (num == 14 || num == 15) && v[0]|v[1] == 0 && !Object(o).Expect():
			o = append(o[:i], o[end:]...)
			continue
		}
		i = end
	}
}

// TestAgainstOld makes entries and expectations of all kinds in the kernel, and compares
// the objects that we make of what it tells with the messages of conntrack-tools' daemon.
func TestAgainstOld(t *testing.T) {
	d := startOld(t)
	conn := d.conn
	for _, s := range oldEntries() {
		if err := conn.Create(s); err != nil {
			t.Fatalf("%v: %v", &s.Orig, err)
		}
	}
	for _, x := range oldExpectations() {
		if err := conn.CreateExpect(x); err != nil {
			t.Fatal(err)
		}
	}
	mine := make(map[Key]Object)
	for f, err := range conn.Dump(nil) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Orig().Src.IsLoopback() {
			continue // the messages themselves
		}
		o, err := WindowTracking.AppendFlow(nil, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		mine[o.Key()] = o
	}
	for e, err := range conn.DumpExpect(ctnetlink.FamilyAny) {
		if err != nil {
			t.Fatal(err)
		}
		o, err := AppendExpect(nil, e, nil)
		if err != nil {
			t.Fatal(err)
		}
		mine[o.Key()] = o
	}
	d.compare(t, mine)
	d.give(t, mine)
}

// give sends our objects to the daemon, which must take all that is meant for it, and
// nothing else.
func (d *oldDaemon) give(t *testing.T, mine map[Key]Object) {
	h := Header{Seq: 1}
	send := func(typ Type, o []byte) {
		h.Type = typ
		h.Seq++
		to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3780}
		if _, err := d.received.WriteTo(h.Append(nil, o), to); err != nil {
			t.Fatal(err)
		}
	}
	entries, foreign := 0, 0
	for _, o := range mine {
		typ := New
		if o.Expect() {
			typ = ExpectNew
		}
		switch c := o.Classic(); {
		case c == nil:
			// What it must not get it would not even take.
			send(typ, o)
			foreign++
		case typ == New:
			send(typ, c)
			entries++
		default:
			send(typ, c)
		}
	}
	send(Extension, []byte("anything"))
	want := [3]int{entries, foreign, 1}
	var got [3]int
	if !testwait.For(10*time.Second, func() bool {
		got = [3]int{
			d.number(requestCounts, "cache external:", "connections:"),
			d.number(requestNetwork, "recv:", "Malformed payload:"), d.number(requestNetwork, "recv:", "Malformed header:"),
		}
		return got == want
	}) {
		t.Errorf("entries, malformed payloads and headers: %v, want %v", got, want)
	}
	if foreign == 0 || entries < 10 {
		t.Errorf("%d entries, %d that it cannot have", entries, foreign)
	}
}

// compare has the daemon send all that is in its kernel, until each entry was seen as
// our objects have it.
func (d *oldDaemon) compare(t *testing.T, mine map[Key]Object) {
	theirs := make(map[string]bool)
	for _, o := range mine {
		cut := o
		for i := 0; ; {
			num, _, end := o.next(i)
			if end == 0 || num >= firstOurs {
				cut = o[:i]
				break
			}
			i = end
		}
		theirs[string(withoutNoise(t, cut))] = false
	}
	if n := len(oldEntries()) + len(oldExpectations()); len(mine) != n {
		t.Errorf("%d objects of %d", len(mine), n)
	}
	missing, buf := len(theirs), make([]byte, 65536)
	strange := make(map[string]Type)
	d.ask(requestResync)
	d.ask(requestBulk)
	again := time.Now()
	found := testwait.For(10*time.Second, func() bool {
		if time.Since(again) > time.Second {
			d.ask(requestBulk)
			again = time.Now()
		}
		d.received.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, _, err := d.received.ReadFrom(buf)
		if err != nil {
			return missing == 0
		}
		for b := buf[:n]; len(b) > 0; {
			h, payload, rest, err := Next(b)
			if b = rest; err != nil {
				t.Errorf("%+v: %v", h, err)
			}
			if h.Type == Control {
				continue
			}
			p := string(withoutNoise(t, payload))
			if seen, known := theirs[p]; known && !seen {
				theirs[p] = true
				missing--
			} else if !known {
				strange[p] = h.Type
			}
			if o, err := Merge(nil, h.Type, nil, payload); err != nil || ours(o) {
				t.Errorf("Merge of %x: %v", payload, err)
			}
		}
		return missing == 0
	})
	if found {
		return
	}
	for p, seen := range theirs {
		if !seen {
			t.Errorf("not sent by conntrackd: %x", p)
		}
	}
	for p, typ := range strange {
		t.Errorf("sent by conntrackd (type %d): %x", typ, p)
	}
}
