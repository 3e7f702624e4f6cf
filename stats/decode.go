package stats

// Values returns the values that are one after the other in b, as the Append
// functions of this package write them. Texts are valid as long as b.
func Values(b []byte) []Value {
	var values []Value
	for len(b) > 0 {
		n := cut(b)
		values, b = append(values, decode(b[:n])), b[n:]
	}
	return values
}

// ValueAt returns the bytes of the value with index n among those that are one after the
// other in b.
func ValueAt(b []byte, n int) []byte { return valueAt(b, n) }
