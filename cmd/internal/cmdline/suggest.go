package cmdline

import "strings"

// Nearest returns the word of a list that was probably meant by what was typed,
// "" if there is none: the only one that begins so, or the one with the fewest
// letters wrong.
func Nearest(typed string, words []string) string {
	typed = strings.ToLower(typed)
	if typed == "" {
		return ""
	}
	var begins []string
	nearest, least := "", max(1, (len(typed)+1)/3)
	for _, w := range words {
		if strings.HasPrefix(w, typed) {
			begins = append(begins, w)
		}
		if d := distance(typed, w); d <= least && d < len(w) && (nearest == "" || d < least) {
			nearest, least = w, d
		}
	}
	if len(begins) == 1 {
		return begins[0]
	}
	return nearest
}

// distance returns how many letters must be added, left out, replaced or swapped
// with the next one to make b of a (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row[0] = i + 1
		for j := range b {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
