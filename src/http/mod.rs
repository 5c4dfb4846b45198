//! HTTP: addresses, parameters, headers and the shapes of answers. Nothing here decides who may have what.

mod account;
mod admin;
mod cors;
mod error;
mod extract;
mod letters;
mod login;
mod management;
mod oidc;
mod representation;
mod router;
mod serve;
mod state;

pub use management::management_router;
pub use router::router;
pub use serve::serve;
pub use state::{App, AppParts, Urls};

use serde_json::{Map, Value};

use self::representation::{RealmRepresentation, export};
use crate::flow::export_realm::{WholeRealm, WholeUser};
use crate::flow::{Server, admin as administration};
use crate::model::realm_import::RealmImport;
use crate::model::{GroupPaths, RealmSnapshot};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What need not be encoded in a segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as a segment of a path.
fn path_segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// The Admin REST API as an OpenAPI document.
pub fn api_description() -> Value {
    admin::api_description()
}

/// A realm for a file, without its users: what `export` writes and `read_realm_file` reads.
pub fn realm_file(whole: &WholeRealm) -> Map<String, Value> {
    export::realm_file(&whole.snapshot, &whole.components, export::Parts::WHOLE)
}

/// The users of a realm for its file.
#[derive(Debug)]
pub struct UsersOfFile {
    realm: RealmSnapshot,
    groups: GroupPaths,
}

impl UsersOfFile {
    pub fn of(realm: RealmSnapshot) -> Self {
        let groups = GroupPaths::of(&realm);
        Self { realm, groups }
    }

    pub fn user(&self, user: &WholeUser) -> Map<String, Value> {
        export::whole_user(&self.realm, &self.groups, user)
    }
}

/// Reads a realm file: a representation as `POST /admin/realms` takes it. Clients without a secret get one.
pub fn read_realm_file(bytes: &[u8], server: &Server) -> Result<RealmImport, String> {
    let file: RealmRepresentation = extract::read_representation(bytes).map_err(|error| format!("{error:?}"))?;
    let now = server.clock.now();
    let mut import = file.to_import(now, &server.entropy);
    for client in &mut import.clients {
        administration::client::fill_in_secret(client, &server.entropy, now);
    }
    Ok(import)
}
