use proptest::prelude::*;

use super::Bundle;
use super::format::fill_in;

fn text(file: &str, key: &str) -> String {
    Bundle::parse(file.as_bytes()).pattern(key).unwrap_or("absent").to_owned()
}

#[test]
fn keys_end_at_an_equals_sign_a_colon_or_a_blank() {
    for line in ["key=a text", "key: a text", "key a text", "  key  =  a text", "key\t:\ta text"] {
        assert_eq!(text(line, "key"), "a text", "{line:?}");
    }
    assert_eq!(text("a\\=b\\ c = x", "a=b c"), "x");
    assert_eq!(text("alone", "alone"), "");
    assert_eq!(text("key==", "key"), "=");
}

#[test]
fn comments_and_blank_lines_say_nothing() {
    let bundle = Bundle::parse(b"# key=1\n  ! key=2\n\n \t\r\nother=3\r\n");
    assert_eq!(bundle.keys().collect::<Vec<_>>(), ["other"]);
}

#[test]
fn a_backslash_joins_lines_and_names_characters() {
    assert_eq!(text("key=one \\\n    two\\\r\n three", "key"), "one two");
    assert_eq!(text("key=one \\\n  two\\\\\nother=x", "key"), "one two\\");
    assert_eq!(text(r"key=Code\: \u00e9 \ud83d\ude00 \n\q\ud83d \uzz", "key"), "Code: é 😀 \nq\u{fffd} \u{fffd}zz");
}

#[test]
fn utf8_and_a_byte_order_mark_are_read() {
    assert_eq!(text("\u{feff}key=Änderung", "key"), "Änderung");
}

#[test]
fn arguments_are_filled_in_as_message_format_does() {
    let args = ["one".to_owned(), "{1}".to_owned()];
    for (pattern, filled) in [
        ("{0} and {1}", "one and {1}"),
        ("{0,number,integer}", "one"),
        ("{ 0 }", "one"),
        ("don''t {0}", "don't one"),
        ("don't {0}", "don't one"),
        ("a '{0}' b", "a {0} b"),
        ("a '{''x''}", "a {'x'}"),
        ("{7} {x} {}", "{7} {x} {}"),
        ("open {0", "open {0"),
        ("}", "}"),
    ] {
        assert_eq!(fill_in(pattern, &args), filled, "{pattern:?}");
    }
}

#[test]
fn a_name_that_is_a_key_is_resolved_and_any_other_is_itself() {
    let bundle = Bundle::parse(b"profileScopeConsentText=User profile");
    assert_eq!(bundle.resolve("${profileScopeConsentText}"), "User profile");
    for other in ["profileScopeConsentText", "${unknown}", "${profileScopeConsentText", "${}", "", "a ${profileScopeConsentText}"]
    {
        assert_eq!(bundle.resolve(other), other);
    }
}

#[test]
fn durations_are_said_in_the_two_largest_units() {
    let bundle = Bundle::parse(include_bytes!("../../../templates/messages/messages_en.properties"));
    for (seconds, words) in [
        (2_592_000, "30 days"),
        (86_400, "1 day"),
        (129_600, "1 day 12 hours"),
        (5_400, "1 hour 30 minutes"),
        (90_061, "1 day 1 hour"),
        (86_401, "1 day"),
        (61, "1 minute 1 second"),
        (1, "1 second"),
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (i64::MAX, "106751991167300 days 15 hours"),
    ] {
        assert_eq!(bundle.duration(seconds), words);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        Bundle::parse(&bytes);
    }

    #[test]
    fn any_text_of_the_characters_that_mean_something_is_read(text in r"[\\u0-9a-fdD=: {}',#!\nké😀]{0,60}") {
        let bundle = Bundle::parse(text.as_bytes());
        for key in bundle.keys() {
            bundle.format(key, &["x".to_owned()]);
            bundle.resolve(key);
        }
    }

    #[test]
    fn a_text_without_braces_and_apostrophes_is_what_was_written(text in "[a-zA-Zé.,;=:#!] ?[a-zA-Zé.,;=:#! ]{0,40}") {
        let bundle = Bundle::parse(format!("key = {text}").as_bytes());
        let written = text.strip_prefix(['=', ':']).map_or(text.as_str(), str::trim_start);
        prop_assert!(bundle.format("key", &[]) == text.trim_start() || bundle.format("key", &[]) == written);
    }
}
