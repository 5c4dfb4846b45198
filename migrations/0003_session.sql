-- Sessions, split cold and hot. The session and its client parts are cold: who, which client, device, started. The chain is
-- hot and narrow: the row that a refresh updates. Nothing grows per refresh: there is no row per token.
--
-- Online and offline sessions have one shape and tables of their own (partitions of one name, so that each statement is
-- written once): the same `sid` may stand in both.

create table session (
  kind text not null,                          -- 'online' or 'offline'
  realm_id text not null,
  session_id text not null,                    -- sid
  user_id text not null,
  started_at timestamptz not null,
  last_grant_at timestamptz not null,          -- moved by a grant, by the loss of a part and, online, by use in the browser
  empty_since timestamptz,                     -- since when the session has no client part
  ip_address text not null,
  user_agent text not null,
  login_name text not null,
  remember_me boolean not null,
  auth_time bigint,                            -- seconds since 1970
  cookie_hash bytea,                           -- SHA-256 of the secret in the browser's identity cookie; online only
  notes jsonb not null,
  primary key (kind, realm_id, session_id),
  foreign key (realm_id, user_id) references user_account on delete cascade
) partition by list (kind);
create table online_session partition of session for values in ('online');
create table offline_session partition of session for values in ('offline');
create index session_by_user on session (realm_id, user_id);
create index session_by_start on session (realm_id, started_at);
create index session_empty on session (realm_id, empty_since) where empty_since is not null;
create unique index online_session_by_cookie on online_session (realm_id, cookie_hash) where cookie_hash is not null;

create table client_session (
  kind text not null,
  realm_id text not null,
  session_id text not null,
  client_uuid text not null,
  started_at timestamptz not null,
  details jsonb not null,
  primary key (kind, realm_id, session_id, client_uuid),
  foreign key (kind, realm_id, session_id) references session on delete cascade,
  foreign key (realm_id, client_uuid) references client on delete cascade
) partition by list (kind);
create table online_client_session partition of client_session for values in ('online');
create table offline_client_session partition of client_session for values in ('offline');
create index client_session_by_client on client_session (realm_id, client_uuid, session_id);

-- One row per `reuse_id`, and one (the empty chain id) for all tokens without. No index holds a column that every refresh
-- changes; `last_refresh_bucket` moves a few times per idle time only.
create table chain (
  kind text not null,
  realm_id text not null,
  session_id text not null,
  client_uuid text not null,
  chain_id text not null,
  generation bigint not null,
  current_jti text,                            -- null: no use under rotation yet, any token of this generation is current
  previous_jti text,
  rotated_at timestamptz not null,             -- the iat of the current token
  last_refresh_at timestamptz not null,        -- the only idle clock
  last_refresh_bucket timestamptz not null,    -- last_refresh_at, coarse: for the sweeper's index
  key_id text not null,                        -- the key that signed the current token
  late_replay_at timestamptz,
  replays integer not null,
  outcome text,                                -- what the latest presented token was: rotated, replayed, reuse, …
  primary key (kind, realm_id, session_id, client_uuid, chain_id),
  foreign key (kind, realm_id, session_id, client_uuid) references client_session on delete cascade
) partition by list (kind);
create table online_chain partition of chain for values in ('online') with (fillfactor = 70);
create table offline_chain partition of chain for values in ('offline') with (fillfactor = 70);
create index chain_by_bucket on chain (realm_id, last_refresh_bucket);
