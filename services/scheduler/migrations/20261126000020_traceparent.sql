-- The W3C trace context of the call by which the feedback was taken in: part of its digest.
ALTER TABLE work_order ADD COLUMN traceparent text NOT NULL DEFAULT '';
