//! The integration tests: one binary, real Postgres, real sockets, real clients.
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "tests look into the database from outside")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(unreachable_pub, reason = "a binary has no outside; modules say what others of it use")]

mod support;

mod account_api;
mod account_console;
mod admin_api;
mod admin_clients;
mod admin_events;
mod admin_fuzz;
mod admin_groups;
mod admin_matrix;
mod admin_parts;
mod admin_permissions;
mod admission;
mod authorization_code;
mod backchannel_logout;
mod bad_input;
mod better_than_keycloak;
mod brute_force;
mod chaos;
mod client_assertions;
mod client_certificates;
mod client_registration;
mod clients;
mod components;
mod consent;
mod contention;
mod embedded;
mod forgotten_password;
mod graceful;
mod grant_limits;
mod issued_before;
mod known_attacks;
mod mail;
mod masked_secrets;
mod nodes;
mod offline_access;
mod offline_grants;
mod one_time_password;
mod opened_links;
mod outage;
mod packaging;
mod pages;
mod parity_table;
mod partial_import;
mod partial_import_rights;
mod password_policy;
mod published_keys;
mod push_to_clients;
mod races;
mod realm_files;
mod realm_transfer;
mod registration;
mod registration_limits;
mod rotation;
mod rotation_model;
mod scale;
mod secrets_at_rest;
mod session_model;
mod sign_in;
mod statements;
mod sweeping;
mod user_search;
mod verify_email;
