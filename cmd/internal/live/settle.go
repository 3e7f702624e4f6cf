package live

import (
	"context"
	"time"
)

// settlePause is the time between two looks at the socket of events.
const settlePause = 20 * time.Microsecond

// settle waits until all events were taken in that the table has sent by now, but not
// longer than a limit, and reports whether they were. Without events it does not wait.
func (e *events) settle(ctx context.Context, limit time.Duration) bool {
	l := e.listener.Load()
	if l == nil {
		return false
	}
	begun := time.Now()
	// In a stream that does not end, what the socket holds now has been taken in when so
	// many bytes have.
	goal := l.Received() + uint64(l.Queued())
	for {
		if l.Queued() == 0 {
			goal = min(goal, l.Received())
		}
		left := limit - time.Since(begun)
		switch {
		case e.taken.Load() >= goal:
			return true
		case left <= 0 || ctx.Err() != nil:
			return false
		}
		if received := l.Received(); e.taken.Load() < received {
			e.catchUp(ctx, left)
		} else {
			time.Sleep(settlePause)
		}
	}
}
