//! `/partialImport`: parts of a file are added to a realm that is there.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Answer, plain};
use super::identity_providers::ManageProviders;
use super::routes::{Routes, post};
use super::{Admin, ManageClients, ManageRealm, ManageUsers, Permission, handing_out};
use crate::flow::Cx;
use crate::flow::admin::partial_import::{self, Action, Addition, IfExists, Outcome};
use crate::flow::admin::settled;
use crate::http::error::AdminError;
use crate::http::extract::{Json, Representation};
use crate::http::representation::RealmRepresentation;
use crate::http::representation::lenient::Text;
use crate::model::{RealmSnapshot, RoleId};

pub(super) fn routes() -> Routes {
    Routes::new().route("/{realm}/partialImport", post(add))
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialImport {
    #[serde(default)]
    if_resource_exists: Option<Text>,
    #[serde(flatten)]
    file: RealmRepresentation,
}

impl Representation for PartialImport {
    const NAME: &'static str = "PartialImportRepresentation";
}

/// A file is no way around what its parts ask at their own addresses, and nobody brings in by it what he could not give.
async fn add(admin: Admin<ManageRealm>, Json(given): Json<PartialImport>) -> Answer {
    let if_exists = match given.if_resource_exists.as_ref().map(|text| text.0.as_str()) {
        None | Some("FAIL") => IfExists::Fail,
        Some("SKIP") => IfExists::Skip,
        Some("OVERWRITE") => IfExists::Overwrite,
        Some(_) => return Err(AdminError::bad_request("ifResourceExists is one of FAIL, SKIP and OVERWRITE")),
    };
    let import = given.file.to_import(admin.cx.now, admin.cx.entropy());
    let needed = [
        (partial_import::changes_users(&import), ManageUsers::ANY_OF),
        (partial_import::changes_clients(&import), ManageClients::ANY_OF),
        (partial_import::changes_providers(&import), ManageProviders::ANY_OF),
    ];
    if needed.iter().any(|(is_needed, roles)| *is_needed && !admin.has_any_of(roles)) {
        return Err(AdminError::Forbidden);
    }
    let addition = &Addition::new(&admin.cx, import, given.file.group_paths(), if_exists).await?;
    let administrator = &admin.administrator;
    let may_give =
        &|snapshot: &RealmSnapshot, roles: &[&RoleId]| handing_out::allows_in(snapshot, administrator, roles.iter().copied());
    let outcomes = settled(admin.cx, |cx: Cx| async move { partial_import::run(&cx, addition, may_give).await }).await?;
    Ok(plain(&results(&outcomes)))
}

fn results(outcomes: &[Outcome]) -> Value {
    let count = |action: Action| outcomes.iter().filter(|outcome| outcome.action == action).count();
    let entry = |outcome: &Outcome| {
        let action = match outcome.action {
            Action::Added => "ADDED",
            Action::Skipped => "SKIPPED",
            Action::Overwritten => "OVERWRITTEN",
        };
        json!({"action": action, "resourceType": outcome.kind, "resourceName": outcome.name, "id": outcome.id})
    };
    json!({
        "overwritten": count(Action::Overwritten),
        "added": count(Action::Added),
        "skipped": count(Action::Skipped),
        "results": outcomes.iter().map(entry).collect::<Vec<Value>>(),
    })
}
