package testwait

import "testing"

func TestParseLoad(t *testing.T) {
	for text, want := range map[string]float64{
		"0.20 0.18 0.12 1/80 11206\n":    1,
		"28.90 18.25 8.16 3/310 11206\n": 28.9,
		"0.20 0.18 0.12 12/80 11206\n":   12,
		"":                               0,
		"x 0.18 0.12 12/80 11206\n":      0,
		"0.20 0.18 0.12 x/80 11206\n":    0,
	} {
		if got := parseLoad(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
