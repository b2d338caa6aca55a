//! `huiyin token`: signs a token with the suite's own key.

use std::path::Path;

use clap::Args;

use crate::suite::Files;

/// Whom the token is for.
#[derive(Debug, Args)]
pub struct TokenOptions {
    /// Whom it speaks for, e.g. `user:li.wei`.
    #[arg(long)]
    subject: String,
    /// The tenant that it acts in.
    #[arg(long, default_value = "demo")]
    tenant: String,
    /// A role; several may be given.
    #[arg(long = "role", default_value = "agent")]
    roles: Vec<String>,
    /// For how many days it is good.
    #[arg(long, default_value_t = 30)]
    days: i64,
}

/// Prints the token.
///
/// # Errors
/// Where a role is unknown or the key cannot be read.
pub fn run(folder: &Path, options: &TokenOptions, json: bool) -> anyhow::Result<()> {
    let known: Vec<&str> = huiyin_chassis::auth::roles()
        .filter(|role| *role != "service")
        .collect();
    for role in &options.roles {
        anyhow::ensure!(
            known.contains(&role.as_str()),
            "{role:?} is not a role; there are {}",
            known.join(", ")
        );
    }
    let token = Files::existing(folder)?.token(&options.subject, &options.tenant, &options.roles, options.days)?;
    if json {
        println!("{}", serde_json::json!({ "token": token }));
    } else {
        println!("{token}");
    }
    Ok(())
}
