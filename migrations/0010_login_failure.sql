-- Wrong passwords of a user, and until when nobody signs in with the right one either. A row is there once somebody guessed.
create table login_failure (
  realm_id text not null,
  user_id text not null,
  failures integer not null,                   -- since the last right password
  temporary_lockouts integer not null,
  last_failure_at timestamptz,
  last_ip_address text,
  locked_until timestamptz,
  primary key (realm_id, user_id),
  foreign key (realm_id, user_id) references user_account on delete cascade
);
