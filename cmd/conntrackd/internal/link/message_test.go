package link

import "encoding/binary"

// message returns a message of n bytes with a sequence.
func message(seq uint32, n int) []byte {
	b := make([]byte, n)
	b[0] = version << 4
	binary.BigEndian.PutUint16(b[2:], uint16(n))
	binary.BigEndian.PutUint32(b[4:], seq)
	for i := range b[8:] {
		b[8+i] = byte(int(seq) + i)
	}
	return b
}
