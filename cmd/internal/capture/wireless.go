package capture

import "encoding/binary"

// Frame control of IEEE 802.11, first and second byte.
const (
	typeMask  = 0x0c
	typeData  = 0x08
	noData    = 0x40 // subtype: a data frame without data
	qosData   = 0x80 // subtype: with a QoS field
	toDS      = 0x01
	fromDS    = 0x02
	protected = 0x40
	ordered   = 0x80 // with a HT field, if it is QoS data
)

// wireless is a frame of IEEE 802.11. Data frames that are not encrypted and not
// aggregated have an IP packet behind LLC and SNAP.
func (f *frame) wireless() {
	if len(f.data) < 2 {
		f.short()
		return
	}
	control, flags := f.data[0], f.data[1]
	switch {
	case control&typeMask == 0:
		f.none("802.11 management")
		return
	case control&typeMask != typeData:
		f.none("802.11 control")
		return
	case control&noData != 0:
		f.none("802.11 without data")
		return
	case flags&protected != 0:
		f.none("802.11, encrypted")
		return
	}
	n := 24
	if flags&toDS != 0 && flags&fromDS != 0 {
		n += 6
	}
	if control&qosData != 0 {
		if len(f.data) > n && f.data[n]&0x80 != 0 {
			f.none("802.11, aggregated")
			return
		}
		if n += 2; flags&ordered != 0 {
			n += 4
		}
	}
	f.behind(n, (*frame).llc)
}

// radiotap is the header of the same name in front of an 802.11 frame.
func (f *frame) radiotap() {
	if len(f.data) < 4 {
		f.short()
		return
	}
	f.behind(int(binary.LittleEndian.Uint16(f.data[2:])), (*frame).wireless)
}

// prism is the header of Prism cards, or AVS in its place.
func (f *frame) prism() {
	if len(f.data) < 8 {
		f.short()
		return
	}
	if binary.BigEndian.Uint32(f.data)&0xfffff000 == 0x80211000 {
		f.avs()
		return
	}
	f.behind(int(min(binary.LittleEndian.Uint32(f.data[4:]), 1<<20)), (*frame).wireless)
}

// avs is the header of LINKTYPE_IEEE802_11_AVS.
func (f *frame) avs() {
	if len(f.data) < 8 {
		f.short()
		return
	}
	f.behind(int(min(binary.BigEndian.Uint32(f.data[4:]), 1<<20)), (*frame).wireless)
}
