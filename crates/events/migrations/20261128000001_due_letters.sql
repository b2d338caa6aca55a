-- Retries look for the next one several times a second: parked letters, which wait for a person, must not be read for that.
CREATE INDEX dead_letter_due ON events.dead_letter (next_attempt_time NULLS FIRST, id)
    WHERE next_attempt_time IS NOT NULL OR attempts = 0;
