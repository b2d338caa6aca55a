-- The operation that sees an erasure to its end: whoever asks again while it runs is told of this one. None of erasures from before.
ALTER TABLE erasure ADD COLUMN operation_id uuid;
