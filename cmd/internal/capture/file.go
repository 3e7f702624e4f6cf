package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// bufferSize is how much is read at once.
const bufferSize = 1 << 20

// File is a capture that is read record by record.
type File struct {
	Name  string
	Iface string // the interface of all its packets, if it was named
	n     int    // number of records read
	last  time.Time
	read  func() (data []byte, ci gopacket.CaptureInfo, link uint16, d Direction, err error)
	// interfaces are the names of a pcapng section, as far as they are known.
	interfaces []string
	frame      frame
	link       uint16 // whose reader strip is
	strip      func(*frame)
}

// Error is an error about a capture.
type Error struct {
	File   string
	Record int // number of the record, 0: the file's header
	Err    error
}

func (e *Error) Error() string {
	if e.Record == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Err)
	}
	return fmt.Sprintf("%s: record %d: %s", e.File, e.Record, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// errDamaged ends a file within a record.
var errDamaged = errors.New("the file ends in the middle of it")

// errHeader is for a file that ends before its first record can begin.
var errHeader = errors.New("the file ends in the middle of its header")

// New returns the capture that is read from in. Its errors have the name.
func New(name string, in io.Reader) (*File, error) {
	f := &File{Name: name}
	if err := f.begin(in); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errHeader
		}
		return nil, &Error{File: name, Err: err}
	}
	return f, nil
}

var (
	gzipMagic   = []byte{0x1f, 0x8b}
	zstdMagic   = []byte{0x28, 0xb5, 0x2f, 0xfd}
	xzMagic     = []byte{0xfd, '7', 'z', 'X'}
	pcapngMagic = []byte{0x0a, 0x0d, 0x0d, 0x0a}
)

// begin reads the file's header.
func (f *File) begin(in io.Reader) error {
	r := bufio.NewReaderSize(in, bufferSize)
	magic, err := r.Peek(4)
	if bytes.HasPrefix(magic, gzipMagic) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return err
		}
		r = bufio.NewReaderSize(z, bufferSize)
		magic, err = r.Peek(4)
		if err != nil && len(magic) > 0 {
			return err
		}
	}
	switch {
	case len(magic) == 0 && (err == nil || errors.Is(err, io.EOF)):
		return errors.New("it is empty")
	case len(magic) == 0:
		return err
	case bytes.HasPrefix(magic, zstdMagic), bytes.HasPrefix(magic, xzMagic):
		return errors.New("it is compressed: only gzip is read")
	case bytes.Equal(magic, pcapngMagic):
		return f.beginNg(r)
	}
	return f.beginPcap(r)
}

// errNoCapture is the error of a file that is not a capture.
var errNoCapture = errors.New("it is not a capture: pcap and pcapng are read")

func (f *File) beginPcap(in io.Reader) error {
	r, err := pcapgo.NewReader(in)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errNoCapture
	case err != nil && bytes.Contains([]byte(err.Error()), []byte("magic")):
		return errNoCapture
	case err != nil:
		return err
	}
	link := uint16(r.LinkType())
	if links[link] == nil {
		return linkError(link)
	}
	f.read = func() ([]byte, gopacket.CaptureInfo, uint16, Direction, error) {
		data, ci, err := r.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) && ci.CaptureLength > 0 {
			err = io.ErrUnexpectedEOF
		}
		return data, ci, link, Unknown, err
	}
	return nil
}

func linkError(link uint16) error {
	return fmt.Errorf("link type %d is not known", link)
}

func (f *File) beginNg(in io.Reader) error {
	o := pcapgo.NgReaderOptions{
		WantMixedLinkType: true, SkipUnknownVersion: true,
		SectionEndCallback: func([]pcapgo.NgInterface, pcapgo.NgSectionInfo) { f.interfaces = f.interfaces[:0] },
	}
	r, err := pcapgo.NewNgReader(in, o)
	if err != nil {
		return err
	}
	f.read = func() ([]byte, gopacket.CaptureInfo, uint16, Direction, error) {
		data, ci, options, err := r.ZeroCopyReadPacketDataWithOptions()
		if err != nil {
			return nil, ci, 0, Unknown, err
		}
		for i := len(f.interfaces); i <= ci.InterfaceIndex; i++ {
			one, err := r.Interface(i)
			if err != nil {
				return nil, ci, 0, Unknown, err
			}
			f.interfaces = append(f.interfaces, one.Name)
		}
		d := Unknown
		if options.Flags != nil {
			switch options.Flags.Direction {
			case pcapgo.NgEpbFlagDirectionInbound:
				d = Incoming
			case pcapgo.NgEpbFlagDirectionOutbound:
				d = Outgoing
			}
		}
		link, _ := ci.AncillaryData[0].(layers.LinkType)
		return data, ci, uint16(link), d, nil
	}
	return nil
}

// Next reads the next record into r. The error is io.EOF after the last one;
// after any other error, an *[Error], nothing more can be read.
func (f *File) Next(r *Record) error {
	data, ci, link, direction, err := f.read()
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		return io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{f.Name, f.n + 1, errDamaged}
	default:
		return &Error{f.Name, f.n + 1, err}
	}
	f.n++
	t := ci.Timestamp
	if t.IsZero() { // a simple packet block has no time
		t = f.last
	}
	f.last = t
	if f.strip == nil || f.link != link {
		f.link, f.strip = link, links[link]
	}
	// Field by field: the processor waits for a copy of what was just written.
	f.frame.data, f.frame.version, f.frame.direction, f.frame.iface, f.frame.what = data, 0, direction, "", ""
	if f.strip != nil {
		f.strip(&f.frame)
	} else {
		f.frame.none(linkError(link).Error())
	}
	r.File, r.Number, r.Time, r.Interface, r.Length = f, f.n, t, f.Iface, 0
	r.Data, r.Frame, r.Version, r.Direction = f.frame.data, f.frame.what, f.frame.version, f.frame.direction
	if r.Interface == "" {
		if r.Interface = f.frame.iface; ci.InterfaceIndex < len(f.interfaces) && r.Interface == "" {
			r.Interface = f.interfaces[ci.InterfaceIndex]
		}
	}
	if r.Data != nil {
		r.Length = ci.Length - (len(data) - len(r.Data))
		r.trim()
	}
	return nil
}
