package wire

import (
	"math/rand/v2"
	"testing"
)

// randomPayload returns a payload whose attributes are mostly of the length that they
// must have, in any order, some of them twice.
func randomPayload(r *rand.Rand, typ Type) []byte {
	attrs, required := connAttrs[:], []int{sAddr, sProto, sPort, sICMPType, sICMPCode, sICMPID}
	if typ.Expect() {
		attrs = expectAttrs[:]
		required = []int{xMasterAddr, xMasterProto, xAddr, xProto, xPort, xMaskAddr, xMaskProto}
	}
	ip6 := r.IntN(2) == 0
	protocols := []byte{1, 6, 17, 33, 47, 58, 132, 136, 50, 0}
	one := func(b []byte, slot int) []byte {
		a := attrs[slot]
		num, n := a.num, int(a.len)
		if a.num6 != 0 && ip6 != (r.IntN(50) == 0) {
			num, n = a.num6, int(a.len6)
		}
		if n == 0 {
			n = r.IntN(40)
			if slot == sLabels && !typ.Expect() {
				n = 4 * r.IntN(8)
			}
		}
		if r.IntN(400) == 0 {
			n = r.IntN(40)
		}
		v := make([]byte, n)
		for i := range v {
			v[i] = byte(r.IntN(3)) * byte(r.IntN(256))
		}
		switch {
		case n == 1 && (slot == sProto && !typ.Expect() || slot == xProto && typ.Expect()):
			v[0] = protocols[r.IntN(len(protocols))]
		case n > 0 && a.len == 0:
			v[n-1] = 0
		}
		return appendAttr(b, num, v)
	}
	var b []byte
	for _, slot := range required {
		b = one(b, slot)
	}
	for range r.IntN(20) {
		b = one(b, r.IntN(len(attrs)))
	}
	if r.IntN(20) == 0 {
		b = appendAttr(b, uint8(100+r.IntN(20)), []byte("new"))
	}
	return b
}

// TestRandomPayloads merges payloads of random attributes with each other.
func TestRandomPayloads(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 1))
	taken, n := 0, 20000
	if testing.Short() {
		n = 3000
	}
	for i := range n {
		typ := Type(i % 6)
		o := checkMerge(t, typ, nil, randomPayload(r, typ))
		if o == nil {
			continue
		}
		taken++
		// The same entry with other attributes: what names it stands at the end.
		more := append(randomPayload(r, typ), o...)
		if o = checkMerge(t, typ, o, more); o != nil {
			checkMerge(t, typ, o, append(randomPayload(r, typ), o...))
		}
	}
	if taken < n/4 {
		t.Errorf("only %d were taken", taken)
	}
}
