package sla

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// LongestLine is how many bytes a question may have.
const LongestLine = 1 << 20

// Tally counts questions.
type Tally struct {
	// Lines is how many there were, Wrong how many of them had no answer but what
	// is wrong with them.
	Lines int `json:"lines"`
	Wrong int `json:"wrong"`
}

// Run answers the questions of in, one a line, with one line each on out, in
// order. Empty lines are passed over. Whoever waits for the answer to one
// question before asking the next gets it. The error is that of reading or
// writing.
func (c *Calculator) Run(in io.Reader, out io.Writer) (Tally, error) {
	var tally Tally
	r, w := bufio.NewReaderSize(in, LongestLine), bufio.NewWriter(out)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for first := true; ; first = false {
		line, long, err := readLine(r)
		if first {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if line = bytes.TrimSpace(line); len(line) > 0 || long {
			answer := Answer{ID: json.RawMessage(`""`), Error: fmt.Sprintf("the line is longer than %d bytes", LongestLine)}
			if !long {
				answer = c.Answer(line)
			}
			tally.Lines++
			if answer.Error != "" {
				tally.Wrong++
			}
			if err := encoder.Encode(answer); err != nil {
				return tally, err
			}
		}
		if err != nil || r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return tally, err
			}
		}
		if errors.Is(err, io.EOF) {
			return tally, nil
		}
		if err != nil {
			return tally, err
		}
	}
}

// readLine returns the next line. Of one that is too long nothing is kept.
func readLine(r *bufio.Reader) (line []byte, long bool, err error) {
	line, err = r.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		line, long = nil, true
		_, err = r.ReadSlice('\n')
	}
	if long {
		line = nil
	}
	return line, long, err
}
