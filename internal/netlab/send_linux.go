package netlab

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Log is what a rule of the Lab saw of a packet, or what the kernel said about
// one.
type Log struct {
	// Hook is "pre", "in" or "out"; "" for what the kernel said.
	Hook string
	// State is "new", "established", "related", "invalid" or "untracked".
	State string
	Reply bool // it is of the reply direction
	// Packet is the packet as it was there.
	Packet []byte
	// Text is what the kernel said.
	Text string
}

// Leaving is a packet that left.
type Leaving struct {
	By   Side
	Data []byte
}

// Sent is all that came of a packet.
type Sent struct {
	Refused error     // the device does not take the packet
	Logs    []Log     // in their order
	Out     []Leaving // in their order by device, those of A first
	// Events are the messages of ctnetlink's groups, with their netlink headers, in
	// their order.
	Events [][]byte
}

// Send puts a packet in at a device. What it returns is valid until the next
// call.
func (l *Lab) Send(at Side, packet []byte) (*Sent, error) {
	_, err := unix.Write(l.tun[at], packet)
	return l.collect(err)
}

// Output sends a packet as one that the machine itself sends. The kernel sets
// the header's length and checksum, and its identification if that is 0.
func (l *Lab) Output(packet []byte) (*Sent, error) {
	var err error
	if packet[0]>>4 == 4 {
		err = unix.Sendto(l.raw[0], packet, 0, &unix.SockaddrInet4{Addr: [4]byte(packet[16:20])})
	} else {
		err = unix.Sendto(l.raw[1], packet, 0, &unix.SockaddrInet6{Addr: [16]byte(packet[24:40])})
	}
	return l.collect(err)
}

// Collect returns what came since the last call, such as events of requests.
func (l *Lab) Collect() (*Sent, error) { return l.collect(nil) }

func (l *Lab) collect(refused error) (*Sent, error) {
	s := &l.results
	*s = Sent{Refused: refused, Logs: s.Logs[:0], Out: s.Out[:0], Events: s.Events[:0]}
	if _, err := l.log.Receive(func(m []byte) { s.Logs = appendLog(s.Logs, m) }); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	for side, fd := range l.tun {
		for {
			n, err := unix.Read(fd, l.buf)
			if err == unix.EAGAIN {
				break
			}
			if err != nil {
				return nil, os.NewSyscallError("read", err)
			}
			s.Out = append(s.Out, Leaving{Side(side), append([]byte(nil), l.buf[:n]...)})
		}
	}
	_, err := l.events.Receive(func(m []byte) { s.Events = append(s.Events, append([]byte(nil), m...)) })
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return s, nil
}

// appendLog reads a message of NFLOG.
func appendLog(logs []Log, m []byte) []Log {
	group, prefix, packet, ok := ParseLog(m)
	if !ok {
		return logs
	}
	x := Log{Packet: append([]byte(nil), packet...)}
	if group == 0 {
		x.Text = strings.TrimSpace(prefix)
		return append(logs, x)
	}
	if f := strings.Fields(prefix); len(f) == 3 {
		x.Hook, x.State, x.Reply = f[0], f[1], f[2] == "reply"
	}
	return append(logs, x)
}

// ParseLog returns the group, the text and the packet of a message of NFLOG; ok
// is false if it is another message. The packet is a part of the message.
func ParseLog(m []byte) (group uint16, prefix string, packet []byte, ok bool) {
	if len(m) < 20 || binary.NativeEndian.Uint16(m[4:]) != logPacket {
		return 0, "", nil, false
	}
	for b := m[20:]; len(b) >= 4; {
		n := int(binary.NativeEndian.Uint16(b))
		if n < 4 || n > len(b) {
			break
		}
		switch binary.NativeEndian.Uint16(b[2:]) & 0x3fff {
		case logPrefix:
			prefix = strings.TrimRight(string(b[4:n]), "\x00")
		case logPayload:
			packet = b[4:n]
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	return binary.BigEndian.Uint16(m[18:]), prefix, packet, true
}

// Conntrack returns the socket for requests to ctnetlink.
func (l *Lab) Conntrack() *Conn { return l.ct }
