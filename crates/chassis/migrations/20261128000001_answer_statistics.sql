-- ANALYZE sorts what it samples of each column. No statement chooses by these.
ALTER TABLE chassis.answered_request
    ALTER COLUMN body_hash SET STATISTICS 0,
    ALTER COLUMN answer SET STATISTICS 0;
