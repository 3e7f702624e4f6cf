package engine

// sipHeader is a header of SIP (RFC 3261) that the helper reads.
type sipHeader struct{ name, short string } // short: the compact form

var (
	sipCSeq    = sipHeader{"CSeq", ""}
	sipContact = sipHeader{"Contact", "m"}
	sipExpires = sipHeader{"Expires", ""}
	sipLength  = sipHeader{"Content-Length", "l"}
)

// find returns where the value of the first such header behind an offset begins,
// -1 if there is none or the first has no value. The lines behind an empty one
// count too.
func (h sipHeader) find(b []byte, from int) int {
	for i := from; i < len(b); i++ {
		if !isNewline(b[i]) {
			continue
		}
		at := i + 1
		if b[i] == '\r' && at < len(b) && b[at] == '\n' {
			at++
		}
		if at >= len(b) {
			return -1
		}
		i = at // the first character of a line ends none, even if it is a newline
		switch {
		case isBlank(b[at]):
			continue
		case hasFold(b[at:], h.name):
			at += len(h.name)
		case h.short != "" && len(b) > at+1 && hasFold(b[at:], h.short) && !isLetter(b[at+1]):
			at++
		default:
			continue
		}
		if at = skipBlank(b, at); at < 0 || b[at] != ':' {
			return -1
		}
		return skipBlank(b, at+1)
	}
	return -1
}

// skipBlank returns the index of the next character that is no space, also on a
// line that continues this one; -1 at the end of b.
func skipBlank(b []byte, i int) int {
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	if i < len(b) && isNewline(b[i]) {
		if next := continued(b, i); next >= 0 {
			i = next
		} else {
			return -1
		}
	}
	if i >= len(b) {
		return -1
	}
	return i
}

// continued returns where the text goes on if the line that ends at i is continued
// by the next one, which then begins with space; -1 otherwise.
func continued(b []byte, i int) int {
	if b[i] == '\r' && i+1 < len(b) && b[i+1] == '\n' {
		i++
	}
	if i++; i >= len(b) || !isBlank(b[i]) {
		return -1
	}
	for i < len(b) && isBlank(b[i]) {
		i++
	}
	if i >= len(b) {
		return -1
	}
	return i
}

// inHeader returns the index of a word in the header's value from an offset on,
// whatever the case of letters; -1 if it is not before the end of the header.
func inHeader(b []byte, from int, word string) int {
	for i := from; i < len(b); i++ {
		if isNewline(b[i]) {
			// A word at the very start of a continued line is not found, as in Linux.
			if i = continued(b, i); i < 0 {
				return -1
			}
			continue
		}
		if hasFold(b[i:], word) {
			return i
		}
	}
	return -1
}

// decimal reads a number of up to 32 bits at an offset, and returns the index
// behind its digits. ok is false if there are none, or it is greater.
func decimal(b []byte, at int) (v uint32, end int, ok bool) {
	wide := uint64(0)
	for end = at; end >= 0 && end < len(b) && isDigit(b[end]); end++ {
		if wide = wide*10 + uint64(b[end]-'0'); wide > 1<<32-1 {
			wide = 1 << 32 // and stays above
		}
	}
	if end <= at || wide > 1<<32-1 {
		return 0, end, false
	}
	return uint32(wide), end, true
}

func isBlank(c byte) bool   { return c == ' ' || c == '\t' }
func isNewline(c byte) bool { return c == '\r' || c == '\n' }
func isLetter(c byte) bool  { c = lower(c); return 'a' <= c && c <= 'z' }

// hasFold reports whether b begins with s, whatever the case of letters.
func hasFold(b []byte, s string) bool { return len(b) >= len(s) && equalFold(b[:len(s)], s) }
