package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// elevated reports whether the program may open files that its user may not:
// because of set-user-ID or set-group-ID, or because its file has capabilities
// (capabilities(7)) for that.
func elevated() bool {
	return os.Geteuid() != os.Getuid() || os.Getegid() != os.Getgid() || fileCapabilities()&opensFiles != 0
}

// opensFiles are the capabilities to open files that the user may not, or to get
// such a capability.
const opensFiles = 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH | 1<<unix.CAP_FOWNER | 1<<unix.CAP_CHOWN |
	1<<unix.CAP_SETUID | 1<<unix.CAP_SETGID

// fileCapabilities returns the program's effective capabilities if it was given
// any that its user lacks, else 0. That is what AT_SECURE means besides
// set-user-ID (getauxval(3)).
func fileCapabilities() uint32 {
	const atSecure = 23 // AT_SECURE, linux/auxvec.h
	aux, err := unix.Auxv()
	if err != nil {
		return 0
	}
	for _, a := range aux {
		if a[0] == atSecure && a[1] != 0 {
			var data [2]unix.CapUserData
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			if unix.Capget(&header, &data[0]) != nil {
				return ^uint32(0)
			}
			return data[0].Effective // all of opensFiles are among the first 32
		}
	}
	return 0
}
