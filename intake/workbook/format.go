package workbook

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// format is what a cell's format makes of its number, as far as it matters to
// who reads the number as text.
type format struct {
	// date and time say which parts of an instant are shown.
	date, time bool
	// span is a length of time, as [h]:mm.
	span bool
	// percent is shown with so many decimals.
	percent  bool
	decimals int
	// width is the least number of digits, as of 00000.
	width int
}

// builtIn are the formats that have a number and no code. Those from 27 on are
// dates and times in East Asian editions.
func builtIn(id int) format {
	switch {
	case id >= 14 && id <= 17, id >= 27 && id <= 31, id == 36, id >= 50 && id <= 54, id == 57, id == 58:
		return format{date: true}
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47, id == 55, id == 56:
		return format{time: true}
	case id == 22:
		return format{date: true, time: true}
	case id == 46:
		return format{span: true}
	case id == 9:
		return format{percent: true}
	case id == 10:
		return format{percent: true, decimals: 2}
	default:
		return format{}
	}
}

// formatOf reads the first section of a format's code.
func formatOf(code string) format {
	var f format
	var plain strings.Builder
	for i := 0; i < len(code); i++ {
		switch c := code[i]; c {
		case '"':
			end := strings.IndexByte(code[i+1:], '"')
			if end < 0 {
				i = len(code)
			} else {
				i += end + 1
			}
		case '\\', '_', '*':
			i++
		case '[':
			end := strings.IndexByte(code[i:], ']')
			if end < 0 {
				i = len(code)
				break
			}
			if inner := strings.ToLower(code[i+1 : i+end]); inner != "" && strings.Trim(inner, inner[:1]) == "" && strings.Contains("hms", inner[:1]) {
				f.span = true
			}
			i += end
		case ';':
			i = len(code)
		default:
			plain.WriteByte(c)
		}
	}
	text := strings.ToLower(plain.String())
	if text == "general" || f.span {
		return f
	}
	f.time = strings.ContainsAny(text, "hs")
	f.date = strings.ContainsAny(text, "yd") || strings.Contains(text, "m") && !f.time
	if f.date || f.time {
		return f
	}
	if number, ok := strings.CutSuffix(text, "%"); ok {
		f.percent = true
		if _, decimals, ok := strings.Cut(number, "."); ok {
			f.decimals = len(decimals)
		}
	} else if text != "" && strings.Trim(text, "0") == "" {
		f.width = len(text)
	}
	return f
}

// number is a cell's number as people see it.
func (f format) number(raw string, date1904 bool) string {
	v, err := strconv.ParseFloat(raw, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) {
		return raw
	}
	switch {
	case f.span:
		seconds := int64(math.Round(v * 86_400))
		return strconv.FormatInt(seconds/3600, 10) + ":" + twoDigits(seconds/60%60) + ":" + twoDigits(seconds%60)
	case (f.date || f.time) && v >= 0 && v < 2_958_466: // the year 10000
		return f.instant(v, date1904)
	case f.percent:
		return strconv.FormatFloat(v*100, 'f', f.decimals, 64) + "%"
	case f.width > 0:
		digits := strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
		if missing := f.width - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		if v < 0 {
			digits = "-" + digits
		}
		return digits
	default:
		return plainNumber(v)
	}
}

func twoDigits(n int64) string {
	if n < 0 {
		n = -n
	}
	return string([]byte{byte('0' + n/10%10), byte('0' + n%10)})
}

// plainNumber has no exponent, and no more digits than Excel counts with: 0.1 is
// stored as 0.10000000000000001.
func plainNumber(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		rounded = v
	}
	if rounded == 0 {
		return "0"
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

// instant is a number of days as ISO text. It has no zone: workbooks know none.
func (f format) instant(days float64, date1904 bool) string {
	epoch := time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC)
	if date1904 {
		epoch = time.Date(1904, time.January, 1, 0, 0, 0, 0, time.UTC)
	} else if days < 60 {
		// Excel has a 29 February 1900.
		epoch = epoch.AddDate(0, 0, 1)
	}
	seconds := int64(math.Round(days * 86_400))
	at := epoch.AddDate(0, 0, int(seconds/86_400)).Add(time.Duration(seconds%86_400) * time.Second)
	clock := "15:04"
	if at.Second() != 0 {
		clock = "15:04:05"
	}
	switch {
	case !f.date:
		return at.Format(clock)
	case f.time, seconds%86_400 != 0:
		return at.Format("2006-01-02 " + clock)
	default:
		return at.Format("2006-01-02")
	}
}

func (b *Book) readFormats(part string) error {
	var styles struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Cells []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if err := b.decode(part, &styles); err != nil {
		return err
	}
	own := map[int]format{}
	for _, f := range styles.Formats {
		own[f.ID] = formatOf(f.Code)
	}
	for _, c := range styles.Cells {
		f, ok := own[c.Format]
		if !ok {
			f = builtIn(c.Format)
		}
		b.formats = append(b.formats, f)
	}
	return nil
}
