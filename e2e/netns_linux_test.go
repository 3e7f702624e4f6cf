package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// A netns is a network namespace without a name. It exists as long as the descriptor or a process in it, so that
// nothing is left however a test ends.
type netns struct{ file *os.File }

// newNetns makes a namespace whose loopback device is up.
func newNetns() (*netns, error) {
	ns := new(netns)
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		var err error
		if ns.file, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return err
		}
		return loopbackUp()
	})
	return ns, err
}

// do runs f on a thread that is in the namespace.
func (ns *netns) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(ns.file.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter network namespace: %w", err)
		}
		return f()
	})
}

// start starts a command in the namespace.
func (ns *netns) start(cmd *exec.Cmd) error { return ns.do(cmd.Start) }

// path returns a name for `ip link ... netns PATH` in other processes, valid as long as this process runs.
func (ns *netns) path() string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), ns.file.Fd())
}

// onThread runs f on a new thread, which ends with it and so may change its namespace.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock
		done <- f()
	}()
	return <-done
}

// loopbackUp sets the loopback device of the thread's namespace up.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// probe returns an error if scenarios cannot run here: it makes a namespace and asks for its conntrack table.
func probe() error {
	ns, err := newNetns()
	if err != nil {
		return err
	}
	defer ns.file.Close()
	return ns.do(func() error {
		fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
		if err != nil {
			return fmt.Errorf("netfilter's netlink: %w", err)
		}
		defer unix.Close(fd)
		// A dump of the conntrack table: nlmsghdr and nfgenmsg.
		request := make([]byte, unix.NLMSG_HDRLEN+4)
		binary.NativeEndian.PutUint32(request, uint32(len(request)))
		binary.NativeEndian.PutUint16(request[4:], unix.NFNL_SUBSYS_CTNETLINK<<8|1) // IPCTNL_MSG_CT_GET
		binary.NativeEndian.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		if err := unix.Sendto(fd, request, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			return fmt.Errorf("conntrack's netlink: %w", err)
		}
		answer := make([]byte, 8192)
		n, _, err := unix.Recvfrom(fd, answer, 0)
		if err != nil {
			return fmt.Errorf("conntrack's netlink: %w", err)
		}
		if n >= unix.NLMSG_HDRLEN+4 && binary.NativeEndian.Uint16(answer[4:]) == unix.NLMSG_ERROR {
			errno := -int32(binary.NativeEndian.Uint32(answer[unix.NLMSG_HDRLEN:]))
			return fmt.Errorf("conntrack's netlink: %w", unix.Errno(errno))
		}
		return nil
	})
}
