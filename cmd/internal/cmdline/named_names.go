package cmdline

import (
	"slices"
	"strings"
)

// statusNames are the names of -u.
func statusNames() []string { return append(namesOf(StatusNames), "UNREPLIED") }

// namedNames reads a list of names, each of which may be cut to a beginning that
// belongs to no other name, in any case. With not, a name may have a ! in front.
func namedNames(value string, names []string, not bool) (string, error) {
	var list []string
	for element := range strings.SplitSeq(value, ",") {
		text := element
		if not {
			text = strings.TrimPrefix(element, "!")
		}
		name, err := fullName(text, names)
		if err != nil {
			return "", err
		}
		if name == "UNSET" && element != text {
			return "", listErrorf(element, "excludes nothing")
		}
		list = append(list, element[:len(element)-len(text)]+name)
	}
	return strings.Join(list, ","), nil
}

// fullName returns the name that a beginning of it stands for.
func fullName(text string, names []string) (string, error) {
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, text) })
	if i >= 0 {
		return names[i], nil
	}
	found := Matching(text, names).Words
	switch {
	case text == "":
		return "", listError("an element is empty")
	case len(text) > 3 && HasPrefixFold("SRC_NAT", text), len(text) > 3 && HasPrefixFold("DST_NAT", text):
		return "", listErrorf(text, "is chosen by --src-nat and --dst-nat")
	case len(found) == 0:
		return "", listErrorf(text, "is unknown; there are "+strings.Join(names, ", "))
	case len(found) > 1:
		return "", listErrorf(text, "can be "+strings.Join(found, " or "))
	}
	return found[0], nil
}

// namedOutput reads the value of -o, where the first name that begins so counts, as
// in the classic grammar.
func namedOutput(value string) (string, error) {
	var list []string
	for element := range strings.SplitSeq(value, ",") {
		n, ok := findName(OutputNames, element)
		if !ok || element == "" {
			_, err := fullName(element, namesOf(OutputNames))
			return "", err
		}
		list = append(list, n.Text)
	}
	return strings.Join(list, ","), nil
}
