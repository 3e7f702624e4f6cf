package target

import (
	"bytes"
	"io"
	"iter"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// processNames finds the program behind a netlink port id: the process that
// owns the socket with that id in this network namespace. Most sockets have
// their process's id; others are looked for among all processes.
//
// A name is kept for a second: a process may have ended when its later events are
// printed, and after that its id may be another's.
type processNames struct {
	known   map[uint32]processName
	sockets *os.File // the namespace's /proc/net/netlink; nil: cannot be read
}

type processName struct {
	name  string
	until time.Time
}

// ProcessName returns the name of the program whose netlink socket has a port id
// in the table's network namespace, "" where it is not known. It may be called at any
// time.
func (t *Table) ProcessName(portID uint32) string {
	if !t.InKernel() {
		return "" // the port ids of a table file belong to no process
	}
	t.namesMu.Lock()
	defer t.namesMu.Unlock()
	if t.names == nil {
		t.names = newProcessNames(t)
	}
	return t.names.name(portID)
}

// newProcessNames returns the names in the namespace of a table.
func newProcessNames(t *Table) *processNames {
	sockets, err := t.openFile("/proc/thread-self/net/netlink")
	if err != nil {
		sockets = nil // a namespace that may not be entered any more
	}
	return &processNames{map[uint32]processName{}, sockets}
}

const nameLifetime = time.Second

// name returns the program's name (comm, proc(5)), "" when it cannot be found.
func (p *processNames) name(portID uint32) string {
	now := time.Now()
	if k, ok := p.known[portID]; ok && now.Before(k.until) {
		return k.name
	}
	if len(p.known) > 4096 {
		clear(p.known)
	}
	found := p.find(portID)
	if k := p.known[portID]; found == "" && k.name != "" {
		// The process has ended; these are its last events, unless time has passed.
		found = k.name
		if now.After(k.until.Add(10 * nameLifetime)) {
			found = ""
		}
	}
	p.known[portID] = processName{found, now.Add(nameLifetime)}
	return found
}

func (p *processNames) find(portID uint32) string {
	inode, err := strconv.ParseUint(p.socketInode(portID), 10, 32)
	if err != nil {
		return ""
	}
	if pid := strconv.FormatUint(uint64(portID), 10); ownsSocket(pid, uint32(inode)) {
		return programName(pid)
	}
	dir, err := os.Open("/proc")
	if err != nil {
		return ""
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, pid := range names {
		if pid[0] >= '1' && pid[0] <= '9' && ownsSocket(pid, uint32(inode)) {
			return programName(pid)
		}
	}
	return ""
}

// netlinkNetfilter is the protocol's number (NETLINK_NETFILTER, linux/netlink.h).
const netlinkNetfilter = "12"

// socketInode finds the socket of a port id in /proc/net/netlink, whose columns
// are: sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode.
func (p *processNames) socketInode(portID uint32) string {
	if p.sockets == nil {
		return ""
	}
	// Each read from the beginning shows the present sockets.
	text, err := io.ReadAll(io.NewSectionReader(p.sockets, 0, math.MaxInt64))
	if err != nil {
		return ""
	}
	id := strconv.FormatUint(uint64(portID), 10)
	for line := range bytes.Lines(text) {
		f := bytes.Fields(line)
		if len(f) >= 10 && string(f[1]) == netlinkNetfilter && string(f[2]) == id {
			return string(f[9])
		}
	}
	return ""
}

// socketsOf returns an iterator over the inodes of a process's sockets (proc(5)).
// It yields none if its descriptors may not be seen.
func socketsOf(pid string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		dir, err := os.Open("/proc/" + pid + "/fd")
		if err != nil {
			return
		}
		defer dir.Close()
		fds, _ := dir.Readdirnames(-1)
		for _, fd := range fds {
			link, err := os.Readlink("/proc/" + pid + "/fd/" + fd)
			number, ok := strings.CutPrefix(link, "socket:[")
			if err != nil || !ok {
				continue
			}
			inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 32)
			if err == nil && !yield(uint32(inode)) {
				return
			}
		}
	}
}

// ownsSocket reports whether a process has the socket of an inode.
func ownsSocket(pid string, inode uint32) bool {
	for own := range socketsOf(pid) {
		if own == inode {
			return true
		}
	}
	return false
}

func programName(pid string) string {
	name, err := os.ReadFile("/proc/" + pid + "/comm")
	if err != nil {
		return ""
	}
	return string(bytes.TrimSuffix(name, []byte("\n")))
}
