//! The key-encryption key of development: made once, kept beside the embedded database.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zeroize::Zeroizing;

use crate::base::{Entropy, Sealer};
use crate::config::KeyEncryptionKey;

/// The key in `data_dir`, which is made if it is not there. Only its owner may read the file.
///
/// Two servers may start at the same time: the file gets its name when it is complete, and the first name wins.
pub(super) fn load_or_make(data_dir: &Path, entropy: &Entropy) -> io::Result<KeyEncryptionKey> {
    let path = data_dir.join("kek");
    if !path.exists() {
        let draft = data_dir.join(format!("kek.{}", entropy.uuid()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(Zeroizing::new(Sealer::generate_key_line(entropy)).as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, &path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let text = Zeroizing::new(fs::read_to_string(&path)?);
    KeyEncryptionKey::parse(&text).map_err(|problem| io::Error::new(io::ErrorKind::InvalidData, problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_is_nobody_elses_to_read() {
        let dir = std::env::temp_dir().join(format!("nightlatch-kek-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let made = load_or_make(&dir, &Entropy::Os).unwrap();
        assert_eq!(load_or_make(&dir, &Entropy::Os).unwrap(), made);
        assert_eq!(dir.join("kek").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no draft stays");
        fs::write(dir.join("kek"), "short").unwrap();
        assert!(load_or_make(&dir, &Entropy::Os).is_err());
        fs::remove_dir_all(&dir).unwrap();
    }
}
