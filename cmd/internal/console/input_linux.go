package console

import "golang.org/x/sys/unix"

// InputClosed reports whether the program was started without a standard input.
// The Go runtime then opens the null device there, to read and to write. A parent
// that does the same cannot be told apart; there is nothing to read either.
func InputClosed() bool {
	const major, minor = 1, 3 // of /dev/null (null(4))
	var st unix.Stat_t
	if unix.Fstat(0, &st) != nil {
		return true
	}
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || unix.Major(uint64(st.Rdev)) != major || unix.Minor(uint64(st.Rdev)) != minor {
		return false
	}
	flags, err := unix.FcntlInt(0, unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR
}
