package sla_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"closeloop/sla"
)

// copiedFrom is the Go release whose zones sla/zoneinfo.zip has.
const copiedFrom = "go1.26.8"

func TestZonesAreThoseOfTheGoRelease(t *testing.T) {
	t.Parallel()
	if runtime.Version() != copiedFrom {
		t.Skipf("this is %s and sla/zoneinfo.zip is from %s: when the project moves, run go generate ./sla", runtime.Version(), copiedFrom)
	}
	theirs, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "lib", "time", "zoneinfo.zip")) //nolint:staticcheck // which Go this is, is the question
	if os.IsNotExist(err) {
		t.Skip("this Go comes without zones")
	}
	require.NoError(t, err)
	ours, err := os.ReadFile("zoneinfo.zip")
	require.NoError(t, err)
	require.True(t, bytes.Equal(theirs, ours), "run go generate ./sla")
}

func TestEveryZoneCanBeRead(t *testing.T) {
	t.Parallel()
	archive, err := zip.OpenReader("zoneinfo.zip")
	require.NoError(t, err)
	defer archive.Close()
	files := 0
	for _, f := range archive.File {
		if !f.FileInfo().IsDir() {
			files++
		}
	}
	names := sla.ZoneNames()
	require.Len(t, names, files)
	require.Greater(t, len(names), 500)
	for _, name := range names {
		zone, err := sla.FindZone(name)
		require.NoError(t, err)
		if name != "UTC" {
			require.Equal(t, name, zone.String())
		}
	}
}

func TestZonesAreNotTheMachines(t *testing.T) {
	// What the machine says of a zone, and of where it is itself, is not asked.
	t.Setenv("ZONEINFO", t.TempDir())
	t.Setenv("TZ", "Asia/Tokyo")
	zone, err := sla.FindZone("Pacific/Chatham")
	require.NoError(t, err)
	name, offset := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).In(zone).Zone()
	require.Equal(t, "+1245", name)
	require.Equal(t, 12*3600+45*60, offset)
	again, err := sla.FindZone("Pacific/Chatham")
	require.NoError(t, err)
	require.Same(t, zone, again)

	utc, err := sla.FindZone("")
	require.NoError(t, err)
	require.Equal(t, time.UTC, utc)
	for _, none := range []string{"Local", "Asia/", "Asia", "asia/shanghai", "../etc/passwd", "/usr/share/zoneinfo/UTC", "CST+8", "Mars/Base"} {
		_, err := sla.FindZone(none)
		require.EqualError(t, err, `no time zone "`+none+`": write an IANA name like Asia/Shanghai or Europe/London`)
	}
}
