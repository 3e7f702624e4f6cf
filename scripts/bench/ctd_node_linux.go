package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/e2e/pair"
)

// Requests on the control socket of a daemon.
const (
	reqShow     = 21 // -s
	reqResync   = 23 // -n
	reqCache    = 29 // -s cache
	reqRuntime  = 30 // -s runtime
	reqForget   = 34 // -f external
	reqCommit   = 46 // -c
	longRequest = 5 * time.Minute
)

// ask has a daemon do a request, without a client's process, and returns the answer.
func ask(n *pair.Node, request uint32) string {
	s, err := net.Dial("unix", n.Socket())
	if err != nil {
		fail("%s: %v\n%s", n.Name, err, n.Log())
	}
	defer s.Close()
	s.SetDeadline(time.Now().Add(longRequest))
	if _, err := s.Write(binary.NativeEndian.AppendUint32(nil, request)); err != nil {
		fail("%s: %v", n.Name, err)
	}
	b, err := io.ReadAll(s)
	if err != nil {
		fail("%s: request %d: %v", n.Name, request, err)
	}
	return string(b)
}

var activeObjects = regexp.MustCompile(`cache:(internal|external)\tactive objects:\t+ *(\d+)`)

// cached returns how many connections are in a daemon's caches.
func cached(n *pair.Node) (internal, external int) {
	for _, m := range activeObjects.FindAllStringSubmatch(ask(n, reqCache), -1) {
		v, _ := strconv.Atoi(m[2])
		if m[1] == "internal" {
			internal = v
		} else {
			external = v
		}
	}
	return internal, external
}

// number returns the number in front of or behind a text in an answer.
func number(answer, pattern string) int {
	m := regexp.MustCompile(pattern).FindStringSubmatch(answer)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// kernelCount returns how many entries a node's kernel has.
func kernelCount(n *pair.Node) (count int) {
	err := n.Do(func() (err error) {
		count, err = readNumber("/proc/sys/net/netfilter/nf_conntrack_count")
		return err
	})
	if err != nil {
		fail("%s: %v", n.Name, err)
	}
	return count
}

// populate adds entries to a node's kernel.
func populate(n *pair.Node, from, count int) {
	err := n.Do(func() error {
		b, err := newBatcher()
		if err != nil {
			return err
		}
		defer b.close()
		return b.create(natEntry, from, count, batchSize)
	})
	if err != nil {
		fail("%s: %v", n.Name, err)
	}
}

// natEntry is an established TCP connection whose source is translated: of 92 bytes on the
// wire.
func natEntry(i int) ctnetlink.FlowSpec {
	en := tcpEntry(i)
	a := client(i).As4()
	a[0], a[1] = 100, 64
	en.SetSrcNAT(nat(a))
	return en
}

// emptyKernel removes all entries of a node's kernel.
func emptyKernel(n *pair.Node) {
	err := n.Do(func() error {
		conn := ctnetlink.Open()
		defer conn.Close()
		return conn.Flush(ctnetlink.FamilyAny)
	})
	if err != nil {
		fail("%s: %v", n.Name, err)
	}
}

// usage is what a process has used.
type usage struct {
	cpu       time.Duration
	rss, peak int64
}

// used returns what a node's daemon has used until now.
func used(n *pair.Node) usage {
	pid := n.Pid()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		fail("%s: %v\n%s", n.Name, err, n.Log())
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on, see proc_pid_stat(5)
	const utime, stime, tick = 14 - 3, 15 - 3, 10 * time.Millisecond
	var u usage
	for _, i := range []int{utime, stime} {
		v, _ := strconv.Atoi(fields[i])
		u.cpu += time.Duration(v) * tick
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		fail("%s: %v", n.Name, err)
	}
	u.rss = int64(number(string(status), `VmRSS:\s+(\d+)`)) << 10
	u.peak = int64(number(string(status), `VmHWM:\s+(\d+)`)) << 10
	return u
}

// poll calls f every few milliseconds until it reports true, and reports whether it did
// before quiet has passed without a change of what progress returns.
func poll(quiet time.Duration, progress func() int, done func(int) bool) (last int, at time.Time, ok bool) {
	last, at = -1, time.Now()
	for {
		v := progress()
		if v != last {
			last, at = v, time.Now()
		}
		if done(v) {
			return v, at, true
		}
		if time.Since(at) > quiet {
			return v, at, false
		}
		time.Sleep(10 * time.Millisecond)
	}
}
