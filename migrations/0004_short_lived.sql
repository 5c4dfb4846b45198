-- What lives for seconds to hours: codes, tabs that sign in, revoked access tokens; and the events.

-- A code is stored as its hash. It works while the online session that it was issued in stands, and is kept until it would
-- expire even if that is gone, so that a second use can end what the first one opened.
create table authorization_code (
  realm_id text not null references realm on delete cascade,
  code_hash bytea not null,
  session_id text not null,
  user_id text not null,
  client_uuid text not null,
  grant_details jsonb not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  opened text,                                 -- the kind of session that the first use opened a part in
  primary key (realm_id, code_hash),
  foreign key (realm_id, client_uuid) references client on delete cascade
);
create index authorization_code_by_expiry on authorization_code (expires_at);

create table authentication_session (
  realm_id text not null references realm on delete cascade,
  tab_id text not null,
  browser_hash bytea not null,                 -- SHA-256 of the browser's cookie
  form_hash bytea not null,                    -- SHA-256 of the code in the form that was shown last
  client_uuid text not null,
  request jsonb not null,
  progress jsonb not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  primary key (realm_id, tab_id),
  foreign key (realm_id, client_uuid) references client on delete cascade
);
create index authentication_session_by_expiry on authentication_session (expires_at);

create table revoked_token (
  realm_id text not null references realm on delete cascade,
  jti text not null,
  expires_at timestamptz not null,
  primary key (realm_id, jti)
);
create index revoked_token_by_expiry on revoked_token (expires_at);

create table event (
  realm_id text not null references realm on delete cascade,
  event_id text not null,
  occurred_at timestamptz not null,
  type_name text not null,
  error text,
  client_id text,
  user_id text,
  session_id text,
  ip_address text,
  details jsonb not null,
  primary key (realm_id, event_id)
);
create index event_by_time on event (realm_id, occurred_at desc);
