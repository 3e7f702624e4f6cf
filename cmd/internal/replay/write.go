package replay

import (
	"bufio"
	"os"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/cmd/internal/console"
)

// leaving writes the packets as they leave to a capture.
type leaving struct {
	path string
	file *os.File
	buf  *bufio.Writer
	out  *pcapgo.Writer
	err  error // the first
}

// newLeaving begins a capture of raw IP packets.
func newLeaving(path string) (*leaving, error) {
	if err := console.MayOpen(path); err != nil {
		return nil, err
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, cmdline.Failuref("%s: %s", path, console.ErrorText(err))
	}
	w := &leaving{path: path, file: file, buf: bufio.NewWriterSize(file, 1<<20)}
	w.out = pcapgo.NewWriterNanos(w.buf)
	w.err = w.out.WriteFileHeader(262144, layers.LinkTypeRaw)
	return w, nil
}

// packet writes a packet.
func (w *leaving) packet(t time.Time, data []byte, length int) {
	if w.err == nil {
		w.err = w.out.WritePacket(gopacket.CaptureInfo{
			Timestamp: t, CaptureLength: len(data), Length: max(length, len(data)),
		}, data)
	}
}

// close ends the capture.
func (w *leaving) close() error {
	if err := w.buf.Flush(); w.err == nil {
		w.err = err
	}
	if err := w.file.Close(); w.err == nil {
		w.err = err
	}
	if w.err != nil {
		return cmdline.Failuref("%s: %s", w.path, console.ErrorText(w.err))
	}
	return nil
}
