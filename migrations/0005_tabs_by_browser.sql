-- A sign-in rebinds all tabs of its browser, and deleting a client takes its tabs and codes along.
create index authentication_session_by_browser on authentication_session (realm_id, browser_hash);
create index authentication_session_by_client on authentication_session (realm_id, client_uuid);
create index authorization_code_by_client on authorization_code (realm_id, client_uuid);
