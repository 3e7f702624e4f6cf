package timo

import (
	"errors"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Errors with the texts of ti-mo/conntrack and ti-mo/netfilter, which do not
// export theirs.
var (
	errConnHasListeners  = errors.New("Conn has existing listeners, open another to listen on more groups")
	errConnIsMulticast   = errors.New("Conn attached to multicast group, re-dial for sending messages")
	errNoMulticastGroups = errors.New("need one or more multicast groups to join")
	errNoWorkers         = errors.New("number of workers to start cannot be 0")
	errNeedTimeout       = errors.New("Flow needs Timeout field set for this operation")
	errNeedTuples        = errors.New("Flow needs Original and Reply Tuple set for this operation")
	errUpdateMaster      = errors.New("cannot send TupleMaster in Flow update")
	errExpectNeedTuples  = errors.New("Expect needs Tuple, Mask and TupleMaster Tuples set for this operation")
	errNilFilter         = errors.New("filter is nil")
)

// queryError is the error of a request: that of ti-mo/conntrack and that of
// ctnetlink.
type queryError struct {
	netlink *netlink.OpError
	cause   error
}

func (e *queryError) Error() string   { return "netfilter query: " + e.netlink.Error() }
func (e *queryError) Unwrap() []error { return []error{e.netlink, e.cause} }

// query converts the error of a request. If the table refused it, errors.Is and
// errors.As find in the result what they find in an error of ti-mo/conntrack: a
// *netlink.OpError with a unix.Errno.
func query(err error) error {
	errno, ok := ctnetlink.AsErrno(err)
	if !ok {
		return err
	}
	return &queryError{&netlink.OpError{Op: "receive", Err: unix.Errno(errno)}, err}
}
