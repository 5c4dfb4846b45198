//! What handlers are given: the realm of the path, the caller, cookies, forms. A request that cannot be read ends here.

mod body;
mod caller;
mod cookies;
mod form;
mod json;
mod multipart;
mod query;
mod realm;

pub(crate) use body::{BodyError, read as read_body};
pub(crate) use caller::Caller;
pub(crate) use cookies::{browser, value as cookie};
pub(crate) use form::{read_form, read_json};
pub(crate) use json::{Json, PlainText, Representation, Small, read as read_representation};
pub(crate) use multipart::{Multipart, read_multipart};
pub(crate) use query::Query;
pub(crate) use realm::{PageCx, RealmCx, cx_of};
