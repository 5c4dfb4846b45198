-- The step of the last one-time code that was taken: a code works once, and none before it works after it.
alter table credential add column last_step bigint;
