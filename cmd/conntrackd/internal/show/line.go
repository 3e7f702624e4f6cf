package show

import (
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Entry is what a line of a listing shows of an object.
type Entry struct {
	Object   wire.Object
	External bool
	Created  time.Time
	Expires  time.Time // ALARM's external cache; zero: none
}

// AppendLine appends the line of -i and -e of an entry or expectation, with its newline.
func AppendLine(dst []byte, e *Entry, now time.Time, xml bool) []byte { panic("unwritten") }
