package config

// The section Helper: helpers in user space, which are not built. It is read so that a
// file that has it is good.

var helperClauses = clauses{
	"Setup": func(p *parser, _ token) bool {
		t, ok := p.expect(boolean)
		if ok && t.on() {
			p.config.Helpers = true
		}
		return ok
	},
	"Type": (*parser).helperType,
}

// helperType reads Type NAME inet|inet6 tcp|udp { … }.
func (p *parser) helperType(t token) bool {
	if _, ok := p.expect(word); !ok {
		return false
	}
	l3, ok := p.expect(word)
	if !ok {
		return false
	}
	l4, ok := p.expect(word)
	if !ok || !p.block(helperTypeClauses) {
		return false
	}
	switch {
	case l3.text != "inet" && l3.text != "inet6":
		return p.fatal(l3.line, "unknown layer 3 protocol")
	case l4.text != "tcp" && l4.text != "udp":
		return p.fatal(l4.line, "unknown layer 4 protocol")
	}
	p.config.Helpers = true
	return true
}

// ignored takes a number that has no effect.
func (p *parser) ignored(token) bool {
	_, ok := p.number()
	return ok
}

var helperTypeClauses = clauses{
	"QueueNum": (*parser).ignored,
	"QueueLen": (*parser).ignored,
	"Policy": func(p *parser, _ token) bool {
		if _, ok := p.expect(word); !ok {
			return false
		}
		return p.block(clauses{"ExpectMax": (*parser).ignored, "ExpectTimeout": (*parser).ignored})
	},
}
