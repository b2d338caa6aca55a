-- A phase between the room and its log, number 4: the answers that are kept, in chunks. Which names hang on the feedbacks here, and the
-- key (caller, method, request id) of the last answer that was looked at.
ALTER TABLE events.erasure ADD COLUMN names text[] NOT NULL DEFAULT '{}';
-- Where events were changed that may be in Redis: the relay may be about to add them as they were. They are removed once more at the end.
ALTER TABLE events.erasure ADD COLUMN changed_partitions smallint[] NOT NULL DEFAULT '{}';
ALTER TABLE events.erasure ADD COLUMN changed_positions bigint[] NOT NULL DEFAULT '{}';
ALTER TABLE events.erasure ADD COLUMN answer text[] NOT NULL DEFAULT '{}';
