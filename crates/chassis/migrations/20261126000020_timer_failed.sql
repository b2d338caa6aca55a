-- Failed timers are counted now and then; there are few of them, among many that wait for their time.
CREATE INDEX timer_failed ON chassis.timer (attempts) WHERE attempts > 0;
