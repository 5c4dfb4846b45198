//! Identity providers of a file and their mappers: kept in the realm's document, which is written once for all of them.

use serde_json::{Map, Value, json};

use super::{Action, Adding};
use crate::flow::admin::identity_provider::{self, check, field};
use crate::flow::admin::{Refusal, realm_document};
use crate::flow::masking::MASK;
use crate::model::realm::{IDENTITY_PROVIDER_MAPPERS, IDENTITY_PROVIDER_SECRET, IDENTITY_PROVIDERS};
use crate::store::{self, Db};

impl Adding<'_> {
    pub(super) async fn providers(
        &mut self,
        db: &mut Db<'_>,
        providers: &[Map<String, Value>],
        mappers: &[Map<String, Value>],
    ) -> Result<(), Refusal> {
        if providers.is_empty() && mappers.is_empty() {
            return Ok(());
        }
        let mut all = identity_provider::all(self.cx);
        for given in providers {
            self.provider(&mut all, given)?;
        }
        let mut all_mappers = identity_provider::all_mappers(self.cx);
        for given in mappers {
            self.mapper(&all, &mut all_mappers, given)?;
        }
        let values = [(IDENTITY_PROVIDERS, json!(all)), (IDENTITY_PROVIDER_MAPPERS, json!(all_mappers))];
        let realm = &self.cx.snapshot().realm;
        let document = realm_document::with(realm, values);
        Ok(store::realm::update_realm(db, &realm.id, &realm_document::row(realm, &document), self.cx.now).await?)
    }

    fn provider(&mut self, all: &mut Vec<Map<String, Value>>, given: &Map<String, Value>) -> Result<(), Refusal> {
        const KIND: &str = "IDP";
        check(given)?;
        let mut new = given.clone();
        let alias = field(given, "alias").to_owned();
        let Some(at) = all.iter().position(|other| field(other, "alias") == alias) else {
            new.entry("internalId").or_insert_with(|| Value::from(self.cx.entropy().uuid()));
            self.told(Action::Added, KIND, &alias, field(&new, "internalId"));
            all.push(new);
            return Ok(());
        };
        let id = field(&all[at], "internalId").to_owned();
        if self.overwrites(KIND, &alias, &id, format!("Identity Provider '{alias}' already exists."))? {
            // A file that was exported has no secrets: the one that there is stays.
            if let Value::Object(config) = new.entry("config").or_insert_with(|| json!({})) {
                config.entry(IDENTITY_PROVIDER_SECRET).or_insert_with(|| json!(MASK));
            }
            identity_provider::keep(&mut new, &all[at])?;
            all[at] = new;
            self.told(Action::Overwritten, KIND, &alias, &id);
        }
        Ok(())
    }

    fn mapper(
        &mut self,
        providers: &[Map<String, Value>],
        all: &mut Vec<Map<String, Value>>,
        given: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        const KIND: &str = "IDP_MAPPER";
        let (name, alias) = (field(given, "name").to_owned(), field(given, "identityProviderAlias"));
        if name.is_empty() || providers.iter().all(|provider| field(provider, "alias") != alias) {
            return Err(Refusal::Invalid(format!("Failed to add mapper '{name}' to identity provider [{alias}].")));
        }
        let is_same =
            |other: &&mut Map<String, Value>| field(other, "name") == name && field(other, "identityProviderAlias") == alias;
        let mut new = given.clone();
        let Some(before) = all.iter_mut().find(is_same) else {
            let id = self.cx.entropy().uuid();
            new.insert("id".to_owned(), json!(id));
            self.told(Action::Added, KIND, &name, &id);
            all.push(new);
            return Ok(());
        };
        let id = field(before, "id").to_owned();
        if self.overwrites(KIND, &name, &id, format!("Identity Provider Mapper'{name}' already exists."))? {
            new.insert("id".to_owned(), json!(id));
            *before = new;
            self.told(Action::Overwritten, KIND, &name, &id);
        }
        Ok(())
    }
}
