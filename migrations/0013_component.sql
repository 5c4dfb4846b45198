-- Components: what is configured of a kind of provider. The keys of key providers stand in `signing_key`, one row each, with
-- what else is configured of them. Rows of older releases have no `component_id`: the key's row id stands for it.
alter table signing_key add column component_id text;
alter table signing_key add column kid text;       -- null: the row id is the kid; two providers may hold one key
alter table signing_key add column config jsonb;
create unique index signing_key_component_key on signing_key (realm_id, component_id);

-- Providers of other types. What is secret of the configuration is sealed.
create table component (
  realm_id text not null references realm on delete cascade,
  component_id text not null,
  parent_id text not null,                         -- the realm, or another component
  name text not null,
  provider_type text not null,
  provider_id text not null,
  sub_type text,
  config jsonb not null,
  sealed_config text,
  created_at timestamptz not null,
  primary key (realm_id, component_id)
);

-- What every realm has of them; an id that follows from the place needs no generator.
insert into component (realm_id, component_id, parent_id, name, provider_type, provider_id, sub_type, config, created_at)
select r.realm_id, md5(r.realm_id || '|' || p.provider_id || '|' || p.sub_type)::uuid::text, r.realm_id, p.name,
  'org.keycloak.services.clientregistration.policy.ClientRegistrationPolicy', p.provider_id, p.sub_type, p.config::jsonb,
  r.created_at
from realm r cross join (values
  ('Trusted Hosts', 'trusted-hosts', 'anonymous',
    '{"host-sending-registration-request-must-match": ["true"], "client-uris-must-match": ["true"]}'),
  ('Consent Required', 'consent-required', 'anonymous', '{}'),
  ('Full Scope Disabled', 'scope', 'anonymous', '{}'),
  ('Max Clients Limit', 'max-clients', 'anonymous', '{"max-clients": ["200"]}'),
  ('Allowed Protocol Mapper Types', 'allowed-protocol-mappers', 'anonymous',
    '{"allowed-protocol-mapper-types": ["oidc-address-mapper", "oidc-full-name-mapper", "oidc-sha256-pairwise-sub-mapper",
      "oidc-usermodel-attribute-mapper", "oidc-usermodel-property-mapper", "saml-role-list-mapper",
      "saml-user-attribute-mapper", "saml-user-property-mapper"]}'),
  ('Allowed Protocol Mapper Types', 'allowed-protocol-mappers', 'authenticated',
    '{"allowed-protocol-mapper-types": ["oidc-address-mapper", "oidc-full-name-mapper", "oidc-sha256-pairwise-sub-mapper",
      "oidc-usermodel-attribute-mapper", "oidc-usermodel-property-mapper", "saml-role-list-mapper",
      "saml-user-attribute-mapper", "saml-user-property-mapper"]}'),
  ('Allowed Client Scopes', 'allowed-client-templates', 'anonymous', '{"allow-default-scopes": ["true"]}'),
  ('Allowed Client Scopes', 'allowed-client-templates', 'authenticated', '{"allow-default-scopes": ["true"]}'),
  ('Allowed Registration Web Origins', 'registration-web-origins', 'anonymous', '{}'),
  ('Allowed Registration Web Origins', 'registration-web-origins', 'authenticated', '{}')
) as p (name, provider_id, sub_type, config);

-- Attributes of a client that are secret, private keys for the most part: a JSON object, sealed.
alter table client add column sealed_attributes text;

-- Assertions by which clients proved who they are (RFC 7523), until they would have expired: each works once.
create table used_assertion (
  realm_id text not null,
  client_uuid text not null,
  jti_hash bytea not null,
  expires_at timestamptz not null,
  primary key (realm_id, client_uuid, jti_hash),
  foreign key (realm_id, client_uuid) references client on delete cascade
);
create index used_assertion_by_expiry on used_assertion (expires_at);
