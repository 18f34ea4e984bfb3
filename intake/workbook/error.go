package workbook

import "fmt"

// Code says what is wrong with a file, for programs and for catalogues.
type Code string

// The codes of files that cannot be read.
const (
	// Old is a workbook of Excel 97 to 2003.
	Old Code = "old_workbook"
	// Locked is a workbook that a password protects.
	Locked Code = "locked_workbook"
	// Binary is a workbook in Excel's binary form (.xlsb).
	Binary Code = "binary_workbook"
	// OpenDocument is a workbook of LibreOffice's own form (.ods).
	OpenDocument Code = "open_document"
	// OtherZip is a zip file that is no workbook.
	OtherZip Code = "other_zip"
	// Damaged is a workbook that breaks off, or holds what no program writes.
	Damaged Code = "damaged_workbook"
	// TooLarge is a workbook that unpacks to more than is read.
	TooLarge Code = "too_large_workbook"
	// NoSheet: there is no sheet of that name.
	NoSheet Code = "no_sheet"
	// NoSheets: there is no visible worksheet.
	NoSheets Code = "no_sheets"
)

// Error is why a file cannot be read, in English; Code and Params are what other
// languages word it by.
type Error struct {
	Code    Code
	Params  map[string]string
	Message string
}

func (e *Error) Error() string { return e.Message }

func wrong(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// damaged is a workbook that cannot be read on.
func damaged(part string, err error) error {
	reason := fmt.Sprintf("%s: %v", part, err)
	return &Error{
		Code: Damaged, Params: map[string]string{"Reason": reason},
		Message: "the workbook is damaged (" + reason + "): open it in Excel, which may repair it, save it anew and import that",
	}
}

func tooLarge(part string, most int64) error {
	size := fmt.Sprintf("%d MiB", most>>20)
	return &Error{
		Code: TooLarge, Params: map[string]string{"Part": part, "Size": size},
		Message: fmt.Sprintf("%s unpacks to more than %s, which is more than is read: split the table, or save it as CSV UTF-8", part, size),
	}
}
