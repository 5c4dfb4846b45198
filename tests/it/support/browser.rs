//! A browser without JavaScript: cookies, redirects, forms.

use std::collections::BTreeMap;

use scraper::{Html, Selector};

use super::TestServer;

/// What a browser shows after its redirects.
#[derive(Debug)]
pub struct Shown {
    pub status: u16,
    /// The last address that was asked, or the one outside this server that a redirect led to.
    pub address: url::Url,
    pub html: String,
    pub headers: reqwest::header::HeaderMap,
}

impl Shown {
    /// A parameter of the address that the browser was sent to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.address.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    /// The address of the page's form.
    pub fn action(&self) -> String {
        let page = Html::parse_document(&self.html);
        let form = page.select(&Selector::parse("form").unwrap()).next().unwrap_or_else(|| panic!("no form in {}", self.html));
        self.address.join(form.attr("action").unwrap()).unwrap().to_string()
    }

    /// The hidden inputs of the page's form.
    pub fn hidden(&self) -> BTreeMap<String, String> {
        let page = Html::parse_document(&self.html);
        let inputs = Selector::parse("form input[type=hidden]").unwrap();
        let pair = |input: scraper::ElementRef<'_>| {
            Some((input.attr("name")?.to_owned(), input.attr("value").unwrap_or_default().to_owned()))
        };
        page.select(&inputs).filter_map(pair).collect()
    }

    pub fn says(&self, text: &str) -> bool {
        let page = Html::parse_document(&self.html);
        page.root_element().text().collect::<String>().contains(text)
    }
}

pub struct Browser<'a> {
    server: &'a TestServer,
    cookies: std::sync::Mutex<BTreeMap<String, String>>,
}

impl TestServer {
    pub fn browser(&self) -> Browser<'_> {
        Browser { server: self, cookies: std::sync::Mutex::default() }
    }

    /// The address that begins a sign-in at a client of the demo realm.
    pub fn authorization(&self, client_id: &str, more: &[(&str, &str)]) -> String {
        let mut address = url::Url::parse(&self.endpoint("/auth")).unwrap();
        address.query_pairs_mut().extend_pairs([
            ("client_id", client_id),
            ("redirect_uri", "http://localhost:3000/cb"),
            ("response_type", "code"),
            ("state", "s"),
        ]);
        address.query_pairs_mut().extend_pairs(more);
        address.to_string()
    }
}

impl Browser<'_> {
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    pub async fn get(&self, address: &str) -> Shown {
        self.follow(address, None).await
    }

    pub async fn post(&self, address: &str, form: &[(&str, &str)]) -> Shown {
        self.follow(address, Some(form)).await
    }

    /// Opens a client's sign-in and sends the name and the password.
    pub async fn sign_in(&self, client_id: &str, more: &[(&str, &str)]) -> Shown {
        let page = self.get(&self.server.authorization(client_id, more)).await;
        self.post(&page.action(), &[("username", "alice"), ("password", "alice")]).await
    }

    async fn follow(&self, address: &str, form: Option<&[(&str, &str)]>) -> Shown {
        let mut address = url::Url::parse(address).unwrap();
        let mut form = form;
        for _ in 0..10 {
            if !address.as_str().starts_with(&self.server.base) {
                return Shown { status: 0, address, html: String::new(), headers: reqwest::header::HeaderMap::new() };
            }
            let request = match form.take() {
                Some(form) => self.server.http.post(address.clone()).form(form),
                None => self.server.http.get(address.clone()),
            };
            let response = request.header("accept", "text/html").header("cookie", self.cookie_line()).send().await.unwrap();
            self.keep(&response);
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            match headers.get("location") {
                Some(target) => address = address.join(target.to_str().unwrap()).unwrap(),
                None => return Shown { status, address, html: response.text().await.unwrap(), headers },
            }
        }
        panic!("redirects without an end at {address}");
    }

    fn cookie_line(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, response: &reqwest::Response) {
        let mut cookies = self.cookies.lock().unwrap();
        for line in response.headers().get_all("set-cookie") {
            let line = line.to_str().unwrap();
            let (pair, attributes) = line.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
