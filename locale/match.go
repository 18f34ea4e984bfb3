package locale

import "strings"

// The languages. Their values are what policies, people and messages name.
const (
	Chinese = "zh-CN"
	English = "en"
)

// Languages lists them.
var Languages = []string{Chinese, English}

// Match returns the first language that one of the values asks for, English
// when none does. Values are as in LANG and --lang: zh-CN, zh_CN.UTF-8, zh, en,
// en_US; or lists of them as in LANGUAGE (zh_CN:en) and Accept-Language
// (zh-CN,zh;q=0.9), in the order of preference. C and POSIX ask for nothing.
func Match(values ...string) string {
	for _, value := range values {
		for _, one := range strings.FieldsFunc(value, func(r rune) bool { return r == ':' || r == ',' }) {
			if language, ok := usable(one); ok {
				return language
			}
		}
	}
	return English
}

// usable returns the language that a value means, if there is a catalogue for it.
func usable(value string) (string, bool) {
	value, _, _ = strings.Cut(strings.TrimSpace(value), ";")
	value, _, _ = strings.Cut(value, ".")
	value, _, _ = strings.Cut(value, "@")
	base, _, _ := strings.Cut(strings.ReplaceAll(value, "_", "-"), "-")
	switch strings.ToLower(base) {
	case "zh", "chinese":
		return Chinese, true
	case "en", "english":
		return English, true
	default:
		return "", false
	}
}
