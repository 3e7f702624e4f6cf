package console

import (
	"io"
	"os"
)

// OpenNamed is [Open] for a file that the user names, see [MayOpen].
func OpenNamed(path string) (*os.File, error) {
	if err := MayOpen(path); err != nil {
		return nil, err
	}
	return Open(path)
}

// ReadFile returns what is in a file. It is [os.ReadFile] by way of [Open].
func ReadFile(path string) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}
