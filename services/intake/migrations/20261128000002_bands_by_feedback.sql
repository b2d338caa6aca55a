-- Pruning and erasing look for bands by their feedback. Ids rise with time and bands are kept as they come, so that a summary of each
-- stretch of the table finds them, and costs those that come next to nothing.
CREATE INDEX feedback_band_by_feedback ON feedback_band USING brin (feedback_id) WITH (pages_per_range = 16, autosummarize = on);
