package cmdline

// Limits of a line of a -R file, as the classic command has them.
const (
	maxWords    = 254
	maxWordSize = 1023
)

// splitWords appends the words of a line to words. The line may end in a newline.
// A double quote begins a quoted part and a closing one ends the word; a
// backslash inside quotes takes the next character literally. A line whose first
// character after blanks is # is a comment.
func splitWords(line string, words []string) ([]string, error) {
	for i := 0; i < len(line); {
		switch c := line[i]; {
		case isSpace(c):
			i++
			continue
		case c == '#' && len(words) == 0:
			return words, nil
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
