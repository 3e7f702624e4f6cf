package live

import (
	"context"
	"runtime"
	"time"
)

// settlePause is the time between two looks at the socket of events, and how long
// nothing comes from it until all that was taken from it has been received.
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
	held := l.Queued()
	received := l.Received()
	goal := received + uint64(held)
	quiet := begun // since when the socket has been empty and nothing has come
	for {
		now := time.Now()
		if n := l.Received(); n != received || l.Queued() > 0 {
			received, quiet = n, now
		}
		rests := now.Sub(quiet) >= settlePause
		if rests {
			goal = min(goal, received)
		}
		switch done := e.taken.Load() >= goal; {
		case done && (held > 0 || rests):
			return true
		case now.Sub(begun) >= limit || ctx.Err() != nil:
			return false
		case done: // which is not long
			runtime.Gosched()
		default:
			time.Sleep(settlePause)
		}
	}
}
