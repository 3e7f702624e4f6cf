package sync

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	gosync "sync"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// reference is conntrack-tools' daemon, the peer of these tests.
const reference = "/usr/sbin/conntrackd"

// pair is a node in one namespace and conntrack-tools' daemon in another, joined by
// devices of which the node's side loses datagrams.
type pair struct {
	t    *testing.T
	ours *os.File // namespaces
	old  *os.File
	conf string // of the old daemon
	cmd  *exec.Cmd
	log  *bytes.Buffer

	mu   gosync.Mutex
	n    *Node
	c    *config.Config
	sock *net.UDPConn
	buf  []byte
	loss float64
	wake chan struct{}
}

func newPair(t *testing.T, mode config.Mode) *pair {
	t.Helper()
	if _, err := os.Stat(reference); err != nil {
		t.Skipf("SKIPPED, no daemon to compare with: %v", err)
	}
	p := &pair{t: t, c: testConfig(mode), wake: make(chan struct{}, 1)}
	p.c.Links = []config.Link{{Kind: config.UDP, Remote: netip.MustParseAddr("10.99.0.2")}}
	for _, f := range []**os.File{&p.ours, &p.old} {
		file, err := netlab.Namespace(nil)
		if err != nil {
			t.Skipf("SKIPPED, no network namespace: %v", err)
		}
		t.Cleanup(func() { file.Close() })
		*f = file
	}
	ip := func(ns *os.File, args string) {
		t.Helper()
		err := netlab.Enter(ns, func() error {
			out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("ip %s: %v: %s", args, err, out)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ip(p.ours, fmt.Sprintf("link add sy0 type veth peer name sy0 netns /proc/%d/fd/%d", os.Getpid(), p.old.Fd()))
	for i, ns := range []*os.File{p.ours, p.old} {
		ip(ns, "link set lo up")
		ip(ns, fmt.Sprintf("addr add 10.99.0.%d/24 dev sy0", i+1))
		ip(ns, "link set sy0 up")
	}
	word := map[config.Mode]string{config.FTFW: "FTFW", config.NoTrack: "NOTRACK", config.Alarm: "ALARM"}[mode]
	dir := t.TempDir()
	p.conf = filepath.Join(dir, "conf")
	text := fmt.Sprintf(`Sync {
	Mode %s { }
	UDP { IPv4_address 10.99.0.2
		IPv4_Destination_Address 10.99.0.1
		Port 3780
		Interface sy0
		SndSocketBuffer 1249280
		RcvSocketBuffer 1249280
		Checksum on }
}
General {
	LockFile %[2]s/lock
	UNIX { Path %[2]s/ctl
	}
	HashSize 32768
	HashLimit 1048576
	NetlinkBufferSize 2097152
	NetlinkBufferSizeMaxGrowth 8388608
	Scheduler { Type RR Priority 0 }
	Systemd off
	Filter From Userspace { Address Ignore { IPv4_address 10.99.0.1 IPv4_address 10.99.0.2 } }
}
`, word, dir)
	if err := os.WriteFile(p.conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.stopOld)
	t.Cleanup(p.stopOurs)
	return p
}

func (p *pair) startOld() {
	p.t.Helper()
	p.log = new(bytes.Buffer)
	p.cmd = exec.Command(reference, "-C", p.conf)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := netlab.Enter(p.old, p.cmd.Start); err != nil {
		p.t.Fatal(err)
	}
	p.wait("the old daemon to start", func() bool {
		c, err := net.Dial("unix", filepath.Join(filepath.Dir(p.conf), "ctl"))
		if err == nil {
			c.Close() // the file is there before somebody listens
		}
		return err == nil
	})
}

func (p *pair) stopOld() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
	_ = os.Remove(filepath.Join(filepath.Dir(p.conf), "lock"))
	_ = os.Remove(filepath.Join(filepath.Dir(p.conf), "ctl"))
}

// ask runs a request of the old daemon's own client and returns its output.
func (p *pair) ask(words ...string) string {
	p.t.Helper()
	var out []byte
	err := netlab.Enter(p.old, func() (err error) {
		out, err = exec.Command(reference, append([]string{"-C", p.conf}, words...)...).CombinedOutput()
		return err
	})
	if err != nil {
		p.t.Fatalf("%v: %v: %s", words, err, out)
	}
	return string(out)
}

var activeObjects = regexp.MustCompile(`cache:(internal|external)\tactive objects:\t+ *(\d+)`)

// external returns how many entries the old daemon has of its peer, internal how many of
// its own.
func (p *pair) external() int { return p.active(1) }

func (p *pair) internal() int { return p.active(0) }

func (p *pair) active(cache int) int {
	m := activeObjects.FindAllStringSubmatch(p.ask("-s", "cache"), 2)
	if len(m) != 2 {
		p.t.Fatal("no caches in the old daemon's statistics")
	}
	n, _ := strconv.Atoi(m[cache][2])
	return n
}

func (p *pair) wait(what string, f func() bool) {
	p.t.Helper()
	if !testwait.For(20*time.Second, f) {
		p.mu.Lock()
		defer p.mu.Unlock()
		state := ""
		if p.n != nil {
			state = fmt.Sprintf("tx %d rs %d external %d stats %+v", p.n.conns.tx.Len, p.n.conns.rs.Len,
				p.n.External.Stats.Active, p.n.stats)
			for _, q := range p.n.peers {
				if q != nil {
					state += fmt.Sprintf("\npeer %v: %+v", q.sender, q.ft)
				}
			}
		}
		p.t.Fatalf("waited in vain for %s\n%s\n%s\n%s", what, state, p.log, p.ask("-s")+p.ask("-s", "network"))
	}
}

// kernel makes or deletes entries in the table of the old daemon's namespace, not more at
// once than its socket takes events.
func (p *pair) kernel(from, to int, create bool) {
	p.t.Helper()
	for was := p.internal(); from < to; from += 1000 {
		end := min(from+1000, to)
		p.change(from, end, create)
		if was += end - from; !create {
			was -= 2 * (end - from)
		}
		p.wait("the old daemon's own entries", func() bool { return p.internal() == was })
	}
}

func (p *pair) change(from, to int, create bool) {
	p.t.Helper()
	c := ctnetlink.OpenIn(p.old)
	defer c.Close()
	b := c.NewBatch()
	defer b.Close()
	for i := from; i < to; i++ {
		a := netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		s := ctnetlink.NewFlowSpec(ctnetlink.NewTuple(ctnetlink.ProtoTCP, netip.AddrPortFrom(a, 1000),
			netip.MustParseAddrPort("192.0.2.9:80")))
		if create {
			s.Reply = s.Orig.Reverse()
			s.SetTimeout(time.Hour)
			s.SetState(ctnetlink.TCPEstablished)
			b.Create(s)
		} else {
			b.Delete(s)
		}
	}
	results, err := b.Do()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			p.t.Fatal(r.Err)
		}
	}
}
