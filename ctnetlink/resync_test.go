package ctnetlink

import "testing"

func TestResync(t *testing.T) {
	const held = 100
	batch := func(n int, gap bool) EventBatch {
		return EventBatch{Messages: make([]byte, n), Gap: gap}
	}
	idle, busy := func() bool { return true }, func() bool { return false }
	var r Resync
	r.Observe(batch(50, false), held)
	if r.Due(idle) {
		t.Error("due without a loss")
	}
	r.Observe(batch(40, true), held)
	if r.Due(busy) {
		t.Error("due although what was held comes yet")
	}
	r.Observe(batch(40, false), held)
	if r.Due(busy) {
		t.Error("due too early")
	}
	r.Observe(batch(40, false), held)
	if !r.Due(busy) || r.Due(busy) {
		t.Error("not due once, after all that was held")
	}
	r.Observe(batch(1, true), held)
	if !r.Due(idle) {
		t.Error("not due although nothing waits")
	}
}
