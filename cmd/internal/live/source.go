package live

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// Source is a table that is followed: one of the kernel, or one in a file.
type Source struct {
	// Name is that of the network namespace, "" if there is only one source.
	Name string
	// Conn asks the table. Only the Table that has the source uses it.
	Conn *ctnetlink.Conn
	// Now returns the time that the table's clock shows; nil: time.Now.
	Now func() time.Time
	// Sysctl returns the number that a setting net.netfilter.NAME has. ok is false if
	// it is not known. It may be called by any goroutine. nil: the table has no
	// settings, and is not asked for counters; it is one in a file.
	Sysctl func(name string) (value uint64, ok bool)
	// Program returns the name of the process that has a netlink port id, "" if that is
	// not known. nil: the table has none. Any goroutine may call it.
	Program func(portID uint32) string
}
