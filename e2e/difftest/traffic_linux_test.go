package difftest

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// loopback switches the loopback device of the calling thread's namespace on.
func loopback() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	request := struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}{name: [syscall.IFNAMSIZ]byte{'l', 'o'}, flags: syscall.IFF_UP}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	return nil
}

// traffic makes the kernel track a few packets: a question by UDP and its
// answer, a datagram without a receiver, and a TCP connection from its
// beginning to its end.
func traffic() error {
	client, server := loopbackAt(5001), loopbackAt(5002)
	a, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(client))
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(server))
	if err != nil {
		return err
	}
	defer b.Close()
	for _, send := range []struct {
		from, to *net.UDPConn
		addr     netip.AddrPort
	}{{a, b, server}, {b, a, client}, {a, nil, loopbackAt(5003)}} {
		if _, err := send.from.WriteToUDPAddrPort([]byte("x"), send.addr); err != nil {
			return err
		}
		if send.to == nil {
			continue
		}
		if _, _, err := send.to.ReadFromUDPAddrPort(make([]byte, 8)); err != nil {
			return err
		}
	}
	return connection(client, server)
}

// connection connects, sends a word in each direction, and closes.
func connection(client, server netip.AddrPort) error {
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(server))
	if err != nil {
		return err
	}
	defer l.Close()
	a, err := net.DialTCP("tcp4", net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(server))
	if err != nil {
		return err
	}
	defer a.Close()
	b, err := l.AcceptTCP()
	if err != nil {
		return err
	}
	defer b.Close()
	if _, err := io.WriteString(a, "question"); err != nil {
		return err
	}
	if _, err := io.ReadFull(b, make([]byte, 8)); err != nil {
		return err
	}
	if _, err := io.WriteString(b, "answer"); err != nil {
		return err
	}
	if _, err := io.ReadFull(a, make([]byte, 6)); err != nil {
		return err
	}
	if err := b.CloseWrite(); err != nil {
		return err
	}
	if _, err := io.ReadAll(a); err != nil {
		return err
	}
	if err := a.CloseWrite(); err != nil {
		return err
	}
	rest, err := io.ReadAll(b)
	if len(rest) > 0 {
		return fmt.Errorf("more than was said: %q", rest)
	}
	return err
}

func loopbackAt(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}
