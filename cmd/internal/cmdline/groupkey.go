package cmdline

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/internal/printable"
	"github.com/gonntrack/gonntrack/stats"
)

// Key is what entries are grouped or sorted by: a field, or the network of a
// field's address.
type Key struct {
	Name    string
	Field   *format.Field
	Network bool
	Bits    [2]int // of the network, in IPv4 and in IPv6
}

// fieldAliases returns the fields that a name stands for.
func fieldAliases(name string) string {
	switch name {
	case "label":
		return "labels"
	case "expires":
		return "timeout"
	case "nat":
		return "nat_src,nat_dst"
	}
	return name
}

// sortAliases returns the fields to sort entries by for a name: the columns of a
// table that show an address with its port are sorted by both as numbers.
func sortAliases(name string) string {
	switch name {
	case "source":
		return "src,sport"
	case "destination":
		return "dst,dport"
	}
	return name
}

// CheckKeys returns what is wrong with a list of keys that is an argument.
func CheckKeys(list string) error {
	_, err := ParseKeys(list)
	return err
}

// ParseKeys reads a list of keys that is no option's value.
func ParseKeys(list string) ([]Key, error) { return parseKeys("", list) }

// ParseGroupKeys is ParseKeys for keys to group entries by: rates are none.
func ParseGroupKeys(list string) ([]Key, error) {
	keys, err := ParseKeys(list)
	if err == nil {
		err = validateGroupKeys(keys)
	}
	return keys, err
}

// with names the option that a list of fields is the value of, "" if it is an
// argument.
func with(option string) string {
	if option == "" {
		return ""
	}
	return " with --" + option
}

// unknownField returns the error for a name that is not a field's. It lists the
// fields that there are.
func unknownField(option, name string, has func(*format.Field) bool) error {
	what := "field"
	if option == "" {
		what = "key"
	}
	var names []string
	list := []byte("\n ")
	column := 1
	for d := range format.Fields() {
		if !has(d) {
			continue
		}
		if names = append(names, d.Name); d.IsRate() {
			continue // most commands have none
		}
		if column += 1 + len(d.Name); column > 78 {
			list = append(list, "\n "...)
			column = 2 + len(d.Name)
		}
		list = append(append(list, ' '), d.Name...)
	}
	end := "."
	if meant := Nearest(name, names); meant != "" {
		end = "; did you mean `" + meant + "'?"
	}
	return Usagef("unknown %s `%s'%s%s The %ss are%s\n"+
		"and expires for timeout, label for labels, nat for nat_src,nat_dst.",
		what, name, with(option), end, what, printable.Lines(list))
}

// noGroupKey returns the error for a name by which groups cannot be sorted.
func noGroupKey(r *Request, name string) error {
	sums := stats.Sums
	if r.Live {
		sums = slices.Concat(sums, GroupRates)
	}
	var names []string
	for _, k := range r.View().By {
		names = append(names, k.Name)
	}
	return Usagef("groups have no `%s': --sort takes %s and the keys (%s)", name, strings.Join(sums, ", "),
		strings.Join(names, ", "))
}

// parseFields reads a list of fields that entries, or expectations, have.
func parseFields(option, list string, expect bool) ([]*format.Field, error) {
	has, what := (*format.Field).OfFlows, "entries"
	if expect {
		has, what = (*format.Field).OfExpects, "expectations"
	}
	var fields []*format.Field
	for typed := range strings.SplitSeq(list, ",") {
		for name := range strings.SplitSeq(fieldAliases(typed), ",") {
			d := format.FieldByName(name)
			switch {
			case d == nil:
				return nil, unknownField(option, typed, has)
			case !has(d):
				return nil, Usagef("%s have no `%s'%s", what, typed, with(option))
			}
			fields = append(fields, d)
		}
	}
	return fields, nil
}

// parseKeys reads a list of keys: fields, and networks, src/24. The length
// counts for addresses of both families; of two, src/24/64, the second is that
// of IPv6.
func parseKeys(option, list string) ([]Key, error) {
	var keys []Key
	for typed := range strings.SplitSeq(list, ",") {
		plain, lengths, network := strings.Cut(typed, "/")
		fields, err := parseFields(option, plain, false)
		if err != nil {
			return nil, err
		}
		for _, d := range fields {
			k := Key{Name: d.Name, Field: d, Network: network}
			if network {
				if err := k.cut(option, typed, lengths); err != nil {
					return nil, err
				}
			}
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// cut makes the key that of a network.
func (k *Key) cut(option, typed, lengths string) error {
	if k.Field.Kind != format.KindAddr {
		return Usagef("`%s' is not an address field, so it takes no prefix length: `%s'%s",
			k.Field.Name, typed, with(option))
	}
	v4, v6, two := strings.Cut(lengths, "/")
	if !two {
		v6 = v4
	}
	n4, ok4 := prefixLength(v4)
	n6, ok6 := prefixLength(v6)
	if !ok4 || !ok6 || two && n4 > 32 {
		return Usagef("invalid prefix length in `%s'%s", typed, with(option))
	}
	k.Name += "/" + lengths
	k.Bits = [2]int{min(n4, 32), n6}
	return nil
}

func prefixLength(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return int(n), err == nil && n <= 128
}

// Kind returns the kind of the key's values.
func (k *Key) Kind() format.Kind {
	if k.Network {
		return format.KindWord
	}
	return k.Field.Kind
}
