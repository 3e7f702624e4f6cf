package target

import (
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// InMemory returns the table of this process that a dialer connects to. Its clock
// shows what now returns.
func InMemory(dial ctnetlink.Dialer, now func() time.Time) *Table {
	return &Table{Conn: ctnetlink.NewConn(dial), clock: now}
}
