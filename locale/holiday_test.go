package locale_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"closeloop/locale"
	"closeloop/sla"
)

func TestHoliday(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, zh, en string }{
		{"春节", "春节", "Spring Festival"},
		{"元旦", "元旦", "New Year's Day"},
		{"国庆节、中秋节", "国庆节、中秋节", "National Day, Mid-Autumn Festival"},
		{"国庆节、周年庆", "国庆节、周年庆", "国庆节、周年庆"},
		{"公司年会", "公司年会", "公司年会"},
		{"Christmas", "Christmas", "Christmas"},
		{"", "", ""},
	} {
		require.Equal(t, c.zh, locale.For("zh-CN").Holiday(c.name), c.name)
		require.Equal(t, c.en, locale.For("en").Holiday(c.name), c.name)
	}
}

func TestShippedHolidaysHaveNames(t *testing.T) {
	t.Parallel()
	for _, set := range sla.ShippedSets() {
		for _, y := range sla.ShippedHolidays(set) {
			for _, d := range append(y.Off, y.Work...) {
				require.NotEqual(t, d.Name, locale.For("en").Holiday(d.Name), "locale/holidays.*.toml lack %s", d)
				require.Equal(t, d.Name, locale.For("zh-CN").Holiday(d.Name))
			}
		}
	}
}
