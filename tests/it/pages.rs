//! The pages in a real browser: they work without a mouse, are legible on a phone, and their pictures are kept to be looked at.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use thirtyfour::prelude::*;

use crate::support::TestServer;

/// A chromedriver of its own, ended with the test.
struct Driver(Child, u16);

impl Driver {
    fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().expect("chromedriver is installed by ./dev test"), port)
    }

    async fn open(&self) -> WebDriver {
        let mut wanted = DesiredCapabilities::chrome();
        for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"] {
            wanted.add_arg(argument).unwrap();
        }
        let address = format!("http://127.0.0.1:{}", self.1);
        // The program needs a moment until it listens; it is asked until then.
        let mut last = None;
        for _ in 0..100 {
            match WebDriver::new(&address, wanted.clone()).await {
                Ok(driver) => return driver,
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("chromedriver does not answer: {last:?}");
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the page holds a text, as a user would; the driver asks the browser until then.
async fn reads(driver: &WebDriver, text: &str) {
    let words = format!("//body[contains(., '{text}')]");
    let wait = driver.query(By::XPath(words.as_str())).wait(Duration::from_secs(20), Duration::from_millis(50));
    wait.first().await.unwrap_or_else(|_| panic!("the page does not say: {text}"));
}

/// The client's own page, for the browser to come back to; the port that it is on.
async fn application(server: &TestServer) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let page = axum::Router::new()
        .route("/cb", axum::routing::get(async || "Welcome back"))
        .route("/bye", axum::routing::get(async || "Goodbye"));
    tokio::spawn(async move { axum::serve(listener, page).await });
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-partner").await);
    let change = json!({"clientId": "demo-partner", "redirectUris": [format!("http://localhost:{port}/*")]});
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&change)).await.status, 204);
    port
}

async fn picture(driver: &WebDriver, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts/pages");
    std::fs::create_dir_all(&folder).unwrap();
    driver.screenshot(&folder.join(format!("{name}.png"))).await.unwrap();
}

#[tokio::test]
async fn a_user_signs_in_agrees_and_signs_out_with_the_keyboard_alone() {
    let server = TestServer::start().await;
    let client = application(&server).await;
    let program = Driver::start();
    let driver = program.open().await;
    let address = server.authorization("demo-partner", &[("scope", "openid offline_access")]);
    let address = address.replace("127.0.0.1", "localhost").replace("3000", &client.to_string());
    driver.goto(&address).await.unwrap();
    picture(&driver, "login").await;
    let focused = driver.active_element().await.unwrap();
    assert_eq!(focused.attr("name").await.unwrap().as_deref(), Some("username"));
    focused.send_keys("alice" + Key::Tab).await.unwrap();
    driver.active_element().await.unwrap().send_keys("wrong" + Key::Enter).await.unwrap();
    reads(&driver, "Invalid username or password.").await;
    picture(&driver, "login-wrong-password").await;
    driver.find(By::Name("password")).await.unwrap().send_keys("alice" + Key::Enter).await.unwrap();
    reads(&driver, "Partner application").await;
    picture(&driver, "consent").await;
    driver.set_window_rect(0, 0, 390, 844).await.unwrap();
    picture(&driver, "consent-phone").await;
    let wide = driver.execute("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await.unwrap();
    assert!(!wide.convert::<bool>().unwrap(), "nothing is cut off on a phone");
    driver.set_window_rect(0, 0, 1280, 900).await.unwrap();
    driver.find(By::Name("accept")).await.unwrap().send_keys(Key::Enter + "").await.unwrap();
    reads(&driver, "Welcome back").await;
    assert!(driver.current_url().await.unwrap().query().is_some_and(|q| q.contains("code=")));
    driver.goto(&server.endpoint("/logout").replace("127.0.0.1", "localhost")).await.unwrap();
    picture(&driver, "logout").await;
    driver.find(By::Name("confirmLogout")).await.unwrap().send_keys(Key::Enter + "").await.unwrap();
    reads(&driver, "You are logged out").await;
    picture(&driver, "logged-out").await;
    driver.goto(&server.endpoint("/auth?client_id=nobody").replace("127.0.0.1", "localhost")).await.unwrap();
    picture(&driver, "error").await;
    driver.quit().await.unwrap();
    server.finish().await;
}

#[tokio::test]
async fn clients_hear_of_a_logout_in_the_front_and_the_page_says_so() {
    let server = TestServer::start().await;
    let client = application(&server).await;
    let admin = server.admin().await;
    let path = format!("/demo/clients/{}", admin.client("demo-partner").await);
    let mut partner = admin.get(&path).await;
    partner["frontchannelLogout"] = json!(true);
    partner["consentRequired"] = json!(false);
    partner["attributes"]["frontchannel.logout.url"] = json!(format!("http://localhost:{client}/bye"));
    assert_eq!(admin.call(reqwest::Method::PUT, &path, Some(&partner)).await.status, 204);
    let program = Driver::start();
    let driver = program.open().await;
    let address = server.authorization("demo-partner", &[("scope", "openid")]);
    driver.goto(&address.replace("127.0.0.1", "localhost").replace("3000", &client.to_string())).await.unwrap();
    driver.find(By::Name("username")).await.unwrap().send_keys("alice" + Key::Tab).await.unwrap();
    driver.find(By::Name("password")).await.unwrap().send_keys("alice" + Key::Enter).await.unwrap();
    reads(&driver, "Welcome back").await;
    // Who has no tokens of the session need not hear of its end.
    let back = driver.current_url().await.unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let redirect = format!("http://localhost:{client}/cb");
    let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect.as_str())];
    let exchange = server.http.post(server.endpoint("/token").replace("127.0.0.1", "localhost")).form(&form);
    assert_eq!(exchange.basic_auth("demo-partner", Some("demo-partner-secret")).send().await.unwrap().status(), 200);
    driver.goto(&server.endpoint("/logout").replace("127.0.0.1", "localhost")).await.unwrap();
    driver.find(By::Name("confirmLogout")).await.unwrap().send_keys(Key::Enter + "").await.unwrap();
    reads(&driver, "Logging out").await;
    reads(&driver, "Partner application").await;
    picture(&driver, "frontchannel-logout").await;
    assert_eq!(barriers(&driver).await, Vec::<String>::new());
    // The browser really went there: the page's own policy lets it.
    driver.enter_frame(0).await.unwrap();
    reads(&driver, "Goodbye").await;
    driver.quit().await.unwrap();
    server.finish().await;
}

/// What axe finds serious or critical on the page that is shown (WCAG 2.2 AA).
async fn barriers(driver: &WebDriver) -> Vec<String> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/node_modules/axe-core/axe.min.js");
    driver.execute(std::fs::read_to_string(program).unwrap(), vec![]).await.unwrap();
    let run = "const done = arguments[arguments.length - 1];
        axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}).then(found => done(found.violations
            .filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))));";
    driver.execute_async(run, vec![]).await.unwrap().convert().unwrap()
}

/// Has the browser prefer pages that are `light` or `dark`, from the next one on.
async fn prefer(program: &Driver, driver: &WebDriver, scheme: &str) {
    let address = format!("http://127.0.0.1:{}/session/{}/goog/cdp/execute", program.1, driver.handle().session_id());
    let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
    let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
    let answer = reqwest::Client::new().post(address).json(&command).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    let is_dark = driver.execute("return matchMedia('(prefers-color-scheme: dark)').matches", vec![]).await.unwrap();
    assert_eq!(is_dark.convert::<bool>().unwrap(), scheme == "dark");
}

#[tokio::test]
async fn the_account_console_is_legible_everywhere_and_free_of_barriers() {
    let server = TestServer::start().await;
    let token = server.offline_token().await;
    let client = application(&server).await;
    let program = Driver::start();
    let driver = program.open().await;
    let address = server.authorization("demo-partner", &[("scope", "openid offline_access")]);
    driver.goto(&address.replace("127.0.0.1", "localhost").replace("3000", &client.to_string())).await.unwrap();
    driver.find(By::Name("username")).await.unwrap().send_keys("alice" + Key::Tab).await.unwrap();
    driver.find(By::Name("password")).await.unwrap().send_keys("alice" + Key::Enter).await.unwrap();
    reads(&driver, "Partner application").await;
    assert_eq!(barriers(&driver).await, Vec::<String>::new(), "consent");
    driver.find(By::Name("accept")).await.unwrap().click().await.unwrap();
    reads(&driver, "Welcome back").await;
    let account = server.realm("demo", "/account").replace("127.0.0.1", "localhost");
    let pages = [
        ("personal-info", "/", "Personal info"),
        ("applications", "/applications", "may act for you"),
        ("remove-access", "/applications/demo-backup/remove", "Remove the access of Night backup?"),
        ("devices", "/account-security/device-activity", "This device"),
    ];
    for (scheme, suffix) in [("dark", "-dark"), ("light", "")] {
        prefer(&program, &driver, scheme).await;
        for (name, path, text) in pages {
            driver.goto(format!("{account}{path}")).await.unwrap();
            reads(&driver, text).await;
            assert_eq!(barriers(&driver).await, Vec::<String>::new(), "{name}, {scheme}");
            picture(&driver, &format!("account-{name}{suffix}")).await;
            driver.set_window_rect(0, 0, 390, 844).await.unwrap();
            let wide = driver.execute("return document.documentElement.scrollWidth > window.innerWidth", vec![]).await.unwrap();
            assert!(!wide.convert::<bool>().unwrap(), "{name}: nothing is cut off on a phone");
            picture(&driver, &format!("account-{name}-phone{suffix}")).await;
            driver.set_window_rect(0, 0, 1280, 900).await.unwrap();
        }
    }
    // By the keyboard alone: to the applications, to the removal, and away with it.
    driver.goto(format!("{account}/applications")).await.unwrap();
    let link = driver.find(By::XPath("//a[contains(., 'Remove access') and contains(., 'Night backup')]")).await.unwrap();
    link.send_keys(Key::Enter + "").await.unwrap();
    reads(&driver, "Remove the access of Night backup?").await;
    driver.find(By::XPath("//button[contains(., 'Remove access')]")).await.unwrap().send_keys(Key::Enter + "").await.unwrap();
    reads(&driver, "The access was removed.").await;
    picture(&driver, "account-removed").await;
    for scheme in ["dark", "light"] {
        prefer(&program, &driver, scheme).await;
        driver.goto(driver.current_url().await.unwrap().as_str()).await.unwrap();
        assert_eq!(barriers(&driver).await, Vec::<String>::new(), "after the removal, {scheme}");
    }
    driver.quit().await.unwrap();
    assert_eq!(server.admin().await.offline_sessions("demo-backup").await, 0);
    assert_eq!(server.refresh(&token).await.refusal(), (400, "invalid_grant", "Offline user session not found"));
    server.finish().await;
}
