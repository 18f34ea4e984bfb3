-- +goose Up

ALTER TABLE event ADD COLUMN stage text;
COMMENT ON COLUMN event.stage IS 'Where the requirement stood once everything of that instant had happened; null for events written before this column was';

ALTER TABLE clock ADD COLUMN max_pause text;
COMMENT ON COLUMN clock.max_pause IS 'How long it may be on hold in total, as the policy writes it; null for no limit';
