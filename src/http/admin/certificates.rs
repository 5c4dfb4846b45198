//! `/clients/{uuid}/certificates/{attr}`: the key by which a client signs, and its certificate.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::answer::{Answer, plain, shown};
use super::routes::{Routes, get, post};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::client::find;
use crate::flow::admin::client_certificate::{self as certificates, Upload};
use crate::flow::admin::settled;
use crate::flow::masking::mask;
use crate::http::error::AdminError;
use crate::http::extract::{Multipart, read_multipart};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/{realm}/clients/{uuid}/certificates/{attr}", get(read))
        .route("/{realm}/clients/{uuid}/certificates/{attr}/generate", post(generate))
        .route("/{realm}/clients/{uuid}/certificates/{attr}/upload", post(upload))
        .route("/{realm}/clients/{uuid}/certificates/{attr}/upload-certificate", post(upload))
}

type At = Path<(String, String, String)>;

fn masked(found: Map<String, Value>) -> Value {
    let mut found = Value::from(found);
    mask(&mut found);
    found
}

async fn read(admin: Admin<ViewClients>, Path((_, uuid, attr)): At) -> Answer {
    certificates::check_prefix(&attr)?;
    Ok(shown(&masked(certificates::shown(find(&admin.cx, &uuid)?, &attr))))
}

async fn generate(admin: Admin<ManageClients>, Path((_, uuid, attr)): At) -> Answer {
    certificates::check_prefix(&attr)?;
    let (uuid, attr) = (&uuid, &attr);
    let made = settled(admin.cx, |cx: Cx| async move { certificates::generate(&cx, find(&cx, uuid)?, attr).await }).await?;
    Ok(shown(&Value::from(made)))
}

/// Both addresses take the same formats: those without a private key.
async fn upload(admin: Admin<ManageClients>, Path((_, uuid, attr)): At, request: Request) -> Answer {
    certificates::check_prefix(&attr)?;
    find(&admin.cx, &uuid)?;
    let (parts, body) = request.into_parts();
    let sent = read_multipart(&parts.headers, body).await.map_err(|_| missing("The form cannot be read"))?;
    let upload = read_upload(&sent)?;
    let (uuid, attr, upload) = (&uuid, &attr, &upload);
    let attempt = |cx: Cx| async move { certificates::upload(&cx, find(&cx, uuid)?, attr, upload).await };
    Ok(plain(&masked(settled(admin.cx, attempt).await?)))
}

fn missing(text: &str) -> AdminError {
    AdminError::Plain(StatusCode::BAD_REQUEST, text.to_owned())
}

fn read_upload(sent: &Multipart) -> Result<Upload, AdminError> {
    let format = sent.text("keystoreFormat").ok_or_else(|| missing("keystoreFormat cannot be null"))?;
    let file = sent.text("file").filter(|file| !file.is_empty()).ok_or_else(|| missing("file cannot be empty"))?;
    Ok(Upload::read(format, file)?)
}
