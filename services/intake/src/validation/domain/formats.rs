//! What addresses look like (003-70): numbers by the rules of every country, mail addresses by RFC 5322.

use email_address::{EmailAddress, Options};
use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

/// No number is written with more characters.
const LONGEST_NUMBER: usize = 32;

/// A telephone number that can be dialled; one without a country code is Chinese. Whether somebody has it, nobody can know.
pub(crate) fn is_phone(address: &str) -> bool {
    address.chars().count() <= LONGEST_NUMBER
        && address
            .strip_prefix('+')
            .unwrap_or(address)
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b" -().".contains(&byte))
        && PHONE_NUMBER_UTIL
            .parse(address, Some(Region::CN))
            .is_ok_and(|number| PHONE_NUMBER_UTIL.is_possible_number(&number))
}

/// A mail address with a domain of at least two labels, without a display name or a literal.
pub(crate) fn is_mail(address: &str) -> bool {
    let options = Options::default()
        .with_required_tld()
        .without_display_text()
        .without_domain_literal();
    EmailAddress::parse_with_options(address, options).is_ok()
}

/// A URL that can be called.
pub(crate) fn is_url(address: &str) -> bool {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@') && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 003-70: formats are validated.
    #[test]
    fn addresses_are_told_from_what_is_none() {
        for number in [
            "13800138000",
            "+86 138 0013 8000",
            "138-0013-8000",
            "010-8888 7777",
            "+1 650 253 0000",
            "+44 20 7031 3000",
            "+886 2 2345 6789",
        ] {
            assert!(is_phone(number), "{number}");
        }
        for number in [
            "",
            "123",
            "1380013800013800138000",
            "+999 12345678",
            "abc",
            "138x0013x800",
            "+",
            "1".repeat(4000).as_str(),
        ] {
            assert!(!is_phone(number), "{number}");
        }
        for mail in ["li@example.com", "li.wei+huiyin@mail.example.com.cn", "李伟@例子.中国"] {
            assert!(is_mail(mail), "{mail}");
        }
        for mail in [
            "li at example",
            "li@",
            "@example.com",
            "li@example",
            "li@@example.com",
            "Li <li@example.com>",
            "li@[127.0.0.1]",
            "li@-example.com",
        ] {
            assert!(!is_mail(mail), "{mail}");
        }
    }
}
