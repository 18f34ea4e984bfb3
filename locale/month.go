package locale

import (
	"fmt"
	"time"
)

// Month returns a month of a year for people: `2026 年 10 月`, `October 2026`.
func (l *Localizer) Month(year int, month time.Month) string {
	if l.language == Chinese {
		return fmt.Sprintf("%d 年 %d 月", year, int(month))
	}
	return fmt.Sprintf("%s %d", month, year)
}
