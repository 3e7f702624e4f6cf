package kernel

import (
	"errors"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// routes listens to what happens to the machine's addresses and links.
//
// The kernel announces the loss of an address before it deletes the entries that
// masquerade with it. So what waits in this socket when a DESTROY has been received is
// older than the DESTROY: poll hands it on first.
type routes struct {
	sink interface{ AddressesLost(addresses []netip.Addr) }
	file *os.File
	conn syscall.RawConn

	mu    sync.Mutex // held while messages are read and handed on
	buf   []byte
	links addresses

	read  func(fd uintptr) // into buf
	n     int              // what it has read
	errno syscall.Errno
}

func openRoutes(sink Sink) (*routes, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	r := &routes{sink: sink, buf: make([]byte, 64<<10)}
	// It is asked with each batch of events, and does not wait: the scheduler need not be
	// told.
	r.read = func(fd uintptr) {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&r.buf[0])), uintptr(len(r.buf)),
			unix.MSG_DONTWAIT, 0, 0)
		r.n, r.errno = int(n), errno
	}
	r.file = os.NewFile(uintptr(fd), "rtnetlink")
	if r.conn, err = r.file.SyscallConn(); err != nil {
		r.close()
		return nil, err
	}
	// What changes from now on is announced.
	if err := r.links.read(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *routes) close() { _ = r.file.Close() }

// run hands on what happens, at once, until close.
func (r *routes) run() {
	for {
		// It waits until there is something, and reads it under the lock.
		waited := false
		err := r.conn.Read(func(uintptr) bool {
			done := waited
			waited = true
			return done
		})
		if err != nil {
			return
		}
		if !r.poll() {
			return
		}
	}
}

// poll hands on what waits. It reports false when the socket is closed.
func (r *routes) poll() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lost []netip.Addr
	unknown := false
	for {
		n, errno, err := r.receive()
		if err != nil {
			return false
		}
		if errno == unix.EAGAIN {
			break
		}
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 { // ENOBUFS: something was lost, nobody knows what
			unknown = true
			if !errors.Is(errno, unix.ENOBUFS) || r.links.read() != nil {
				break
			}
			continue
		}
		lost = append(lost, r.links.messages(r.buf[:n])...)
	}
	switch {
	case unknown:
		r.sink.AddressesLost(nil)
	case len(lost) > 0:
		r.sink.AddressesLost(lost)
	}
	return true
}

// receive reads a datagram that waits.
func (r *routes) receive() (n int, errno syscall.Errno, err error) {
	err = r.conn.Control(r.read)
	return r.n, r.errno, err
}
