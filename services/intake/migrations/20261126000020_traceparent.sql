-- The W3C trace context of the call that brought it; empty where there was none. What is done on it later is linked to that trace.
ALTER TABLE feedback ADD COLUMN traceparent text NOT NULL DEFAULT '';
