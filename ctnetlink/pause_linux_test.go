package ctnetlink

import (
	"testing"
	"time"
)

// TestPause: a pause takes its time, one after the other, and the end of the socket ends
// it.
func TestPause(t *testing.T) {
	sock, err := dialKernel()
	if err != nil {
		t.Skip(err)
	}
	s := sock.(*kernelSocket)
	s.WaitInThread()
	if s.pauser == nil {
		t.Fatal("no timer of the kernel")
	}
	for range 3 {
		const d = 2 * time.Millisecond
		began := time.Now()
		if s.Pause(d); time.Since(began) < d {
			t.Errorf("a pause of %v took %v", d, time.Since(began))
		}
	}
	ended := make(chan struct{})
	go func() {
		s.Pause(time.Hour)
		close(ended)
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	s.Pause(time.Hour) // of a socket that is closed
}
