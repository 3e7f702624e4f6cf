package format

import "math"

// Numbers for eyes: three digits are enough to see how much something is.

// Units of bytes go by 1024, as for --min-bytes, those of all else by 1000.
const (
	byteUnits  = " KMGTPE"
	countUnits = " kMGTPE"
)

// appendHuman appends a number with a unit behind, 1.2K or 345M; below the
// first unit, and of counts below ten thousand, as it is.
func appendHuman(b []byte, v uint64, base float64, units string) []byte {
	if v < uint64(base) || base == 1000 && v < 10000 {
		return appendUint(b, v)
	}
	n, unit := float64(v), 0
	// What would be rounded up to the base is one of the next unit.
	for n >= base-0.5 && unit < len(units)-1 {
		n, unit = n/base, unit+1
	}
	if tenths := uint64(math.Round(n * 10)); tenths < 100 {
		b = append(b, byte('0'+tenths/10), '.', byte('0'+tenths%10))
	} else {
		b = appendUint(b, uint64(math.Round(n)))
	}
	return append(b, units[unit])
}

func appendHumanBytes(b []byte, v uint64) []byte { return appendHuman(b, v, 1024, byteUnits) }
func appendHumanCount(b []byte, v uint64) []byte { return appendHuman(b, v, 1000, countUnits) }

// appendHumanSeconds appends a duration by its two largest units, 4d23h.
func appendHumanSeconds(b []byte, v uint64) []byte {
	units := [...]struct {
		seconds uint64
		letter  byte
	}{{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}
	for i, u := range units {
		if v < u.seconds && u.seconds > 1 {
			continue
		}
		b = append(appendUint(b, v/u.seconds), u.letter)
		if i+1 < len(units) {
			next := units[i+1]
			if rest := v % u.seconds / next.seconds; rest > 0 {
				b = append(appendUint(b, rest), next.letter)
			}
		}
		break
	}
	return b
}
