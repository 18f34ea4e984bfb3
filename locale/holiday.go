package locale

import "strings"

// Holiday returns what people call a holiday that a calendar names, such as 春节:
// Spring Festival. Two on one day (国庆节、中秋节) are both named. One that no
// catalogue knows, for instance a company's own, is returned as it is.
func (l *Localizer) Holiday(name string) string {
	names := strings.Split(name, "、")
	for i, n := range names {
		if !l.Has("holiday." + n) {
			return name
		}
		names[i] = l.Name("holiday", n)
	}
	return strings.Join(names, l.Text("message.comma", nil))
}
