package sla_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

func TestCalc(t *testing.T) {
	t.Parallel()
	const desk = `{"timezone":"Asia/Shanghai","hours":{"mon":[["09:00","12:00"],["13:00","18:00"]],"tue":[["09:00","18:00"]],"wed":[["09:00","18:00"]],"thu":[["09:00","18:00"]],"fri":[["09:00","18:00"]]},"colour":"blue"}`
	for name, tc := range map[string]struct{ question, answer string }{
		"a deadline and nothing more": {
			`{"id":"1","start":"2026-03-02T10:00:00Z","target":"2h"}`,
			`{"id":"1","deadline":"2026-03-02T12:00:00Z"}`,
		},
		"around the clock": {
			`{"id":"2","calendar":null,"start":"2026-03-02T10:00:00+08:00","target":"90s","at":"2026-03-02T10:02:00.25+08:00","more":1}`,
			`{"id":"2","deadline":"2026-03-02T02:01:30Z","elapsed_seconds":120.25,"remaining_seconds":-30.25,"working":true,"next_working":"2026-03-02T02:02:00.25Z","breached":true}`,
		},
		"at the deadline it is in time": {
			`{"id":"3","start":"2026-03-02T10:00:00Z","target_seconds":0.5,"at":"2026-03-02T10:00:00.5Z"}`,
			`{"id":"3","deadline":"2026-03-02T10:00:00.5Z","elapsed_seconds":0.5,"remaining_seconds":0,"working":true,"next_working":"2026-03-02T10:00:00.5Z","breached":false}`,
		},
		"Friday at six": {
			`{"id":"4","calendar":` + desk + `,"start":"2026-03-06T18:00:00+08:00","target":"2h"}`,
			`{"id":"4","deadline":"2026-03-09T03:00:00Z"}`,
		},
		"closing time stays there, and is late a moment after": {
			`{"id":"5","calendar":` + desk + `,"start":"2026-03-06T16:00:00+08:00","target":"2h","at":"2026-03-06T18:00:00.000000001+08:00"}`,
			`{"id":"5","deadline":"2026-03-06T10:00:00Z","elapsed_seconds":7200,"remaining_seconds":0,"working":false,"next_working":"2026-03-09T01:00:00Z","breached":true}`,
		},
		"no target, outside hours": {
			`{"id":"6","calendar":` + desk + `,"start":"2026-03-07T10:00:00+08:00","target":"0s"}`,
			`{"id":"6","deadline":"2026-03-09T01:00:00Z"}`,
		},
		"working days": {
			`{"id":"7","calendar":` + desk + `,"start":"2026-03-06T16:20:00+08:00","target":"2wd"}`,
			`{"id":"7","deadline":"2026-03-10T08:20:00Z"}`,
		},
		"working days backwards": {
			`{"id":"8","calendar":` + desk + `,"start":"2026-03-09T16:20:00+08:00","target":"-2wd"}`,
			`{"id":"8","deadline":"2026-03-05T08:20:00Z"}`,
		},
		"pauses overlap, are out of order, come before the start and have no length": {
			`{"id":"9","start":"2026-03-02T10:00:00Z","target":"1h","pauses":[
				{"from":"2026-03-02T10:20:00Z","to":"2026-03-02T10:40:00Z"},{"from":"2026-03-02T10:10:00Z","to":"2026-03-02T10:30:00Z"},
				{"from":"2026-03-02T09:00:00Z","to":"2026-03-02T10:05:00Z"},{"from":"2026-03-02T08:00:00Z","to":"2026-03-02T08:30:00Z"},
				{"from":"2026-03-02T10:50:00Z","to":"2026-03-02T10:50:00Z"}],"at":"2026-03-02T10:45:00Z"}`,
			`{"id":"9","deadline":"2026-03-02T11:35:00Z","elapsed_seconds":600,"remaining_seconds":3000,"working":true,"next_working":"2026-03-02T10:45:00Z","breached":false}`,
		},
		"a pause that lasts": {
			`{"id":"10","start":"2026-03-02T10:00:00Z","target":"1h","pauses":[{"from":"2026-03-02T10:20:00Z","to":null}],"at":"2026-03-02T15:00:00Z"}`,
			`{"id":"10","deadline":null,"elapsed_seconds":1200,"remaining_seconds":2400,"working":true,"next_working":"2026-03-02T15:00:00Z","breached":false}`,
		},
		"a pause that lasts, but began at the deadline": {
			`{"id":"11","start":"2026-03-02T10:00:00Z","target":"1h","pauses":[{"from":"2026-03-02T11:00:00Z"}]}`,
			`{"id":"11","deadline":"2026-03-02T11:00:00Z"}`,
		},
		"backwards, with a pause that lasts": {
			`{"id":"12","start":"2026-03-02T10:00:00Z","target":"-30m","pauses":[{"from":"2026-03-02T09:45:00Z","to":null}],"at":"2026-03-02T09:20:00Z"}`,
			`{"id":"12","deadline":"2026-03-02T09:15:00Z","elapsed_seconds":0,"remaining_seconds":-300,"working":true,"next_working":"2026-03-02T09:20:00Z","breached":true}`,
		},
		"backwards, before the deadline": {
			`{"id":"13","start":"2026-03-02T10:00:00Z","target_seconds":-1800,"at":"2026-03-02T09:00:00Z"}`,
			`{"id":"13","deadline":"2026-03-02T09:30:00Z","elapsed_seconds":0,"remaining_seconds":1800,"working":true,"next_working":"2026-03-02T09:00:00Z","breached":false}`,
		},
		"before it began": {
			`{"id":"14","start":"2026-03-02T10:00:00Z","target":"1h","at":"2026-03-01T10:00:00Z"}`,
			`{"id":"14","deadline":"2026-03-02T11:00:00Z","elapsed_seconds":0,"remaining_seconds":3600,"working":true,"next_working":"2026-03-01T10:00:00Z","breached":false}`,
		},
		"without a target": {
			`{"id":"15","start":"2026-03-02T10:00:00Z","at":"2026-03-02T10:00:01Z"}`,
			`{"id":"15","elapsed_seconds":1,"working":true,"next_working":"2026-03-02T10:00:01Z"}`,
		},
		"the holidays of China, written out": {
			`{"id":"16","calendar":{"name":"24x7","timezone":"Asia/Shanghai","holidays_of":"cn","hours":{"thu":[["09:00","18:00"]]}},"start":"2026-10-01T09:00:00+08:00","target":"1h"}`,
			`{"id":"16","deadline":"2026-10-08T02:00:00Z"}`,
		},
		"a make-up Saturday by its name": {
			`{"id":"17","calendar":"cn-office","start":"2026-10-10T09:00:00+08:00","target":"1h"}`,
			`{"id":"17","deadline":"2026-10-10T02:00:00Z"}`,
		},
		"a holiday beats an exception": {
			`{"id":"18","calendar":{"hours":{"mon":[["09:00","17:00"]]},"exceptions":{"2026-03-03":[["09:00","17:00"]]},"holidays":["2026-03-03"]},"start":"2026-03-03T09:00:00Z","target":"1h"}`,
			`{"id":"18","deadline":"2026-03-09T10:00:00Z"}`,
		},
		"no more open hours": {
			`{"id":"19","calendar":{"hours":{},"exceptions":{"2026-03-03":[["09:00","17:00"]]}},"at":"2026-03-04T09:00:00Z"}`,
			`{"id":"19","working":false,"next_working":null}`,
		},
		"no id":               {`{"start":"2026-03-02T10:00:00Z","target":"1s"}`, `{"id":"","deadline":"2026-03-02T10:00:01Z"}`},
		"an id that is none":  {`{"id":7,"start":"2026-03-02T10:00:00Z","target":"1s"}`, `{"id":7,"deadline":"2026-03-02T10:00:01Z"}`},
		"an id with anything": {`{"id":"<需求> \"\u0007\"","start":"2026-03-02T10:00:00Z","target":"1s"}`, `{"id":"<需求> \"\u0007\"","deadline":"2026-03-02T10:00:01Z"}`},

		"no JSON":                   {`start: now`, `{"id":"","error":"the line is not JSON: invalid character 's' looking for beginning of value"}`},
		"two objects":               {`{"id":"e"}{}`, `{"id":"","error":"the line is not JSON: invalid character '{' after top-level value"}`},
		"no object":                 {`[]`, `{"id":"","error":"a question is one JSON object, not an array"}`},
		"nothing asked":             {`{"id":"e"}`, `{"id":"e","error":"nothing is asked: give a start with a target, or at"}`},
		"no start":                  {`{"id":"e","target":"1h"}`, `{"id":"e","error":"start is missing: it says since when the target counts"}`},
		"a start of another type":   {`{"start":5,"id":"e"}`, `{"id":"e","error":"start is a text in quotes, not a number"}`},
		"a start without a zone":    {`{"id":"e","start":"2026-03-02T10:00:00"}`, `{"id":"e","error":"start: \"2026-03-02T10:00:00\" is not an instant: write it like 2026-09-30T18:00:00+08:00"}`},
		"a start long ago":          {`{"id":"e","start":"1899-12-31T23:59:59Z","target":"1h"}`, `{"id":"e","error":"start: \"1899-12-31T23:59:59Z\" is not in the years 1900 to 2200"}`},
		"an instant far away":       {`{"id":"e","at":"9999-12-31T23:59:59Z"}`, `{"id":"e","error":"at: \"9999-12-31T23:59:59Z\" is not in the years 1900 to 2200"}`},
		"a day for a target":        {`{"id":"e","start":"2026-03-02T10:00:00Z","target":"1d"}`, `{"id":"e","error":"target: \"1d\" is ambiguous: write 1wd for working days, or 24h for 1 times 24 hours"}`},
		"a number for a text":       {`{"id":"e","start":"2026-03-02T10:00:00Z","target":7200}`, `{"id":"e","error":"target is a text like 2h or 3wd; for a number there is target_seconds"}`},
		"two targets":               {`{"id":"e","start":"2026-03-02T10:00:00Z","target":"1h","target_seconds":3600}`, `{"id":"e","error":"target and target_seconds say the same: give one of them"}`},
		"a target for ever":         {`{"id":"e","start":"2026-03-02T10:00:00Z","target_seconds":-1e300}`, `{"id":"e","error":"target: it is more than a hundred years"}`},
		"a target without end":      {`{"id":"e","start":"2026-03-02T10:00:00Z","target_seconds":1e999}`, `{"id":"e","error":"target_seconds: number 1e999 is too large"}`},
		"a pause the wrong way":     {`{"id":"e","start":"2026-03-02T10:00:00Z","target":"1h","pauses":[{"from":"2026-03-02T10:00:00Z","to":"2026-03-02T09:59:59Z"}]}`, `{"id":"e","error":"pauses[0]: it ends before it begins"}`},
		"a pause without beginning": {`{"id":"e","start":"2026-03-02T10:00:00Z","target":"1h","pauses":[{"to":"2026-03-02T09:59:59Z"}]}`, `{"id":"e","error":"pauses[0]: from is missing"}`},
		"pauses of another type":    {`{"id":"e","at":"2026-03-02T10:00:00Z","pauses":{}}`, `{"id":"e","error":"pauses is a list, not an object"}`},
		"a year that is not known":  {`{"id":"e","calendar":"cn-office","start":"2026-12-31T17:00:00+08:00","target":"2h"}`, `{"id":"e","error":"calendar cn-office does not know the holidays of 2027: add them with closeloop calendar import"}`},
		"a pause in such a year":    {`{"id":"e","calendar":"cn-office","start":"2026-12-31T15:00:00+08:00","target":"2h","pauses":[{"from":"2026-12-31T15:30:00+08:00","to":"2027-02-01T00:00:00Z"}]}`, `{"id":"e","error":"calendar cn-office does not know the holidays of 2027: add them with closeloop calendar import"}`},
		"elapsed in such a year":    {`{"id":"e","calendar":"cn-office","start":"2023-12-31T15:00:00+08:00","at":"2024-03-01T10:00:00+08:00"}`, `{"id":"e","error":"calendar cn-office does not know the holidays of 2023: add them with closeloop calendar import"}`},
		"no such calendar":          {`{"id":"e","calendar":"office","start":"2026-03-02T10:00:00Z","target":"1h"}`, `{"id":"e","error":"calendar: no calendar \"office\": there is 24x7 and cn-office"}`},
		"no calendar at all":        {`{"id":"e","calendar":5,"start":"2026-03-02T10:00:00Z","target":"1h"}`, `{"id":"e","error":"calendar: it is a name like \"cn-office\", or an object"}`},
		"a calendar without hours":  {`{"id":"e","calendar":{"timezone":"UTC"},"start":"2026-03-02T10:00:00Z","target":"1h"}`, `{"id":"e","error":"calendar: it has no open hour: name the hours of at least one day"}`},
		"no such zone":              {`{"id":"e","calendar":{"timezone":"Asia/Beijing","hours":{"mon":[["09:00","17:00"]]}},"at":"2026-03-02T10:00:00Z"}`, `{"id":"e","error":"calendar: no time zone \"Asia/Beijing\": write an IANA name like Asia/Shanghai or Europe/London"}`},
		"hours of another type":     {`{"id":"e","calendar":{"hours":{"mon":9}},"at":"2026-03-02T10:00:00Z"}`, `{"id":"e","error":"calendar: hours.mon: a number does not belong there"}`},
		"no such holidays":          {`{"id":"e","calendar":{"holidays_of":"xx","hours":{"mon":[["09:00","17:00"]]}},"at":"2026-03-02T10:00:00Z"}`, `{"id":"e","error":"calendar: unknown set of holidays \"xx\""}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			var calculator sla.Calculator
			tally, err := calculator.Run(strings.NewReader(strings.ReplaceAll(tc.question, "\n", "")), &out)
			require.NoError(t, err)
			require.JSONEq(t, tc.answer, out.String())
			wrong := 0
			if strings.Contains(tc.answer, `"error"`) {
				wrong = 1
			}
			require.Equal(t, sla.Tally{Lines: 1, Wrong: wrong}, tally)
		})
	}
}

// An answer is JSON for every reader, whatever bytes the question had.
func TestCalcOfBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var calculator sla.Calculator
	_, err := calculator.Run(strings.NewReader("{\"id\":\"a\xffb\",\"start\":\"2026-03-02T10:00:00Z\",\"target\":\"1h\"}"), &out)
	require.NoError(t, err)
	require.Equal(t, "{\"id\":\"a\ufffdb\",\"deadline\":\"2026-03-02T11:00:00Z\"}\n", out.String())
}

func TestCalcOfManyLines(t *testing.T) {
	t.Parallel()
	const fine = `{"id":"fine","start":"2026-03-02T10:00:00Z","target":"1h"}`
	long := `{"id":"` + strings.Repeat("x", sla.LongestLine) + `"}`
	answers, tally := run(t, "\ufeff"+fine, "", "  \t\r", long, fine+"\r", "nonsense", fine)
	require.Equal(t, sla.Tally{Lines: 5, Wrong: 2}, tally)
	var ids []any
	for _, a := range answers {
		ids = append(ids, a["id"])
	}
	require.Equal(t, []any{"fine", "", "fine", "", "fine"}, ids)
	require.Equal(t, "the line is longer than 1048576 bytes", answers[1]["error"])
	answers, _ = run(t, fine, long)
	require.Len(t, answers, 2, "a long last line, too")
}

// Whoever asks one question at a time gets each answer.
func TestCalcAnswersAtOnce(t *testing.T) {
	t.Parallel()
	in, ask := io.Pipe()
	answer, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		var calculator sla.Calculator
		_, err := calculator.Run(in, out)
		done <- err
	}()
	answers := bufio.NewScanner(answer)
	for _, id := range []string{"a", "b"} {
		_, err := io.WriteString(ask, `{"id":"`+id+`","start":"2026-03-02T10:00:00Z","target":"1h"}`+"\n")
		require.NoError(t, err)
		require.True(t, answers.Scan())
		require.JSONEq(t, `{"id":"`+id+`","deadline":"2026-03-02T11:00:00Z"}`, answers.Text())
	}
	broken := errors.New("broken")
	require.NoError(t, ask.CloseWithError(broken))
	require.ErrorIs(t, <-done, broken)
}

// More calendars than are remembered.
func TestCalcOfManyCalendars(t *testing.T) {
	t.Parallel()
	var lines []string
	for i := range 300 {
		line, err := json.Marshal(map[string]any{
			"calendar": map[string]any{"hours": map[string]any{"mon": [][2]string{{"09:00", "17:00"}}}, "remark": i % 150},
			"start":    at(t, "2026-03-02 10:00:00"), "target": "1h",
		})
		require.NoError(t, err)
		lines = append(lines, string(line))
	}
	answers, _ := run(t, lines...)
	for _, a := range answers {
		require.Equal(t, at(t, "2026-03-02 11:00:00").Format(time.RFC3339), a["deadline"])
	}
}
