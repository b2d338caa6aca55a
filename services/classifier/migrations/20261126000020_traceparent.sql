-- The W3C trace context of the call by which the feedback was taken in: part of what intake told.
ALTER TABLE classification ADD COLUMN traceparent text NOT NULL DEFAULT '';
