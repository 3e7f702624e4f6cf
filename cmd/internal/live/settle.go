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
	held := l.Queued()
	goal := l.Received() + uint64(held)
	quiet := 0 // how often the socket was empty and nothing came
	for received := l.Received(); ; {
		now := l.Received()
		if quiet++; l.Queued() > 0 || now != received {
			received, quiet = now, 0
		}
		if quiet > 1 { // what was taken from the socket has been received
			goal = min(goal, received)
		}
		left := limit - time.Since(begun)
		switch {
		case e.taken.Load() >= goal && (held > 0 || quiet > 1):
			return true
		case left <= 0 || ctx.Err() != nil:
			return false
		}
		time.Sleep(settlePause)
	}
}
