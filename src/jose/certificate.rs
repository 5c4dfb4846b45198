//! X.509 certificates (RFC 5280) as far as they are looked into: the public key they hold, and when they end.
//!
//! A certificate vouches for nothing here: it is a form in which keys are handed around, and whoever registers one has been
//! asked for more than that.

use super::public_key::{SEQUENCE, element};

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;

/// The DER SubjectPublicKeyInfo of a certificate in DER; none where it is no certificate.
pub fn spki_of_certificate(certificate: &[u8]) -> Option<&[u8]> {
    let after_validity = element(SEQUENCE, after_issuer(certificate)?)?.1;
    let (_subject, rest) = element(SEQUENCE, after_validity)?;
    let (content, after) = element(SEQUENCE, rest)?;
    let header = rest.len() - after.len() - content.len();
    rest.get(..header + content.len())
}

/// When a certificate ends, in milliseconds since 1970: the second time of its `validity` (RFC 5280 §4.1).
pub fn certificate_valid_to(certificate: &[u8]) -> Option<i64> {
    let (validity, _) = element(SEQUENCE, after_issuer(certificate)?)?;
    let (_, rest) = time_text(validity)?;
    let ((tag, text), _) = time_text(rest)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    // A UTCTime has two digits of the year, which end in 2049.
    let (year, rest) = if tag == UTC_TIME { text.split_at_checked(2)? } else { text.split_at_checked(4)? };
    let year: i32 = year.parse().ok()?;
    let year = if tag == UTC_TIME { year + if year < 50 { 2000 } else { 1900 } } else { year };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let month = time::Month::try_from(part(0)?).ok()?;
    let date = time::Date::from_calendar_date(year, month, part(2)?).ok()?;
    let end = date.with_hms(part(4)?, part(6)?, part(8)?).ok()?.assume_utc();
    Some(end.unix_timestamp() * 1000)
}

/// What comes after version, serial number, signature algorithm and issuer.
fn after_issuer(certificate: &[u8]) -> Option<&[u8]> {
    let (signed, rest) = element(SEQUENCE, certificate)?;
    if !rest.is_empty() {
        return None;
    }
    let (mut rest, _) = element(SEQUENCE, signed)?;
    if let Some((_, after)) = element(VERSION, rest) {
        rest = after;
    }
    let (_serial, rest) = element(INTEGER, rest)?;
    let (_algorithm, rest) = element(SEQUENCE, rest)?;
    Some(element(SEQUENCE, rest)?.1)
}

type Tagged<'a> = (u8, &'a [u8]);

fn time_text(der: &[u8]) -> Option<(Tagged<'_>, &[u8])> {
    let read = |tag| element(tag, der).map(|(text, rest)| ((tag, text), rest));
    read(UTC_TIME).or_else(|| read(GENERALIZED_TIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::testing;
    use proptest::prelude::*;

    #[test]
    fn a_certificate_tells_its_key_and_its_end() {
        for made in [&*testing::RSA, &*testing::ES384] {
            let certificate = made.certificate_der.as_deref().unwrap();
            assert_eq!(spki_of_certificate(certificate), Some(&*made.spki_der));
            assert_eq!(certificate_valid_to(certificate), made.valid_to.map(|end| end.unix_millis()));
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_key() {
        let made = testing::RSA.certificate_der.clone().unwrap();
        assert_eq!(spki_of_certificate(&testing::RSA.spki_der), None);
        assert_eq!(spki_of_certificate(&made[..made.len() - 1]), None);
        assert_eq!(spki_of_certificate(&[made, vec![0]].concat()), None);
        assert_eq!(certificate_valid_to(&[0x30, 0x82]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(der in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = (spki_of_certificate(&der), certificate_valid_to(&der));
        }

        #[test]
        fn no_change_of_a_certificate_makes_the_reader_panic(at in 0_usize..400, byte in any::<u8>()) {
            let mut der = testing::ES384.certificate_der.clone().unwrap();
            let at = at % der.len();
            der[at] = byte;
            let _ = (spki_of_certificate(&der), certificate_valid_to(&der));
        }
    }
}
