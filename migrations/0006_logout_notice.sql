-- The outbox of back-channel logout: which client has still to be told of the end of which session. A notice is written in the
-- transaction that ends the session, and removed when the client has taken it.
create table logout_notice (
  realm_id text not null,
  notice_id text not null,
  client_uuid text not null,
  session_id text not null,
  user_id text not null,                       -- who need not be there any more
  issuer text not null,
  attempts integer not null,
  due_at timestamptz not null,                 -- when the next attempt may be made
  created_at timestamptz not null,
  primary key (realm_id, notice_id),
  foreign key (realm_id, client_uuid) references client on delete cascade
);
create index logout_notice_by_due on logout_notice (due_at);
create index logout_notice_by_client on logout_notice (realm_id, client_uuid);
