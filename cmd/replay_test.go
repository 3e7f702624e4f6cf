package cmd

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gonntrack/gonntrack/ctnetlink/engine"
)

// `help invalid' has a page for each reason of the table, and for no other. A page
// names the variable that decides.
func TestInvalidPages(t *testing.T) {
	pages := map[string]string{}
	heading := regexp.MustCompile(`(?m)^([a-z0-9-]+):\n`)
	at := heading.FindAllStringSubmatchIndex(invalidHelp, -1)
	for i, m := range at {
		end := len(invalidHelp)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		name := invalidHelp[m[2]:m[3]]
		if pages[name] != "" {
			t.Errorf("%s has two pages", name)
		}
		pages[name] = strings.Join(strings.Fields(invalidHelp[m[1]:end]), " ")
	}
	var names []string
	for _, c := range engine.Reasons() {
		if text, ok := invalidReason(c.Name()); !ok || !strings.HasPrefix(text, c.Name()+":\n") || strings.Contains(text, "\n\n") {
			t.Errorf("`help invalid %s' prints %q", c.Name(), text)
		}
		names = append(names, c.Name())
		page := pages[c.Name()]
		for _, part := range []string{"what ", " cause ", " sysctl "} {
			if !strings.Contains(page, part) {
				t.Errorf("%s: no `%s' in its page %q", c.Name(), strings.TrimSpace(part), page)
			}
		}
		if s := c.Sysctl(); s != "" && !strings.Contains(page, s) {
			t.Errorf("%s: its page does not name %s", c.Name(), s)
		}
	}
	for name := range pages {
		if !slices.Contains(names, name) {
			t.Errorf("there is a page for %s, which is not a reason", name)
		}
	}
}

// Another word after `help invalid' must be the name of a reason.
func TestInvalidName(t *testing.T) {
	for _, name := range []string{"", "what", "tcp", "no such"} {
		if text, ok := invalidReason(name); ok {
			t.Errorf("%q: %q", name, text)
		}
	}
}
