package target

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Processes finds the local processes of connections: those that have a socket for
// them in the network namespace of a table. It asks the kernel for the sockets of a
// protocol, and reads /proc for their processes, when they are first needed; both
// are as old as that. Processes of other users are found only with CAP_SYS_PTRACE.
type Processes struct {
	table   *Table
	conn    *netlink.Conn // sock_diag(7)
	local   map[netip.Addr]bool
	sockets map[ctnetlink.Protocol]map[socketKey]uint32 // inodes
	owners  map[uint32]Process
}

// Process is a process.
type Process struct {
	PID  int
	Name string // comm (proc(5)): cut to 15 bytes, of any characters
}

// socketKey names a socket by its addresses. An address that the socket is not
// bound to or connected to is the zero AddrPort, or has the zero Addr.
type socketKey struct{ local, remote netip.AddrPort }

// Processes returns the processes of the table's network namespace. The table is one
// of the kernel.
func (t *Table) Processes() (*Processes, error) {
	p := &Processes{table: t, local: map[netip.Addr]bool{}, sockets: map[ctnetlink.Protocol]map[socketKey]uint32{}}
	config := &netlink.Config{}
	if t.netns != nil {
		config.NetNS = int(t.netns.Fd())
	}
	var err error
	if p.conn, err = netlink.Dial(unix.NETLINK_SOCK_DIAG, config); err != nil {
		return nil, err
	}
	var addrs []net.Addr
	if err := t.inside(func() (err error) {
		addrs, err = net.InterfaceAddrs()
		return err
	}); err != nil {
		p.Close()
		return nil, err
	}
	for _, a := range addrs {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			p.local[prefix.Addr().Unmap()] = true
		}
	}
	return p, nil
}

// Close closes the socket to the kernel.
func (p *Processes) Close() { _ = p.conn.Close() }

// At returns the local process at the source of a direction of an entry. ok is
// false if there is none, or none that may be seen.
func (p *Processes) At(t *ctnetlink.Tuple) (process Process, ok bool) {
	if t.Has&ctnetlink.FieldPorts == 0 || t.Proto == ctnetlink.ProtoGRE {
		return Process{}, false
	}
	src, dst := netip.AddrPortFrom(t.Src, t.SrcPort), netip.AddrPortFrom(t.Dst, t.DstPort)
	sockets := p.of(t.Proto)
	inode, ok := sockets[socketKey{src, dst}]
	if !ok && (p.local[t.Src] || t.Src.IsLoopback()) {
		// A socket that is not connected: a server's, or one of UDP.
		for _, addr := range []netip.Addr{t.Src, unspecified(t.Src), netip.IPv6Unspecified()} {
			if inode, ok = sockets[socketKey{local: netip.AddrPortFrom(addr, t.SrcPort)}]; ok {
				break
			}
		}
	}
	if !ok {
		return Process{}, false
	}
	if p.owners == nil {
		p.owners = socketOwners()
	}
	process, ok = p.owners[inode]
	return process, ok
}

// unspecified returns the address of a socket that is bound to no address, of the
// family of a.
func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// of returns the sockets of a protocol. A protocol whose sockets the kernel does not
// list has none.
func (p *Processes) of(proto ctnetlink.Protocol) map[socketKey]uint32 {
	sockets, ok := p.sockets[proto]
	if !ok {
		sockets = map[socketKey]uint32{}
		for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
			p.list(sockets, family, proto)
		}
		p.sockets[proto] = sockets
	}
	return sockets
}

// Sizes and offsets of struct inet_diag_req_v2 and struct inet_diag_msg
// (linux/inet_diag.h).
const (
	sockDiagByFamily = 20 // linux/sock_diag.h

	diagRequestSize   = 56
	diagRequestStates = 4

	diagSourcePort = 4
	diagDestPort   = 6
	diagSource     = 8
	diagDest       = 24
	diagInode      = 68
	diagSize       = 72
)

// list adds the sockets of a family and protocol, in all states.
func (p *Processes) list(sockets map[socketKey]uint32, family byte, proto ctnetlink.Protocol) {
	request := make([]byte, diagRequestSize)
	request[0], request[1] = family, byte(proto)
	binary.NativeEndian.PutUint32(request[diagRequestStates:], 1<<32-1)
	messages, err := p.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: sockDiagByFamily, Flags: netlink.Request | netlink.Dump}, Data: request})
	if err != nil {
		return // the kernel does not have the protocol
	}
	addr := func(b []byte) netip.Addr {
		if family == unix.AF_INET {
			return netip.AddrFrom4([4]byte(b))
		}
		return netip.AddrFrom16([16]byte(b)).Unmap()
	}
	for _, m := range messages {
		b := m.Data
		if len(b) < diagSize {
			continue
		}
		inode := binary.NativeEndian.Uint32(b[diagInode:])
		if inode == 0 {
			continue // it has no process any more, as in TIME_WAIT
		}
		key := socketKey{local: netip.AddrPortFrom(addr(b[diagSource:]), binary.BigEndian.Uint16(b[diagSourcePort:]))}
		if port := binary.BigEndian.Uint16(b[diagDestPort:]); port != 0 {
			key.remote = netip.AddrPortFrom(addr(b[diagDest:]), port)
		}
		sockets[key] = inode
	}
}

// socketOwners returns the processes by the inodes of their sockets. Of several
// processes with one socket it is the one with the lowest number, mostly the oldest.
func socketOwners() map[uint32]Process {
	owners := map[uint32]Process{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return owners
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	for _, pid := range pids {
		var name string
		for inode := range socketsOf(strconv.Itoa(pid)) {
			if _, ok := owners[inode]; ok {
				continue
			}
			if name == "" {
				name = programName(strconv.Itoa(pid))
			}
			owners[inode] = Process{pid, name}
		}
	}
	return owners
}
