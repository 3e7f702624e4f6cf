//go:build !linux

package ctnetlink

// Open returns a Conn whose requests all fail with ErrUnsupported: this system
// has no nf_conntrack.
func Open() *Conn {
	return NewConn(func() (Socket, error) { return nil, ErrUnsupported })
}
