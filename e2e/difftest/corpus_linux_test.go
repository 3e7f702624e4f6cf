package difftest

import (
	"slices"
	"strings"
)

// corpus are command lines worth keeping: corners of getopt, of the lists and
// of the messages, and whatever differed once. Words are split at blanks;
// ” is an empty word, and quotes hold a word together.
const corpus = `
-L -L
-L exp -L
-L junk
-L ''
-L EXPECT
-L !x
-L -- -p
-- -L
junk
-L -p
-L --src=
-L -n1.2.3.4 5.6.7.8
-L -n1.2.3.4 x
-L -n 10.0.0.1 -n
-L -n -1.1.1.1
-L -n -j
-L -j -n
-L -n 1.1.1.1 -g ::1
-L --src-nat=1.1.1.x
-L -p tcp --sport 1 -p udp --dport 53
-L -p tcp --sport 53 -p udp
-L -p tcp --state NONE -p udp
-L -p tcp --state NONE -p sctp
-L -p tcp --tuple-port-src 1 -p gre
-L -p tcp --mask-port-src 1 -p icmp
-L -p tcp --tuple-port-dst 1 -p igmp
-L -p gre --tuple-key-src 5 -p tcp
-L -p sctp --reply-vtag 5 -p tcp
-L -p dccp --role client -p sctp
-L -p icmp --icmp-type 8 -p icmpv6 --icmpv6-type 1
-L --sport 1 -p tcp
-zL exp
-Lz exp
-zLo id
-Lo id
-Lp tcp
-Dp tcp -s 10.9.9.9
-Fz
-F -z
-Cz
-C -z
-Cexp
-Sx
-hx
-Vz
-V=x
-L -zx
-L -zo
-L -p=tcp
-L -s=1.1.1.1
-L -s 1.2.3.4 -d ::1/129
-L -s 1.1.1.1 -r ::1/8
-L -f ipv4 -f x
-L -f ipv4 -n ::1/8
-L -z -s 10.0.0.1 --mask-dst 1.1.1.1
-L -z --mask-src 1.1.1.1
-L -z -f ipv4
-L -s 10.0.0.0 --mask-src 255.255.255.0
-L -s 10.0.0.0/24 --mask-src 255.0.0.0
-L --mask-src 255.0.0.0 -s 10.0.0.0/24
-L --mask-src 255.0.0.0 --mask-dst 255.0.0.0
-L -s ::/0 --mask-dst ::
-L dying -z -p tcp
-L dying -o save,id
-L exp -o save,id
-L -o save,xml
-L -o xm,s,sa
-L -o extended,id,ktimestamp,labels
-L -o xml,ktimestamp,timestamp
-L -o save
-L -o xml
-D -p tcp -o xml
-D -p udp -o save
-D -o extended,id,ktimestamp
-D
-U -f ipv4 -m 8
-U -s 10.0.0.1 -d 10.0.0.2 -m 0x10/0x0f
-U -s 10.0.0.1 -p tcp --state TIME_WAIT
-U -s 10.0.0.1 -p tcp -t 7000 -o save
-U -s 10.0.0.1 -p tcp -u EXPECTED
-U -s 10.0.0.1 -p tcp -u FIXED_TIMEOUT
-U -f ipv4 -o save,xml
-U -s 10.0.0.1 --label-add one --label-del zero
-I -s 10.0.0.1
-I -z -p tcp -t 5
-I -p tcp -t 5 -s 10.0.0.1 -r 10.0.0.1
-I -p tcp -t 5 -r 10.0.0.1
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --sport 1
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --reply-port-src 1
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --reply-port-src 1 --sport 2
-I -p udp -t 5000 -r 10.1.1.1 -q 10.1.1.2 --reply-port-src 1 --reply-port-dst 2
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 -r 10.1.1.2 -q 10.1.1.3 --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --sport 1 --dport 2 -w 1 --reply-zone 2
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --sport 1 --dport 2 --orig-zone 1 --reply-zone 2
-I -p udp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --sport 1 --dport 2 -n -g
-I -p udp -t 5000 -s 10.1.1.1/24 -d 10.1.1.2 --sport 1 --dport 2
-I -p udp -t 5000 -s 10.1.1.1/32 -d 10.1.1.2 --sport 1 --dport 2
-I -p icmp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --icmp-type 264 --icmp-code 257 --icmp-id x
-I -p icmp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --icmp-type 3 --icmp-code 0
-I -p dccp -t 5000 -s 10.1.1.1 -d 10.1.1.2 --state OPEN --role cli --reply-port-src 1
-I -p gre -t 5000 -s 10.1.1.1 -d 10.1.1.2 --srckey 010 --dstkey -1
-I -p 255 -t 5000 -s 10.1.1.1 -d 10.1.1.2 -r 10.1.1.2 -q 10.1.1.3
-I -p tcp -p igmp -t 5000 -s 10.1.1.1 -d 10.1.1.2
-G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 80
-G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 80 --state CLOSE
-G -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 80 --dport 1
-G -p udp -s fd00::1 -d fd00::2 --sport 53 --dport 53 -o extended,id
-G -p udp -s fd00::1 -d 10.0.0.2 --sport 53 --dport 53
-G -p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 1
-G exp -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 2 --reply-port-src 1 --reply-port-dst 2
-D exp -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 2
-E -e NEW,x
-E --mask-src 1.1.1.1
-E -o save,xml
-E -e NEW,DESTROY -o xml
-E exp
-R
-R /nonexistent
-Rx
-L -R x
-R=x
--load-file=x
--load /nonexistent
-a x
-a x -a y -L
-L -l zero -l one
-L -l zero,one
-L -l x
-L -l ''
-L --label-del
-U --label-add x --label-del
-U --label-add zero --label-del -s 10.0.0.1
-L '-(' 0
-L '-[' 1.1.1.1
-L '-{' 1.1.1.1
-L '-?'
-L -:
-L -
-L -1
`

// corpusCommands are the lines of the corpus as commands.
func corpusCommands() []*command {
	var cmds []*command
	for l := range strings.Lines(corpus) {
		if words := split(strings.TrimSpace(l)); len(words) > 0 {
			cmds = append(cmds, &command{items: understood(words)})
		}
	}
	return cmds
}

// split cuts a line into words.
func split(l string) []string {
	var words []string
	for i, quoted := range strings.Split(l, "'") {
		if i%2 == 1 {
			words = append(words, quoted)
		} else {
			words = append(words, strings.Fields(quoted)...)
		}
	}
	return words
}

// understood sorts words into items, as far as they are plain.
func understood(words []string) []item {
	var items []item
	for i := 0; i < len(words); i++ {
		it := item{words: words[i : i+1]}
		for _, o := range known() {
			w, value, attached := strings.Cut(words[i], "=")
			if o.kind == proto && len(w) > 2 && strings.HasPrefix(w, "-p") {
				w, value, attached = w[:2], w[2:], true
			}
			if w != "-"+o.short && w != "--"+o.long && !slices.Contains(o.also, strings.TrimPrefix(w, "--")) {
				continue
			}
			it.name, it.value = o.long, value
			optional := o.kind == table || o.kind == nat || o.kind == optLabel
			if !attached && o.kind != flag && i+1 < len(words) && (!optional || !strings.HasPrefix(words[i+1], "-")) {
				it.words, it.value = words[i:i+2], words[i+1]
				i++
			}
			break
		}
		items = append(items, it)
	}
	return items
}

// oddValues gives every option every odd value, on a command that allows it.
func oddValues() []*command {
	var cmds []*command
	try := func(o option, value string, with ...item) {
		it := plainly(o, value)
		if value == "" && o.kind != flag {
			it.words = []string{it.words[0], ""}
		}
		cmds = append(cmds, line1(append(slices.Clone(with), it)...))
	}
	creation := []item{opt("create", ""), opt("src", "10.1.1.1"), opt("dst", "10.1.1.2"), opt("timeout", "5000")}
	for _, o := range options {
		with := []item{opt("dump", "")}
		switch o.long {
		case "timeout":
			with = append(slices.Clone(creation[:3]), opt("protonum", "igmp"))
		case "id":
			with = []item{opt("update", ""), opt("family", "ipv4")}
		case "tuple-src", "tuple-dst":
			with = append([]item{opt("create", "expect")}, creation[1:]...)
		case "label-add", "label-del":
			with = []item{opt("update", ""), opt("src", "10.0.0.1")}
		case "buffer-size", "event-mask":
			with = []item{opt("event", "")}
		case "nat-range":
			continue
		}
		for _, v := range o.kind.odd() {
			try(o, v, with...)
		}
	}
	for _, p := range protocols {
		for _, o := range p.options {
			with := append(slices.Clone(creation), opt("protonum", p.name))
			if p.v6only {
				with = []item{
					opt("create", ""),
					opt("src", "fd00::1"),
					opt("dst", "fd00::9"),
					opt("timeout", "5000"),
					opt("protonum", p.name),
				}
			}
			for _, name := range p.create {
				if name != o.long {
					other := lookup(p.options, name)
					with = append(with, plainly(other, usual(other)))
				}
			}
			if !slices.Contains(p.create, o.long) {
				with = []item{opt("dump", ""), opt("protonum", p.name)}
			}
			for _, v := range o.kind.odd() {
				try(o, v, with...)
			}
		}
	}
	return cmds
}

// cuts writes every long name in every length.
func cuts() []*command {
	var cmds []*command
	lists := [][]option{commands, options}
	for _, p := range protocols {
		if len(p.options) > 0 {
			lists = append(lists, p.options)
		}
	}
	for i, list := range lists {
		var with []item
		switch {
		case i == 1:
			with = []item{opt("dump", "")}
		case i > 1:
			with = []item{opt("dump", ""), opt("protonum", protocols[i-2].name)}
		}
		for _, o := range list {
			for _, name := range append([]string{o.long}, o.also...) {
				for n := 1; n <= len(name); n++ {
					it := item{name: o.long, value: usual(o), words: []string{"--" + name[:n]}}
					if o.kind != flag && o.kind != table {
						it.words[0] += "=" + it.value
					}
					cmds = append(cmds, line1(append(slices.Clone(with), it)...))
				}
			}
		}
	}
	return cmds
}
