-- Users: who they are, how they prove it, what they hold, and what they agreed to.
-- `version` is incremented by every write to anything in this file, in the same transaction.

create table user_account (
  realm_id text not null references realm on delete cascade,
  user_id text not null,
  username text not null,                      -- lower case
  email text,                                  -- lower case
  unique_email text,                           -- the e-mail address where the realm allows each only once
  email_verified boolean not null,
  first_name text,
  last_name text,
  enabled boolean not null,
  not_before bigint not null,
  version bigint not null,
  attributes jsonb not null,
  required_actions text[] not null,
  federated_identities jsonb not null,
  service_account_client_uuid text,
  created_at timestamptz not null,
  primary key (realm_id, user_id),
  constraint user_account_username_key unique (realm_id, username),
  constraint user_account_email_key unique (realm_id, unique_email),
  foreign key (realm_id, service_account_client_uuid) references client on delete cascade
);
create index user_account_by_email on user_account (realm_id, email);
create index user_account_by_service_account on user_account (realm_id, service_account_client_uuid)
  where service_account_client_uuid is not null;

-- `secret_data` of a password is its hash; of any other kind it is sealed.
create table credential (
  realm_id text not null,
  user_id text not null,
  credential_id text not null,
  kind text not null,
  user_label text,
  secret_data text not null,
  credential_data jsonb not null,
  priority integer not null,
  created_at timestamptz not null,
  primary key (realm_id, user_id, credential_id),
  foreign key (realm_id, user_id) references user_account on delete cascade
);

create table user_role (
  realm_id text not null,
  user_id text not null,
  role_id text not null,
  primary key (realm_id, user_id, role_id),
  foreign key (realm_id, user_id) references user_account on delete cascade,
  foreign key (realm_id, role_id) references role on delete cascade
);
create index user_role_by_role on user_role (realm_id, role_id);

create table user_group_membership (
  realm_id text not null,
  user_id text not null,
  group_id text not null,
  primary key (realm_id, user_id, group_id),
  foreign key (realm_id, user_id) references user_account on delete cascade,
  foreign key (realm_id, group_id) references user_group on delete cascade
);
create index user_group_membership_by_group on user_group_membership (realm_id, group_id);

create table user_consent (
  realm_id text not null,
  user_id text not null,
  client_uuid text not null,
  client_itself boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (realm_id, user_id, client_uuid),
  foreign key (realm_id, user_id) references user_account on delete cascade,
  foreign key (realm_id, client_uuid) references client on delete cascade
);
create index user_consent_by_client on user_consent (realm_id, client_uuid);

create table user_consent_scope (
  realm_id text not null,
  user_id text not null,
  client_uuid text not null,
  client_scope_id text not null,
  primary key (realm_id, user_id, client_uuid, client_scope_id),
  foreign key (realm_id, user_id, client_uuid) references user_consent on delete cascade,
  foreign key (realm_id, client_scope_id) references client_scope on delete cascade
);
create index user_consent_scope_by_scope on user_consent_scope (realm_id, client_scope_id);
