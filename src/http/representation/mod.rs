//! Keycloak's JSON shapes. They end here: model types carry no wire format, and these carry no behaviour.

mod adapter_file;
pub(crate) mod authentication_flow;
mod client;
mod client_metadata;
mod client_scope;
mod component;
pub(crate) mod consent;
pub(crate) mod credential;
pub(crate) mod event;
mod events_config;
pub(crate) mod export;
pub(crate) mod group;
mod imported_user;
mod key;
pub(crate) mod lenient;
mod protocol_mapper;
mod realm;
pub(crate) mod realm_part;
mod realm_settings;
pub(crate) mod role;
pub(crate) mod user;
pub(crate) mod user_session;

pub(crate) use adapter_file::adapter_file;
pub(crate) use client::{ClientRepresentation, client, registered_client};
pub(crate) use client_metadata::{ClientMetadata, client_metadata};
pub(crate) use client_scope::{ClientScopeRepresentation, client_scope};
pub(crate) use component::{ComponentRepresentation, component};
pub(crate) use events_config::{EventsConfig, event_type_names, events_config};
pub(crate) use key::keys;
pub(crate) use lenient::OUT_OF_RANGE;
pub(crate) use protocol_mapper::{ProtocolMapperRepresentation, protocol_mapper};
pub(crate) use realm::{RealmRepresentation, brief_realm, public_realm, realm};
pub(crate) use role::{RoleRepresentation, brief_role, role};
