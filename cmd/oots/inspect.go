package main

import (
	"errors"
	"fmt"

	"github.com/once-only/oots/validator"
)

// inspect tells in plain words what messages are. Several files that belong
// together are drawn as a conversation.
type inspect struct {
	Keys  string   `placeholder:"DIR" help:"A folder of keys, to verify and decrypt what was signed and encrypted."`
	Files []string `arg:"" name:"file" help:"Messages, folders of messages, or - for standard input."`
}

// explainer tells about one kind of file. It answers ok false for files that
// are none of its business. An exit as the error is its verdict on the file,
// beside the lines; any other error ends the command.
type explainer func(w *world, c inspect, name string, src []byte) (lines []string, ok bool, err error)

// explainers are asked in their order; what none of them knows is read as an
// XML message.
var explainers = []explainer{explainAS4}

// Run ends with code 1 when a file could not be made out or does not verify.
func (c inspect) Run(w *world) error {
	files, err := messageFiles(c.Files)
	if err != nil {
		return err
	}
	v := validator.New(validator.Config{})
	var messages []*validator.Message
	unknown := 0
	var refused error // the last answer that is no
	for i, name := range files {
		src, err := readMessage(name, w.in)
		if err != nil {
			return err
		}
		lines, ok, err := explain(w, c, name, src)
		var answer exit
		if errors.As(err, &answer) {
			refused = err
		} else if err != nil {
			return err
		}
		if !ok {
			rep := v.Validate(src, validator.Options{Name: name})
			switch {
			case rep.Message == nil:
				lines = []string{fmt.Sprintf("%s cannot be read: %s. %s", name, rep.Findings[0].Found, rep.Findings[0].Mend)}
				unknown++
			case rep.Kind == validator.Unknown:
				lines = []string{fmt.Sprintf("%s is no message that this program knows: %s.", name, rep.Findings[0].Found)}
				unknown++
			default:
				lines = append(validator.Describe(rep.Message), "Judged by the rules: "+rep.Verdict()+".")
				messages = append(messages, rep.Message)
			}
		}
		if i > 0 {
			fmt.Fprintln(w.out)
		}
		for _, l := range lines {
			fmt.Fprintln(w.out, l)
		}
	}
	for _, conversation := range validator.Assemble(messages, validator.Related{}) {
		if len(conversation.Steps) < 2 {
			continue
		}
		fmt.Fprintln(w.out, "\nThe conversation:")
		for _, l := range validator.Story(conversation) {
			fmt.Fprintln(w.out, " ", l)
		}
		if rep := v.Compare(conversation); len(rep.Findings) > 0 {
			fmt.Fprintf(w.out, "  Between the messages: %s. Run oots validate on them for the findings.\n", rep.Verdict())
		}
	}
	if unknown > 0 {
		return no("%d of %d files could not be made out", unknown, len(files))
	}
	return refused
}

func explain(w *world, c inspect, name string, src []byte) ([]string, bool, error) {
	for _, e := range explainers {
		if lines, ok, err := e(w, c, name, src); ok || err != nil {
			return lines, ok, err
		}
	}
	return nil, false, nil
}
