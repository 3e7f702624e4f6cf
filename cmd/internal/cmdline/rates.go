package cmdline

import (
	"slices"
	"strings"

	"github.com/gonntrack/gonntrack/format"
	"github.com/gonntrack/gonntrack/stats"
)

// GroupRates are the names of the rates of groups, by which a live view sorts them.
var GroupRates = []string{"packet_rate", "byte_rate"}

// validateRates refuses rates where they are not known: they are the difference of
// two looks at the table.
func validateRates(r *Request, option string, fields ...*format.Field) error {
	if i := slices.IndexFunc(fields, (*format.Field).IsRate); i >= 0 && !r.Live {
		return Usagef("`%s' with --%s: only `conntrack top' knows rates", fields[i].Name, option)
	}
	return nil
}

// validateGroupKeys refuses rates as what entries are grouped by.
func validateGroupKeys(keys []Key) error {
	for _, k := range keys {
		if k.Field.IsRate() {
			return Usagef("entries cannot be grouped by `%s': --sort takes it", k.Name)
		}
	}
	return nil
}

// parseOrder reads the value of --sort. In a live view the largest counter and the
// highest rate come first unless :asc says otherwise.
func parseOrder(r *Request, list string) []stats.Order {
	order := stats.ParseOrder(list)
	if !r.Live {
		return order
	}
	i := 0
	for typed := range strings.SplitSeq(list, ",") {
		name := strings.ReplaceAll(order[i].Name, "-", "_")
		if isAmount(name) {
			order[i].Name, order[i].Descending = name, !strings.HasSuffix(typed, ":asc")
		}
		i++
	}
	return order
}

// isAmount reports whether a key is a counter or a rate.
func isAmount(name string) bool {
	return name == "entries" || strings.HasSuffix(name, "packets") || strings.HasSuffix(name, "bytes") ||
		strings.HasSuffix(name, "_rate")
}
