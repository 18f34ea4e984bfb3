package holidays

import (
	"encoding/json"
	"errors"
	"fmt"

	"closeloop/sla"
)

// published is a file of the holiday-cn project; fields that are not needed are
// ignored.
type published struct {
	Year   int      `json:"year"`
	Papers []string `json:"papers"`
	Days   []struct {
		Name     string `json:"name"`
		Date     string `json:"date"`
		IsOffDay *bool  `json:"isOffDay"`
	} `json:"days"`
}

func readJSON(data []byte, year int) (Found, error) {
	var file published
	if err := json.Unmarshal(data, &file); err != nil {
		return Found{}, fmt.Errorf("it is not JSON in the form of holiday-cn: %w", err)
	}
	if len(file.Days) == 0 {
		return Found{}, errors.New(`it is not JSON in the form of holiday-cn: it has no "days"`)
	}
	var entries []entry
	for i, d := range file.Days {
		date, err := sla.ParseDate(d.Date)
		switch {
		case err != nil:
			return Found{}, fmt.Errorf("days[%d]: %w", i, err)
		case d.IsOffDay == nil:
			return Found{}, fmt.Errorf("days[%d]: %s does not say whether it is off: isOffDay is missing", i, date)
		}
		entries = append(entries, entry{sla.Day{Date: date, Name: d.Name}, !*d.IsOffDay})
	}
	switch {
	case year == 0 && file.Year == 0:
		return Found{}, errors.New(`it does not say its year: name it with --year`)
	case year == 0:
		year = file.Year
	case file.Year != 0 && file.Year != year:
		return Found{}, fmt.Errorf("it is the year %d and not %d", file.Year, year)
	}
	source := ""
	if len(file.Papers) > 0 {
		source = file.Papers[0]
	}
	return found(entries, year, source)
}
