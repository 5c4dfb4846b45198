//! Initial access tokens: an administrator makes one for somebody who is to register so many clients (RFC 7591 §3), and takes it
//! away. The token is shown once, to whoever made it.

use serde_json::json;

use super::{Refusal, write_realm};
use crate::flow::admin_event::{Change, note};
use crate::flow::issue_tokens::sign;
use crate::flow::{Cx, keys};
use crate::model::admin_event::ResourceType;
use crate::model::realm::seconds;
use crate::model::{InitialAccess, InitialAccessId};
use crate::oidc::registration_token;
use crate::store;

/// What a token is to be good for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// How many clients.
    pub count: i32,
    /// For how long, in seconds; 0 for ever.
    pub lifespan: i64,
    pub web_origins: Vec<String>,
}

/// Makes a token. Its text is nowhere else.
pub async fn create(cx: &Cx, wish: Wish) -> Result<(InitialAccess, String), Refusal> {
    let made = InitialAccess {
        id: InitialAccessId::new(cx.entropy().uuid()),
        created_at: cx.now,
        lifespan: wish.lifespan,
        expires_at: (wish.lifespan > 0).then(|| cx.now + seconds(wish.lifespan)),
        count: wish.count,
        remaining: wish.count,
        web_origins: wish.web_origins,
    };
    let claims = registration_token::initial(&made.id, &made.web_origins, made.expires_at, &cx.issuer, cx.now);
    let realm = &cx.snapshot().realm.id;
    let token = sign(keys::internal_key(&cx.realm.keys, realm)?, "JWT", &claims)?;
    let shown = json!({"count": made.count, "expiration": made.lifespan});
    write_realm(cx, async |db| {
        store::initial_access::insert_initial_access(db, realm, &made).await?;
        Ok(note(cx, db, Change::create(ResourceType::ClientInitialAccess, made.id.as_str()).showing(shown)).await?)
    })
    .await?;
    Ok((made, token))
}

/// Takes a token away; one that is not there is gone already (Keycloak).
pub async fn delete(cx: &Cx, id: &InitialAccessId) -> Result<(), Refusal> {
    let realm = &cx.snapshot().realm.id;
    write_realm(cx, async |db| {
        store::initial_access::delete_initial_access(db, realm, id).await?;
        Ok(note(cx, db, Change::delete(ResourceType::ClientInitialAccess)).await?)
    })
    .await
}
