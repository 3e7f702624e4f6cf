package ctnetlink

import "testing"

func TestResync(t *testing.T) {
	const held = 100
	batch := func(n int, gap bool) EventBatch {
		return EventBatch{Messages: make([]byte, n), Gap: gap}
	}
	var r Resync
	r.Observe(batch(50, false), held)
	if r.Due(true) {
		t.Error("due without a loss")
	}
	r.Observe(batch(40, true), held)
	if r.Due(false) {
		t.Error("due although what was held comes yet")
	}
	r.Observe(batch(40, false), held)
	if r.Due(false) {
		t.Error("due too early")
	}
	r.Observe(batch(40, false), held)
	if !r.Due(false) || r.Due(false) {
		t.Error("not due once, after all that was held")
	}
	r.Observe(batch(1, true), held)
	if !r.Due(true) {
		t.Error("not due although nothing waits")
	}
}
