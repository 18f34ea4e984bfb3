package sla

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Zones are part of the program and not the machine's, so that two workers
// never disagree about when daylight saving begins, and a replay sees what the
// first run saw.
//
//go:generate sh -c "cp \"$(go env GOROOT)/lib/time/zoneinfo.zip\" zoneinfo.zip"
//go:embed zoneinfo.zip
var zoneinfo []byte

var zoneFiles = sync.OnceValues(func() (map[string]*zip.File, error) {
	archive, err := zip.NewReader(bytes.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		return nil, fmt.Errorf("the time zones of this program cannot be read: %w", err)
	}
	files := make(map[string]*zip.File, len(archive.File))
	for _, f := range archive.File {
		files[f.Name] = f
	}
	return files, nil
})

var zones sync.Map

// FindZone returns the time zone with that IANA name, such as `Asia/Shanghai`.
// It never asks the machine.
func FindZone(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), nil
	}
	files, err := zoneFiles()
	if err != nil {
		return nil, err
	}
	file, ok := files[name]
	if !ok || file.FileInfo().IsDir() {
		return nil, fmt.Errorf("no time zone %q: write an IANA name like Asia/Shanghai or Europe/London", name)
	}
	zone, err := readZone(file)
	if err != nil {
		return nil, fmt.Errorf("time zone %s: %w", name, err)
	}
	zones.Store(name, zone)
	return zone, nil
}

func readZone(file *zip.File) (*time.Location, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(file.Name, content)
}

// ZoneNames returns the names of all time zones, in order.
func ZoneNames() []string {
	files, _ := zoneFiles()
	names := make([]string, 0, len(files))
	for name, f := range files {
		if !f.FileInfo().IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// shift is more than any clock was ever put forward or back at once.
const shift = 26 * time.Hour

// instant returns when clocks in the location show that time of day, as a
// length since midnight, on the date. A time that clocks show twice is the first
// of the two; one that they skip is the moment of the skip.
func instant(loc *time.Location, date Date, shown time.Duration) time.Time {
	wall := date.utc().Add(shown)
	if loc == time.UTC {
		return wall
	}
	guess := in(loc, wall, wall)
	start, end := guess.ZoneBounds()
	if (start.IsZero() || guess.Sub(start) > shift) && (end.IsZero() || end.Sub(guess) > shift) {
		return guess.UTC()
	}
	// Near a change: the offset before it and the one after it both make sense.
	before, after := in(loc, wall, wall.Add(-shift)), in(loc, wall, wall.Add(shift))
	for _, at := range []time.Time{before, after} {
		if shows(at, wall) {
			return at.UTC()
		}
	}
	skip, _ := before.ZoneBounds()
	return skip.UTC()
}

// in returns the wall time with the offset that holds in the location at about.
func in(loc *time.Location, wall, about time.Time) time.Time {
	_, offset := about.In(loc).Zone()
	return wall.Add(-time.Duration(offset) * time.Second).In(loc)
}

func shows(at, wall time.Time) bool {
	_, offset := at.Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second).Equal(wall)
}
