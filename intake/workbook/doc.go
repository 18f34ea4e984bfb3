// Package workbook reads worksheets of Excel workbooks (.xlsx, .xlsm) row by row:
// cells are the texts that people see in them, with dates as ISO texts and
// numbers without exponents (row I7).
//
// Memory is bounded whatever the size of the sheet, and what is no proper
// workbook, or one that breaks off, is an error and never a shorter table. That is
// why excelize, which writes our workbooks, does not read them: its rows do not
// tell a cell's format, so that a date is a number, and end without an error where
// a file is damaged.
//
// The package imports nothing but the standard library.
package workbook
