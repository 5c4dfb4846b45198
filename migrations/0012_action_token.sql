-- Links in letters. The value in a link is stored as its hash; it works once, for the user and the address that it was sent to.
create table action_token (
  realm_id text not null references realm on delete cascade,
  token_hash bytea not null,                   -- SHA-256 of the value in the link
  user_id text not null,
  kind text not null,                          -- verify_email, reset_password or execute_actions
  details jsonb not null,                      -- address, client, tab, actions, where to go afterwards
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  primary key (realm_id, token_hash),
  foreign key (realm_id, user_id) references user_account on delete cascade
);
create index action_token_by_user on action_token (realm_id, user_id, kind);
create index action_token_by_expiry on action_token (expires_at);
