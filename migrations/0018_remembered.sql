-- Remembered sign-ins live longer than others: the sweeper looks for each kind by its own limits, and passes over none that lives.
-- session_by_start_and_session and session_empty_and_session, which these replace, go in the release after.
create index session_by_remembered_start on session (realm_id, remember_me, started_at, session_id);
create index session_empty_by_remembered on session (realm_id, remember_me, empty_since, session_id) where empty_since is not null;
