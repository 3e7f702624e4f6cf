package link

import (
	"encoding/binary"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// version is the high half of a message's first byte.
const version = 1

// messageLen returns the length that the message at the beginning of b says it has. ok is
// false if it cannot be a message: another version, or shorter than its header; n is 0 if
// b is too short to tell.
func messageLen(b []byte) (n int, ok bool) {
	if len(b) == 0 {
		return 0, true
	}
	if b[0]>>4 != version {
		return 0, false
	}
	if len(b) < 4 {
		return 0, true
	}
	n = int(binary.BigEndian.Uint16(b[2:]))
	return n, n >= wire.HeaderLen
}
