package validator

import (
	"fmt"
	"slices"
	"strings"
)

// Is wants one literal.
func Is(literal string) Want {
	return Want{Words: literal, Mend: "Write " + literal + ".", Is: func(_ *Message, v string) bool { return v == literal }}
}

// Among wants one of a few literals.
func Among(literals ...string) Want {
	words := strings.Join(literals, ", ")
	if n := len(literals); n > 1 {
		words = strings.Join(literals[:n-1], ", ") + " or " + literals[n-1]
	}
	return Want{Words: words, Mend: "Write " + words + ".", Is: func(_ *Message, v string) bool { return slices.Contains(literals, v) }}
}

// TheLine wants the identifier of the line that the message is judged by.
func TheLine(vocabulary string) Want {
	return Want{
		Words: "the identifier of this line, " + vocabulary + ":vN.N", Mend: "Write the identifier of the line, without anything around it.",
		Is: func(m *Message, v string) bool {
			prefix, line, ok := strings.Cut(v, ":v")
			return ok && prefix == vocabulary && ParseLine(line) == m.Line
		},
	}
}

// Like wants a shape, told by words, an example and a test.
func Like(words, example string, is func(string) bool) Want {
	mend := "Write " + words + "."
	if example != "" {
		mend = "Write " + words + ", such as " + example + "."
	}
	return Want{Words: words, Mend: mend, Is: func(_ *Message, v string) bool { return is(v) }}
}

// Shapes that many rules share.
var (
	bareUUID = Like("a bare UUID", "5f6a7b8c-9d0e-4f1a-8b2c-3d4e5f6a7b8c", isUUID)
	urnUUID  = Like("urn:uuid: and a UUID", "urn:uuid:3b0c7a52-8d3e-4f0a-9a51-1c2d3e4f5a60", isURNUUID)
	dateTime = Like("a date and time YYYY-MM-DDThh:mm:ss", "2026-11-02T09:15:00.000Z", looksDateTime)
	dateOnly = Like("a date YYYY-MM-DD", "2001-02-03", looksDate)
	https    = Like("an address that begins with https://", "", func(s string) bool { return strings.HasPrefix(s, "https://") })
	// anyCaseHTTPS admits HTTPS:// too.
	anyCaseHTTPS = Like("an address that begins with https://", "", func(s string) bool {
		return len(s) >= 8 && strings.EqualFold(s[:8], "https://")
	})
)

// MinText wants at least k characters after normalisation.
func MinText(k int) Want {
	return Like(fmt.Sprintf("at least %d characters", k), "", func(s string) bool {
		n := 0
		for range s {
			if n++; n >= k {
				return true
			}
		}
		return n >= k
	})
}
