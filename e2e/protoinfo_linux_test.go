package e2e

import (
	"fmt"

	"github.com/ti-mo/conntrack"
)

// protoinfoMain prints what the program does not show of each entry: TCP's window tracking flags and SCTP's
// verification tags, read with another library.
func protoinfoMain() {
	c, err := conntrack.Dial(nil)
	check(err)
	defer c.Close()
	flows, err := c.Dump(nil)
	check(err)
	for _, f := range flows {
		if p := f.ProtoInfo.TCP; p != nil {
			fmt.Printf("tcp sport=%d flags=0x%02x,0x%02x\n", f.TupleOrig.Proto.SourcePort, p.OriginalFlags>>8, p.ReplyFlags>>8)
		}
		if p := f.ProtoInfo.SCTP; p != nil {
			fmt.Printf("sctp sport=%d state=%d vtags=%d,%d\n",
				f.TupleOrig.Proto.SourcePort, p.State, p.VTagOriginal, p.VTagReply)
		}
	}
}
