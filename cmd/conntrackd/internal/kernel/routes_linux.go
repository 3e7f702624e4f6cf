package kernel

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// routes listens to what happens to the machine's addresses and links.
//
// The kernel announces the loss of an address before it deletes the entries that
// masquerade with it. So what waits in this socket when a DESTROY has been received is
// older than the DESTROY: poll hands it on first.
type routes struct {
	sink interface{ AddressesChanged(lost bool) }
	file *os.File
	conn syscall.RawConn

	mu  sync.Mutex // held while messages are read and handed on
	buf []byte
	up  map[int32]uint32 // flags of the links, by index
}

// linkFlags are the flags of a link that count: it is up, and it works.
const linkFlags = unix.IFF_UP | unix.IFF_RUNNING

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
	r := &routes{sink: sink, buf: make([]byte, 64<<10), up: map[int32]uint32{}}
	r.file = os.NewFile(uintptr(fd), "rtnetlink")
	if r.conn, err = r.file.SyscallConn(); err != nil {
		r.close()
		return nil, err
	}
	// What changes from now on is announced.
	links, err := net.Interfaces()
	if err != nil {
		r.close()
		return nil, err
	}
	for _, l := range links {
		flags := uint32(0)
		if l.Flags&net.FlagUp != 0 {
			flags |= unix.IFF_UP
		}
		if l.Flags&net.FlagRunning != 0 {
			flags |= unix.IFF_RUNNING
		}
		r.up[int32(l.Index)] = flags
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
	changed, lost := false, false
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
			changed, lost = true, true
			if !errors.Is(errno, unix.ENOBUFS) {
				break
			}
			continue
		}
		c, l := r.messages(r.buf[:n])
		changed, lost = changed || c, lost || l
	}
	if changed {
		r.sink.AddressesChanged(lost)
	}
	return true
}

// receive reads a datagram that waits.
func (r *routes) receive() (n int, errno syscall.Errno, err error) {
	err = r.conn.Control(func(fd uintptr) {
		var e error
		if n, _, e = unix.Recvfrom(int(fd), r.buf, unix.MSG_DONTWAIT); e != nil {
			if !errors.As(e, &errno) {
				errno = unix.EIO
			}
		}
	})
	return n, errno, err
}

// messages reads the messages of a datagram.
func (r *routes) messages(b []byte) (changed, lost bool) {
	for len(b) >= unix.SizeofNlMsghdr {
		n := int(binary.NativeEndian.Uint32(b))
		typ := binary.NativeEndian.Uint16(b[4:])
		if n < unix.SizeofNlMsghdr || n > len(b) {
			return changed, lost
		}
		body := b[unix.SizeofNlMsghdr:n]
		switch typ {
		case unix.RTM_NEWADDR:
			changed = true
		case unix.RTM_DELADDR:
			changed, lost = true, true
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			c, l := r.link(typ == unix.RTM_DELLINK, body)
			changed, lost = changed || c, lost || l
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return changed, lost
}

// link takes what is told of a link (struct ifinfomsg).
func (r *routes) link(gone bool, b []byte) (changed, lost bool) {
	if len(b) < unix.SizeofIfInfomsg {
		return false, false
	}
	index := int32(binary.NativeEndian.Uint32(b[4:]))
	flags := binary.NativeEndian.Uint32(b[8:]) & linkFlags
	if b[0] == unix.AF_BRIDGE {
		return false, false // of a port, not of the link
	}
	before, known := r.up[index]
	if gone {
		delete(r.up, index)
		return known, before != 0
	}
	r.up[index] = flags
	return !known || flags != before, before&^flags != 0
}
