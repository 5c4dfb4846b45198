-- A realm and its configuration: clients, client scopes, protocol mappers, roles, groups, keys.
-- `version` is incremented by every write to anything in this file, in the same transaction: decisions are taken on a cached
-- copy of a version, and the statement that applies them names the version and does nothing if it has moved.

create table realm (
  realm_id text primary key,
  name text not null constraint realm_name_key unique,
  enabled boolean not null,
  not_before bigint not null,                  -- seconds since 1970; 0 for none
  version bigint not null,
  lifespans_changed_at timestamptz not null,
  default_role_id text not null,
  user_profile jsonb,
  settings jsonb not null,                     -- Keycloak's field names; identity and contents left out
  created_at timestamptz not null
);

-- The newest first key of each algorithm signs; the others verify. `sealed` is PKCS#8 or a secret under the key-encryption key.
create table signing_key (
  realm_id text not null references realm on delete cascade,
  key_id text not null,                        -- kid
  name text not null,
  provider_id text not null,
  priority bigint not null,
  algorithm text not null,
  key_use text not null,
  active boolean not null,
  enabled boolean not null,
  sealed text not null,
  certificate bytea,
  created_at timestamptz not null,
  primary key (realm_id, key_id)
);

create table client (
  realm_id text not null references realm on delete cascade,
  client_uuid text not null,
  client_id text not null,
  enabled boolean not null,
  not_before bigint not null,
  sealed_secret text,
  settings jsonb not null,
  created_at timestamptz not null,
  primary key (realm_id, client_uuid),
  constraint client_client_id_key unique (realm_id, client_id)
);

-- `assignment`: 'default' or 'optional' for clients that are made from now on; null for neither.
create table client_scope (
  realm_id text not null references realm on delete cascade,
  client_scope_id text not null,
  name text not null,
  description text,
  protocol text not null,
  attributes jsonb not null,
  assignment text,
  primary key (realm_id, client_scope_id),
  constraint client_scope_name_key unique (realm_id, name)
);

create table client_scope_of_client (
  realm_id text not null,
  client_uuid text not null,
  client_scope_id text not null,
  optional boolean not null,
  primary key (realm_id, client_uuid, client_scope_id),
  foreign key (realm_id, client_uuid) references client on delete cascade,
  foreign key (realm_id, client_scope_id) references client_scope on delete cascade
);
create index client_scope_of_client_by_scope on client_scope_of_client (realm_id, client_scope_id);

-- A mapper belongs to a client or to a client scope.
create table protocol_mapper (
  realm_id text not null,
  protocol_mapper_id text not null,
  client_uuid text,
  client_scope_id text,
  name text not null,
  protocol text not null,
  mapper_type text not null,
  config jsonb not null,
  primary key (realm_id, protocol_mapper_id),
  constraint protocol_mapper_name_key unique nulls not distinct (realm_id, client_uuid, client_scope_id, name),
  check ((client_uuid is null) <> (client_scope_id is null)),
  foreign key (realm_id, client_uuid) references client on delete cascade,
  foreign key (realm_id, client_scope_id) references client_scope on delete cascade
);
create index protocol_mapper_by_scope on protocol_mapper (realm_id, client_scope_id);

create table role (
  realm_id text not null references realm on delete cascade,
  role_id text not null,
  client_uuid text,                            -- null: a role of the realm
  name text not null,
  description text,
  attributes jsonb not null,
  primary key (realm_id, role_id),
  constraint role_name_key unique nulls not distinct (realm_id, client_uuid, name),
  foreign key (realm_id, client_uuid) references client on delete cascade
);

create table role_composite (
  realm_id text not null,
  role_id text not null,
  child_role_id text not null,
  primary key (realm_id, role_id, child_role_id),
  foreign key (realm_id, role_id) references role on delete cascade,
  foreign key (realm_id, child_role_id) references role on delete cascade
);
create index role_composite_by_child on role_composite (realm_id, child_role_id);

-- Roles that a client without full scope may still put into tokens.
create table client_scope_mapping (
  realm_id text not null,
  client_uuid text not null,
  role_id text not null,
  primary key (realm_id, client_uuid, role_id),
  foreign key (realm_id, client_uuid) references client on delete cascade,
  foreign key (realm_id, role_id) references role on delete cascade
);
create index client_scope_mapping_by_role on client_scope_mapping (realm_id, role_id);

-- Roles that a client scope is tied to.
create table client_scope_role (
  realm_id text not null,
  client_scope_id text not null,
  role_id text not null,
  primary key (realm_id, client_scope_id, role_id),
  foreign key (realm_id, client_scope_id) references client_scope on delete cascade,
  foreign key (realm_id, role_id) references role on delete cascade
);
create index client_scope_role_by_role on client_scope_role (realm_id, role_id);

create table user_group (
  realm_id text not null references realm on delete cascade,
  group_id text not null,
  parent_group_id text,
  name text not null,
  description text,
  attributes jsonb not null,
  is_default boolean not null,                 -- joined by every new user
  primary key (realm_id, group_id),
  constraint user_group_name_key unique nulls not distinct (realm_id, parent_group_id, name),
  foreign key (realm_id, parent_group_id) references user_group on delete cascade
);

create table group_role (
  realm_id text not null,
  group_id text not null,
  role_id text not null,
  primary key (realm_id, group_id, role_id),
  foreign key (realm_id, group_id) references user_group on delete cascade,
  foreign key (realm_id, role_id) references role on delete cascade
);
create index group_role_by_role on group_role (realm_id, role_id);
