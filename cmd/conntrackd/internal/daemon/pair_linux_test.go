package daemon

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// side is a firewall of a pair: a namespace and the files of its daemon.
type side struct {
	*files
	netns *os.File
}

// in calls f by a thread of the side's namespace.
func (s *side) in(f func()) {
	if err := netlab.Enter(s.netns, func() error { f(); return nil }); err != nil {
		panic(err)
	}
}

// do runs words at a side.
func (s *side) do(t *testing.T, words ...string) (r result) {
	t.Helper()
	s.in(func() { r = s.run(t, false, words...) })
	return r
}

// table returns how many entries the side's kernel has.
func (s *side) table(t *testing.T) (n int) {
	s.in(func() { n = table(t) })
	return n
}

// pair makes two firewalls with a link sy0 and starts their daemons in a mode. old says
// which of them is the old one.
func pair(t *testing.T, mode string, old [2]bool) (sides [2]*side) {
	t.Helper()
	for i := range sides {
		file, err := netlab.Namespace(nil)
		if err != nil {
			skip(t, err)
		}
		t.Cleanup(func() { file.Close() })
		section := fmt.Sprintf("Sync { Mode %s UDP { IPv4_address 10.99.0.%d\n IPv4_Destination_Address 10.99.0.%d\n"+
			" Port 3780 Interface sy0 Checksum on SndSocketBuffer 1249280 RcvSocketBuffer 1249280 } }\n", mode, i+1, 2-i)
		sides[i] = &side{configure(t, section, "Scheduler { Type RR Priority 0 } "+
			"Filter From Userspace { Address Ignore { IPv4_address 10.99.0.0/24 } }"), file}
	}
	ip := func(i int, words string) {
		sides[i].in(func() {
			if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
				t.Errorf("ip %s: %v: %s", words, err, out)
			}
		})
	}
	ip(0, fmt.Sprintf("link add sy0 type veth peer name sy0 netns /proc/%d/fd/%d", os.Getpid(), sides[1].netns.Fd()))
	for i := range sides {
		ip(i, "link set lo up")
		ip(i, fmt.Sprintf("addr add 10.99.0.%d/24 dev sy0", i+1))
		ip(i, "link set sy0 up")
	}
	for i, s := range sides {
		s.in(func() { s.start(t, old[i]) })
	}
	return sides
}

// entries returns how many connections a listing has.
func entries(r result) int { return strings.Count(r.stdout, "src=10.1.0.1 ") }

func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	if !testwait.For(20*time.Second, condition) {
		t.Errorf("not %s", what)
	}
}

// TestTakeOver has the second of two firewalls take over, as primary-backup.sh does it,
// and looks at what our own requests say meanwhile.
func TestTakeOver(t *testing.T) {
	sides := pair(t, "FTFW { PurgeTimeout 1 }", [2]bool{})
	a, b := sides[0], sides[1]
	until(t, "connected", func() bool { return b.do(t, "--status").status != 2 })
	a.in(func() { create(t, 500) })
	until(t, "500 at the backup", func() bool { return entries(b.do(t, "-e")) == 500 })
	until(t, "ready", func() bool { return b.do(t, "--status").status == 0 })
	for _, s := range sides {
		r := s.do(t, "--diff")
		if r.status != 0 || strings.Count(r.stdout, ": equal, ") != 3 {
			t.Errorf("--diff: %+v", r)
		}
	}

	b.do(t, "-f", "external")
	r := b.do(t, "--diff")
	if r.status != 1 || !strings.Contains(r.stdout,
		"at this node: of 500 entries 100 missing, 0 stale, 0 changed, and more\n"+
			"  missing  udp      17 src=10.1.0.1 ") {
		t.Errorf("--diff of what is missing: %+v", r)
	}
	b.do(t, "-n")
	until(t, "500 after -n", func() bool { return entries(b.do(t, "-e")) == 500 })

	// The first is demoted, so that it tells no ends of what its kernel loses.
	if r := a.do(t, "--demote"); r != (result{}) {
		t.Errorf("--demote: %+v", r)
	}
	a.in(func() {
		if out, err := exec.Command("conntrack", "-F").CombinedOutput(); err != nil {
			t.Errorf("conntrack -F: %v: %s", err, out)
		}
	})
	for _, w := range []string{"-c", "-f", "-R", "-B"} {
		if r := b.do(t, w); r != (result{}) {
			t.Errorf("%s: %+v", w, r)
		}
	}
	if n := b.table(t); n != 500 {
		t.Errorf("%d entries were committed", n)
	}
	for _, w := range []string{"-t", "-n"} {
		a.do(t, w)
	}
	until(t, "500 at the first", func() bool { return entries(a.do(t, "-e")) == 500 })
	until(t, "purged", func() bool {
		return strings.Contains(a.read("log"), "flushing kernel conntrack table (scheduled)")
	})
	for i, role := range []string{`"role": "backup"`, `"role": "primary"`} {
		if r := sides[i].do(t, "--status", "-o", "json"); !strings.Contains(r.stdout, role) {
			t.Errorf("no %s: %+v", role, r)
		}
	}
	log := strings.Join(bare(t, b.read("log")), "\n")
	for _, want := range []string{
		"notice committing all external caches\nnotice Committed 500 new entries\nnotice commit has taken 0.",
		"notice flushing caches\nnotice resync with master conntrack table\nnotice sending bulk update",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}
