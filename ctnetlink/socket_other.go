//go:build !linux

package ctnetlink

import "os"

// Open returns a Conn whose requests all fail with ErrUnsupported: this system
// has no nf_conntrack.
func Open() *Conn {
	return NewConn(func() (Socket, error) { return nil, ErrUnsupported })
}

// OpenIn is Open for another network namespace: its requests fail as well.
func OpenIn(*os.File) *Conn { return Open() }
