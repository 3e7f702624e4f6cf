package capture

import "time"

// Record is one packet record of a capture.
type Record struct {
	File      *File // which has it
	Number    int   // in the file, from 1
	Time      time.Time
	Interface string    // where it was captured, "" if that is not known
	Direction Direction // as the capture says
	// Data is the IP packet, as far as it was captured; nil: there is none. It is
	// valid until the next record.
	Data []byte
	// Length is the length of the IP packet on the wire.
	Length int
	// Version is the version of IP that the link layer names, 0 if it names none.
	Version uint8
	// Frame is what the record is if Data is nil, such as "ARP".
	Frame string
}

// Direction is whether the capturing machine sent a packet.
type Direction uint8

const (
	Unknown  Direction = iota
	Incoming           // received, or overheard
	Outgoing           // sent
)

// trim cuts off what follows the IP packet in its frame, such as the padding of
// short frames, and corrects the length.
func (r *Record) trim() {
	total := 0
	switch {
	case len(r.Data) >= 4 && r.Data[0]>>4 == 4:
		total = int(be16(r.Data[2:]))
	case len(r.Data) >= 6 && r.Data[0]>>4 == 6:
		if n := int(be16(r.Data[4:])); n > 0 {
			total = 40 + n
		}
	}
	// A total of 0 is a packet beyond 64 KiB, or one that the card was to cut up.
	if total > 0 && total < r.Length && total <= len(r.Data) {
		r.Length = len(r.Data) // complete; the table knows what to do with the rest
	}
}

func be16(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
