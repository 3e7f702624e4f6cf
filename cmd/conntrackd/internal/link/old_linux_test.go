package link

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/config"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// oldDaemon is conntrack-tools' conntrackd in a namespace.
type oldDaemon struct {
	program, file string
	n             namespace
}

// startOld starts it with a channel, in mode NOTRACK.
func (n namespace) startOld(t *testing.T, channel string) *oldDaemon {
	t.Helper()
	program, err := exec.LookPath("conntrackd")
	if err != nil {
		program = "/usr/sbin/conntrackd"
		if _, err := os.Stat(program); err != nil {
			t.Skipf("SKIPPED, no conntrackd of conntrack-tools: %v", err)
		}
	}
	dir := t.TempDir()
	old := &oldDaemon{program: program, file: filepath.Join(dir, "conf"), n: n}
	text := fmt.Sprintf(`Sync { Mode NOTRACK { }
%s
}
General {
	LogFile %s/log
	LockFile %[2]s/lock
	UNIX { Path %[2]s/socket
	}
	Scheduler { Type RR
	Priority 0 }
	Systemd off
}
`, channel, dir)
	if err := os.WriteFile(old.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(program, "-C", old.file)
	if err := n.enter(daemon.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		daemon.Process.Kill()
		daemon.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			t.Logf("%s", log)
		}
	})
	wait(t, "an answer of conntrackd", func() bool { return strings.Contains(old.ask("-s"), "cache external") })
	return old
}

// ask returns what its client prints.
func (o *oldDaemon) ask(words ...string) string {
	var out []byte
	o.n.enter(func() error {
		out, _ = exec.Command(o.program, append([]string{"-C", o.file}, words...)...).Output()
		return nil
	})
	return string(out)
}

// external returns how many entries of its peers it has.
func (o *oldDaemon) external() (n int) {
	_, text, _ := strings.Cut(o.ask("-s"), "cache external:")
	_, text, _ = strings.Cut(text, "current active connections:")
	fmt.Sscan(text, &n)
	return n
}

// entry returns a message about the i-th new connection of UDP.
func entry(i uint32) []byte {
	b := []byte{0x10, 0, 0, 0, 0, 0, 0, 0,
		0, 12, 0, 0, 10, 0, 0, 1, 0, 0, 0, 0, // addresses
		0, 8, 0, 5, 0, 0, 1, 0x9e, // status
		0, 5, 0, 2, 17, 0, 0, 0,
		0, 8, 0, 3, 3, 0xe8, 0, 53, // ports
		0, 8, 0, 6, 0, 0, 1, 0x2c, // timeout
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint32(b[4:], i)
	binary.BigEndian.PutUint32(b[16:], 20<<24|i)
	return b
}

// conntrack-tools takes what these links send, all of it, and these links take what it
// sends.
func TestOld(t *testing.T) {
	t.Parallel()
	sides := lab(t)
	ours := func(kind config.Kind, v6 bool, port int) config.Link {
		c := configure(kind, v6, 0, 0)
		c.Port = port
		return c
	}
	for name, test := range map[string]struct {
		channel string
		link    config.Link
		count   int
	}{
		"multicast": {"Multicast { IPv4_address 225.0.0.50\nGroup 4001\nIPv4_interface 10.99.0.2\nInterface sy0\nChecksum on }",
			ours(config.Multicast, false, 4001), 2000},
		"UDP": {"UDP { IPv4_address 10.99.0.2\nIPv4_Destination_Address 10.99.0.1\nPort 4002\nInterface sy0\nChecksum on }",
			ours(config.UDP, false, 4002), 2000},
		"UDP over IPv6": {"UDP { IPv6_address fd99::2\nIPv6_Destination_Address fd99::1\nPort 4003\nInterface sy0\nChecksum on }",
			ours(config.UDP, true, 4003), 2000},
		"TCP": {"TCP { IPv4_address 10.99.0.2\nIPv4_Destination_Address 10.99.0.1\nPort 4004\nInterface sy0\nChecksum on }",
			ours(config.TCP, false, 4004), 50_000},
		"TCP over IPv6": {"TCP { IPv6_address fd99::2\nIPv6_Destination_Address fd99::1\nPort 4005\nInterface sy0\nChecksum on }",
			ours(config.TCP, true, 4005), 50_000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old := sides[1].startOld(t, test.channel)
			n := sides[0].start(t, Options{Links: []config.Link{test.link}})
			wait(t, "room", n.set.Room)
			for i := range uint32(test.count) {
				if i%64 == 0 && !n.set.Room() {
					wait(t, "room", n.set.Room)
				}
				n.set.Append(entry(i))
			}
			n.set.Flush()
			if !testwait.For(bound, func() bool { return old.external() == test.count }) {
				t.Errorf("%d entries, want %d: %s", old.external(), test.count, old.ask("-s", "network"))
			}
			sent, text := n.set.Stats()[0], old.ask("-s", "link")
			want := []string{fmt.Sprintf("%20d Bytes recv", sent.SentBytes)}
			if test.link.Kind != config.TCP { // a read may have many datagrams' messages
				want = append(want, fmt.Sprintf("%20d Pckts recv", sent.SentPackets))
			}
			for _, line := range want {
				if !strings.Contains(text, line) {
					t.Errorf("no %q in its statistics:\n%s", line, text)
				}
			}
			wait(t, "its message", func() bool { return n.count() > 0 })
			n.mu.Lock()
			defer n.mu.Unlock()
			if m := n.messages[0]; len(m) < 8 || m[0] != 0x1a {
				t.Errorf("%x", m)
			}
		})
	}
}
