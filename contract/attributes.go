package contract

import "go.temporal.io/sdk/temporal"

// The typed keys of the search attributes.
var (
	Stage        = temporal.NewSearchAttributeKeyKeyword(AttrStage)
	Status       = temporal.NewSearchAttributeKeyKeyword(AttrStatus)
	Type         = temporal.NewSearchAttributeKeyKeyword(AttrType)
	Priority     = temporal.NewSearchAttributeKeyKeyword(AttrPriority)
	Department   = temporal.NewSearchAttributeKeyKeyword(AttrDepartment)
	Owner        = temporal.NewSearchAttributeKeyKeyword(AttrOwner)
	WaitingFor   = temporal.NewSearchAttributeKeyKeyword(AttrWaitingFor)
	NextDeadline = temporal.NewSearchAttributeKeyTime(AttrNextDeadline)
	Breached     = temporal.NewSearchAttributeKeyBool(AttrBreached)
	OnHold       = temporal.NewSearchAttributeKeyBool(AttrOnHold)
)

// SearchAttributeKeys are all of them, for registration.
var SearchAttributeKeys = []temporal.SearchAttributeKey{
	Stage, Status, Type, Priority, Department, Owner, WaitingFor, NextDeadline, Breached, OnHold,
}
