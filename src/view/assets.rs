//! The static files: the stylesheet, the small scripts, the logo. They are in memory and found by their exact name, so no
//! path of a request ever reaches the file system.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{ViewError, embedded, theme};
use crate::base::sha256;

/// One static file, ready to be served.
#[derive(Clone, Debug)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: &'static str,
    /// With its quotes, from the SHA-256 of the bytes.
    pub etag: String,
}

/// All static files by name.
pub struct Assets {
    files: BTreeMap<String, Asset>,
    fingerprint: String,
}

impl Assets {
    /// The product's own files.
    pub fn embedded() -> Self {
        Self::of(embedded())
    }

    /// The product's files with those of a theme's `static/` instead of, or besides, them. Files whose kind is not known are
    /// left out.
    pub fn with_theme(dir: &Path) -> Result<Self, ViewError> {
        let of_theme = theme::assets(dir)?.into_iter().map(|(name, bytes)| (name, Cow::Owned(bytes)));
        Ok(Self::of(embedded().chain(of_theme)))
    }

    /// The file of exactly this name, such as `nightlatch.css`.
    pub fn get(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }

    /// Changes when any file does: as part of the address it lets browsers keep the files for good.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn of(files: impl Iterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let mut found = BTreeMap::new();
        for (name, bytes) in files {
            if let Some(content_type) = content_type(&name) {
                let etag = format!("\"{}\"", digest(&bytes));
                found.insert(name, Asset { bytes, content_type, etag });
            }
        }
        let whole: String = found.iter().map(|(name, asset)| format!("{name} {}\n", asset.etag)).collect();
        Self { files: found, fingerprint: digest(whole.as_bytes()) }
    }
}

fn embedded() -> impl Iterator<Item = (String, Cow<'static, [u8]>)> {
    embedded::ASSETS.iter().map(|(name, bytes)| ((*name).to_owned(), Cow::Borrowed(*bytes)))
}

/// 72 bits are plenty to tell versions of a file apart.
fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(bytes)[..9])
}

fn content_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_exact_name_only() {
        let assets = Assets::embedded();
        assert_eq!(assets.get("nightlatch.css").unwrap().content_type, "text/css; charset=utf-8");
        for name in ["", "/nightlatch.css", "./nightlatch.css", "../Cargo.toml", "NIGHTLATCH.CSS", "nightlatch.css\0"] {
            assert!(assets.get(name).is_none(), "{name:?}");
        }
    }

    #[test]
    fn every_embedded_file_is_served() {
        let assets = Assets::embedded();
        assert!(embedded::ASSETS.iter().all(|(name, bytes)| assets.get(name).unwrap().bytes.as_ref() == *bytes));
    }

    #[test]
    fn the_fingerprint_follows_the_bytes() {
        let of = |text: &'static str| Assets::of([("a.css".to_owned(), Cow::Borrowed(text.as_bytes()))].into_iter());
        assert_eq!(of("x").fingerprint(), of("x").fingerprint());
        assert_ne!(of("x").fingerprint(), of("y").fingerprint());
        assert_ne!(of("x").get("a.css").unwrap().etag, of("y").get("a.css").unwrap().etag);
    }
}
