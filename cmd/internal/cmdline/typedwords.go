package cmdline

import "strings"

// TypedWords returns the words of a line as a shell separates them (POSIX.1-2017, 2.2):
// with single and double quotes and backslashes, but without expansions and comments.
func TypedWords(line string) ([]string, error) {
	var words []string
	var word []byte
	inWord := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case isSpace(c):
			if inWord {
				words, word, inWord = append(words, string(word)), nil, false
			}
			continue
		case c == '\'':
			n := strings.IndexByte(line[i+1:], '\'')
			if n < 0 {
				return nil, Usagef("the quote ' is not closed")
			}
			word = append(word, line[i+1:i+1+n]...)
			i += n + 1
		case c == '"':
			for i++; i < len(line) && line[i] != '"'; i++ {
				if line[i] == '\\' && i+1 < len(line) && strings.IndexByte("$`\"\\", line[i+1]) >= 0 {
					i++
				}
				word = append(word, line[i])
			}
			if i >= len(line) {
				return nil, Usagef("the quote \" is not closed")
			}
		case c == '\\' && i+1 < len(line):
			i++
			word = append(word, line[i])
		default:
			word = append(word, c)
		}
		inWord = true
	}
	if inWord {
		words = append(words, string(word))
	}
	return words, nil
}
