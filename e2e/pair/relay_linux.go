package pair

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Faults are what a Relay does to frames. The zero value is a faultless link.
type Faults struct {
	// Loss and Double are the probabilities that a frame is lost, and that it comes twice.
	Loss, Double float64
	// Delay is the time that each frame takes, Jitter a part that differs from frame to
	// frame: with Jitter, frames overtake each other.
	Delay, Jitter time.Duration
}

// RelayCounts are what a Relay has done. Overflows are frames lost because it is slow.
type RelayCounts struct{ Received, Sent, Lost, Doubled, Cut, Overflows uint64 }

// A Relay is the link sy0 of all nodes: a hub in a namespace of its own, which loses,
// doubles, delays and reorders frames. What happens to the n-th frame from one node to
// another depends on the seed and on the faults only.
type Relay struct {
	host  *Host
	t     T
	ports []*os.File // of node 1 …
	wake  chan struct{}

	mu     sync.Mutex
	faults Faults
	cut    map[[2]int]bool // from a node to a node
	rng    [][]*rand.Rand  // by sender and receiver
	queue  frameQueue
	count  uint64
	counts RelayCounts
	closed bool
}

// maxFrame is the length of the longest frame: the kernel gives TCP's before they are cut.
const maxFrame = 1<<16 + 64

// maxQueued bounds the frames in a Relay.
const maxQueued = 1 << 16

type frame struct {
	due    time.Time
	number uint64 // of two that are due at a time, the one that came first leaves first
	to     int
	bytes  []byte
}

type frameQueue []frame

func (q frameQueue) Len() int      { return len(q) }
func (q frameQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *frameQueue) Push(f any)   { *q = append(*q, f.(frame)) }
func (q frameQueue) Less(i, j int) bool {
	if q[i].due.Equal(q[j].due) {
		return q[i].number < q[j].number
	}
	return q[i].due.Before(q[j].due)
}

func (q *frameQueue) Pop() any {
	old := *q
	f := old[len(old)-1]
	old[len(old)-1] = frame{}
	*q = old[:len(old)-1]
	return f
}

// NewRelay joins the nodes of a Lab that was made with OwnLinks. It ends with the test.
func NewRelay(l *Lab, seed uint64) *Relay {
	l.t.Helper()
	h, err := newHost(l.t, "relay")
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	r := &Relay{host: h, t: l.t, wake: make(chan struct{}, 1), cut: map[[2]int]bool{}}
	h.Set("net.ipv6.conf.default.disable_ipv6", "1") // no frames of its own
	for i, n := range l.Nodes {
		dev := fmt.Sprintf("port%d", n.Number)
		h.IP("link add " + dev + " type veth peer name sy0 netns " + n.Path() + "\nlink set " + dev + " up\n")
		n.Links()
		port, err := h.packets(dev)
		if err != nil {
			l.t.Fatalf("%s: %v", dev, err)
		}
		r.ports = append(r.ports, port)
		r.rng = append(r.rng, nil)
		for j := range l.Nodes {
			r.rng[i] = append(r.rng[i], rand.New(rand.NewPCG(seed, uint64(i)<<8|uint64(j))))
		}
	}
	var running sync.WaitGroup
	for i := range r.ports {
		running.Go(func() { r.receive(i) })
	}
	running.Go(r.send)
	l.t.Cleanup(func() {
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		for _, p := range r.ports {
			p.Close()
		}
		r.kick()
		running.Wait()
	})
	return r
}

// packets opens a socket for the frames of a device. Each frame has the header of
// virtio_net, which tells what of its checksum and of its cutting is left to do.
func (h *Host) packets(dev string) (file *os.File, err error) {
	err = h.Do(func() error {
		all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_ALL))
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return os.NewSyscallError("socket", err)
		}
		for _, o := range [][3]int{
			{unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1}, {unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
			{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 16 << 20}, {unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 16 << 20},
		} {
			if err == nil {
				err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, o[0], o[1], o[2]))
			}
		}
		var index *unix.Ifreq
		if err == nil {
			index, err = unix.NewIfreq(dev)
		}
		if err == nil {
			err = os.NewSyscallError("ioctl", unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, index))
		}
		if err == nil {
			to := &unix.SockaddrLinklayer{Protocol: all, Ifindex: int(index.Uint32())}
			err = os.NewSyscallError("bind", unix.Bind(fd, to))
		}
		if err != nil {
			unix.Close(fd)
			return err
		}
		file = os.NewFile(uintptr(fd), dev)
		return nil
	})
	return file, err
}

// Set sets the faults of frames that come from now on.
func (r *Relay) Set(f Faults) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = f
}

// Cut loses all frames from a node (1, 2 …) to another, or lets them through again.
func (r *Relay) Cut(from, to int, cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut[[2]int{from - 1, to - 1}] = cut
}

// Plug takes the carrier from a node's end of the link, or gives it back.
func (r *Relay) Plug(node int, in bool) {
	r.t.Helper()
	r.host.IP(fmt.Sprintf("link set port%d %s\n", node, map[bool]string{false: "down", true: "up"}[in]))
}

// Heal ends all faults, but for ends that are not plugged in.
func (r *Relay) Heal() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = Faults{}
	clear(r.cut)
}

// Counts returns what has been done so far.
func (r *Relay) Counts() RelayCounts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// receive takes the frames of a port.
func (r *Relay) receive(from int) {
	b := make([]byte, maxFrame)
	for {
		n, err := r.ports[from].Read(b)
		if err != nil {
			r.mu.Lock()
			closed := r.closed
			r.mu.Unlock()
			if closed {
				return
			}
			continue // a device that is down reports it once
		}
		r.arrived(from, b[:n], time.Now())
	}
}

// arrived queues a frame for the other ports.
func (r *Relay) arrived(from int, b []byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Received++
	for to := range r.ports {
		if to == from {
			continue
		}
		// The same numbers are drawn of each frame, so that one depends on no other.
		rng := r.rng[from][to]
		loss, double, late, later := rng.Float64(), rng.Float64(), rng.Float64(), rng.Float64()
		if r.cut[[2]int{from, to}] {
			r.counts.Cut++
			continue
		}
		if loss < r.faults.Loss {
			r.counts.Lost++
			continue
		}
		r.put(to, b, now.Add(r.faults.Delay+time.Duration(late*float64(r.faults.Jitter))))
		if double < r.faults.Double {
			r.counts.Doubled++
			r.put(to, b, now.Add(r.faults.Delay+time.Duration(later*float64(r.faults.Jitter))))
		}
	}
	r.kick()
}

func (r *Relay) put(to int, b []byte, due time.Time) {
	if len(r.queue) >= maxQueued {
		r.counts.Overflows++
		return
	}
	r.count++
	heap.Push(&r.queue, frame{due, r.count, to, append([]byte(nil), b...)})
}

func (r *Relay) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// send sends frames when they are due.
func (r *Relay) send() {
	timer := time.NewTimer(time.Hour)
	for {
		r.mu.Lock()
		now, wait := time.Now(), time.Hour
		var due []frame
		for len(r.queue) > 0 && !r.queue[0].due.After(now) {
			due = append(due, heap.Pop(&r.queue).(frame))
		}
		if len(r.queue) > 0 {
			wait = r.queue[0].due.Sub(now)
		}
		r.counts.Sent += uint64(len(due))
		closed := r.closed
		r.mu.Unlock()
		if closed {
			return
		}
		for _, f := range due {
			r.ports[f.to].Write(f.bytes) // one that is refused is lost
		}
		if len(due) > 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-r.wake:
		}
	}
}
