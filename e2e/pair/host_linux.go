package pair

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/internal/netlab"
	"github.com/gonntrack/gonntrack/internal/testwait"
)

// A Host is a network namespace.
type Host struct {
	// Name is that in the drawing of the package: "client", "node1" …
	Name  string
	t     T
	file  *os.File
	calls chan func() // for a thread that lives as long as the Host
}

// errNamespace wraps the error of making a namespace.
var errNamespace = errors.New("network namespace")

func newHost(t T, name string) (*Host, error) {
	h := &Host{Name: name, t: t, calls: make(chan func())}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			h.file, err = os.Open("/proc/thread-self/ns/net")
		}
		if ready <- err; err != nil {
			return
		}
		for f := range h.calls {
			f()
		}
	}()
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("%w: %w", errNamespace, err)
	}
	t.Cleanup(func() {
		close(h.calls)
		h.file.Close()
	})
	return h, nil
}

// Path returns a name of the namespace for ip(8).
func (h *Host) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), h.file.Fd()) }

// File returns the file that stands for the namespace. It is the Host's.
func (h *Host) File() *os.File { return h.file }

// Do calls f on a thread in the namespace. What f opens stays there. Several goroutines
// may call it at a time.
func (h *Host) Do(f func() error) error { return netlab.Enter(h.file, f) }

// Start starts a program in the namespace. It is killed when the test's process ends,
// however that ends; the programs that it starts are not.
func (h *Host) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	done := make(chan error)
	h.calls <- func() { done <- cmd.Start() }
	return <-done
}

// commandTime bounds a command's run.
const commandTime = time.Minute

// Output runs a program with a text as its input, and returns all that it writes, and an
// error unless it succeeds.
func (h *Host) Output(input, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), testwait.Scale(commandTime))
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &out
	cmd.WaitDelay = 10 * time.Second // for what holds its output open
	err := h.Start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		err = fmt.Errorf("%s: %s %s: %w: %s", h.Name, name, strings.Join(args, " "), err, bytes.TrimSpace(out.Bytes()))
	}
	return out.String(), err
}

// Run runs a program that must succeed, and returns all that it writes.
func (h *Host) Run(name string, args ...string) string {
	h.t.Helper()
	out, err := h.Output("", name, args...)
	if err != nil {
		h.t.Fatalf("%v", err)
	}
	return out
}

// IP runs commands of ip(8), one a line; those of IPv6 addresses as well.
func (h *Host) IP(commands string) {
	h.t.Helper()
	if _, err := h.Output(commands, "ip", "-batch", "-"); err != nil {
		h.t.Fatalf("%v", err)
	}
}

// Rules adds rules in the syntax of nft(8).
func (h *Host) Rules(text string) {
	h.t.Helper()
	if _, err := h.Output(text, "nft", "-f", "-"); err != nil {
		h.t.Fatalf("%v", err)
	}
}

// Set sets a variable such as "net.ipv4.ip_forward".
func (h *Host) Set(name, value string) {
	h.t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	if err := h.Do(func() error { return os.WriteFile(path, []byte(value), 0) }); err != nil {
		h.t.Fatalf("%s: %v", h.Name, err)
	}
}

// Dial connects to an address, which must be a number, from the namespace. from is the
// own address, or "".
func (h *Host) Dial(network, from, to string, limit time.Duration) (conn net.Conn, err error) {
	d := net.Dialer{Timeout: limit}
	if from != "" {
		switch network {
		case "tcp", "tcp4", "tcp6":
			d.LocalAddr, err = net.ResolveTCPAddr(network, from)
		default:
			d.LocalAddr, err = net.ResolveUDPAddr(network, from)
		}
		if err != nil {
			return nil, err
		}
	}
	err = h.Do(func() (err error) {
		conn, err = d.Dial(network, to)
		return err
	})
	return conn, err
}

// Listen listens for connections in the namespace until the end of the test.
func (h *Host) Listen(network, address string) net.Listener {
	h.t.Helper()
	var l net.Listener
	err := h.Do(func() (err error) {
		l, err = net.Listen(network, address)
		return err
	})
	if err != nil {
		h.t.Fatalf("%s: %v", h.Name, err)
	}
	h.t.Cleanup(func() { l.Close() })
	return l
}

// ListenPacket receives datagrams in the namespace until the end of the test.
func (h *Host) ListenPacket(network, address string) net.PacketConn {
	h.t.Helper()
	var c net.PacketConn
	err := h.Do(func() (err error) {
		c, err = net.ListenPacket(network, address)
		return err
	})
	if err != nil {
		h.t.Fatalf("%s: %v", h.Name, err)
	}
	h.t.Cleanup(func() { c.Close() })
	return c
}
