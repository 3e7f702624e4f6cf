package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Framing (linux/netlink.h, linux/netfilter/nfnetlink.h).
const (
	headLen    = 20 // struct nlmsghdr and struct nfgenmsg
	ackLen     = 36 // NLMSG_ERROR without the request's echo: the longest message that is no entry
	bufferSize = 64 << 10

	ctNew    = unix.NFNL_SUBSYS_CTNETLINK << 8 // IPCTNL_MSG_CT_NEW, which is 0
	ctGet    = unix.NFNL_SUBSYS_CTNETLINK<<8 | 1
	ctDelete = unix.NFNL_SUBSYS_CTNETLINK<<8 | 2
)

// socket is a plain netlink socket in the calling thread's namespace. It is
// the benchmark's own, so that a limit owes nothing to the code it limits.
type socket struct{ fd int }

func openSocket() (*socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("setsockopt NETLINK_CAP_ACK", err)
	}
	return &socket{fd}, nil
}

func (s *socket) close() { unix.Close(s.fd) }

// send sends to the kernel, where a socket that was never connected leads.
func (s *socket) send(b []byte) error {
	_, err := unix.Write(s.fd, b)
	return os.NewSyscallError("send", err)
}

// receive reads one datagram.
func (s *socket) receive(b []byte) (int, error) {
	for {
		n, err := unix.Read(s.fd, b)
		if err != unix.EINTR {
			return n, os.NewSyscallError("receive", err)
		}
	}
}

// setHeader makes a message of the entry's bytes in msg.
func setHeader(msg []byte, typ, flags uint16, seq uint32) {
	binary.NativeEndian.PutUint32(msg, uint32(len(msg)))
	binary.NativeEndian.PutUint16(msg[4:], typ)
	binary.NativeEndian.PutUint16(msg[6:], flags)
	binary.NativeEndian.PutUint32(msg[8:], seq)
}

// cut returns the first message of b and the rest, nil when there is none.
func cut(b []byte) (msg, rest []byte) {
	if len(b) < unix.NLMSG_HDRLEN {
		return nil, nil
	}
	n := int(binary.NativeEndian.Uint32(b))
	if n < unix.NLMSG_HDRLEN || n > len(b) {
		return nil, nil
	}
	return b[:n], b[min((n+3)&^3, len(b)):]
}

func msgType(msg []byte) uint16 { return binary.NativeEndian.Uint16(msg[4:]) }
func msgSeq(msg []byte) uint32  { return binary.NativeEndian.Uint32(msg[8:]) }

// msgError returns what an NLMSG_ERROR or NLMSG_DONE says.
func msgError(msg []byte) error {
	if len(msg) < headLen {
		return errors.New("an answer without an error number")
	}
	if n := int32(binary.NativeEndian.Uint32(msg[unix.NLMSG_HDRLEN:])); n < 0 {
		return fmt.Errorf("the kernel: %w", unix.Errno(-n))
	}
	return nil
}
