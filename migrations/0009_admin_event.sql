-- What administrators did, as they see it listed. Written in the transaction of the change itself.
create table admin_event (
  realm_id text not null references realm on delete cascade,
  event_id text not null,
  occurred_at timestamptz not null,
  operation text not null,
  resource_type text not null,
  resource_path text,                          -- below the realm, e.g. users/<id>; null for the realm itself
  auth_realm_id text not null,
  auth_client_id text not null,                -- the client's internal id
  auth_user_id text not null,
  auth_ip_address text not null,
  representation text,                         -- JSON with its secrets masked, where the realm keeps it
  details jsonb not null,
  primary key (realm_id, event_id)
);
create index admin_event_by_time on admin_event (realm_id, occurred_at desc, event_id);

-- Events of one moment come in the order of their ids: a page is read from the index alone.
create index event_by_time_and_id on event (realm_id, occurred_at desc, event_id);
drop index event_by_time;
