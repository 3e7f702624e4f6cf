package cmdline

import (
	"math"

	"github.com/gonntrack/gonntrack/stats"
)

// View is which entries are shown, and in which order: --by, --sort, --limit.
// --columns is part of format.Options.
type View struct {
	columns string // as typed
	// By are the keys to group entries by; nil: entries are listed.
	By   []Key
	sort string // as typed
	// Order is how to sort entries or groups; nil: as they come.
	Order []stats.Order
	// SortBy are the keys that Order names, of entries. Groups have their own names.
	SortBy []Key
	// Limit is how many are shown, 0 for all.
	Limit int
}

// View returns the view that was asked for, or one of everything as it comes.
func (r *Request) View() *View {
	if r.view == nil {
		return &everything
	}
	return r.view
}

var everything View // never changed: it has no sort and no keys

// viewOption takes an option of the view. Which names there are depends on other
// options: validateView reads them.
func (r *Request) viewOption(o Option, value string) (err error) {
	if r.view == nil {
		r.view = new(View)
	}
	switch o {
	case OptBy:
		r.view.By, err = parseKeys("by", value)
	case OptColumns:
		r.view.columns = value
	case OptSort:
		r.view.sort = value
	case OptLimit:
		n, ok := parseUint(value, math.MaxInt32)
		if !ok || n == 0 {
			return Usagef("unexpected value '%s' with --limit: a number of at least 1 is required", value)
		}
		r.view.Limit = int(n)
	}
	return err
}
