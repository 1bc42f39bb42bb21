package testbed

import (
	"context"
	"maps"
	"slices"
)

// verb is a word that a step may begin with.
type verb struct {
	usage    string
	about    string
	min, max int // arguments; max < 0: any number
	check    func(c *Case, args []string) string
	do       func(ctx context.Context, p *player, args []string) verdict
}

func verbNames() []string { return slices.Sorted(maps.Keys(verbs)) }

// Words is a verb for people: how to write it, and what it does.
type Words struct{ Verb, Usage, About string }

// Verbs are the words that a step may begin with.
func Verbs() (out []Words) {
	for _, name := range verbNames() {
		out = append(out, Words{name, verbs[name].usage, verbs[name].about})
	}
	return out
}

// verbs are the words of steps, with what they do.
var verbs = map[string]verb{
	"send":      {"FILE [with DEVIATION] [as NAME] [action ACTION]", "the platform sends a message over AS4", 1, 7, checkSend, doSend},
	"repeat":    {"NAME", "the platform sends that message again, octet for octet", 1, 1, nil, doRepeat},
	"signal":    {"receipt | error [CODE…] | none", "what the access point said over HTTP to the last message", 1, -1, checkSignal, doSignal},
	"ping":      {"", "a message to the test service, which is acknowledged and not delivered", 0, 0, nil, doPing},
	"expect":    {"ACTION [CODE…] [within T1] [as NAME]", "the next message that comes to the platform", 1, -1, checkExpect, doExpect},
	"nothing":   {"within T1", "no message comes", 0, 2, nil, doNothing},
	"valid":     {"NAME [RULE…]", "the message breaks no rule, and these rules were judged", 1, -1, nil, doValid},
	"agree":     {"[RULE…]", "all messages of the run agree with each other (X-…)", 0, -1, nil, doAgree},
	"have":      {"NAME PATH [is VALUE | like REGEX]", "the message says this there", 2, 4, checkHave, doHave},
	"every":     {"NAME PATH like REGEX", "whatever stands there is like this, and there is something", 4, 4, checkHave, doEvery},
	"refers":    {"NAME PATH PATH", "each value of the first path is one of the second", 3, 3, checkRefers, doRefers},
	"lack":      {"NAME PATH", "the message has nothing there", 2, 2, checkHave, doLack},
	"count":     {"NAME PATH N", "so many of it", 3, 3, checkCount, doCount},
	"same":      {"NAME PATH NAME PATH", "both say the same there", 4, 4, checkSame, doSame},
	"differ":    {"NAME PATH NAME PATH", "both say different things there", 4, 4, checkSame, doDiffer},
	"files":     {"NAME N|N+ [TYPE…]", "so many documents travel with it", 2, -1, checkAmount(1), doFiles},
	"open":      {"NAME look|accept|refuse [as PERSON] [closed] [returns]", "the user follows the preview address", 2, 7, checkOpen, doOpen},
	"wait":      {"T1 | T2 | T3 | DURATION", "time passes", 1, 1, checkWait, doWait},
	"attest":    {"TEXT", "a person confirms what no machine sees", 1, -1, nil, doAttest},
	"directory": {"WAY", "the platform's directories answer so from now on", 1, 1, checkDirectory, doDirectory},
	"names":     {"WAY", "the platform's DNS answers so from now on", 1, 1, checkNames, doNames},
	"asked":     {"NAME [is VALUE | like REGEX | absent]", "the last query that came to the directories says so", 1, 3, nil, doAsked},
	"queries":   {"N|N+", "so many queries have come", 1, 1, checkAmount(0), doQueries},
	"down":      {"", "the platform's access point takes nothing from now on", 0, 0, nil, setDown(true)},
	"up":        {"", "and takes messages again", 0, 0, nil, setDown(false)},
	"ask":       {"requirements|evidence-types|data-services [KEY=VALUE…] [version LINE|none] [as NAME]", "the platform asks the system's own directories", 1, -1, checkAsk, doAsk},
	"status":    {"NAME N", "the answer came with this HTTP status", 2, 2, checkStatus, doStatus},
	"signed":    {"NAME", "the answer is signed as TDD 3.6.2 asks, under the root that the system gave", 1, 1, nil, doSigned},
	"reply":     {"FILE [as NAME] [with DEVIATION]", "the platform answers the last message that came", 1, 5, checkSend, doReply},
	"register":  {"[as NAME]", "the platform's registry judges the submission that came last, and answers", 0, 2, nil, doRegister},
	"logged":    {"KEY=VALUE… | KEY", "a row of the log says so", 1, -1, nil, doLogged},
	"unlogged":  {"TEXT", "no row of the log holds this", 1, 1, nil, doUnlogged},
	"clock":     {"NAME DURATION", "the message was stamped that close to the platform's time", 2, 2, nil, doClock},
	"do":        {"ORDER [KEY=VALUE…]", "the system under test is told to act", 1, -1, nil, doOrder},
	"outcome":   {"STATE [CODE] [KEY=VALUE|KEY!=VALUE…]", "what the system says came of its last order", 1, -1, nil, doOutcome},
}

// options cuts "with X", "as Y" … out of arguments.
func options(args []string, names ...string) (rest []string, given map[string]string) {
	given = map[string]string{}
	for i := 0; i < len(args); i++ {
		if slices.Contains(names, args[i]) && i+1 < len(args) {
			given[args[i]] = args[i+1]
			i++
			continue
		}
		rest = append(rest, args[i])
	}
	return rest, given
}
