//! Which language a page comes in.

/// How many wishes are looked at; nobody speaks more languages, and a header is no place to keep a server busy.
const WISHES: usize = 32;

/// The language that a user wants and the realm supports: `ui_locales` (OpenID Connect Core §3.1.2.1, in the order of
/// preference) comes before `Accept-Language` (RFC 9110 §12.5.4). The answer is one of `supported`, or `default`.
pub fn choose_locale<'a>(
    ui_locales: Option<&str>,
    accept_language: Option<&str>,
    supported: &[&'a str],
    default: &'a str,
) -> &'a str {
    let asked = ui_locales.unwrap_or_default().split_ascii_whitespace().take(WISHES).find_map(|tag| lookup(tag, supported));
    asked.or_else(|| accepted(accept_language.unwrap_or_default(), supported)).unwrap_or(default)
}

/// RFC 4647 §3.4: the tag, then the tag without its last part, and so on: `de-AT` finds `de`.
fn lookup<'a>(tag: &str, supported: &[&'a str]) -> Option<&'a str> {
    let mut range = tag;
    loop {
        if let Some(found) = supported.iter().find(|s| same(s, range)) {
            return Some(found);
        }
        range = range.rsplit_once(['-', '_'])?.0;
    }
}

/// Java writes `pt_BR` where the rest of the world writes `pt-BR`.
fn same(a: &str, b: &str) -> bool {
    let normal = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().map(normal).eq(b.bytes().map(normal))
}

fn accepted<'a>(header: &str, supported: &[&'a str]) -> Option<&'a str> {
    let mut ranges: Vec<(&str, f32)> = header.split(',').take(WISHES).map(range).filter(|(_, q)| *q > 0.0).collect();
    ranges.sort_by(|a, b| b.1.total_cmp(&a.1));
    ranges.into_iter().find_map(|(tag, _)| lookup(tag, supported))
}

/// `de-AT;q=0.8`. A weight that is none counts as 0.
fn range(item: &str) -> (&str, f32) {
    let mut parts = item.split(';').map(str::trim);
    let tag = parts.next().unwrap_or_default();
    let weight = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
    (tag, weight.map_or(1.0, |q| q.parse().ok().filter(|q| (0.0..=1.0).contains(q)).unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[&str] = &["en", "de"];

    #[test]
    fn ui_locales_come_first_in_their_order() {
        assert_eq!(choose_locale(Some("de"), Some("en"), BOTH, "en"), "de");
        assert_eq!(choose_locale(Some("xx de en"), None, BOTH, "en"), "de");
        assert_eq!(choose_locale(Some("xx"), Some("de"), BOTH, "en"), "de");
    }

    #[test]
    fn accept_language_goes_by_weight() {
        assert_eq!(choose_locale(None, Some("de,en;q=0.5"), BOTH, "en"), "de");
        assert_eq!(choose_locale(None, Some("en;q=0.4, de;q=0.5"), BOTH, "en"), "de");
        assert_eq!(choose_locale(None, Some("de;q=0, *"), BOTH, "en"), "en");
        assert_eq!(choose_locale(None, Some("de;q=NaN, fr"), BOTH, "en"), "en");
    }

    #[test]
    fn a_region_is_left_out_where_it_is_not_known() {
        assert_eq!(choose_locale(Some("de-AT-1996"), None, BOTH, "en"), "de");
        assert_eq!(choose_locale(Some("DE"), None, BOTH, "en"), "de");
        assert_eq!(choose_locale(Some("pt-br"), None, &["en", "pt_BR"], "en"), "pt_BR");
    }

    #[test]
    fn what_nobody_supports_is_the_default() {
        for (ui, accept) in
            [(None, None), (Some(""), Some("")), (Some("-"), Some(",;q=,*;;")), (Some("../../etc"), Some("\u{0}"))]
        {
            assert_eq!(choose_locale(ui, accept, BOTH, "de"), "de");
        }
    }
}
