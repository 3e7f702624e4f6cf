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
