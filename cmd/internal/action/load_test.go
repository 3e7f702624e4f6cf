package action

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/gonntrack/gonntrack/cmd/internal/cmdline"
	"github.com/gonntrack/gonntrack/ctnetlink"
	"github.com/gonntrack/gonntrack/format"
)

// What a complete save line says of helper and labels is what its reading
// gives, whatever the helper's name.
func TestCompleteLinesAreRead(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	letters := []rune(`ab- "\#'ü/!,`)
	printer := format.NewPrinter(format.Options{Style: format.StyleSave, Complete: true})
	for range 2000 {
		name := make([]rune, 1+random.IntN(9))
		for i := range name {
			name[i] = letters[random.IntN(len(letters))]
		}
		tuple := func(src, dst string) ctnetlink.Tuple {
			var u ctnetlink.Tuple
			u.Src, u.Dst, u.Proto = netip.MustParseAddr(src), netip.MustParseAddr(dst), 99
			u.Has = ctnetlink.FieldAddrs | ctnetlink.FieldProto
			return u
		}
		en := &ctnetlink.FlowSpec{
			Family:  ctnetlink.FamilyIPv4,
			Orig:    tuple("1.1.1.1", "2.2.2.2"),
			Reply:   tuple("2.2.2.2", "1.1.1.1"),
			Helper:  string(name),
			Labels:  make([]byte, 16),
			Timeout: 5 * time.Second,
		}
		for range 1 + random.IntN(4) {
			en.Labels.Set(random.IntN(ctnetlink.MaxLabels))
		}
		en.Set = en.Set.With(ctnetlink.AttrHelp).With(ctnetlink.AttrLabels).With(ctnetlink.AttrTimeout)
		var f ctnetlink.Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		line := string(printer.AppendFlow(nil, &f, nil))
		requests, stop := cmdline.ReadAhead("", line)
		var r *cmdline.Request
		for r = range requests {
		}
		stop()
		if r == nil {
			t.Fatalf("%q is refused", line)
		}
		if got := entry(r); got.Helper != en.Helper || !slices.Equal(got.Labels, en.Labels) {
			t.Fatalf("%q: helper %q, labels %x; want %q, %x", line, got.Helper, got.Labels, en.Helper, en.Labels)
		}
	}
}
