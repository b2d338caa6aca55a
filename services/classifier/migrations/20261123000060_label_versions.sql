-- Dimensions beside the main one whose label is what a person said, or what became of that: each with the version of the taxonomy that the
-- label is of. Nobody has said one before: such labels came with the same release.
ALTER TABLE classification ADD COLUMN label_versions jsonb NOT NULL DEFAULT '{}';
