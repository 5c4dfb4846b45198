//! The table of operations in `docs/keycloak-parity.md` is what the server's own description comes to, counted against the list of
//! Keycloak's operations in `../shared/reference`; a clone alone has nothing to count by, and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::{description, measured};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const WEIGHTS: [&str; 3] = ["must", "exp", "rare"];

/// What is there of how many, by weight.
type Counts = [(usize, usize); 3];

/// Names of parameters are nobody's business.
fn nameless(path: &str) -> String {
    let blank = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
    path.split('/').map(blank).collect::<Vec<String>>().join("/")
}

fn counted(list: &str) -> Vec<(String, Counts)> {
    let served: BTreeSet<(String, String)> =
        description::operations().iter().map(|one| (one.method.clone(), nameless(&one.path))).collect();
    let mut families: Vec<(String, Counts)> = Vec::new();
    for line in list.lines() {
        if let Some(family) = line.strip_prefix("#### ") {
            families.push((family.split(" (").next().unwrap().to_owned(), Counts::default()));
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [path, methods, .., weight] = cells.as_slice() else { continue };
        let Some(weight) = WEIGHTS.iter().position(|one| one == weight) else { continue };
        let path = path.trim_matches('`').replace('~', "/admin/realms/{realm}").replace('^', "/admin/realms");
        let (_, counts) = families.last_mut().unwrap();
        for method in methods.split(' ').filter_map(|method| Some(method.split_once('[')?.0)) {
            counts[weight].1 += 1;
            counts[weight].0 += usize::from(served.contains(&(method.to_owned(), nameless(&path))));
        }
    }
    families
}

fn cell((there, all): (usize, usize)) -> String {
    if all == 0 { "–".to_owned() } else { format!("{there} of {all}") }
}

#[test]
fn the_table_of_operations_is_what_the_server_has() {
    let Ok(reference) = fs::read_to_string(format!("{ROOT}/../shared/reference/keycloak-surface.md")) else {
        measured(format_args!("skipped: there is no list of Keycloak's operations beside the repository"));
        return;
    };
    let list = reference.split("### 2.2").nth(1).unwrap().split("### 2.3").next().unwrap();
    let document = fs::read_to_string(format!("{ROOT}/docs/keycloak-parity.md")).unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")).map(|row| row.split(" | "));
    let rows: BTreeMap<&str, Vec<String>> =
        rows.filter_map(|mut row| Some((row.next()?, row.map(|cell| cell.replace("**", "")).collect()))).collect();
    let mut sum = Counts::default();
    for (family, counts) in counted(list) {
        let told = counts.map(cell).to_vec();
        assert_eq!(rows.get(family.as_str()), Some(&told), "{family}");
        for (total, count) in sum.iter_mut().zip(counts) {
            *total = (total.0 + count.0, total.1 + count.1);
        }
    }
    assert_eq!(rows.get("**all**"), Some(&sum.map(cell).to_vec()));
}
