package action

import (
	"hash/maphash"
	"iter"
	"slices"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
)

// zoneIndex knows in which zones a table has entries with an original tuple. The
// lines of a file use it that name a tuple but no zone: they are about the entries
// of all zones.
type zoneIndex struct {
	// walks is how many lines have walked the table since nothing is known.
	walks int
	// read is when the table was read, and cost how long that took.
	read time.Time
	cost time.Duration
	seed maphash.Seed
	// zoned has a number for each entry whose original direction is not in zone
	// 0, in ascending order: 48 bits of the tuple's hash, and the zone.
	zoned []uint64
}

const (
	// walksBefore is how many lines walk the table before it is read: their
	// walks are filtered in the kernel, which takes a fraction of a whole one.
	walksBefore = 4
	// The table is read again after staleAfter, or staleCosts times what reading
	// it takes.
	staleAfter = time.Second
	staleCosts = 20
)

// of returns the zones in which an entry may have the original tuple t: that of t
// if it has one. ok is false if they are not known; a nil index knows none.
func (x *zoneIndex) of(c *ctnetlink.Conn, t *ctnetlink.Tuple) (zones []uint16, ok bool) {
	if t.Has&ctnetlink.FieldZone != 0 {
		return []uint16{t.Zone}, true
	}
	if x == nil {
		return nil, false
	}
	if x.read.IsZero() || time.Since(x.read) > max(staleAfter, staleCosts*x.cost) {
		if x.walks++; x.walks <= walksBefore || !x.fill(c) {
			return nil, false
		}
	}
	zones = append(zones, 0)
	key := x.key(t)
	for i, _ := slices.BinarySearch(x.zoned, key); i < len(x.zoned) && x.zoned[i]&^0xffff == key; i++ {
		if zone := uint16(x.zoned[i]); zones[len(zones)-1] != zone {
			zones = append(zones, zone)
		}
	}
	return zones, true
}

func (x *zoneIndex) key(t *ctnetlink.Tuple) uint64 {
	return maphash.Comparable(x.seed, t.Only(^ctnetlink.FieldZone)) &^ 0xffff
}

// fill reads the table.
func (x *zoneIndex) fill(c *ctnetlink.Conn) bool {
	start := time.Now()
	x.seed, x.zoned, x.read = maphash.MakeSeed(), x.zoned[:0], time.Time{}
	for f, err := range c.Dump(nil) {
		if err != nil {
			return false
		}
		zone := f.Orig().Zone
		if zone == 0 {
			zone, _ = f.Zone()
		}
		if zone != 0 {
			x.zoned = append(x.zoned, x.key(f.Orig())|uint64(zone))
		}
	}
	slices.Sort(x.zoned)
	x.read, x.cost = start, time.Since(start)
	return true
}

// watch returns the lines of a file. What is known does not have the zone of an
// entry that one of them makes, and is forgotten.
func (x *zoneIndex) watch(lines iter.Seq[*cmdline.Request]) iter.Seq[*cmdline.Request] {
	return func(yield func(*cmdline.Request) bool) {
		for r := range lines {
			if r.Command.Is(cmdline.CmdCreate, cmdline.CmdAdd) && (r.Zone != 0 || r.Orig.Zone != 0) {
				x.read, x.walks = time.Time{}, 0
			}
			if !yield(r) {
				return
			}
		}
	}
}
