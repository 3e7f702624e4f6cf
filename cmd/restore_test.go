package cmd

import (
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
			ctnetlink.SetLabel(en.Labels, random.IntN(ctnetlink.MaxLabels))
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

// A file is replaced when it is whole, and a failure leaves nothing behind.
func TestWholeFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "table")
	content := func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return strings.Join(list, " ")
	}
	for i, text := range []string{"first", "second"} {
		w, err := createWhole(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if i == 1 && content() != "first" {
			t.Errorf("before it is whole: %q", content())
		}
		if err := w.commit(); err != nil {
			t.Fatal(err)
		}
		w.discard() // does nothing any more
		if content() != text || names() != "table" {
			t.Errorf("%q in %q, want %q in table", content(), names(), text)
		}
	}
	w, err := createWhole(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.WriteString("third")
	w.discard()
	if content() != "second" || names() != "table" {
		t.Errorf("after a failure: %q in %q", content(), names())
	}
	if _, err := createWhole(dir); err == nil {
		t.Error("a directory was opened")
	}
}
