package words

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/internal/testwait"
)

// old runs the words of command lines with conntrack-tools' program, and plays the
// daemon that it talks to.
type old struct {
	program, config string
	requests        chan uint32
}

func newOld(t *testing.T) *old {
	program, err := exec.LookPath("/usr/sbin/conntrackd")
	if err != nil {
		t.Skip("needs conntrack-tools' conntrackd")
	}
	dir := t.TempDir()
	o := &old{program: program, config: filepath.Join(dir, "conf"), requests: make(chan uint32, 16)}
	socket := filepath.Join(dir, "ctl")
	text := fmt.Sprintf("Stats { LogFile off }\nGeneral { UNIX { Path %s\n } LockFile %s\n}\n", socket, dir)
	if err := os.WriteFile(o.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			var b [4]byte
			if _, err := conn.Read(b[:]); err == nil {
				o.requests <- binary.NativeEndian.Uint32(b[:])
			}
			conn.Close()
		}
	}()
	return o
}

// run returns what the old program makes of words: its message, or the request that it
// sends. The lock file of the configuration is a directory, so that a daemon never starts.
func (o *old) run(t *testing.T, words []string) (text string, status int) {
	ctx, cancel := context.WithTimeout(t.Context(), testwait.Scale(10*time.Second))
	defer cancel()
	c := exec.CommandContext(ctx, o.program, append([]string{"-C", o.config}, words...)...)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	c.Run()
	status = c.ProcessState.ExitCode()
	select {
	case r := <-o.requests:
		return fmt.Sprint("request ", r), status
	default:
	}
	if strings.Contains(stderr.String(), "lockfile") {
		return "daemon", status
	}
	switch {
	case stderr.Len() > 0:
	case status == 0:
		return "print", status
	default: // -d says nothing when the lock file is there
		return "daemon", status
	}
	_, text, _ = strings.Cut(stderr.String(), ") [ERROR] ")
	text, _, _ = strings.Cut(text, "\n")
	if strings.Contains(stdout.String(), "Usage:") {
		text = "usage: " + text
	}
	return text, status
}

// ours returns the same of this package.
func ours(o *old, words []string) string {
	l, err := Parse(append([]string{o.program, "-C", o.config}, words...))
	if e, ok := err.(*Error); ok {
		if e.Usage != "" {
			return "usage: " + e.Text
		}
		return e.Text
	}
	switch l.Action {
	case Run, Detach:
		return "daemon"
	case Request:
		return fmt.Sprint("request ", uint32(l.Request))
	}
	return "print"
}

// TestOld compares random command lines of the old words.
func TestOld(t *testing.T) {
	o := newOld(t)
	pool := strings.Fields("-d -c -i -e -x -f -F -R -B -n -t -k -s -v -h ct expect internal external network " +
		"cache runtime link rsqueue process queue multicast c e ex i s n r q -q foo - a xd xs -dx ax exp expectx")
	seed := rand.New(rand.NewPCG(1, 2))
	lines := 400
	if testing.Short() {
		lines = 60
	}
	for range lines {
		words := make([]string, 1+seed.IntN(4))
		for i := range words {
			words[i] = pool[seed.IntN(len(pool))]
		}
		want, _ := o.run(t, words)
		if got := ours(o, words); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
}

// TestOldRefusesOurs shows that our own words are safe: conntrack-tools' program refuses
// them before it sends anything. 1.4.7 exits with 0 then, 1.4.9 with 1.
func TestOldRefusesOurs(t *testing.T) {
	o := newOld(t)
	for _, word := range []string{"--status", "--diff", "--demote", "--check"} {
		for _, words := range [][]string{{word}, {"-s", word}, {word, "-s"}, {word, "-k"}} {
			if got, _ := o.run(t, words); got != "usage: Unknown option: "+word {
				t.Errorf("%q: %s", words, got)
			}
		}
	}
}
