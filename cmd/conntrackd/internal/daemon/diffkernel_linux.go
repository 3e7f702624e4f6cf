package daemon

import (
	"context"
	"hash/maphash"
	"maps"
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
	expect  bool        // of the expectations
	before  *kernelDiff // nil: this is the first look
	seed    maphash.Seed
	entries int
	there   map[uint64]struct{} // what the table has
	missing differences         // of it in the cache
	stale   differences         // in the cache
}

// differences are entries by the hash of their key. The first look keeps only which they
// are; the second what they are, of at most diffLimit that the first had too.
type differences struct {
	objects map[uint64]wire.Object
	more    bool
}

// note notes an entry that differs. before is what the first look has, nil if this is it.
func (l *differences) note(before *differences, hash uint64, o wire.Object) {
	if before == nil {
		l.objects[hash] = nil
		return
	}
	if _, ok := before.objects[hash]; !ok {
		return
	}
	if len(l.objects) >= diffLimit {
		l.more = true
		return
	}
	l.objects[hash] = slices.Clone(o)
}

// diffKernel compares the kernel's table, or its expectations, with the internal cache.
func (d *daemon) diffKernel(ctx context.Context, expect bool) node.Difference {
	result := node.Difference{Expect: expect}
	first := &kernelDiff{d: d, expect: expect, seed: maphash.MakeSeed()}
	if err := first.look(ctx); err != nil {
		result.Error = err.Error()
		return result
	}
	result.Entries = first.entries
	if len(first.missing.objects)+len(first.stale.objects) == 0 {
		return result
	}
	select {
	case <-ctx.Done():
	case <-time.After(diffAgain):
	}
	second := kernelDiff{d: d, expect: expect, before: first, seed: first.seed}
	if err := second.look(ctx); err != nil {
		result.Error = err.Error()
		return result
	}
	result.Entries = second.entries
	result.Missing = slices.Collect(maps.Values(second.missing.objects))
	result.Stale = slices.Collect(maps.Values(second.stale.objects))
	result.More = second.missing.more || second.stale.more
	return result
}

// look compares the two as they are.
func (k *kernelDiff) look(ctx context.Context) error {
	k.there = map[uint64]struct{}{}
	k.missing.objects, k.stale.objects = map[uint64]wire.Object{}, map[uint64]wire.Object{}
	var missing, stale *differences
	if k.before != nil {
		missing, stale = &k.before.missing, &k.before.stale
	}
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
			k.missing.note(missing, hash, o)
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
				k.stale.note(stale, hash, o)
			}
		})
		k.d.mu.Unlock()
	}
	return nil
}
