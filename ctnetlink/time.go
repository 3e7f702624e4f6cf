package ctnetlink

import (
	"math"
	"time"
)

// seconds returns a timeout as it is on the wire as a Duration.
func seconds(v uint32) time.Duration { return time.Duration(v) * time.Second }

// wireSeconds returns d in seconds, rounded up so that an entry does not end
// early; ok is false if that does not fit the wire.
func wireSeconds(d time.Duration) (v uint32, ok bool) {
	n := d / time.Second
	if d%time.Second > 0 {
		n++
	}
	if d < 0 || n > math.MaxUint32 {
		return 0, false
	}
	return uint32(n), true
}

// unixNano returns the time of a number of nanoseconds since 1970. It keeps all
// of the 64 bits, which time.Unix(0, ns) would not.
func unixNano(ns uint64) time.Time {
	const second = uint64(time.Second)
	return time.Unix(int64(ns/second), int64(ns%second))
}
