//! `…/protocol-mappers`: the mappers of a client and of a client scope, at one kind of address.

use axum::extract::Path;
use serde_json::Value;

use super::answer::{Answer, created_uncached, done_uncached, shown};
use super::routes::{Routes, get, post};
use super::{Admin, ManageClients, ViewClients};
use crate::flow::Cx;
use crate::flow::admin::protocol_mapper::{self as mappers, find};
use crate::flow::admin::{Refusal, client, client_scope, settled};
use crate::http::extract::Json;
use crate::http::representation::{ProtocolMapperRepresentation, protocol_mapper};
use crate::model::{Client, ClientScope, ProtocolMapper};
use crate::oidc::mapper::kind;
use crate::store::protocol_mapper::MapperOwner;

/// Whose mappers they are.
trait Owner: Sized + Send + Sync + 'static {
    fn find<'a>(cx: &'a Cx, id: &str) -> Result<&'a Self, Refusal>;
    fn mappers(&self) -> &[ProtocolMapper];
    fn as_owner(&self) -> MapperOwner<'_>;
}

impl Owner for Client {
    fn find<'a>(cx: &'a Cx, id: &str) -> Result<&'a Self, Refusal> {
        client::find(cx, id)
    }

    fn mappers(&self) -> &[ProtocolMapper] {
        &self.mappers
    }

    fn as_owner(&self) -> MapperOwner<'_> {
        MapperOwner::Client(&self.uuid)
    }
}

impl Owner for ClientScope {
    fn find<'a>(cx: &'a Cx, id: &str) -> Result<&'a Self, Refusal> {
        client_scope::find(cx, id)
    }

    fn mappers(&self) -> &[ProtocolMapper] {
        &self.mappers
    }

    fn as_owner(&self) -> MapperOwner<'_> {
        MapperOwner::Scope(&self.id)
    }
}

pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(at::<Client>("clients"))
        .merge(at::<ClientScope>("client-scopes"))
        // The name of before; clients of old still use it.
        .merge(at::<ClientScope>("client-templates"))
}

fn at<O: Owner>(family: &str) -> Routes {
    let place = format!("/{{realm}}/{family}/{{id}}/protocol-mappers");
    Routes::new()
        .route(&format!("{place}/models"), get(list::<O>).post(create::<O>))
        .route(&format!("{place}/models/{{mapper}}"), get(read::<O>).put(change::<O>).delete(delete::<O>))
        .route(&format!("{place}/add-models"), post(create_all::<O>))
        .route(&format!("{place}/protocol/{{protocol}}"), get(list_of_protocol::<O>))
}

fn listed<'a>(mappers: impl Iterator<Item = &'a ProtocolMapper>) -> Value {
    Value::from(mappers.map(effective).collect::<Vec<_>>())
}

/// A mapper with the switches that it does not set.
fn effective(mapper: &ProtocolMapper) -> Value {
    let mut mapper = mapper.clone();
    kind::fill_in(&mut mapper);
    protocol_mapper(&mapper)
}

async fn list<O: Owner>(admin: Admin<ViewClients>, Path((_, id)): Path<(String, String)>) -> Answer {
    Ok(shown(&listed(O::find(&admin.cx, &id)?.mappers().iter())))
}

async fn list_of_protocol<O: Owner>(
    admin: Admin<ViewClients>,
    Path((_, id, protocol)): Path<(String, String, String)>,
) -> Answer {
    Ok(shown(&listed(O::find(&admin.cx, &id)?.mappers().iter().filter(|m| m.protocol == protocol))))
}

async fn read<O: Owner>(admin: Admin<ViewClients>, Path((_, id, mapper)): Path<(String, String, String)>) -> Answer {
    Ok(shown(&effective(find(O::find(&admin.cx, &id)?.mappers(), &mapper)?)))
}

async fn create<O: Owner>(
    admin: Admin<ManageClients>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<ProtocolMapperRepresentation>,
) -> Answer {
    let owner = O::find(&admin.cx, &id)?;
    if given.protocol.is_none() {
        return Err(Refusal::Duplicate.into());
    }
    let mapper = given.to_model(admin.cx.entropy());
    mappers::create(&admin.cx, owner.as_owner(), &mapper).await?;
    Ok(created_uncached(&admin.below(mapper.id.as_str())))
}

async fn create_all<O: Owner>(
    admin: Admin<ManageClients>,
    Path((_, id)): Path<(String, String)>,
    Json(given): Json<Vec<ProtocolMapperRepresentation>>,
) -> Answer {
    let owner = O::find(&admin.cx, &id)?;
    let all: Vec<ProtocolMapper> = given.iter().map(|m| m.to_model(admin.cx.entropy())).collect();
    mappers::create_all(&admin.cx, owner.as_owner(), &all).await?;
    Ok(done_uncached())
}

async fn change<O: Owner>(
    admin: Admin<ManageClients>,
    Path((_, id, mapper)): Path<(String, String, String)>,
    Json(given): Json<ProtocolMapperRepresentation>,
) -> Answer {
    let (id, mapper, given) = (&id, &mapper, &given);
    settled(admin.cx, |cx: Cx| async move {
        let before = find(O::find(&cx, id)?.mappers(), mapper)?;
        mappers::update(&cx, &given.put_on(before)).await
    })
    .await?;
    Ok(done_uncached())
}

async fn delete<O: Owner>(admin: Admin<ManageClients>, Path((_, id, mapper)): Path<(String, String, String)>) -> Answer {
    mappers::delete(&admin.cx, find(O::find(&admin.cx, &id)?.mappers(), &mapper)?).await?;
    Ok(done_uncached())
}
