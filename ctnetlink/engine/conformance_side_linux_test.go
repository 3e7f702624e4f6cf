package engine_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink"
	"golang.org/x/sys/unix"
)

// setup holds the settings of a table.
type setup struct {
	accounting, timestamps bool
}

func (s setup) String() string {
	return fmt.Sprintf("nf_conntrack_acct=%d nf_conntrack_timestamp=%d", flag(s.accounting), flag(s.timestamps))
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// socket is the part of ctnetlink.Socket that the test uses.
type socket interface {
	Send(b []byte) error
	Poll(b []byte) (n int, from uint32, err error)
	Join(g ctnetlink.Group) error
	Close() error
}

// sockets is the number of a side's sockets that send requests; one more
// listens.
const sockets = 2

// side is one of the two tables and its sockets.
type side struct {
	name     string
	askers   [sockets]socket
	listener socket
	pids     map[uint32]uint32            // port id → number of the socket, from 1
	ids      map[string]uint32            // the last id by key (see idKey)
	before   map[uint16]map[uint16]uint32 // statistics at the start of the sequence, by type of the answer
	buf      []byte
}

// newSide finds out the sockets' port ids and joins the listener to all groups.
// In the kernel an entry sends events if there was a listener on the machine
// when it was created: here there always is one.
func newSide(name string, askers [sockets]socket, listener socket) (*side, error) {
	s := &side{name: name, askers: askers, listener: listener, pids: map[uint32]uint32{}, buf: make([]byte, 64<<10)}
	for i := range askers {
		got, err := s.ask(0, &step{socket: i, requests: []*request{{typ: ctGetStats, flags: flagRequest}}})
		if err != nil || len(got) != 1 {
			return nil, fmt.Errorf("%s: statistics: %d answers, %v", name, len(got), err)
		}
		s.pids[got[0].pid] = uint32(i + 1)
	}
	for g := ctnetlink.GroupNew; g <= ctnetlink.GroupExpectDestroy; g++ {
		if err := listener.Join(g); err != nil {
			return nil, fmt.Errorf("%s: join: %w", name, err)
		}
	}
	return s, nil
}

// begin prepares for a new sequence.
func (s *side) begin() error {
	s.ids = map[string]uint32{}
	s.before = map[uint16]map[uint16]uint32{}
	for _, typ := range []uint16{ctGetStatsCPU, expGetStatsCPU} {
		got, err := s.ask(0, &step{requests: []*request{{typ: typ, flags: flagRequest | flagDump}}})
		if err != nil {
			return err
		}
		for _, a := range got {
			s.before[a.typ] = addUp(s.before[a.typ], a.body)
		}
	}
	_, err := s.drain(s.listener)
	clear(s.ids) // those of removed entries
	return err
}

// ask sends a step and returns the answers on its socket.
func (s *side) ask(seq int, st *step) ([]answer, error) {
	b := st.append(nil, uint32(seq)<<8, func(key string) uint32 { return s.ids[key] })
	if err := s.askers[st.socket].Send(b); err != nil {
		return nil, fmt.Errorf("%s: send: %w", s.name, err)
	}
	return s.drain(s.askers[st.socket])
}

// drain receives what is queued on a socket, and remembers the ids.
func (s *side) drain(from socket) (got []answer, err error) {
	for {
		n, _, err := from.Poll(s.buf)
		if errno, ok := ctnetlink.AsErrno(err); ok && errno == ctnetlink.EAGAIN {
			return got, nil
		}
		if err != nil {
			return got, fmt.Errorf("%s: receive: %w", s.name, err)
		}
		for b := s.buf[:n]; len(b) > 0; {
			size := 0
			if len(b) >= 16 {
				size = int(binary.NativeEndian.Uint32(b))
			}
			if size < 16 || size > len(b) {
				return got, fmt.Errorf("%s: not a message: %x", s.name, b)
			}
			a := newAnswer(b[:size])
			if id := a.id(); id != nil {
				s.ids[a.idKey()] = binary.BigEndian.Uint32(id)
				if destroys(a) { // the kernel may reuse the memory, and so the id, for the next one
					s.ids[a.idKey()] ^= 0x5a5a5a5a
				}
			}
			got = append(got, a)
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

func (s *side) close() {
	for _, k := range append(s.askers[:], s.listener) {
		if k != nil {
			k.Close()
		}
	}
}

// listenBuffer holds the events of any step.
const listenBuffer = 212992

// kernelSocket is a NETLINK_NETFILTER socket without anything around it, so
// that only the kernel is tested.
type kernelSocket int

// Send sends a datagram to the kernel.
func (k kernelSocket) Send(b []byte) error {
	if err := unix.Sendto(int(k), b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return ctnetlink.Errno(err.(unix.Errno))
	}
	return nil
}

// Poll receives a datagram if one is queued.
func (k kernelSocket) Poll(b []byte) (int, uint32, error) {
	n, _, err := unix.Recvfrom(int(k), b, unix.MSG_DONTWAIT)
	if err != nil {
		return 0, 0, ctnetlink.Errno(err.(unix.Errno))
	}
	return n, 0, nil
}

// Join joins a group.
func (k kernelSocket) Join(g ctnetlink.Group) error {
	return unix.SetsockoptInt(int(k), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, int(g))
}

// Close closes the descriptor.
func (k kernelSocket) Close() error { return unix.Close(int(k)) }

// dialKernel opens a socket in the calling thread's namespace.
func dialKernel() (socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, err
	}
	k := kernelSocket(fd)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return k, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1); err != nil {
		return k, err
	}
	// Twice the default, which every process may set.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, listenBuffer); err != nil {
		return k, err
	}
	return k, nil
}

// rules make the kernel track connections and store labels.
const rules = `table inet conformance {
	chain output {
		type filter hook output priority 0
		ct label 1 counter
	}
}`

// newKernel returns a side with a new network namespace, which lasts as long as
// its sockets. It skips the test if the system refuses one.
func newKernel(t testing.TB, su setup) *side {
	t.Helper()
	var (
		s       *side
		problem error
		done    = make(chan struct{})
	)
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		s, problem = enter(su)
	}()
	<-done
	if problem != nil {
		skipped.Add(1)
		t.Skipf("SKIPPED, no kernel to compare with: %v", problem)
	}
	t.Cleanup(s.close)
	return s
}

// release holds the first two numbers of the kernel's release.
type release struct{ major, minor int }

func (r release) before(major, minor int) bool {
	return r.major < major || r.major == major && r.minor < minor
}

func kernelRelease(t testing.TB) (r release) {
	t.Helper()
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &r.major, &r.minor); err != nil {
		t.Fatal(err)
	}
	return r
}

// enter moves the calling thread into a new namespace and opens a side there.
func enter(su setup) (*side, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("network namespace: %w", err)
	}
	for file, on := range map[string]bool{"acct": su.accounting, "timestamp": su.timestamps} {
		if err := os.WriteFile("/proc/sys/net/netfilter/nf_conntrack_"+file, fmt.Append(nil, flag(on)), 0); err != nil {
			return nil, err
		}
	}
	path, err := exec.LookPath("nft")
	if err != nil {
		path = "/usr/sbin/nft"
	}
	cmd := exec.Command(path, "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("nft: %w %s", err, out)
	}
	var askers [sockets]socket
	for i := range askers {
		if askers[i], err = dialKernel(); err != nil {
			return nil, err
		}
	}
	listener, err := dialKernel()
	if err != nil {
		return nil, err
	}
	return newSide("kernel", askers, listener)
}
