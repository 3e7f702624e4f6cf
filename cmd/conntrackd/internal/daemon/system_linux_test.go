package daemon

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// mounts moves the goroutine, which must be locked to its thread, into a mount namespace
// of its own.
func mounts() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	return unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
}

// cover mounts a directory or a file of ours over another.
func cover(ours, other string) error {
	return unix.Mount(ours, other, "", unix.MS_BIND|unix.MS_REC, "")
}

// TestSyslog compares what both daemons send to syslog.
func TestSyslog(t *testing.T) {
	namespace(t)
	needOld(t)
	if err := mounts(); err != nil {
		skip(t, err)
	}
	dev := t.TempDir() // a /dev with what a program needs, and a log
	for _, name := range []string{"null", "urandom"} {
		if err := os.WriteFile(filepath.Join(dev, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := cover("/dev/"+name, filepath.Join(dev, name)); err != nil {
			skip(t, err)
		}
		t.Cleanup(func() { unix.Unmount(filepath.Join(dev, name), unix.MNT_DETACH) })
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: dev + "/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := cover(dev, "/dev"); err != nil {
		skip(t, err)
	}
	t.Cleanup(func() { unix.Unmount("/dev", unix.MNT_DETACH) })
	varies := regexp.MustCompile(`[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\[\d+\]|\d+ bytes`)
	collect := func(old bool, stats, general string) (lines []string) {
		f := configure(t, "Stats { "+stats+" }\n", general+" Scheduler { Type RR Priority 0 }")
		f.start(t, old)
		create(t, 1)
		if out, err := exec.Command("conntrack", "-D", "-p", "udp").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		b := make([]byte, 4096)
		for {
			conn.SetReadDeadline(time.Now().Add(testwait.Scale(10 * time.Second)))
			n, err := conn.Read(b)
			if err != nil {
				t.Fatalf("old %v: %v after %q", old, err, lines)
			}
			text := strings.TrimRight(string(b[:n]), "\n")
			lines = append(lines, varies.ReplaceAllString(text, "V"))
			// The entry is logged before the end is asked for, if it is logged at all.
			if strings.Contains(text, "10.1.0.1") || stats == "" && strings.Contains(text, "-- starting in") {
				f.run(t, old, "-f", "internal")
				f.run(t, old, "-k")
			}
			if strings.Contains(text, "shutdown received") {
				slices.Sort(lines) // the two logs are two streams
				return lines
			}
		}
	}
	for _, c := range [][2]string{
		{"Syslog on", "Syslog local3"}, {"Syslog local5", "Syslog on"}, {"", "Syslog on"}, {"Syslog on", "Syslog on"},
		{"Syslog local5", "Syslog local6"},
	} {
		ours, old := collect(false, c[0], c[1]), collect(true, c[0], c[1])
		if !slices.Equal(ours, old) {
			t.Errorf("%q: %s\nthe old one:\n%s", c, strings.Join(ours, "\n"), strings.Join(old, "\n"))
		}
	}
}

// TestScript has the script of a pair of firewalls as Debian ships it move the role from
// one node to the other and back. It names its program, lock file and configuration.
func TestScript(t *testing.T) {
	const script = "/usr/share/doc/conntrackd/examples/sync/primary-backup.sh"
	if _, err := os.Stat(script); err != nil {
		skip(t, err)
	}
	if _, err := os.Stat(oldProgram); err != nil {
		skip(t, err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sides := pair(t, "FTFW { }", [2]bool{})
	for _, s := range sides {
		if err := os.Symlink("conf", s.dir+"/conntrackd.conf"); err != nil {
			t.Fatal(err)
		}
	}
	run := func(s *side, role string) {
		s.in(func() {
			err := mounts()
			if err == nil {
				err = cover(exe, oldProgram)
			}
			if err == nil {
				err = cover(s.dir, "/etc/conntrackd")
			}
			if err != nil {
				t.Error(err)
				return
			}
			ctx, cancel := context.WithTimeout(t.Context(), testwait.Scale(20*time.Second))
			defer cancel()
			c := exec.CommandContext(ctx, "sh", script, role)
			c.Env = append(os.Environ(), asProgram+"=1")
			c.WaitDelay = time.Second
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", role, err, out)
			}
		})
	}
	a, b := sides[0], sides[1]
	until(t, "connected", func() bool { return b.do(t, "--status").status != 2 })
	run(a, "primary")
	run(b, "backup")
	a.in(func() { create(t, 100) })
	until(t, "100 at the backup", func() bool { return entries(b.do(t, "-e")) == 100 })
	run(a, "fault")
	run(b, "primary")
	if n := b.table(t); n != 100 {
		t.Errorf("%d entries were committed", n)
	}
	if n := entries(b.do(t, "-i")); n != 100 {
		t.Errorf("%d entries in the internal cache", n)
	}
	run(a, "backup")
	until(t, "100 at the new backup", func() bool { return entries(a.do(t, "-e")) == 100 })

	// The daemon of a backup that is gone is started by the script.
	a.do(t, "-k")
	run(a, "backup")
	until(t, "100 at the backup that was started again", func() bool { return entries(a.do(t, "-e")) == 100 })
	for i, role := range []string{`"role": "backup"`, `"role": "primary"`} {
		if r := sides[i].do(t, "--status", "-o", "json"); !strings.Contains(r.stdout, role) {
			t.Errorf("no %s: %+v", role, r)
		}
	}
}
