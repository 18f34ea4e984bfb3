package sla_test

import (
	"testing"
	"time"

	"closeloop/sla"
)

func office(b *testing.B) *sla.Calendar {
	b.Helper()
	cal, err := sla.FindCalendar(sla.ChineseOffice)
	if err != nil {
		b.Fatal(err)
	}
	return cal
}

var benchStart = time.Date(2026, 9, 25, 7, 30, 0, 0, time.UTC)

func BenchmarkAdd(b *testing.B) {
	cal := office(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cal.Add(benchStart, 24*time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBetween(b *testing.B) {
	cal, month := office(b), benchStart.AddDate(0, 1, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cal.Between(benchStart, month); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClockDeadline(b *testing.B) {
	cal := office(b)
	c := sla.Start(sla.Resolution, 1, sla.Terms{Target: sla.Exactly(24 * time.Hour)}, benchStart)
	c.Pause(benchStart.Add(time.Hour), "li.na", "asks", true)
	c.Resume(benchStart.Add(30 * time.Hour))
	c.Pause(benchStart.AddDate(0, 0, 4), "li.na", "asks", true)
	c.Resume(benchStart.AddDate(0, 0, 5))
	b.ReportAllocs()
	for b.Loop() {
		if _, known := c.Deadline(cal); !known {
			b.Fatal("no deadline")
		}
	}
}

// BenchmarkCalendar makes the calendar and asks it once, as a requirement does
// that comes back to memory.
func BenchmarkCalendar(b *testing.B) {
	table := office(b).Timetable()
	b.ReportAllocs()
	for b.Loop() {
		cal, err := table.Calendar()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := cal.Add(benchStart, 24*time.Hour); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCalc(b *testing.B) {
	line := []byte(`{"id":"1","calendar":"cn-office","start":"2026-09-25T15:30:00+08:00","target":"24h","at":"2026-09-30T10:00:00+08:00","pauses":[{"from":"2026-09-28T11:00:00+08:00","to":"2026-09-28T15:00:00+08:00"}]}`)
	var calculator sla.Calculator
	b.ReportAllocs()
	for b.Loop() {
		if answer := calculator.Answer(line); answer.Error != "" {
			b.Fatal(answer.Error)
		}
	}
}
