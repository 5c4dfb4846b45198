//! Clients: made, changed, deleted, and the account that acts for them.

use serde_json::json;

use super::{Refusal, client_rules, taken, write_decided, write_realm};
use crate::base::{Entropy, Secret, Timestamp};
use crate::flow::Cx;
use crate::flow::admin_event::{Change, note};
use crate::flow::import_realm::service_account;
use crate::model::admin_event::ResourceType;
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ClientId, ClientScopeId, ClientUuid, RoleId, SessionKind};
use crate::oidc::admin_roles::administered_by;
use crate::store::client::{CLIENT_ID_KEY, ClientRow};
use crate::store::protocol_mapper::MapperOwner;
use crate::store::{self, Db, StoreError};

/// The length of a secret that is made here.
const SECRET_LENGTH: usize = 86;
/// When a secret was made, in seconds since 1970.
const SECRET_MADE_AT: &str = "client.secret.creation.time";
/// The clients that every realm has.
const BUILT_IN: [&str; 5] = ["account", "account-console", "admin-cli", "broker", "security-admin-console"];
/// The scope of clients that act for themselves.
const SERVICE_ACCOUNT: &str = "service_account";

/// The client with this id, or Keycloak's answer that there is none.
pub fn find<'a>(cx: &'a Cx, uuid: &str) -> Result<&'a Client, Refusal> {
    cx.snapshot().clients.get(uuid).map(std::convert::AsRef::as_ref).ok_or(Refusal::NotFound("Could not find client"))
}

/// Gives a client that proves itself by a secret one, if it has none.
pub fn fill_in_secret(client: &mut ClientImport, entropy: &Entropy, now: Timestamp) {
    let settings = &mut client.settings;
    let needs_one = !settings.public_client
        && settings.client_authenticator_type == "client-secret"
        && settings.protocol.as_deref() == Some("openid-connect");
    if needs_one && client.secret.is_none() {
        client.secret = Some(Secret::new(entropy.alphanumeric(SECRET_LENGTH)));
        settings.attributes.insert(SECRET_MADE_AT.to_owned(), now.unix_seconds().to_string());
    }
}

/// Whether the client can be made.
pub fn check_new(cx: &Cx, client: &ClientImport) -> Result<(), Refusal> {
    client_rules::check(&client.client_id, &client.settings, cx.settings())?;
    client_rules::check_id(client.uuid.as_ref())?;
    // The name of a client that will administer a realm is for that realm to take.
    refuse_administrative(cx, &ClientId::new(client.client_id.as_str()))
}

pub async fn create(cx: &Cx, client: ClientImport) -> Result<ClientUuid, Refusal> {
    write_decided(cx, async |db| create_in(cx, db, client).await).await
}

/// The same within a transaction.
pub async fn create_in(cx: &Cx, db: &mut Db<'_>, mut client: ClientImport) -> Result<ClientUuid, Refusal> {
    check_new(cx, &client)?;
    fill_in_secret(&mut client, cx.entropy(), cx.now);
    let realm = &cx.snapshot().realm;
    let uuid = client.uuid.clone().unwrap_or_else(|| ClientUuid::new(cx.entropy().uuid()));
    let row = ClientRow {
        uuid: &uuid,
        client_id: &ClientId::new(client.client_id.as_str()),
        enabled: client.enabled,
        not_before: client.not_before,
        secret: client.secret.as_ref(),
        settings: &client.settings,
    };
    let inserted = store::client::insert_client(db, &realm.id, &row, cx.now).await;
    inserted.map_err(|e| taken(e, CLIENT_ID_KEY, || format!("Client {} already exists", client.client_id)))?;
    for mapper in &client.mappers {
        store::protocol_mapper::insert_mapper(db, &realm.id, MapperOwner::Client(&uuid), mapper).await?;
    }
    for (scope, optional) in scopes_of(cx, &client) {
        store::client::put_client_scope(db, &realm.id, &uuid, scope, optional).await?;
    }
    if client.settings.service_accounts_enabled {
        open_account(cx, db, &client.client_id, &uuid).await?;
    }
    note(cx, db, Change::create(ResourceType::Client, uuid.as_str()).with("id", uuid.as_str())).await?;
    Ok(uuid)
}

/// The scopes that a new client gets: those that it names, else the realm's; always of its own protocol.
fn scopes_of<'a>(cx: &'a Cx, client: &ClientImport) -> Vec<(&'a ClientScopeId, bool)> {
    let snapshot = cx.snapshot();
    let protocol = client.settings.protocol.as_deref().unwrap_or("openid-connect");
    let named = |names: &[String]| names.iter().filter_map(|n| snapshot.scope_named(n)).collect::<Vec<_>>();
    let of_realm = |ids: &[ClientScopeId]| ids.iter().filter_map(|id| snapshot.scopes.get(id)).collect::<Vec<_>>();
    let (mut default, optional) = match &client.scopes {
        Some(own) => (named(&own.default), named(&own.optional)),
        None => (of_realm(&snapshot.realm.default_scopes), of_realm(&snapshot.realm.optional_scopes)),
    };
    if client.settings.service_accounts_enabled {
        default.extend(snapshot.scope_named(SERVICE_ACCOUNT));
    }
    let all = optional.into_iter().map(|s| (s, true)).chain(default.into_iter().map(|s| (s, false)));
    all.filter(|(s, _)| s.protocol == protocol).map(|(s, optional)| (&s.id, optional)).collect()
}

/// Makes the user that stands for a client.
pub async fn open_account(cx: &Cx, db: &mut Db<'_>, client_id: &str, uuid: &ClientUuid) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm;
    let account = service_account(&cx.server, client_id, uuid, cx.now);
    store::user::insert_user(db, &realm.id, &account, !realm.settings.duplicate_emails_allowed, &json!([])).await?;
    store::user::insert_role(db, &realm.id, &account.id, &realm.default_role).await
}

/// Writes the client as it is to be; its account follows its name and its switch.
pub async fn update(cx: &Cx, before: &Client, after: &Client) -> Result<(), Refusal> {
    write_decided(cx, async |db| {
        update_in(cx, db, before, after).await?;
        Ok(note(cx, db, Change::update(ResourceType::Client)).await?)
    })
    .await
}

/// The same within a transaction.
pub async fn update_in(cx: &Cx, db: &mut Db<'_>, before: &Client, after: &Client) -> Result<(), Refusal> {
    client_rules::check(after.client_id.as_str(), &after.settings, cx.settings())?;
    let realm = &cx.snapshot().realm;
    if before.client_id != after.client_id || before.enabled && !after.enabled {
        refuse_administrative(cx, &before.client_id)?;
        refuse_administrative(cx, &after.client_id)?;
    }
    store::client::update_client(db, &realm.id, &row_of(after)).await?;
    match (before.settings.service_accounts_enabled, after.settings.service_accounts_enabled) {
        (false, true) => {
            open_account(cx, db, after.client_id.as_str(), &after.uuid).await?;
            if let Some(scope) = cx.snapshot().scope_named(SERVICE_ACCOUNT) {
                store::client::put_client_scope(db, &realm.id, &after.uuid, &scope.id, false).await?;
            }
        }
        (true, false) => close_account(cx, db, &after.uuid).await?,
        (true, true) if before.client_id != after.client_id => rename_account(cx, db, after).await?,
        _ => {}
    }
    Ok(())
}

/// Puts the mappers and the client scopes of a file in the place of those that the client has. Scopes that the file does not speak
/// of stay.
pub async fn replace_parts(cx: &Cx, db: &mut Db<'_>, before: &Client, new: &ClientImport) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    for mapper in &before.mappers {
        store::protocol_mapper::delete_mapper(db, realm, &mapper.id).await?;
    }
    for mapper in &new.mappers {
        store::protocol_mapper::insert_mapper(db, realm, MapperOwner::Client(&before.uuid), mapper).await?;
    }
    if new.scopes.is_some() {
        for scope in before.default_scopes.iter().chain(&before.optional_scopes) {
            store::client::delete_client_scope(db, realm, &before.uuid, scope).await?;
        }
        for (scope, optional) in scopes_of(cx, new) {
            store::client::put_client_scope(db, realm, &before.uuid, scope, optional).await?;
        }
    }
    Ok(())
}

/// Of a host that is no node of the client.
pub const NO_NODE: Refusal = Refusal::NotFound("Client does not have node ");

/// Writes the client's own settings, and the event that tells of it.
pub async fn update_settings(cx: &Cx, client: &Client, change: Change) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        store::client::update_client(db, realm, &row_of(client)).await?;
        Ok(note(cx, db, change).await?)
    })
    .await
}

/// The client that holds the administrative roles keeps its name and stays: rights are looked up by it.
fn refuse_administrative(cx: &Cx, client_id: &ClientId) -> Result<(), Refusal> {
    if administered_by(&cx.snapshot().realm, client_id).is_some() { Err(Refusal::Forbidden) } else { Ok(()) }
}

pub(super) fn row_of(client: &Client) -> ClientRow<'_> {
    ClientRow {
        uuid: &client.uuid,
        client_id: &client.client_id,
        enabled: client.enabled,
        not_before: client.not_before,
        secret: client.secret.as_ref(),
        settings: &client.settings,
    }
}

async fn close_account(cx: &Cx, db: &mut Db<'_>, client: &ClientUuid) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    if let Some(account) = store::user::find_service_account(db, realm, client).await? {
        store::user::delete_user(db, realm, &account.id).await?;
    }
    Ok(())
}

async fn rename_account(cx: &Cx, db: &mut Db<'_>, client: &Client) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm;
    if let Some(mut account) = store::user::find_service_account(db, &realm.id, &client.uuid).await? {
        account.username = format!("service-account-{}", client.client_id.as_str().to_lowercase());
        store::user::update_user(db, &realm.id, &account, !realm.settings.duplicate_emails_allowed).await?;
    }
    Ok(())
}

/// Deletes the client with its roles, its account and its parts of sessions; the server's own stay.
pub async fn delete(cx: &Cx, client: &Client) -> Result<(), Refusal> {
    refuse_administrative(cx, &client.client_id)?;
    refuse_built_in(client)?;
    detach(cx, client).await?;
    write_realm(cx, async |db| delete_in(cx, db, client).await).await
}

/// Ends the client's parts of sessions, a few in each transaction: nobody waits for the end of a client that has millions.
async fn detach(cx: &Cx, client: &Client) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm.id;
    for kind in [SessionKind::Online, SessionKind::Offline] {
        let mut last = None;
        loop {
            let next = (&client.uuid, last.as_ref());
            let taken = cx.store().in_tx(async |db| store::client_session::detach_next(db, kind, realm, next, cx.now).await);
            last = taken.await?;
            if last.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// The same within a transaction.
pub async fn delete_in(cx: &Cx, db: &mut Db<'_>, client: &Client) -> Result<(), Refusal> {
    refuse_administrative(cx, &client.client_id)?;
    refuse_built_in(client)?;
    let realm = &cx.snapshot().realm.id;
    store::client_session::detach_client(db, realm, &client.uuid, cx.now).await?;
    close_account(cx, db, &client.uuid).await?;
    if !store::client::delete_client(db, realm, &client.uuid).await? {
        return Err(Refusal::NotFound("Could not find client"));
    }
    let shown = json!({"id": client.uuid, "clientId": client.client_id});
    Ok(note(cx, db, Change::delete(ResourceType::Client).showing(shown)).await?)
}

/// The clients that every realm has stay what they are.
pub fn refuse_built_in(client: &Client) -> Result<(), Refusal> {
    if BUILT_IN.contains(&client.client_id.as_str()) {
        return Err(Refusal::InvalidRequest("Could not delete client"));
    }
    Ok(())
}

/// Makes a new secret; the old one is worth nothing from here on.
pub async fn renew_secret(cx: &Cx, client: &Client) -> Result<Secret, Refusal> {
    let mut changed = client.clone();
    let secret = Secret::new(cx.entropy().alphanumeric(SECRET_LENGTH));
    changed.secret = Some(secret.clone());
    changed.settings.attributes.insert(SECRET_MADE_AT.to_owned(), cx.now.unix_seconds().to_string());
    let realm = &cx.snapshot().realm.id;
    write_decided(cx, async |db| {
        store::client::update_client(db, realm, &row_of(&changed)).await?;
        let shown = json!({"type": "secret", "value": secret.expose()});
        note(cx, db, Change::action(ResourceType::Client).showing(shown)).await?;
        Ok(())
    })
    .await?;
    Ok(secret)
}

/// Makes this the one registration access token that is good for the client.
pub async fn write_registration_token(cx: &Cx, client: &Client, token: &str) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        if !store::client::put_registration_token(db, realm, &client.uuid, token).await? {
            return Err(Refusal::NotFound("Could not find client"));
        }
        let shown = json!({"id": client.uuid, "clientId": client.client_id});
        Ok(note(cx, db, Change::action(ResourceType::Client).showing(shown)).await?)
    })
    .await
}

/// Gives the client a scope. One that it has already stays what it is, and so does one of another protocol stay away (Keycloak).
pub async fn add_scope(cx: &Cx, client: &Client, scope: &ClientScopeId, optional: bool) -> Result<(), Refusal> {
    let snapshot = cx.snapshot();
    let found = snapshot.scopes.get(scope).ok_or(Refusal::NotFound("Client scope not found"))?;
    let protocol = client.settings.protocol.as_deref().unwrap_or("openid-connect");
    let has = client.default_scopes.contains(scope) || client.optional_scopes.contains(scope);
    if has || found.protocol != protocol {
        return Ok(());
    }
    let realm = &snapshot.realm.id;
    write_decided(cx, async |db| {
        store::client::put_client_scope(db, realm, &client.uuid, scope, optional).await?;
        note(cx, db, Change::add(ResourceType::ClientScopeClientMapping)).await?;
        Ok(())
    })
    .await
}

pub async fn remove_scope(cx: &Cx, client: &Client, scope: &ClientScopeId) -> Result<(), Refusal> {
    let snapshot = cx.snapshot();
    if !snapshot.scopes.contains_key(scope) {
        return Err(Refusal::NotFound("Client scope not found"));
    }
    let realm = &snapshot.realm.id;
    write_realm(cx, async |db| {
        store::client::delete_client_scope(db, realm, &client.uuid, scope).await?;
        Ok(note(cx, db, Change::delete(ResourceType::ClientScopeClientMapping)).await?)
    })
    .await
}

/// Lets roles into the client's tokens, or takes them out of them.
pub async fn change_scope_mappings(
    cx: &Cx,
    client: &ClientUuid,
    roles: &[RoleId],
    add: bool,
    change: Change,
) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        for role in roles {
            if add {
                store::client::insert_scope_mapping(db, realm, client, role).await?;
            } else {
                store::client::delete_scope_mapping(db, realm, client, role).await?;
            }
        }
        Ok(note(cx, db, change).await?)
    })
    .await
}
