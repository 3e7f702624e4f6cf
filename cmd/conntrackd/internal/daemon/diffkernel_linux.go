package daemon

import (
	"context"
	"hash/maphash"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
	node "github.com/gonntrack/gonntrack/cmd/conntrackd/internal/sync"
	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/wire"
)

// diffAgain is how long after a difference between the kernel's table and the internal
// cache it must be there still: what is on its way is none.
const diffAgain = 1500 * time.Millisecond

// kernelDiff is one look at the kernel's table and the internal cache.
type kernelDiff struct {
	d       *daemon
	expect  bool // of the expectations
	seed    maphash.Seed
	entries int
	there   map[uint64]struct{}    // what the table has
	missing map[uint64]wire.Object // of it in the cache
	stale   map[uint64]wire.Object // in the cache
}

// diffKernel compares the kernel's table, or its expectations, with the internal cache.
func (d *daemon) diffKernel(ctx context.Context, expect bool) node.Difference {
	result := node.Difference{Expect: expect}
	seed := maphash.MakeSeed()
	first := kernelDiff{d: d, expect: expect, seed: seed}
	if err := first.look(ctx); err != nil {
		result.Error = err.Error()
		return result
	}
	result.Entries = first.entries
	if len(first.missing)+len(first.stale) == 0 {
		return result
	}
	select {
	case <-ctx.Done():
	case <-time.After(diffAgain):
	}
	second := kernelDiff{d: d, expect: expect, seed: seed}
	if err := second.look(ctx); err != nil {
		result.Error = err.Error()
		return result
	}
	result.Entries = second.entries
	still := func(before, now map[uint64]wire.Object) (list []wire.Object) {
		for k, o := range now {
			if _, ok := before[k]; !ok {
				continue
			}
			if len(list) == diffLimit {
				result.More = true
				break
			}
			list = append(list, o)
		}
		return list
	}
	result.Missing = still(first.missing, second.missing)
	result.Stale = still(first.stale, second.stale)
	return result
}

// look compares the two as they are.
func (k *kernelDiff) look(ctx context.Context) error {
	k.there = map[uint64]struct{}{}
	k.missing, k.stale = map[uint64]wire.Object{}, map[uint64]wire.Object{}
	internal, list := k.d.internal(k.expect), k.d.table.List
	if k.expect {
		list = k.d.table.ListExpect
	}
	err := list(ctx, func(o wire.Object) error {
		key := o.Key()
		hash := maphash.Comparable(k.seed, key)
		k.d.mu.Lock()
		at := internal.Find(&key)
		known := at != 0 && internal.Meta(at).Flags&cache.Dead == 0
		wanted := known || k.d.node.Wants(o)
		k.d.mu.Unlock()
		if !wanted {
			return nil
		}
		k.entries++
		k.there[hash] = struct{}{}
		if !known {
			k.missing[hash] = slices.Clone(o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for at, begun := cache.Slot(0), false; !begun || at != 0; begun = true {
		k.d.mu.Lock()
		at = internal.Walk(at, listPart, func(s cache.Slot) {
			if internal.Meta(s).Flags&cache.Dead != 0 {
				return
			}
			o := internal.Object(s)
			hash := maphash.Comparable(k.seed, o.Key())
			if _, ok := k.there[hash]; !ok {
				k.stale[hash] = slices.Clone(o)
			}
		})
		k.d.mu.Unlock()
	}
	return nil
}
