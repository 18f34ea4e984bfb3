// Package holidays reads the public holidays of a year as others publish them:
// the JSON form of the holiday-cn project, and calendar feeds (iCalendar).
//
// [Read] finds out which of the two it is. It imports sla and a library for
// iCalendar, bounds what it reads, and knows neither files nor the clock.
package holidays
