//! Whom Postgres runs as. It refuses to run as root; then it gets the user that its package made, or `nobody`.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::EmbeddedError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OsUser {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

const PASSWD: &str = "/etc/passwd";

/// `None`: as ourselves. Data that is there already keeps its owner, whoever that is.
pub(super) fn for_postgres(root: bool, pgdata: &Path) -> Result<Option<OsUser>, EmbeddedError> {
    if !root {
        return Ok(None);
    }
    if let Ok(data) = pgdata.metadata()
        && data.uid() != 0
    {
        return Ok(Some(OsUser { uid: data.uid(), gid: data.gid() }));
    }
    let passwd = fs::read_to_string(PASSWD).map_err(EmbeddedError::io("cannot read", Path::new(PASSWD)))?;
    ["postgres", "nobody"].into_iter().find_map(|name| find(&passwd, name)).map(Some).ok_or(EmbeddedError::NoUser)
}

fn find(passwd: &str, name: &str) -> Option<OsUser> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (user, _password) = (fields.next()?, fields.next()?);
        let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
        (user == name && uid != 0).then_some(OsUser { uid, gid })
    })
}

/// Fails if the user may not pass through a folder above `path`. Postgres would only say "permission denied".
pub(super) fn check_way_to(path: &Path, user: OsUser) -> Result<(), EmbeddedError> {
    for folder in path.ancestors().skip(1) {
        let facts = folder.metadata().map_err(EmbeddedError::io("cannot look at", folder))?;
        let bit = if facts.uid() == user.uid {
            0o100
        } else if facts.gid() == user.gid {
            0o010
        } else {
            0o001
        };
        if facts.mode() & bit == 0 {
            return Err(EmbeddedError::Closed { closed: folder.to_owned(), user: user.uid });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name_and_never_root() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\npostgres:x:101:104:,,,:/var/lib/postgresql:/bin/sh\nfake:x:0:0::/:\n";
        assert_eq!(find(passwd, "postgres"), Some(OsUser { uid: 101, gid: 104 }));
        assert_eq!(find(passwd, "nobody"), None);
        assert_eq!(find(passwd, "fake"), None);
    }

    #[test]
    fn a_folder_closed_to_others_is_named() {
        let closed = std::env::temp_dir().join(format!("nightlatch-closed-{}", std::process::id()));
        fs::create_dir_all(&closed).unwrap();
        fs::set_permissions(&closed, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let stranger = OsUser { uid: 4_242_424, gid: 4_242_424 };
        let error = check_way_to(&closed.join("data"), stranger).unwrap_err();
        fs::remove_dir(&closed).unwrap();
        assert!(matches!(error, EmbeddedError::Closed { closed: named, .. } if named == closed));
    }
}
