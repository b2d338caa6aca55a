-- Queues. What `order_by: next_due_time` orders by (src/work_order/listing.rs), of all work orders: a queue is asked for by team or
-- breach as well as by state, and what waits for nothing comes last.
--
-- The build blocks writes: where the table is so big that this matters, build the same index with CONCURRENTLY beforehand, which is
-- then found. Here it cannot be: it would give up behind any transaction that is open for longer than migrations wait for a lock, and
-- leave an invalid index for the next attempt to find.
CREATE INDEX IF NOT EXISTS work_order_next_due
    ON work_order (tenant_id, least(next_due_time, to_timestamp(250000000000)), id);

-- By rank, of the open ones alone, for filters that name an open state: with the others, the most urgent of all times would come first.
CREATE INDEX IF NOT EXISTS work_order_open_rank ON work_order (tenant_id, priority_rank, id) WHERE state <= 4;
