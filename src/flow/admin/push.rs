//! Telling clients that have an admin URL of a not-before, or that everybody was logged out.

use tokio::task::JoinSet;

use crate::flow::{Cx, keys};
use crate::jose;
use crate::model::Client;
use crate::oidc::admin_action::AdminAction;
use crate::oidc::client_address;
use crate::store::StoreError;

/// How many clients are told at the same time.
const AT_ONCE: usize = 32;

/// The admin URLs that took a statement, and those that did not; each sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    pub taken: Vec<String>,
    pub failed: Vec<String>,
}

/// Each of these clients that has an admin URL is told once. Clients that do not answer delay nobody but the caller.
pub async fn push(cx: &Cx, clients: impl Iterator<Item = &Client>, action: AdminAction) -> Result<Pushed, StoreError> {
    let mut running = JoinSet::new();
    let mut pushed = Pushed::default();
    for client in clients {
        let Some(base) = admin_url(cx, client) else { continue };
        let algorithm = cx.settings().default_signature_algorithm.parse().unwrap_or(jose::Algorithm::Rs256);
        let key = keys::signing_key(cx, algorithm).await?;
        let claims = action.claims(&cx.entropy().uuid(), client.client_id.as_str(), cx.server.clock.now().unix_seconds());
        let statement = jose::sign(&key, "JWT", &claims)
            .map_err(|e| StoreError::Inconsistent(format!("a statement for clients could not be signed: {e}")))?;
        if running.len() == AT_ONCE {
            note(&mut pushed, running.join_next().await);
        }
        let outgoing = cx.server.outgoing.clone();
        let (path, client_id) = (action.path(), client.client_id.clone());
        running.spawn(async move {
            let outcome = outgoing.post_text(&format!("{base}/{path}"), statement).await;
            let taken = matches!(outcome, Ok(200..=299));
            if !taken {
                tracing::warn!(client.id = %client_id, path, ?outcome, "a client did not take a statement at its admin URL");
            }
            (base, taken)
        });
    }
    while let Some(outcome) = running.join_next().await {
        note(&mut pushed, Some(outcome));
    }
    pushed.taken.sort_unstable();
    pushed.failed.sort_unstable();
    Ok(pushed)
}

fn admin_url(cx: &Cx, client: &Client) -> Option<String> {
    let text = client.settings.admin_url.as_deref().filter(|url| !url.is_empty())?;
    let url = client_address::resolve(client, text, cx.server_url())?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn note(pushed: &mut Pushed, outcome: Option<Result<(String, bool), tokio::task::JoinError>>) {
    match outcome {
        Some(Ok((url, true))) => pushed.taken.push(url),
        Some(Ok((url, false))) => pushed.failed.push(url),
        Some(Err(error)) => tracing::error!(%error, "telling a client broke off"),
        None => {}
    }
}
