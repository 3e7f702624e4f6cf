package netlab

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Conn is a NETLINK_NETFILTER socket of a Lab, which sends and receives bytes.
type Conn struct {
	fd  int
	seq uint32
	buf []byte
}

// receiveBuffer holds all that comes of one packet, many times over.
const receiveBuffer = 8 << 20

// Dial opens a socket in the calling thread's namespace.
func Dial() (*Conn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	c := &Conn{fd: fd, buf: make([]byte, 1<<17)}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return c, os.NewSyscallError("bind", err)
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1)
	return c, nil
}

// Close closes the socket.
func (c *Conn) Close() error { return unix.Close(c.fd) }

// Send sends a datagram of messages as they are.
func (c *Conn) Send(b []byte) error {
	return os.NewSyscallError("sendto", unix.Sendto(c.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
}

// Receive calls f with each message that waits, and returns their number. A
// message is valid during the call.
func (c *Conn) Receive(f func(msg []byte)) (n int, err error) {
	for {
		size, _, err := unix.Recvfrom(c.fd, c.buf, unix.MSG_DONTWAIT)
		switch {
		case err == unix.EAGAIN:
			return n, nil
		case err != nil:
			return n, os.NewSyscallError("recvfrom", err)
		}
		for b := c.buf[:size]; len(b) >= 16; {
			size := int(binary.NativeEndian.Uint32(b))
			if size < 16 || size > len(b) {
				return n, fmt.Errorf("netlink: no message: %x", b)
			}
			f(b[:size])
			n++
			b = b[min((size+3)&^3, len(b)):]
		}
	}
}

// Request sends one message of the subsystems of netfilter and returns all that
// answers it, copied. typ has the subsystem in its high byte.
func (c *Conn) Request(typ, flags uint16, family uint8, resID uint16, attrs []byte) (out [][]byte, err error) {
	c.seq++
	b := make([]byte, 20, 20+len(attrs))
	binary.NativeEndian.PutUint32(b, uint32(20+len(attrs)))
	binary.NativeEndian.PutUint16(b[4:], typ)
	binary.NativeEndian.PutUint16(b[6:], flags|unix.NLM_F_REQUEST)
	binary.NativeEndian.PutUint32(b[8:], c.seq)
	b[16] = family
	binary.BigEndian.PutUint16(b[18:], resID)
	if err := c.Send(append(b, attrs...)); err != nil {
		return nil, err
	}
	_, err = c.Receive(func(msg []byte) { out = append(out, append([]byte(nil), msg...)) })
	return out, err
}

// command is a Request whose only answer is its error number.
func (c *Conn) command(typ, flags uint16, family uint8, resID uint16, attrs []byte) error {
	got, err := c.Request(typ, flags|unix.NLM_F_ACK, family, resID, attrs)
	if err != nil {
		return err
	}
	for _, m := range got {
		if binary.NativeEndian.Uint16(m[4:]) == unix.NLMSG_ERROR && len(m) >= 20 {
			if n := -int32(binary.NativeEndian.Uint32(m[16:])); n != 0 {
				return unix.Errno(n)
			}
			return nil
		}
	}
	return fmt.Errorf("netlink: %d answers without an acknowledgement", len(got))
}

// attr appends an attribute.
func attr(b []byte, typ uint16, value []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, value...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// NFLOG (linux/netfilter/nfnetlink_log.h).
const (
	logPacket  = unix.NFNL_SUBSYS_ULOG << 8   // NFULNL_MSG_PACKET
	logConfig  = unix.NFNL_SUBSYS_ULOG<<8 | 1 // NFULNL_MSG_CONFIG
	cfgCmd     = 1                            // NFULA_CFG_CMD
	cfgMode    = 2                            // NFULA_CFG_MODE
	cfgQThresh = 5                            // NFULA_CFG_QTHRESH
	cmdBind    = 1                            // NFULNL_CFG_CMD_BIND
	cmdPFBind  = 3                            // NFULNL_CFG_CMD_PF_BIND
	copyMeta   = 1                            // NFULNL_COPY_META
	copyPacket = 2                            // NFULNL_COPY_PACKET
	logPayload = 9                            // NFULA_PAYLOAD
	logPrefix  = 10                           // NFULA_PREFIX
)

// ListenLog binds the socket to groups 0, the kernel's own words, and 1, the
// rules' logs, each message by itself.
func (c *Conn) ListenLog() error {
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		if err := c.command(logConfig, 0, family, 0, attr(nil, cfgCmd, []byte{cmdPFBind})); err != nil {
			return fmt.Errorf("NFLOG: %w", err)
		}
	}
	for group, mode := range [2][]byte{{0, 0, 0, 0, copyMeta, 0}, {0, 0, 0xff, 0xff, copyPacket, 0}} {
		b := attr(nil, cfgCmd, []byte{cmdBind})
		b = attr(b, cfgMode, mode)
		b = attr(b, cfgQThresh, []byte{0, 0, 0, 1})
		if err := c.command(logConfig, 0, unix.AF_UNSPEC, uint16(group), b); err != nil {
			return fmt.Errorf("NFLOG group %d: %w", group, err)
		}
	}
	return nil
}
