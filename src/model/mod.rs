//! The nouns of the house as plain values: what a realm, a client, a user, a session *is*.
//!
//! No rule of the protocol and no statement of the database stands here; a type may know how to read itself from its stored
//! form and how to answer simple questions about itself. Field names in JSON are Keycloak's.

pub mod action_token;
pub mod admin_event;
pub mod authentication_flow;
pub mod authentication_session;
pub mod authorization_code;
pub mod client;
pub mod client_scope;
pub mod component;
pub mod consent;
pub mod credential;
pub mod device;
pub mod event;
pub mod group;
mod group_paths;
pub mod id;
mod initial_access;
pub mod login_failure;
pub mod logout_notice;
pub mod mail;
pub mod own_attributes;
pub mod protocol_mapper;
pub mod realm;
pub mod realm_import;
pub mod realm_name;
pub mod required_action;
mod role;
pub mod session;
pub mod signing_key;
pub mod snapshot;
pub mod user;

pub use action_token::{ActionDetails, ActionKind, ActionToken};
pub use client::{Client, ClientSettings};
pub use client_scope::ClientScope;
pub use component::Component;
pub use consent::Consent;
pub use group::Group;
pub use group_paths::{GroupPath, GroupPaths, NoGroup};
pub use id::*;
pub use initial_access::InitialAccess;
pub use mail::MailServer;
pub use protocol_mapper::ProtocolMapper;
pub use realm::{Realm, RealmSettings};
pub use role::Role;
pub use session::SessionKind;
pub use snapshot::RealmSnapshot;
pub use user::User;

/// The longest name that Keycloak's tables hold, in characters.
pub const MAX_NAME: usize = 255;
