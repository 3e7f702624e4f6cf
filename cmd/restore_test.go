package cmd

import (
	"io"
	"math/rand/v2"
	"slices"
	"testing"

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
			a, _ := parseAddr(src)
			setAddr(&u, ctnetlink.FieldSrc, a)
			a, _ = parseAddr(dst)
			setAddr(&u, ctnetlink.FieldDst, a)
			u.Proto, u.Has = 99, u.Has|ctnetlink.FieldProto
			return u
		}
		en := &ctnetlink.FlowSpec{Family: ctnetlink.FamilyIPv4, Orig: tuple("1.1.1.1", "2.2.2.2"), Reply: tuple("2.2.2.2", "1.1.1.1"),
			Helper: string(name), Labels: make([]byte, 16), Timeout: 5}
		for range 1 + random.IntN(4) {
			en.Labels.Set(random.IntN(ctnetlink.MaxLabels))
		}
		en.Set = en.Set.With(ctnetlink.AttrHelp).With(ctnetlink.AttrLabels).With(ctnetlink.AttrTimeout)
		var f ctnetlink.Flow
		if err := f.Decode(en.AppendMessage(nil)); err != nil {
			t.Fatal(err)
		}
		line := string(printer.AppendFlow(nil, &f, nil))
		words, err := splitLine(line, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := parseClassic(words, io.Discard)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if got := r.entry(); got.Helper != en.Helper || !slices.Equal(got.Labels, en.Labels) {
			t.Fatalf("%q: helper %q, labels %x; want %q, %x", line, got.Helper, got.Labels, en.Helper, en.Labels)
		}
	}
}
