-- The sweeper looks for parts that lapse by the limits of their client.
create index chain_by_client_bucket on chain (realm_id, client_uuid, last_refresh_bucket);
create index client_session_by_client_start on client_session (realm_id, client_uuid, started_at);
