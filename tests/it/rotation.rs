//! Rotating refresh tokens: once used, used up (RFC 9700 §4.14), and the lost answer.

use std::time::Duration;

use serde_json::json;

use crate::support::{TestServer, refresh_token};

async fn strict(max_reuse: i64) -> TestServer {
    let server = TestServer::start().await;
    server.admin().await.set(json!({"revokeRefreshToken": true, "refreshTokenMaxReuse": max_reuse})).await;
    server
}

#[tokio::test]
async fn eight_at_once_with_one_token_one_wins() {
    let server = strict(0).await;
    let token = server.offline_token().await;
    let calls = (0..8).map(|_| server.refresh(&token));
    let answers = futures(calls).await;
    let granted = answers.iter().filter(|a| a.status == 200).count();
    assert_eq!(granted, 1, "{answers:?}");
    for refused in answers.iter().filter(|a| a.status != 200) {
        assert_eq!(refused.refusal().1, "invalid_grant");
    }
    server.finish().await;
}

/// All at the same time, on one task.
pub async fn futures<F: Future>(calls: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = calls.into_iter().map(|call| (Box::pin(call), None)).collect();
    std::future::poll_fn(|cx| {
        for (call, output) in &mut waiting {
            if output.is_none()
                && let std::task::Poll::Ready(done) = call.as_mut().poll(cx)
            {
                *output = Some(done);
            }
        }
        if waiting.iter().all(|(_, output)| output.is_some()) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().map(|(_, output)| output.unwrap()).collect()
}

#[tokio::test]
async fn a_used_token_that_comes_back_ends_the_clients_part() {
    let server = strict(0).await;
    let first = server.offline_token().await;
    let second = refresh_token(&server.refresh(&first).await.granted());
    server.advance(Duration::from_secs(60));
    let replay = server.refresh(&first).await;
    assert_eq!(replay.refusal(), (400, "invalid_grant", "Maximum allowed refresh token reuse exceeded"));
    assert_eq!(server.refresh(&second).await.refusal().1, "invalid_grant");
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 0);
    server.finish().await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_where_the_realm_allows_it() {
    let server = strict(1).await;
    let first = server.offline_token().await;
    let answered = refresh_token(&server.refresh(&first).await.granted());
    let again = refresh_token(&server.refresh(&first).await.granted());
    assert_eq!(answered, again, "the same successor to the byte, not a second branch");
    server.refresh(&again).await.granted();
    server.finish().await;
}

#[tokio::test]
async fn without_rotation_the_token_may_be_used_as_often_as_one_likes() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    for answer in futures((0..8).map(|_| server.refresh(&token))).await {
        answer.granted();
    }
    server.finish().await;
}

#[tokio::test]
async fn a_client_revokes_its_own_token_and_nobody_elses() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let form = [("client_id", "demo-partner"), ("client_secret", "demo-partner-secret"), ("token", token.as_str())];
    let foreign = server.post(&server.endpoint("/revoke"), &form).await;
    assert_eq!(foreign.refusal(), (400, "invalid_request", "Unmatching clients"));
    server.refresh(&token).await.granted();
    assert_eq!(server.as_backup("/revoke", &[("token", &token)]).await.status, 200);
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "Offline user session not found"));
    server.finish().await;
}
