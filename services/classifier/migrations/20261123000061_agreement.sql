-- What people settled in a stretch of time, read from the index alone; the pairs of two people go by `review_item_of_task`.
CREATE INDEX review_item_settled ON review_item (tenant_id, task_id, settle_time) INCLUDE (reason, found_label, settled_label)
    WHERE settle_time IS NOT NULL AND stage = 1;
