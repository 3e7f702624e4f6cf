package show

import (
	"fmt"

	"github.com/gonntrack/gonntrack/cmd/conntrackd/internal/cache"
)

// Caches are the caches of connections, or those of expectations.
type Caches struct {
	Stats    *cache.Stats // the statistics mode has this one and no other
	Internal *cache.Stats
	External *cache.Stats
	Bypass   *Bypass // with DisableInternalCache, in place of Internal
	Inject   *Inject // with DisableExternalCache, in place of External
}

// Bypass counts the changes that were sent without an internal cache.
type Bypass struct{ New, Updated, Destroyed uint64 }

// Inject counts the changes that were made in the table without an external cache.
type Inject struct {
	Created, CreateFailed    uint64
	Updated, UpdateFailed    uint64
	Destroyed, DestroyFailed uint64
}

// General is what -s, -s ct and -s expect show.
type General struct {
	Caches
	Bytes, Packets  uint64 // of the entries that ended
	Link            *Link  // the active one, nil in the statistics mode
	Malformed, Lost uint64 // messages
}

// AppendGeneral appends the text of -s.
func AppendGeneral(dst []byte, g *General) []byte {
	dst = g.append(dst, appendSummary)
	dst = fmt.Appendf(dst, "traffic processed:\n%20d Bytes      %20d Pckts\n\n", g.Bytes, g.Packets)
	if g.Link == nil {
		return dst
	}
	dst = g.Link.appendActive(dst)
	return fmt.Appendf(dst, "message tracking:\n%20d Malformed msgs %20d Lost msgs\n\n", g.Malformed, g.Lost)
}

// AppendCaches appends the text of -s cache.
func AppendCaches(dst []byte, c *Caches) []byte { return c.append(dst, appendDetails) }

// append appends the blocks of the caches; one writes that of a cache.
func (c *Caches) append(dst []byte, one func(dst []byte, name string, s *cache.Stats) []byte) []byte {
	if c.Stats != nil {
		dst = one(dst, "stats", c.Stats)
	}
	switch {
	case c.Internal != nil:
		dst = one(dst, "internal", c.Internal)
	case c.Bypass != nil:
		dst = fmt.Appendf(dst, "internal bypass:\n"+
			"connections new:\t\t%12d\n"+
			"connections updated:\t\t%12d\n"+
			"connections destroyed:\t\t%12d\n\n",
			c.Bypass.New, c.Bypass.Updated, c.Bypass.Destroyed)
	}
	switch i := c.Inject; {
	case c.External != nil:
		dst = one(dst, "external", c.External)
	case i != nil:
		dst = append(dst, "external inject:\n"...)
		dst = appendChanges(dst, i.Created, i.CreateFailed, i.Updated, i.UpdateFailed, i.Destroyed, i.DestroyFailed)
	}
	return dst
}

func appendSummary(dst []byte, name string, s *cache.Stats) []byte {
	dst = fmt.Appendf(dst, "cache %s:\ncurrent active connections:\t%12d\n", name, s.Active)
	return appendChanges(dst, s.Created, s.CreateFailed, s.Updated, s.UpdateFailed, s.Deleted, s.DeleteFailed)
}

func appendChanges(dst []byte, created, createFailed, updated, updateFailed, gone, goneFailed uint64) []byte {
	return fmt.Appendf(dst, "connections created:\t\t%12d\tfailed:\t%12d\n"+
		"connections updated:\t\t%12d\tfailed:\t%12d\n"+
		"connections destroyed:\t\t%12d\tfailed:\t%12d\n\n",
		created, createFailed, updated, updateFailed, gone, goneFailed)
}

// appendDetails calls all objects active in its first line, as conntrack-tools does.
func appendDetails(dst []byte, name string, s *cache.Stats) []byte {
	return fmt.Appendf(dst, "cache:%s\tactive objects:\t\t%12d\n"+
		"\tactive/total entries:\t\t%12d/%12d\n"+
		"\tcreation OK/failed:\t\t%12d/%12d\n"+
		"\t\tno memory available:\t%12d\n"+
		"\t\tno space left in cache:\t%12d\n"+
		"\tupdate OK/failed:\t\t%12d/%12d\n"+
		"\t\tentry not found:\t%12d\n"+
		"\tdeletion created/failed:\t%12d/%12d\n"+
		"\t\tentry not found:\t%12d\n\n",
		name, s.Total, s.Active, s.Total, s.Created, s.CreateFailed, s.NoMemory, s.NoSpace,
		s.Updated, s.UpdateFailed, s.UpdateNotFound, s.Deleted, s.DeleteFailed, s.DeleteNotFound)
}
