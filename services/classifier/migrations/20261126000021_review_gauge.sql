-- For the gauges of the queue, which is of all tenants: that an item waits, and since when; neither whose it is nor what.
GRANT SELECT (state, create_time) ON review_item TO huiyin_worker;
CREATE POLICY worker ON review_item FOR SELECT TO huiyin_worker USING (state = 1);
