//! Links in letters: made for one user, one address and one purpose, kept as a hash, and good for one use.

use super::context::Cx;
use crate::base::{Secret, sha256};
use crate::model::realm::seconds;
use crate::model::{ActionDetails, ActionKind, ActionToken, Client, TabId, User};
use crate::store::{self, StoreError};

/// So many unused links of a kind a user may have that anybody can ask for.
const AT_MOST: i64 = 5;

/// What a link is to be good for.
#[derive(Clone, Debug)]
pub struct Purpose<'a> {
    pub kind: ActionKind,
    pub client: &'a Client,
    /// The tab in which the user asked for it.
    pub tab: Option<&'a TabId>,
    pub actions: &'a [String],
    pub redirect_uri: Option<&'a str>,
    /// In seconds, where an administrator asked for the letter.
    pub by_admin: Option<i64>,
}

/// A link for a letter. Its value is nowhere else.
#[derive(Clone, Debug)]
pub struct Issued {
    pub key: Secret,
    /// For how long it works, in seconds.
    pub lives: i64,
}

/// Makes a link; `None` if the user has no address, or has been sent too many.
pub async fn issue(cx: &Cx, user: &User, purpose: &Purpose<'_>) -> Result<Option<Issued>, StoreError> {
    let Some(email) = user.email.clone() else { return Ok(None) };
    let lives = match purpose.by_admin {
        Some(lifespan) => seconds(lifespan),
        None => cx.settings().link_lifespan(purpose.kind),
    };
    let key = cx.entropy().token::<32>();
    let details = ActionDetails {
        email,
        client: purpose.client.uuid.clone(),
        tab: purpose.tab.cloned(),
        actions: purpose.actions.to_vec(),
        redirect_uri: purpose.redirect_uri.map(str::to_owned),
    };
    let token = ActionToken {
        user: user.id.clone(),
        kind: purpose.kind,
        details,
        created_at: cx.now,
        expires_at: cx.now + lives,
        is_used: false,
    };
    let at_most = if purpose.by_admin.is_some() { i64::MAX } else { AT_MOST };
    let (realm, hash) = (&cx.snapshot().realm.id, sha256(key.as_bytes()));
    let is_kept = cx.store().in_tx(async |db| {
        // Whoever asks ten times at once is counted one after the other.
        store::user::lock(db, realm, &user.id).await?;
        store::action_token::insert_action_token(db, realm, &hash, &token, at_most).await
    });
    let is_kept = is_kept.await?;
    let lives = i64::try_from(lives.as_secs()).unwrap_or(i64::MAX);
    Ok(is_kept.then(|| Issued { key: Secret::new(key), lives }))
}

/// The client that links belong to where nobody names one: the account's.
pub fn usual_client(cx: &Cx) -> Option<&Client> {
    cx.snapshot().client("account").map(AsRef::as_ref)
}
