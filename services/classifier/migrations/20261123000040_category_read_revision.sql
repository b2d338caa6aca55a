-- The revision in which a mapping had the category that a person set read anew; 0 where none did. What people set before it is the
-- person's no longer.
ALTER TABLE classification ADD COLUMN category_read_revision integer NOT NULL DEFAULT 0;
