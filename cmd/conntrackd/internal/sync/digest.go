package sync

import (
	"encoding/binary"
	"math/bits"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// Tables are compared by digests of their parts: an entry is in the part that the hash of
// its key names. Hashes are the same on every host.
const (
	digestParts = 1 << 10
	digestLen   = 12 // bytes of a part's digest, and of an entry in a list
)

// digest is the digest of a part: how many entries it has, and the sum of their hashes.
type digest struct {
	count uint32
	sum   uint64
}

func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v, 0x9e3779b97f4a7c15)
	return hi ^ lo ^ 0x2545f4914f6cdd1d
}

func mixBytes(h uint64, b []byte) uint64 {
	h = mix(h, uint64(len(b)))
	for len(b) >= 8 {
		h, b = mix(h, binary.BigEndian.Uint64(b)), b[8:]
	}
	for _, c := range b {
		h = mix(h, uint64(c))
	}
	return h
}

// keyHash returns the hash of a key.
func keyHash(k *wire.Key) uint64 {
	h := mixBytes(1, k.Src[:])
	h = mixBytes(h, k.Dst[:])
	h = mix(h, uint64(binary.BigEndian.Uint32(k.Ports[:]))<<32|uint64(binary.BigEndian.Uint32(k.Keys[:])))
	flags := uint64(k.Proto) | uint64(k.ZoneOrig)<<16 | uint64(k.ZoneReply)<<32
	if k.IPv6 {
		flags |= 1 << 8
	}
	return mix(mix(h, flags), 0)
}

// contentHash returns the hash of what an object tells, but for the time that is left.
func contentHash(o wire.Object) uint32 {
	h := uint64(1)
	for b := range o.Timeless() {
		h = mixBytes(h, b)
	}
	return uint32(h >> 32)
}

func partOf(key uint64) int { return int(key >> (64 - 10)) }

// view is what is compared of a cache: all of it that lives, or what one peer has told.
type view struct {
	c      *cache.Cache
	sender int // -1: all
	expect bool
	at     cache.Slot
}

// view returns what is compared of the internal caches, or of what a peer has told.
func (n *Node) view(internal, expect bool, p *peer) view {
	v := view{c: n.Internal, sender: -1, expect: expect}
	switch {
	case internal && expect:
		v.c = n.InternalExpect
	case internal:
	case expect:
		v.c, v.sender = n.ExternalExpect, p.index
	default:
		v.c, v.sender = n.External, p.index
	}
	return v
}

// content returns the hash of what an object of the view tells.
func (v *view) content(s cache.Slot) uint32 { return contentHash(v.c.Object(s)) }

// step calls f for the next part of the view, and reports whether there is more.
func (v *view) step(f func(key uint64, s cache.Slot)) bool {
	v.at = v.c.Walk(max(v.at, 1), sweepStep, func(s cache.Slot) {
		m := v.c.Meta(s)
		if m.Flags&cache.Dead != 0 || v.sender >= 0 && m.Sender != uint16(v.sender) {
			return
		}
		k := v.c.Object(s).Key()
		f(keyHash(&k), s)
	})
	return v.at != 0
}

// appendDigests appends the digests of all parts.
func appendDigests(dst []byte, d *[digestParts]digest) []byte {
	for i := range d {
		dst = binary.BigEndian.AppendUint32(dst, d[i].count)
		dst = binary.BigEndian.AppendUint64(dst, d[i].sum)
	}
	return dst
}

// parseDigests is the reverse of appendDigests.
func parseDigests(b []byte) (d *[digestParts]digest, ok bool) {
	d = new([digestParts]digest)
	if len(b) != digestParts*digestLen {
		return d, false
	}
	for i := range d {
		d[i] = digest{binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:])}
		b = b[digestLen:]
	}
	return d, true
}

// add adds an entry to a digest.
func (d *digest) add(key uint64, content uint32) {
	d.count++
	d.sum += mix(key, uint64(content))
}
