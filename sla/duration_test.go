package sla_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"closeloop/sla"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want sla.Duration
	}{
		{"90s", sla.Exactly(90 * time.Second)},
		{"2h", sla.Exactly(2 * time.Hour)},
		{"1h30m", sla.Exactly(90 * time.Minute)},
		{"500ms", sla.Exactly(500 * time.Millisecond)},
		{"-30m", sla.Exactly(-30 * time.Minute)},
		{"PT2H", sla.Exactly(2 * time.Hour)},
		{"PT1H30M", sla.Exactly(90 * time.Minute)},
		{"PT0.5S", sla.Exactly(500 * time.Millisecond)},
		{"-PT15M", sla.Exactly(-15 * time.Minute)},
		{"2小时", sla.Exactly(2 * time.Hour)},
		{"1小时30分钟", sla.Exactly(90 * time.Minute)},
		{"30秒", sla.Exactly(30 * time.Second)},
		{"3wd", sla.Duration{WorkingDays: 3}},
		{"-2wd", sla.Duration{WorkingDays: -2}},
		{"3 working days", sla.Duration{WorkingDays: 3}},
		{"1 working day", sla.Duration{WorkingDays: 1}},
		{"3个工作日", sla.Duration{WorkingDays: 3}},
		{" 2h ", sla.Exactly(2 * time.Hour)},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			got, err := sla.ParseDuration(c.text)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestParseDurationRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, says string }{
		{"", "missing"},
		{"1d", "1wd for working days, or 24h"},
		{"3天", "3wd for working days, or 72h"},
		{"2 days", "48h"},
		{"soon", "not a duration"},
		{"PT", "not a duration"},
		{"5", "not a duration"},
		{"99999wd", "at most 10000"},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()
			_, err := sla.ParseDuration(c.text)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestDurationSurvivesItsText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := sla.Exactly(time.Duration(rapid.Int64Range(-1e16, 1e16).Draw(t, "ns")))
		if rapid.Bool().Draw(t, "days") {
			d = sla.Duration{WorkingDays: rapid.IntRange(1, 10_000).Draw(t, "wd")}
		}
		text, err := json.Marshal(d)
		require.NoError(t, err)
		var back sla.Duration
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, d, back, string(text))
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"2h", "PT2H", "3wd", "1d", "1小时", "-PT1.5S", "9999999999h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := sla.ParseDuration(text)
		if err != nil {
			return
		}
		again, err := sla.ParseDuration(d.String())
		require.NoError(t, err)
		require.Equal(t, d, again)
	})
}

func TestMark(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"50%", "110%", "-30m", "+15m", "-1h30m", "-2wd", "+3wd"} {
		m, err := sla.ParseMark(text)
		require.NoError(t, err)
		require.Equal(t, text, m.String())
	}
	for _, text := range []string{"", "0%", "half", "30m", "+2wd close", "-0s", "%"} {
		_, err := sla.ParseMark(text)
		require.ErrorContains(t, err, "is not a mark", text)
	}
}
