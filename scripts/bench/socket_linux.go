package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// netlinkSocket is what the kernel tells of a socket: a row of
// /proc/net/netlink of the calling thread's namespace.
type netlinkSocket struct {
	groups uint64 // the first 32
	queued int    // bytes waiting to be read
	drops  int    // messages that found no room
}

// listening returns the conntrack socket of a process that has joined groups;
// ok is false when there is none.
func listening(pid int) (s netlinkSocket, ok bool) {
	inodes := socketInodes(pid)
	f, err := os.Open("/proc/thread-self/net/netlink")
	if err != nil {
		return s, false
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		// sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
		w := strings.Fields(lines.Text())
		if len(w) < 10 || w[1] != strconv.Itoa(unix.NETLINK_NETFILTER) || !slices.Contains(inodes, w[9]) {
			continue
		}
		s.groups, _ = strconv.ParseUint(w[3], 16, 64)
		s.queued, _ = strconv.Atoi(w[4])
		s.drops, _ = strconv.Atoi(w[8])
		if s.groups != 0 {
			return s, true
		}
	}
	return s, false
}

// socketInodes returns the numbers of a process's sockets.
func socketInodes(pid int) []string {
	dir := fmt.Sprintf("/proc/%d/fd/", pid)
	fds, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var inodes []string
	for _, fd := range fds {
		// socket:[2974645], see proc_pid_fd(5)
		target, _ := os.Readlink(dir + fd.Name())
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes = append(inodes, strings.TrimSuffix(inode, "]"))
		}
	}
	return inodes
}
