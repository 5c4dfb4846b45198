//! Writing down what administrators do: in the transaction of the change itself, so that none is there without the other.

use serde_json::{Map, Value};

use super::context::Cx;
use super::masking;
use crate::model::EventId;
use crate::model::admin_event::{AdminEvent, Operation, ResourceType};
use crate::store::{self, Db, StoreError};

/// What is told of a change.
#[derive(Clone, Debug)]
pub struct Change {
    operation: Operation,
    resource_type: ResourceType,
    /// What the path goes on with: the name or id of what was made.
    made: Option<String>,
    /// The path, where it is another than that of the request.
    place: Option<String>,
    shown: Shown,
    details: Map<String, Value>,
}

/// What the representation is.
#[derive(Clone, Debug)]
enum Shown {
    Nothing,
    /// What was sent, and what became of it.
    Sent(Map<String, Value>),
    This(Value),
}

impl Change {
    /// Something new: it was sent to the address of its list, and stands below that by its name or id.
    pub fn create(resource_type: ResourceType, made: &str) -> Self {
        Self { made: Some(made.to_owned()), ..Self::of(Operation::Create, resource_type, Shown::Sent(Map::new())) }
    }

    /// Something new that stands where it was sent to.
    pub fn add(resource_type: ResourceType) -> Self {
        Self::of(Operation::Create, resource_type, Shown::Sent(Map::new()))
    }

    /// Members of a list: what was sent comes to it or leaves it.
    pub fn add_or_remove(resource_type: ResourceType, add: bool) -> Self {
        let operation = if add { Operation::Create } else { Operation::Delete };
        Self::of(operation, resource_type, Shown::Sent(Map::new()))
    }

    pub fn update(resource_type: ResourceType) -> Self {
        Self::of(Operation::Update, resource_type, Shown::Sent(Map::new()))
    }

    pub fn delete(resource_type: ResourceType) -> Self {
        Self::of(Operation::Delete, resource_type, Shown::Nothing)
    }

    pub fn action(resource_type: ResourceType) -> Self {
        Self::of(Operation::Action, resource_type, Shown::Nothing)
    }

    fn of(operation: Operation, resource_type: ResourceType, shown: Shown) -> Self {
        Self { operation, resource_type, made: None, place: None, shown, details: Map::new() }
    }

    /// Told together with what was sent.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        if let Shown::Sent(more) = &mut self.shown {
            more.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Told of something that stands elsewhere than the address that was asked.
    pub fn at(self, place: &str) -> Self {
        Self { place: Some(place.to_owned()), ..self }
    }

    /// Told besides the representation, and without asking for details.
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Told without what was sent.
    pub fn showing_nothing(self) -> Self {
        Self { shown: Shown::Nothing, ..self }
    }

    /// Told instead of what was sent.
    pub fn showing(self, representation: Value) -> Self {
        Self { shown: Shown::This(representation), ..self }
    }
}

/// Writes the event, if an administrator asked for the change and the realm keeps such events.
pub async fn note(cx: &Cx, db: &mut Db<'_>, change: Change) -> Result<(), StoreError> {
    let Some(request) = cx.admin.as_deref().filter(|_| cx.settings().admin_events_enabled) else { return Ok(()) };
    let asked = change.place.as_deref().unwrap_or(&request.path);
    let path = [asked, change.made.as_deref().unwrap_or_default()].join("/");
    let path = path.trim_matches('/');
    let keeps_details = cx.settings().admin_events_details;
    let event = AdminEvent {
        operation: change.operation,
        resource_type: change.resource_type,
        resource_path: Some(path.to_owned()).filter(|path| !path.is_empty()),
        auth: request.auth.clone(),
        representation: if keeps_details { represent(change.shown, request.sent.get()) } else { None },
        details: change.details,
    };
    let id = EventId::new(cx.entropy().uuid());
    store::admin_event::insert_admin_event(db, &cx.snapshot().realm.id, &id, &event, cx.now).await
}

/// The same for what changes nothing in the database.
pub async fn note_alone(cx: &Cx, change: Change) -> Result<(), StoreError> {
    note(cx, &mut cx.store().db().await?, change).await
}

fn represent(shown: Shown, sent: Option<&[u8]>) -> Option<String> {
    let mut value = match shown {
        Shown::Nothing => return None,
        Shown::This(value) => value,
        Shown::Sent(more) => {
            let mut sent = serde_json::from_slice(sent?).ok()?;
            if let Value::Object(fields) = &mut sent {
                fields.extend(more);
            }
            sent
        }
    };
    masking::mask(&mut value);
    Some(value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_is_told_with_what_became_of_it_and_without_its_secrets() {
        let change = Change::create(ResourceType::Client, "1").with("id", "1");
        let told = represent(change.shown, Some(br#"{"clientId":"app","secret":"s3cret"}"#)).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told, json!({"clientId": "app", "id": "1", "secret": "**********"}));
        assert_eq!(represent(Change::action(ResourceType::User).shown, Some(b"{}")), None);
        assert_eq!(represent(Change::update(ResourceType::User).shown, None), None);
    }
}
