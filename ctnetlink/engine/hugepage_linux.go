package engine

import (
	"syscall"
	"unsafe"
)

// hugePages asks Linux for huge pages for a large piece of memory that was not
// used so far. A packet then needs fewer look-ups of addresses, which take
// longer than all else.
func hugePages[T any](s []T) {
	const (
		hugeLen  = 2 << 20
		hugePage = 14 // MADV_HUGEPAGE
	)
	n := uintptr(len(s)) * unsafe.Sizeof(*new(T))
	if n < hugeLen {
		return
	}
	p := unsafe.Pointer(unsafe.SliceData(s))
	skip := -uintptr(p) % hugeLen
	if n -= skip; n < hugeLen {
		return
	}
	_ = syscall.Madvise(unsafe.Slice((*byte)(unsafe.Add(p, skip)), n-n%hugeLen), hugePage) // it may be too old, or refuse
}
