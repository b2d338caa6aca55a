-- The W3C trace context of the event that it tells of: its delivery is a part of that trace.
ALTER TABLE message ADD COLUMN traceparent text NOT NULL DEFAULT '';
