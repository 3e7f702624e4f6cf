package link

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// state is the state of a network device.
type state struct {
	index int // 0: it is not there
	flags uint32
	mtu   int
}

func (s state) running() bool {
	return s.flags&(unix.IFF_UP|unix.IFF_RUNNING) == unix.IFF_UP|unix.IFF_RUNNING
}

// String returns the state as statistics name it.
func (s state) String() string {
	switch {
	case s.running():
		return "RUNNING"
	case s.flags&unix.IFF_UP != 0:
		return "NO-CARRIER"
	}
	return "DOWN"
}

// readState returns the state of a device.
func readState(name string) (state, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return state{}, unix.ENODEV
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return state{}, err
	}
	defer unix.Close(fd)
	var s state
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); err != nil {
		return state{}, err
	}
	s.index = int(request.Uint32())
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, request); err != nil {
		return state{}, err
	}
	s.flags = uint32(request.Uint16())
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFMTU, request); err != nil {
		return state{}, err
	}
	s.mtu = int(request.Uint32())
	return s, nil
}

// openWatch returns a file from which changes of devices are read. What is read only
// tells that there was a change.
func openWatch() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (unix.RTNLGRP_LINK - 1)}); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), "rtnetlink"), nil
}

// changed waits for a change of a device. It returns false when the file is closed.
func changed(watch *os.File, b []byte) bool {
	for {
		_, err := watch.Read(b)
		switch {
		case err == nil, errors.Is(err, unix.ENOBUFS):
			return true
		case errors.Is(err, unix.EINTR):
		default:
			return false
		}
	}
}
