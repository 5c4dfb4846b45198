-- The id of the registration access token that is good for the client (RFC 7592 §3); none: nobody has one.
alter table client add column registration_token text;

-- Initial access tokens: how many clients may still be registered with each. The tokens themselves are signed, and not kept.
create table initial_access_token (
  realm_id text not null references realm on delete cascade,
  token_id text not null,
  created_at timestamptz not null,
  lifespan bigint not null,                        -- in seconds, as it was asked for; 0 for ever
  expires_at timestamptz,                          -- none: never
  count integer not null,
  remaining integer not null check (remaining between 0 and count),
  web_origins jsonb not null,
  primary key (realm_id, token_id)
);
create index initial_access_token_expires_at on initial_access_token (expires_at);
