package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

const (
	ctaMark = 8
	ctaID   = 12
)

// changeRole is the limit of -D -p tcp, and with -mark N of -U -p tcp -m N: a
// dump, and beside it every TCP entry deleted or marked in batches, named by
// the bytes of its tuple (and its id).
func changeRole(args []string) error {
	f := newRoleFlags("change")
	mark := f.Uint("mark", 0, "mark to set, instead of deleting")
	if err := f.Parse(args); err != nil {
		return err
	}
	s, err := openSocket()
	if err != nil {
		return err
	}
	defer s.close()
	b, err := newBatcher()
	if err != nil {
		return err
	}
	defer b.close()
	changed := 0
	_, err = drain(s, make([]byte, bufferSize), dumpRequest(), func(msg []byte) error {
		tuple, id := attribute(msg, ctaTupleOrig), attribute(msg, ctaID)
		if !bytes.Contains(tuple, protoTCP) || id == nil {
			return nil
		}
		changed++
		b.begin()
		b.buf = append(b.buf, msg[:headLen]...)
		b.buf = append(b.buf, tuple...)
		if *mark == 0 {
			b.buf = append(b.buf, id...)
			return b.end(ctDelete, 0, batchSize)
		}
		b.buf = binary.NativeEndian.AppendUint16(b.buf, 8)
		b.buf = binary.NativeEndian.AppendUint16(b.buf, ctaMark)
		b.buf = binary.BigEndian.AppendUint32(b.buf, uint32(*mark))
		return b.end(ctNew, 0, batchSize)
	})
	if err == nil {
		err = b.flush()
	}
	fmt.Fprintf(os.Stderr, "%d flow entries have been changed.\n", changed)
	return err
}

// protoTCP is CTA_PROTO_NUM with its value, as it lies in a tuple.
var protoTCP = func() []byte {
	b := binary.NativeEndian.AppendUint16(nil, 5)
	b = binary.NativeEndian.AppendUint16(b, 1)
	return append(b, byte(ctnetlink.ProtoTCP))
}()

// attribute returns an attribute of a message, its header and padding included.
func attribute(msg []byte, typ uint16) []byte {
	for b := msg[headLen:]; len(b) >= unix.NLA_HDRLEN; {
		n := (int(binary.NativeEndian.Uint16(b)) + 3) &^ 3
		if n < unix.NLA_HDRLEN || n > len(b) {
			return nil
		}
		if binary.NativeEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER) == typ {
			return b[:n]
		}
		b = b[n:]
	}
	return nil
}
