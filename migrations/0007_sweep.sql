-- The sweeper goes from row to row in the order of these: a bucket with many rows is not sorted anew for every batch. It looks for
-- parts, too, that lapse by the limits of their client. Three take the place of one that ended a column earlier.
create index chain_by_bucket_and_session on chain (realm_id, last_refresh_bucket, session_id);
create index chain_by_client_bucket on chain (realm_id, client_uuid, last_refresh_bucket, session_id);
create index client_session_by_client_start on client_session (realm_id, client_uuid, started_at, session_id);
create index session_by_start_and_session on session (realm_id, started_at, session_id);
create index session_empty_and_session on session (realm_id, empty_since, session_id) where empty_since is not null;
drop index chain_by_bucket;
drop index session_by_start;
drop index session_empty;
