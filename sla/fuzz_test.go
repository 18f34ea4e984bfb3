package sla_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// Whatever is taken for a calendar works as one: it never panics and never runs
// for ever.
func FuzzTimetable(f *testing.F) {
	for _, seed := range []string{
		`{"timezone":"Asia/Shanghai","hours":{"mon":[["09:00","12:00"],["13:00","24:00"]],"fri":[["22:00","06:00"]]},"holidays":["2026-10-01 国庆节"]}`,
		`{"hours":{},"exceptions":{"2026-02-14":[["09:00","17:00"]]},"breaks":{"2026-02-14":[["12:00","13:00"]]},"recurring_holidays":["12-25 Christmas","02-29"]}`,
		`{"timezone":"Australia/Lord_Howe","hours":{"sun":[["00:00","00:00"]]},"working_days":["2026-02-14"],"makeup_hours":[["10:00","11:00"]],"years":[2026]}`,
		`{"hours":{"mon":[null,["23:59","23:59"]]},"exceptions":{"9999-12-31":[["09:00","17:00"]],"0001-01-01":null},"years":[-1,99999999]}`,
	} {
		f.Add([]byte(seed), int64(1_772_445_600), int64(90_000))
	}
	f.Add([]byte(`{"hours":{"mon":[["09:00","17:00"]]}}`), int64(-1<<62), int64(1<<62))
	f.Fuzz(func(t *testing.T, text []byte, start, work int64) {
		var table sla.Timetable
		if json.Unmarshal(text, &table) != nil {
			return
		}
		encoded, err := json.Marshal(table)
		require.NoError(t, err)
		var again sla.Timetable
		require.NoError(t, json.Unmarshal(encoded, &again), "what is written can be read: %s", encoded)
		cal, err := table.Calendar()
		if err != nil {
			return
		}
		from := time.Unix(start, 0)
		if end, err := cal.Add(from, time.Duration(work)); err == nil && work > 0 && cal != sla.Always {
			require.False(t, end.Before(from))
			got, err := cal.Between(from, end)
			require.NoError(t, err)
			require.Equal(t, time.Duration(work), got)
		}
		_, _ = cal.Working(from)
		_, _ = cal.Next(from)
		_, _ = cal.After(from, sla.Duration{WorkingDays: int(work % 10_000), Close: work > 0})
		_, _ = cal.Stretches(from, from.AddDate(0, 0, 40))
		_ = cal.Counted(from, from.AddDate(300, 0, 0))
	})
}

// What is read as a window is written so that it is read again.
func FuzzWindow(f *testing.F) {
	f.Add("09:00", "18:00")
	f.Add("0:00", "23:59")
	f.Add("22:00", "24:00")
	f.Add("99:99", "٠٩:٠٠")
	f.Fuzz(func(t *testing.T, from, to string) {
		w, err := sla.NewWindow(from, to)
		if err != nil {
			return
		}
		require.Less(t, w.From, w.To)
		require.LessOrEqual(t, w.To, w.From+24*60)
		again, err := sla.NewWindow(w.Texts())
		require.NoError(t, err)
		require.Equal(t, w, again)
	})
}

func FuzzMark(f *testing.F) {
	for _, seed := range []string{"75%", "9999 %", "-30m", "+1h30m", "-2wd", "+3个工作日", "-PT5M", "0%", "+3wd close"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := sla.ParseMark(text)
		if err != nil {
			return
		}
		again, err := sla.ParseMark(m.String())
		require.NoError(t, err, m.String())
		require.Equal(t, m, again)
	})
}

// Every line gets a line of JSON, whatever it is.
func FuzzCalc(f *testing.F) {
	for _, seed := range []string{
		`{"id":"1","calendar":"cn-office","start":"2026-03-02T10:00:00+08:00","target":"2wd","at":"2026-03-04T10:00:00Z","pauses":[{"from":"2026-03-02T11:00:00Z","to":null}]}`,
		`{"id":2,"calendar":{"timezone":"America/Sao_Paulo","hours":{"sun":[["23:00","01:00"]]}},"start":"2018-02-17T23:30:00-02:00","target_seconds":-1e9,"at":"1900-01-01T00:00:00Z"}`,
		`{"start":"2200-12-31T23:59:59Z","target":"-10000wd","calendar":{"hours":{"mon":[["00:00","00:01"]]}}}`,
		`{"start":"1900-01-01T00:00:00Z","target_seconds":3.1e9,"calendar":{"hours":{},"exceptions":{"1900-01-01":[["00:00","00:01"]]}},"at":"2200-01-01T00:00:00Z"}`,
		`{"pauses":[{"from":"2026-03-02T11:00:00Z","to":"2026-03-02T10:00:00Z"}]}`, "[]", "null", `{"id":{"a":[]}}`, "\xff", "{}{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var out bytes.Buffer
		var calculator sla.Calculator
		tally, err := calculator.Run(bytes.NewReader(line), &out)
		require.NoError(t, err)
		require.Equal(t, tally.Lines, bytes.Count(out.Bytes(), []byte("\n")))
		for answer := range bytes.Lines(out.Bytes()) {
			var object map[string]any
			require.NoError(t, json.Unmarshal(answer, &object), "%s", answer)
			require.Contains(t, object, "id")
		}
	})
}
