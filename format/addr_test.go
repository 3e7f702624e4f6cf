package format

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestInetNtop compares with what glibc wrote of the same addresses.
func TestInetNtop(t *testing.T) {
	file, err := os.Open("testdata/inet_ntop.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	n := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		digits, want, ok := strings.Cut(lines.Text(), " ")
		if !ok || digits == "#" {
			continue
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(appendAddr(nil, netip.AddrFrom16([16]byte(b)), 0)); got != want {
			t.Errorf("%s: got %s, want %s", digits, got, want)
		}
		n++
	}
	if n < 300 {
		t.Errorf("only %d addresses", n)
	}
}

// IPv6 text means the address that it was made of, and differs from netip's
// in IPv4-compatible addresses only.
func FuzzIPv6(f *testing.F) {
	f.Add(make([]byte, 16))
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) != 16 {
			t.Skip()
		}
		want := netip.AddrFrom16([16]byte(b))
		got := string(appendIPv6(nil, [16]byte(b)))
		if back, err := netip.ParseAddr(got); err != nil || back != want {
			t.Errorf("%x: %s is %v", b, got, back)
		}
		if !strings.Contains(got, ".") && got != want.String() {
			t.Errorf("%x: got %s, want %s", b, got, want)
		}
	})
}

func TestIPv4(t *testing.T) {
	for i := range 256 {
		c := byte(i)
		a := netip.AddrFrom4([4]byte{c, 255 - c, 0, c / 2})
		if got := string(appendAddr(nil, a, 0)); got != a.String() {
			t.Errorf("got %s, want %s", got, a)
		}
	}
}

func TestNumbers(t *testing.T) {
	var values []uint64
	for v := uint64(1); v < 1<<63; v *= 2 {
		values = append(values, v-1, v, v+1)
	}
	for v := uint64(1); v < 1e18; v *= 10 {
		values = append(values, v-1, v, v+1, 7*v)
	}
	for v := range uint64(20000) {
		values = append(values, v)
	}
	for _, v := range append(values, 1<<64-1) {
		if got, want := string(appendUint(nil, v)), strconv.FormatUint(v, 10); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got, want := string(appendHex(nil, uint16(v))), strconv.FormatUint(v&0xffff, 16); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
