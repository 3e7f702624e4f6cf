package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

var (
	// ErrForeign is the error about a file or a link of another user in a
	// directory that all may write.
	ErrForeign = errors.New("belongs to another user, in a directory that all may write")
	// ErrNotRegular is the error about a directory, a link, a pipe, a device.
	ErrNotRegular = errors.New("not a regular file")
	// ErrNoReader is the error about a named pipe that no process reads.
	ErrNoReader = errors.New("a named pipe that no process reads")
)

// Open opens a regular file, at a path that [Resolve] returned, with the flags
// of [os.OpenFile]. It does not wait for the other end of a named pipe, and does
// not follow a link. The error wraps [ErrNotRegular] if it is another kind of file;
// else it is the system's.
func Open(path string, flag int) (*os.File, error) {
	// So a device, or the other end of a pipe, does not notice.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() && !isOpenFile(path) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	file, info, err := openAny(path, flag)
	if errors.Is(err, ErrNoReader) {
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err == nil && !info.Mode().IsRegular() {
		file.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	return file, err
}

// openAny opens a file of any kind without waiting and without following a link.
func openAny(path string, flag int) (*os.File, fs.FileInfo, error) {
	file, err := open(path, flag|openFlags(path))
	if err != nil {
		if info, serr := os.Lstat(path); serr == nil && info.Mode()&fs.ModeNamedPipe != 0 && isNoReader(err) {
			err = &fs.PathError{Op: "open", Path: path, Err: ErrNoReader}
		}
		return nil, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}
