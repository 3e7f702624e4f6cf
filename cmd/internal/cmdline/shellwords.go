package cmdline

import "strings"

// Limits of a line of a -R file, as the classic command has them.
const (
	maxWords    = 254
	maxWordSize = 1023
)

// skipped reports whether a line has nothing to run: it is a comment, or has only
// blanks before its newline. Blanks that end otherwise are a line without a command.
func skipped(line string) bool {
	rest := strings.TrimLeft(line, " \t")
	return strings.HasPrefix(rest, "#") || strings.HasPrefix(rest, "\n")
}

// splitWords appends the words of a line to words. The line may end in a newline.
// A double quote begins a quoted part and a closing one ends the word; a
// backslash inside quotes takes the next character literally. A NUL byte ends
// the line.
func splitWords(line string, words []string) ([]string, error) {
	line, _, _ = strings.Cut(line, "\x00")
	for i := 0; i < len(line); {
		if isSpace(line[i]) {
			i++
			continue
		}
		word, rest := cutWord(line[i:])
		i = len(line) - len(rest)
		switch {
		case len(word) > maxWordSize:
			return nil, Usagef("Parameter too long!")
		case len(words) == maxWords:
			return nil, Usagef("too many arguments")
		}
		words = append(words, word)
	}
	return words, nil
}

// ValidateWhole returns a *[LineError] for the first line of a file with a NUL byte,
// at which -R ends the line. Comments may have it.
func ValidateWhole(text string) error {
	if !strings.Contains(text, "\x00") {
		return nil
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := wholeLine(line); err != nil && !skipped(line) {
			return &LineError{n, err}
		}
	}
	return nil
}

// wholeLine refuses a line of which splitWords would leave out a part.
func wholeLine(line string) error {
	if strings.Contains(line, "\x00") {
		return Usagef("the line has a NUL byte")
	}
	return nil
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' }

// cutWord cuts the word that s begins with. One without quotes is a part of s.
func cutWord(s string) (word, rest string) {
	i := 0
	for i < len(s) && !isSpace(s[i]) && s[i] != '"' {
		i++
	}
	if i == len(s) || s[i] != '"' {
		return s[:i], s[i:]
	}
	b := []byte(s[:i])
	for i++; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return string(b), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b = append(b, s[i])
	}
	return string(b), ""
}
