//! Realms: changed, renamed, deleted, together with what the master realm has of them.

use serde_json::{Map, Value};

use super::{Refusal, realm_rules, write_decided, write_realm};
use crate::flow::Cx;
use crate::flow::admin_event::{self, note};
use crate::model::admin_event::ResourceType;
use crate::model::realm::LIFESPANS;
use crate::model::{Client, ClientId, RealmId, realm_name};
use crate::oidc::admin_roles::master_client;
use crate::oidc::password_policy::{self, PolicyProblem};
use crate::store::client::ClientRow;
use crate::store::realm::RealmChange;
use crate::store::{self, Db, StoreError};

const MASTER: &str = "master";
const POLICY: &str = "passwordPolicy";

/// What a realm is to be.
#[derive(Clone, Debug)]
pub struct Change {
    pub name: String,
    pub enabled: bool,
    pub not_before: i64,
    pub document: Map<String, Value>,
    /// The settings that the change names.
    pub named: Map<String, Value>,
}

/// Changes a realm; with another name, the addresses of its built-in clients and its client in the master realm follow.
pub async fn update(cx: &Cx, change: &Change) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    let renamed = change.name != realm.name;
    if renamed {
        if realm.is_master() {
            return Err(Refusal::Invalid("Can't rename master realm".to_owned()));
        }
        realm_name::check(&change.name).map_err(Refusal::Invalid)?;
    }
    realm_rules::check(&change.named, &change.document)?;
    let document = with_policy(cx, &change.document)?;
    let row = RealmChange {
        name: &change.name,
        enabled: change.enabled,
        not_before: change.not_before,
        settings: &document,
        changes_lifespans: LIFESPANS.iter().any(|name| realm.document.get(*name) != document.get(*name)),
    };
    let master = if renamed { master_of(cx).await? } else { None };
    write_decided(cx, async |db| {
        let updated = store::realm::update_realm(db, &realm.id, &row, cx.now).await;
        updated.map_err(|e| super::taken(e, store::realm::NAME_KEY, || "Realm with same name exists".to_owned()))?;
        if renamed {
            move_addresses(cx, db, &change.name).await?;
        }
        if let Some((master, client)) = &master {
            move_client_in_master(db, master, client, &change.name).await?;
        }
        note(cx, db, admin_event::Change::update(ResourceType::Realm)).await?;
        Ok(())
    })
    .await?;
    if let Some((master, _)) = &master {
        cx.server.realms.invalidate(master);
    }
    Ok(())
}

/// The document with a new password policy as it is kept: without doublets, or not at all. The list that it names has to be
/// there. A policy that stays is not looked at: it is not what this change is about.
fn with_policy(cx: &Cx, document: &Map<String, Value>) -> Result<Map<String, Value>, Refusal> {
    let mut document = document.clone();
    let text = document.get(POLICY).and_then(Value::as_str).unwrap_or_default();
    if Some(text) == cx.settings().password_policy.as_deref() {
        return Ok(document);
    }
    let policy = password_policy::parse(text).map_err(|problem| Refusal::Invalid(problem.to_string()))?;
    if policy.forbidden_list.as_deref().is_some_and(|list| cx.server.passwords.list(list).is_none()) {
        return Err(Refusal::Invalid(PolicyProblem::no_list().to_string()));
    }
    if policy.text.is_empty() {
        document.remove(POLICY);
    } else {
        document.insert(POLICY.to_owned(), Value::from(policy.text));
    }
    Ok(document)
}

/// Says which attributes users have. Keycloak keeps no event of it; who may see what of a user is worth one.
pub async fn set_user_profile(cx: &Cx, profile: &Value) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        store::realm::set_user_profile(db, realm, Some(profile)).await?;
        Ok(note(cx, db, admin_event::Change::update(ResourceType::UserProfile)).await?)
    })
    .await
}

/// The master realm and the realm's client in it.
async fn master_of(cx: &Cx) -> Result<Option<(RealmId, Client)>, StoreError> {
    let Some(master) = cx.server.realms.current(cx.store(), MASTER).await? else { return Ok(None) };
    let client = master.snapshot.client(&master_client(&cx.snapshot().realm.name));
    Ok(client.map(|client| (master.snapshot.realm.id.clone(), client.as_ref().clone())))
}

/// The built-in clients' addresses have the realm's name in them.
async fn move_addresses(cx: &Cx, db: &mut Db<'_>, name: &str) -> Result<(), StoreError> {
    let realm = &cx.snapshot().realm;
    let moved = |address: &str| {
        ["realms", "admin"].iter().find_map(|place| {
            let rest = address.strip_prefix(&format!("/{place}/{}/", realm.name))?;
            Some(format!("/{place}/{name}/{rest}"))
        })
    };
    for client in cx.snapshot().clients.values() {
        let mut settings = client.settings.clone();
        let Some(base) = settings.base_url.as_deref().and_then(moved) else { continue };
        settings.base_url = Some(base);
        for uri in &mut settings.redirect_uris {
            if let Some(moved) = moved(uri) {
                *uri = moved;
            }
        }
        let row = ClientRow { settings: &settings, ..row_of(client, &client.client_id) };
        store::client::update_client(db, &realm.id, &row).await?;
    }
    Ok(())
}

async fn move_client_in_master(db: &mut Db<'_>, master: &RealmId, client: &Client, name: &str) -> Result<(), StoreError> {
    store::realm::touch(db, master).await?;
    let id = ClientId::new(master_client(name));
    let mut settings = client.settings.clone();
    settings.name = Some(format!("{name} Realm"));
    let row = ClientRow { settings: &settings, ..row_of(client, &id) };
    store::client::update_client(db, master, &row).await?;
    Ok(())
}

fn row_of<'a>(client: &'a Client, client_id: &'a ClientId) -> ClientRow<'a> {
    ClientRow {
        uuid: &client.uuid,
        client_id,
        enabled: client.enabled,
        not_before: client.not_before,
        secret: client.secret.as_ref(),
        settings: &client.settings,
    }
}

/// Deletes a realm and all that is in it, and its client in the master realm. `teller` is the request in the realm that issued
/// the administrator's token: its events tell of it.
pub async fn delete(cx: &Cx, teller: &Cx) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm;
    if realm.is_master() {
        return Err(Refusal::Invalid("Can't delete master realm".to_owned()));
    }
    let master = master_of(cx).await?;
    let deleted = cx
        .store()
        .in_tx(async |db| {
            // The master realm is touched second everywhere, so that two writers cannot wait for each other.
            let deleted = store::realm::delete_realm(db, &realm.id).await?;
            if deleted && teller.snapshot().realm.id != realm.id {
                note(teller, db, admin_event::Change::delete(ResourceType::Realm)).await?;
            }
            if let Some((master, client)) = &master {
                store::realm::touch(db, master).await?;
                store::client_session::detach_client(db, master, &client.uuid, cx.now).await?;
                store::client::delete_client(db, master, &client.uuid).await?;
            }
            Ok(deleted)
        })
        .await?;
    cx.server.realms.invalidate(&realm.id);
    if let Some((master, _)) = &master {
        cx.server.realms.invalidate(master);
    }
    if deleted { Ok(()) } else { Err(Refusal::NotFound("Realm not found.")) }
}
