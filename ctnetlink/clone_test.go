package ctnetlink

import (
	"bytes"
	"testing"
)

// TestCloneTo: copies stay as they are when the messages they were made from are
// overwritten, and when the buffer that they share grows.
func TestCloneTo(t *testing.T) {
	const n = 50
	var copies [n]Flow
	var buf []byte
	var f Flow
	for i := range uint32(n) {
		msg := announced(i)
		if err := f.Decode(msg); err != nil {
			t.Fatal(err)
		}
		buf = f.CloneTo(&copies[i], buf)
		clear(msg)
	}
	for i := range uint32(n) {
		mark, ok := copies[i].Mark()
		if !ok || mark != i || !bytes.Equal(copies[i].Message(), announced(i)) || copies[i].EventType() != EventNew {
			t.Errorf("copy %d is %v", i, &copies[i])
		}
		if grown := append(copies[i].Message(), 0xff); len(grown) > 0 && i+1 < n {
			if mark, _ := copies[i+1].Mark(); mark != i+1 {
				t.Fatalf("appending to copy %d changes the next", i)
			}
		}
	}
}
