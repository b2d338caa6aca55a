//! Configuration: unknown keys are refused, and secrets do not print themselves.

use huiyin_chassis::{ServiceConfig, config};

const GOOD: &str = r#"
listen = "127.0.0.1:0"
token_secret = "hush"
database = { url = "postgres://me:hush@localhost/x" }
identity = { key_file = "k.pem", issuer = "i", audience = "a" }
"#;

#[test]
fn a_key_that_nobody_knows_is_refused_by_its_name() {
    let error = config::parse::<ServiceConfig>("intake", &format!("{GOOD}\nlisten_on = 7\n")).unwrap_err();
    assert!(format!("{error:#}").contains("listen_on"), "{error:#}");
}

#[test]
fn secrets_do_not_print_themselves() {
    let config: ServiceConfig = config::parse("intake", GOOD).unwrap();
    assert!(!format!("{config:?}").contains("hush"), "{config:?}");
}
