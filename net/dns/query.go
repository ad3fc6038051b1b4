package dns

import (
	"errors"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// query is what matters of a message that asks something.
type query struct {
	header   dnsmessage.Header
	question dnsmessage.Question
	// extended says that the asker speaks EDNS, so that the answer must.
	extended bool
	// verdict is verdictFine, or the code to refuse the query with.
	verdict dnsmessage.RCode
}

// verdictFine is the code of a query that may be answered.
const verdictFine = dnsmessage.RCodeSuccess

// errNoQuery says that a message is nothing to answer: it is an answer itself,
// or too short to tell.
var errNoQuery = errors.New("not a query")

// parse reads a message. It returns errNoQuery for one that must stay without
// an answer, lest two servers answer each other for ever.
func parse(msg []byte) (query, error) {
	var p dnsmessage.Parser
	h, err := p.Start(msg)
	if err != nil || h.Response {
		return query{}, errNoQuery
	}
	q := query{header: h}
	if h.OpCode != 0 {
		q.verdict = dnsmessage.RCodeNotImplemented
		return q, nil
	}
	questions, err := p.AllQuestions()
	if err != nil || len(questions) != 1 {
		q.verdict = dnsmessage.RCodeFormatError
		return q, nil
	}
	q.question = questions[0]
	q.extended = hasOPT(&p)
	return q, nil
}

// hasOPT reports whether the rest of the message holds an OPT record. What
// cannot be read is for the upstream to complain about.
func hasOPT(p *dnsmessage.Parser) bool {
	if p.SkipAllAnswers() != nil || p.SkipAllAuthorities() != nil {
		return false
	}
	for {
		h, err := p.AdditionalHeader()
		if err != nil {
			return false
		}
		if h.Type == dnsmessage.TypeOPT {
			return true
		}
		if p.SkipAdditional() != nil {
			return false
		}
	}
}

// payloadSize is the size of UDP message that an answer of ours says it takes:
// what fits a packet anywhere.
// Source: DNS flag day 2020.
const payloadSize = 1232

// reply builds an answer to q with at most one record.
func (q query) reply(code dnsmessage.RCode, record *dnsmessage.Resource) []byte {
	msg := dnsmessage.Message{Header: dnsmessage.Header{
		ID:                 q.header.ID,
		OpCode:             q.header.OpCode,
		Response:           true,
		Authoritative:      record != nil,
		RecursionDesired:   q.header.RecursionDesired,
		RecursionAvailable: true,
		RCode:              code,
	}}
	if q.question.Name.Length > 0 {
		msg.Questions = []dnsmessage.Question{q.question}
	}
	if record != nil {
		msg.Answers = []dnsmessage.Resource{*record}
	}
	if q.extended {
		opt := dnsmessage.Resource{Body: &dnsmessage.OPTResource{}}
		opt.Header.Name = dnsmessage.MustNewName(".")
		if opt.Header.SetEDNS0(payloadSize, code, false) == nil {
			msg.Additionals = []dnsmessage.Resource{opt}
		}
	}
	packed, err := msg.Pack()
	if err != nil {
		return nil // the question was read from a message, so this cannot be
	}
	return packed
}

// refuse answers with a code and nothing else.
func (q query) refuse(code dnsmessage.RCode) []byte { return q.reply(code, nil) }

// servFail answers that no upstream could be asked, or nil to what is no query.
func servFail(msg []byte) []byte {
	q, err := parse(msg)
	if err != nil {
		return nil
	}
	return q.refuse(dnsmessage.RCodeServerFailure)
}

// sameName compares names as DNS does, without regard to case.
func sameName(a, b dnsmessage.Name) bool { return strings.EqualFold(a.String(), b.String()) }
