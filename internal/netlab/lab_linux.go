package netlab

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// Side is one of the two devices of a Lab.
type Side int

// The devices.
const (
	A Side = iota
	B
)

// String returns the device's name.
func (s Side) String() string { return [...]string{"a", "b"}[s] }

// Addrs are the addresses of the devices, if Config.Addresses.
var Addrs = map[Side][]netip.Prefix{
	A: {netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("fd00:a::1/128")},
	B: {netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("fd00:b::1/128")},
}

// Config says how a Lab is made.
type Config struct {
	// Addresses gives the devices the addresses in Addrs. Without, no packet is for
	// the machine itself.
	Addresses bool
	// Own lets the machine send packets of its own, such as ICMP errors. Otherwise
	// they are dropped before tracking, except those of Output.
	Own bool
}

// Lab is a network namespace. Only one goroutine may use it.
type Lab struct {
	c       Config
	tun     [2]int
	raw     [2]int // raw sockets, IPv4 and IPv6
	ct      *Conn  // for requests
	events  *Conn
	log     *Conn
	calls   chan func()
	results Sent
	buf     []byte
	kept    map[string]string // original values of variables
}

// New makes a Lab.
func New(c Config) (*Lab, error) {
	l := &Lab{c: c, tun: [2]int{-1, -1}, raw: [2]int{-1, -1}, calls: make(chan func()), buf: make([]byte, 1<<17),
		kept: map[string]string{}}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for f := range l.calls {
			f()
		}
	}()
	if err := l.do(l.setUp); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// do calls f on the thread that is in the namespace.
func (l *Lab) do(f func() error) error {
	done := make(chan error)
	l.calls <- func() { done <- f() }
	return <-done
}

// Namespace returns a file that stands for the Lab's network namespace. The caller closes
// it.
func (l *Lab) Namespace() (file *os.File, err error) {
	err = l.do(func() (err error) {
		file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return file, err
}

// Close ends the Lab. The namespace ends with its last descriptor.
func (l *Lab) Close() error {
	for _, fd := range append(l.tun[:], l.raw[:]...) {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	for _, c := range []*Conn{l.ct, l.events, l.log} {
		if c != nil {
			c.Close()
		}
	}
	close(l.calls)
	return nil
}

// variables are set before the devices are made.
var variables = [][2]string{
	{"net.ipv4.ip_forward", "1"}, {"net.ipv6.conf.all.forwarding", "1"},
	{"net.ipv4.conf.all.accept_local", "1"}, {"net.ipv4.conf.default.accept_local", "1"},
	{"net.ipv4.conf.all.route_localnet", "1"}, {"net.ipv4.conf.default.route_localnet", "1"},
	{"net.ipv4.conf.all.rp_filter", "0"}, {"net.ipv4.conf.default.rp_filter", "0"},
	{"net.ipv4.conf.all.send_redirects", "0"},
	{"net.ipv6.conf.default.accept_dad", "0"}, {"net.ipv6.conf.default.accept_ra", "0"},
	{"net.ipv6.conf.default.router_solicitations", "0"}, {"net.ipv6.conf.default.addr_gen_mode", "1"},
	{"net.netfilter.nf_conntrack_acct", "1"}, {"net.netfilter.nf_conntrack_events", "1"},
	{"net.netfilter.nf_conntrack_timestamp", "0"},
	// What the kernel says about packets goes to NFLOG group 0.
	{"net.netfilter.nf_log.2", "nfnetlink_log"}, {"net.netfilter.nf_log.10", "nfnetlink_log"},
	{"net.netfilter.nf_conntrack_log_invalid", "255"},
}

func (l *Lab) setUp() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("network namespace: %w", err)
	}
	for _, v := range variables {
		if err := write(v[0], v[1]); err != nil {
			return err
		}
	}
	// The rules come first: devices that come up report their multicast groups.
	if err := l.rules(""); err != nil {
		return err
	}
	for s := range l.tun {
		var err error
		if l.tun[s], err = TUN(Side(s).String()); err != nil {
			return fmt.Errorf("TUN device: %w", err)
		}
	}
	up := "link set lo up\nlink set dev a mtu 65000 up\nlink set dev b mtu 65000 up\n"
	way := "route add default dev b\nroute add default dev a table 10\nrule add iif b lookup 10 pref 10\n"
	batch := [2]string{up + way, way}
	if l.c.Addresses {
		for s, all := range Addrs {
			for i, p := range all {
				nodad := [2]string{"", " nodad"}[i]
				batch[i] += fmt.Sprintf("addr add %s dev %s%s\n", p, s, nodad)
			}
		}
	}
	for i, text := range batch {
		if err := run(text, "ip", [2]string{"-4", "-6"}[i], "-batch", "-"); err != nil {
			return err
		}
	}
	for i, family := range [2]int{unix.AF_INET, unix.AF_INET6} {
		fd, err := unix.Socket(family, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return fmt.Errorf("raw socket: %w", err)
		}
		l.raw[i] = fd
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, ownMark); err != nil {
			return fmt.Errorf("mark of a socket: %w", err)
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
			return err
		}
	}
	var err error
	for _, c := range []**Conn{&l.ct, &l.events, &l.log} {
		if *c, err = Dial(); err != nil {
			return err
		}
	}
	for g := 1; g <= 6; g++ {
		if err := unix.SetsockoptInt(l.events.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g); err != nil {
			return err
		}
	}
	if err := l.log.ListenLog(); err != nil {
		return err
	}
	return nil
}

// TUN makes a TUN device, or attaches to one that persists.
func TUN(name string) (int, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fd, err
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	return fd, unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
}

// run runs a program with a text as its input.
func run(input, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

// write sets a variable, in the namespace of the calling thread.
func write(name, value string) error {
	// A name may have dots in the last part; those used here have none.
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	return os.WriteFile(path, []byte(value), 0)
}

// Set sets a variable such as "net.ipv4.ipfrag_time". Names without "net." in
// front have "net.netfilter.nf_conntrack_" put there. Reset undoes it.
func (l *Lab) Set(name, value string) error {
	if !strings.HasPrefix(name, "net.") {
		name = "net.netfilter.nf_conntrack_" + name
	}
	return l.do(func() error {
		if _, ok := l.kept[name]; !ok {
			b, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
			if err != nil {
				return err
			}
			l.kept[name] = string(bytes.TrimSpace(b))
		}
		return write(name, value)
	})
}

// Reset gives all variables that Set has set the values they had before.
func (l *Lab) Reset() error {
	return l.do(func() error {
		for name, value := range l.kept {
			if err := write(name, value); err != nil {
				return err
			}
			delete(l.kept, name)
		}
		return nil
	})
}

// Rules replaces all rules by the text, in the syntax of nft, and by the Lab's
// own that watch packets at priority -199 and, behind the helpers, at the end of
// input.
func (l *Lab) Rules(text string) error {
	return l.do(func() error { return l.rules(text) })
}

// ownMark marks the packets of Output.
const ownMark = 0x6f776e

func (l *Lab) rules(text string) error {
	b := new(strings.Builder)
	b.WriteString("flush ruleset\ntable inet netlab {\n")
	if !l.c.Own {
		fmt.Fprintf(b, "chain mute { type filter hook output priority -450; meta mark != %d drop; }\n", ownMark)
	}
	for _, h := range [][3]string{{"pre", "prerouting", "-199"}, {"in", "input", "1000"}, {"out", "output", "-199"}} {
		fmt.Fprintf(b, "chain %s { type filter hook %s priority %s;\n", h[0], h[1], h[2])
		for _, state := range []string{"established", "new", "related"} {
			for _, dir := range []string{"original", "reply"} {
				fmt.Fprintf(b, "ct state %s ct direction %s log prefix \"%s %s %s\" group 1 accept\n", state, dir, h[0], state, dir)
			}
		}
		for _, state := range []string{"invalid", "untracked"} {
			fmt.Fprintf(b, "ct state %s log prefix \"%s %s -\" group 1 accept\n", state, h[0], state)
		}
		b.WriteString("}\n")
	}
	b.WriteString("}\n")
	return run(b.String()+text, "nft", "-f", "-")
}

// Skip reports whether an error of New or Rules means that this system does not
// let the process have a Lab.
func Skip(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) ||
		errors.Is(err, exec.ErrNotFound)
}
