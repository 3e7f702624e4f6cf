package kernel

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/ctnetlink"
)

// TestWindows: without TCPWindowTracking a committed connection passes whatever the
// window, and one that exists stays. With it the scales are those that were told, and one
// that exists is made anew: the window that the table knows is old.
func TestWindows(t *testing.T) {
	for _, tracking := range []bool{false, true} {
		namespace(t, "")
		c := settings()
		c.TCPWindowTracking = tracking
		table, s := start(t, c)
		spec := connection(1)
		flags := ctnetlink.MaskedTCPFlags{Value: ctnetlink.TCPWindowScale | ctnetlink.TCPSackPerm, Mask: 0xff}
		spec.SetProtoInfo(ctnetlink.ProtoInfo{
			Proto: ctnetlink.ProtoTCP, State: ctnetlink.NewState(ctnetlink.ProtoTCP, 3), WScale: [2]uint8{7, 9},
			Flags: [2]ctnetlink.MaskedTCPFlags{flags, flags},
			Has: ctnetlink.InfoState | ctnetlink.InfoFlagsOrig | ctnetlink.InfoFlagsReply |
				ctnetlink.InfoWScaleOrig | ctnetlink.InfoWScaleReply,
		})
		fill(t, spec)
		s.until(t, "the entry", func() bool { return len(s.cache) == 1 })
		objects := s.objects()
		commit(t, table, inParts(objects, 1), 1)
		want := []string{"new", "-update"}
		if tracking {
			want = []string{"new", "-delete", "-new"}
		}
		s.until(t, fmt.Sprint(want), func() bool { return slices.Equal(s.types(key(spec)), want) })
		empty(t)
		commit(t, table, inParts(objects, 1), 1)
		info, _ := contents(t)[key(spec)].ProtoInfo()
		scale, flag := [2]uint8{}, ctnetlink.TCPBeLiberal
		if tracking {
			scale, flag = [2]uint8{7, 9}, ctnetlink.TCPWindowScale|ctnetlink.TCPSackPerm
		}
		if info.WScale != scale || info.Flags[0].Value != flag || info.Flags[1].Value != flag {
			t.Errorf("tracking %v: %+v, want scales %v and flags %v", tracking, info, scale, flag)
		}
	}
}

// TestTimeouts: a commit takes off what has passed since an entry was told.
func TestTimeouts(t *testing.T) {
	namespace(t, "")
	table, s := start(t, settings())
	spec := connection(1) // an hour
	fill(t, spec)
	s.until(t, "the entry", func() bool { return len(s.cache) == 1 })
	object := s.objects()[0].Object
	for _, x := range []struct{ set, age, want time.Duration }{
		{0, 1000 * time.Second, 2600 * time.Second},
		{0, 2 * time.Hour, lateTimeout},
		{200 * time.Second, 1000 * time.Second, 200 * time.Second},
	} {
		empty(t)
		s.Lock()
		table.config.CommitTimeout = x.set // as when the configuration is read again
		s.Unlock()
		commit(t, table, inParts([]Entry{{object, x.age}}, 1), 1)
		got, _ := contents(t)[key(spec)].Timeout()
		if (got - x.want).Abs() > 15*time.Second {
			t.Errorf("CommitTimeout %v, age %v: %v, want %v", x.set, x.age, got, x.want)
		}
	}
}
