package sync

import "time"

// An ACK or NACK of 16 bytes may name a hundred thousand messages. Peers name those that
// they have got, each of them once or twice; one that means harm could have a node look at
// all of them thousands of times a second, with its caches locked.
const (
	// workRate is how many messages are looked at in a second at most, on behalf of all
	// peers: more than the fastest of links carry.
	workRate = 1 << 23
	// workFree is the length of a range that is always looked at.
	workFree = 64
)

// work is what may be looked at. Its zero value is ready.
type work struct {
	left int
	at   time.Time // when left was increased last
}

// may reports whether a range of count messages may be looked at, and notes it. burst is
// how many may be in short time.
func (w *work) may(count, burst int, now time.Time) bool {
	if since := now.Sub(w.at); since >= time.Second {
		w.left, w.at = burst, now
	} else if more := int(since * workRate / time.Second); more > 0 {
		w.left, w.at = min(w.left+more, burst), now
	}
	if count > workFree && count > w.left {
		return false
	}
	w.left = max(w.left-count, 0)
	return true
}
