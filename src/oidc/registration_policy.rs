//! What clients may look like that are registered by themselves (Keycloak: client registration policies): those who bring no token
//! may less than those who bring one. A policy looks at the client as it would become, not at what of it was sent, and a policy
//! that this server does not know lets nobody in.

use std::collections::HashSet;
use std::net::IpAddr;

use url::Url;

use crate::model::component::REGISTRATION_POLICY;
use crate::model::realm_import::ClientImport;
use crate::model::{Client, ClientScopeId, Component, ComponentId, RealmSnapshot};

/// By what somebody registers a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    Anonymous,
    Authenticated,
}

impl Trust {
    /// Keycloak's name: the type below the policies' own, and the claim of a client's token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
        }
    }

    /// What is not said to be more counts as less.
    pub fn of_claim(text: Option<&str>) -> Self {
        if text == Some("authenticated") { Self::Authenticated } else { Self::Anonymous }
    }
}

/// Attributes with addresses.
const CALLED: [&str; 3] = ["backchannel.logout.url", "frontchannel.logout.url", "jwks.url"];

/// A policy and what it says against the client, in Keycloak's words.
pub type Objection = (String, String);

/// The policies for one way of registering.
#[derive(Clone, Debug)]
pub struct Policies {
    all: Vec<Component>,
}

/// What is to be decided.
#[derive(Debug)]
pub struct Question<'a> {
    pub realm: &'a RealmSnapshot,
    /// The client as it stands; none if it is new.
    pub before: Option<&'a Client>,
    /// The policies that trust the host which sent the request.
    pub trusting: &'a HashSet<ComponentId>,
}

impl Policies {
    pub fn of(components: Vec<Component>, trust: Trust) -> Self {
        let fits = |c: &Component| c.provider_type == REGISTRATION_POLICY && c.sub_type.as_deref() == Some(trust.as_str());
        Self { all: components.into_iter().filter(fits).collect() }
    }

    fn named<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a Component> {
        self.all.iter().filter(move |policy| policy.provider_id == provider)
    }

    /// The policies that ask who sends, each with the hosts and addresses that it trusts.
    pub fn trusted_senders(&self) -> impl Iterator<Item = (&ComponentId, Vec<&str>)> {
        let asking = self.named(TRUSTED_HOSTS).filter(|policy| asks(policy, SENDER));
        asking.map(|policy| (&policy.id, list(policy, TRUSTED_HOSTS)))
    }

    /// The first objection to the sender alone.
    pub fn check_sender(&self, trusting: &HashSet<ComponentId>) -> Result<(), Objection> {
        let mut objecting = self.trusted_senders().filter(|(policy, _)| !trusting.contains(*policy));
        match objecting.next().and_then(|(id, _)| self.all.iter().find(|policy| policy.id == *id)) {
            Some(policy) => Err((policy.name.clone(), NOT_TRUSTED.to_owned())),
            None => Ok(()),
        }
    }

    /// Pages of these origins may register clients.
    pub fn web_origins(&self) -> Vec<String> {
        self.named("registration-web-origins").flat_map(|p| list(p, "web-origins")).map(str::to_owned).collect()
    }

    /// Makes of a new client what the policies want, whatever was asked for.
    pub fn shape(&self, client: &mut ClientImport) {
        for policy in &self.all {
            match policy.provider_id.as_str() {
                "consent-required" => client.settings.consent_required = true,
                "scope" => client.settings.full_scope_allowed = false,
                "client-disabled" => client.enabled = false,
                _ => {}
            }
        }
    }

    /// The first objection to the client as it would become.
    pub fn check(&self, question: &Question<'_>, client: &ClientImport) -> Result<(), Objection> {
        self.all.iter().try_for_each(|policy| object(policy, question, client).map_err(|why| (policy.name.clone(), why)))
    }
}

/// Whatever else there is to a policy, its name comes first.
pub fn rejection((policy, why): &Objection) -> String {
    format!("Policy '{policy}' rejected request to client-registration service. Details: {why}")
}

pub const TRUSTED_HOSTS: &str = "trusted-hosts";
/// Who sends, and where the client is: each is asked unless a policy says that it is not.
pub const SENDER: &str = "host-sending-registration-request-must-match";
pub const ADDRESSES: &str = "client-uris-must-match";
const NOT_TRUSTED: &str = "Host not trusted.";
/// Keycloak's, where a policy does not say.
const MOST_CLIENTS: &str = "200";

fn asks(policy: &Component, name: &str) -> bool {
    policy.config(name) != Some("false")
}

/// Whether a policy is one. Trusted hosts of which nothing is asked would let anybody in by its name.
pub fn asks_for_something(policy: &Component) -> bool {
    policy.provider_id != TRUSTED_HOSTS || asks(policy, SENDER) || asks(policy, ADDRESSES)
}

fn list<'a>(policy: &'a Component, name: &str) -> Vec<&'a str> {
    let values = policy.config.get(name).into_iter().flatten();
    values.map(|value| value.trim()).filter(|value| !value.is_empty()).collect()
}

fn object(policy: &Component, question: &Question<'_>, client: &ClientImport) -> Result<(), String> {
    let refuse = |text: &str| Err(text.to_owned());
    let before = question.before;
    match policy.provider_id.as_str() {
        TRUSTED_HOSTS => trusted_hosts(policy, question, client),
        "consent-required" if before.is_some_and(|b| b.settings.consent_required) && !client.settings.consent_required => {
            refuse("Not permitted to update consentRequired to false")
        }
        "scope" if before.is_some_and(|b| !b.settings.full_scope_allowed) && client.settings.full_scope_allowed => {
            refuse("Not permitted to enable fullScopeAllowed")
        }
        "client-disabled" if before.is_some_and(|b| !b.enabled) && client.enabled => refuse("Not permitted to enable client"),
        "max-clients" if before.is_none() => max_clients(policy, question.realm),
        "allowed-protocol-mappers" => mappers(policy, before, client),
        "allowed-client-templates" => scopes(policy, question, client),
        "consent-required" | "scope" | "client-disabled" | "max-clients" | "registration-web-origins" => Ok(()),
        _ => refuse("The policy is not known"),
    }
}

fn trusted_hosts(policy: &Component, question: &Question<'_>, client: &ClientImport) -> Result<(), String> {
    if !asks_for_something(policy) || asks(policy, SENDER) && !question.trusting.contains(&policy.id) {
        return Err(NOT_TRUSTED.to_owned());
    }
    if !asks(policy, ADDRESSES) {
        return Ok(());
    }
    let trusted = list(policy, TRUSTED_HOSTS);
    let settings = &client.settings;
    let root = settings.root_url.as_deref().unwrap_or_default();
    let absolute = |uri: &str| if uri.starts_with('/') { format!("{root}{uri}") } else { uri.to_owned() };
    // Those that this server itself asks, or shows in a frame: more than Keycloak looks at (CVE-2026-1180).
    let called = CALLED.iter().filter_map(|name| settings.attributes.get(*name));
    let urls = [&settings.root_url, &settings.base_url, &settings.admin_url].into_iter().flatten().chain(called);
    // Below no root a relative address leads to this server.
    let urls = urls.map(|url| absolute(url)).filter(|url| !url.is_empty() && !url.starts_with('/'));
    if !urls.into_iter().all(|url| stands_on(&url, &trusted)) {
        return Err("URL doesn't match any trusted host or trusted domain".to_owned());
    }
    let after_logout = settings.attributes.get("post.logout.redirect.uris").into_iter().flat_map(|all| all.split("##"));
    let places = settings.redirect_uris.iter().chain(&settings.web_origins).map(String::as_str).chain(after_logout);
    // Shorthands for the others, or for nothing.
    let mut places = places.filter(|place| !["", "+", "-"].contains(place));
    if !places.all(|uri| stands_on(&absolute(uri), &trusted)) {
        return Err("URI doesn't match any trusted host or trusted domain".to_owned());
    }
    Ok(())
}

/// Whether the address is of a trusted host, or below a trusted domain: whole labels of it, and the domain itself.
fn stands_on(address: &str, trusted: &[&str]) -> bool {
    let Some(url) = Url::parse(address).ok() else { return false };
    let Some(host) = url.host_str() else { return false };
    trusted.iter().any(|trusted| match trusted.strip_prefix("*.") {
        Some("") => false,
        Some(domain) => host.eq_ignore_ascii_case(domain) || ends_in_labels(host, domain),
        None => host.eq_ignore_ascii_case(trusted),
    })
}

/// CVE GHSA-46c8-635v-68r2: `evil-example.org` is no host of `example.org`.
fn ends_in_labels(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
    host.strip_suffix(&domain).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a trusted host is this very address. Names have to be looked up.
pub fn is_sender(trusted: &str, sender: IpAddr) -> bool {
    trusted.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical() == sender.to_canonical())
}

fn max_clients(policy: &Component, realm: &RealmSnapshot) -> Result<(), String> {
    let most = policy.config("max-clients").unwrap_or(MOST_CLIENTS).parse::<usize>().unwrap_or(0);
    if realm.clients.len() < most { Ok(()) } else { Err(format!("It's allowed to have max {most} clients per realm")) }
}

/// A mapper of another type may stay as it is, if somebody with more rights put it there.
fn mappers(policy: &Component, before: Option<&Client>, client: &ClientImport) -> Result<(), String> {
    let allowed = list(policy, "allowed-protocol-mapper-types");
    let known = before.map(|client| client.mappers.as_slice()).unwrap_or_default();
    for mapper in &client.mappers {
        let was_there =
            known.iter().any(|old| old.id == mapper.id && old.mapper_type == mapper.mapper_type && old.config == mapper.config);
        if !was_there && !allowed.contains(&mapper.mapper_type.as_str()) {
            return Err("ProtocolMapper type not allowed".to_owned());
        }
    }
    Ok(())
}

fn scopes(policy: &Component, question: &Question<'_>, client: &ClientImport) -> Result<(), String> {
    let Some(wanted) = &client.scopes else { return Ok(()) };
    let named = list(policy, "allowed-client-scopes");
    let realm = question.realm;
    let of_realm = realm.realm.default_scopes.iter().chain(&realm.realm.optional_scopes);
    let of_realm: Vec<_> = of_realm.filter(|_| asks(policy, "allow-default-scopes")).collect();
    // What is to be asked for does not come to be had always.
    let may = |name: &String, has: &[ClientScopeId]| {
        let scope = realm.scope_named(name);
        scope.is_some_and(|scope| named.contains(&name.as_str()) || of_realm.contains(&&scope.id) || has.contains(&scope.id))
    };
    let before =
        |list: fn(&Client) -> &Vec<ClientScopeId>| question.before.map(|client| list(client).as_slice()).unwrap_or_default();
    let (default, optional) = (before(|client| &client.default_scopes), before(|client| &client.optional_scopes));
    if wanted.default.iter().all(|name| may(name, default)) && wanted.optional.iter().all(|name| may(name, optional)) {
        Ok(())
    } else {
        Err("Not permitted to use specified clientScope".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ghsa_46c8_635v_68r2_a_trusted_domain_ends_at_a_label() {
        let trusted = ["*.example.org", "localhost"];
        for good in ["https://example.org/", "https://a.example.org", "https://A.B.Example.org:8/x", "http://localhost:1/cb"] {
            assert!(stands_on(good, &trusted), "{good}");
        }
        for bad in [
            "https://evil-example.org/",
            "https://example.org.evil.com/",
            "https://localhost.evil.com",
            "https://a.example.org@evil.com/",
            "com.example.org:/cb",
            "/relative",
            "https://",
        ] {
            assert!(!stands_on(bad, &trusted), "{bad}");
        }
    }

    #[test]
    fn a_sender_is_known_in_each_spelling_of_its_address() {
        let sender: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert!(is_sender("192.0.2.1", sender));
        assert!(!is_sender("192.0.2.2", sender) && !is_sender("localhost", sender));
    }

    #[test]
    fn who_says_nothing_is_trusted_least() {
        assert_eq!(Trust::of_claim(None), Trust::Anonymous);
        assert_eq!(Trust::of_claim(Some("root")), Trust::Anonymous);
        assert_eq!(Trust::of_claim(Some("authenticated")), Trust::Authenticated);
    }
}
