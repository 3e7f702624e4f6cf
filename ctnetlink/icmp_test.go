package ctnetlink

import "testing"

// TestInverseICMPType: types come in pairs, and there are as many as Linux knows.
func TestInverseICMPType(t *testing.T) {
	for proto, want := range map[Protocol]int{ProtoICMP: 8, ProtoICMPv6: 4, ProtoTCP: 0} {
		n := 0
		for typ := range 256 {
			inverse, ok := proto.InverseICMPType(uint8(typ))
			if !ok {
				continue
			}
			n++
			if back, ok := proto.InverseICMPType(inverse); !ok || int(back) != typ || inverse == uint8(typ) {
				t.Errorf("protocol %d: type %d inverts to %d, and that to %d, %v", proto, typ, inverse, back, ok)
			}
		}
		if n != want {
			t.Errorf("protocol %d: %d types, want %d", proto, n, want)
		}
	}
}
