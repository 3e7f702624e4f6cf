package words

// Number is the version of conntrack-tools whose conntrackd this program stands in for.
const Number = "1.4.9"

// Version returns what -v prints.
func Version() string {
	return "Connection tracking userspace daemon v" + Number + ". Licensed under GPLv2.\n" +
		"This is gonntrack's conntrackd: code of its own, in the place of that program, MIT licence.\n"
}

// Usage returns what -h prints. name is the program's.
func Usage(name string) string {
	return "Connection tracking userspace daemon v" + Number + "\n" +
		"Usage: " + name + " [commands] [options]\n" + usage
}

const usage = `
The daemon (in the foreground without -d):
  -d                        run in the background; returns when all has started
  -C FILE                   configuration file (` + DefaultConfig + `)
  -v                        print the version
  -h                        print this text

Requests to the daemon that runs:
  -c [ct|expect]            write the external cache into the kernel's table
  -f [internal|external]    empty the caches
  -F [ct|expect]            empty the kernel's table
  -i [ct|expect] [-x]       list the internal cache (-x: as XML)
  -e [ct|expect] [-x]       list the external cache (-x: as XML)
  -k                        end the daemon
  -s [network|cache|runtime|link|rsqueue|process|queue|ct|expect]
                            print statistics
  -R [ct|expect]            read the kernel's table into the internal cache
  -n                        ask the other nodes for all their entries
  -B                        send all entries to the other nodes
  -t                        empty the kernel's table later (PurgeTimeout)

Requests that only this program knows:
  --status [-o json|prom]   role, peers and lag; exit status 0: ready to take
                            over, 1: not ready, 2: no answer
  --diff                    what the nodes' tables differ in (exit status 1)
  --demote                  send no ends: the addresses are about to go
  --check                   judge the configuration file without starting
`
