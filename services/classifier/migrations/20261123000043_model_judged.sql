-- Which labels a version took for which, row by row: as many cells as labels times labels, read for itself. Versions of before have it
-- in `evaluation`.
ALTER TABLE model ADD COLUMN confusion integer[];
-- A version has learnt nothing from the buckets below; missing in versions of before.
ALTER TABLE model ADD COLUMN first_training_bucket integer;
