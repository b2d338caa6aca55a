//! `huiyin verify`: asks every service what it has, and holds it against what intake accepted. Nothing may be missing,
//! nothing twice.

mod checks;
mod inventory;
mod settle;

use clap::Args;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::link::Link;

/// How to audit.
#[derive(Debug, Clone, Args)]
pub struct VerifyOptions {
    /// Wait so long for the services to have read everything, in seconds; what is late is not lost.
    #[arg(long, default_value_t = 120)]
    pub wait: u64,
    /// Name at most so many strays of each kind.
    #[arg(long, default_value_t = 10)]
    pub strays: usize,
}

/// One line of the audit.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What must be so.
    pub name: &'static str,
    /// How many there must be.
    pub expected: u64,
    /// How many there are.
    pub found: u64,
    /// Names of those that are missing, twice, or nobody's.
    pub strays: Vec<String>,
    /// How many of those there are in all.
    pub stray_count: u64,
}

/// The audit of one tenant.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// `tenants/{tenant}`.
    pub tenant: String,
    /// Its lines.
    pub checks: Vec<Check>,
    /// Readers that had not read everything when the wait was over.
    pub lagging: Vec<String>,
    /// What a restore has left behind, for a person to know: no stray, as long as the checks find none.
    pub lost: Vec<String>,
}

impl Audit {
    /// True where nothing is missing, twice, or nobody's.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lagging.is_empty() && self.checks.iter().all(|check| check.stray_count == 0)
    }

    /// How many strays there are in all.
    #[must_use]
    pub fn strays(&self) -> u64 {
        self.checks.iter().map(|check| check.stray_count).sum()
    }

    /// Prints it as a table, or as JSON.
    pub fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::json!({ "clean": self.is_clean(), "audit": self }));
            return;
        }
        let mut table = Table::new();
        table.load_style(presets::UTF8_HORIZONTAL_ONLY);
        table.set_header(["what must be so", "expected", "found", "strays"]);
        for check in &self.checks {
            table.add_row([
                check.name.to_owned(),
                check.expected.to_string(),
                check.found.to_string(),
                check.stray_count.to_string(),
            ]);
        }
        println!("{table}");
        for check in &self.checks {
            for stray in &check.strays {
                println!("stray: {} — {stray}", check.name);
            }
        }
        for reader in &self.lagging {
            println!("not read to its end: {reader}");
        }
        for lost in &self.lost {
            println!("restored: {lost}");
        }
        let verdict = if self.is_clean() {
            "all reconciled, 0 strays"
        } else {
            "NOT reconciled"
        };
        println!("{}: {verdict}", self.tenant);
    }
}

/// Waits until everything has been read, takes stock, and compares.
///
/// # Errors
/// Where a service cannot be asked.
pub async fn run(link: &Link, options: &VerifyOptions) -> anyhow::Result<Audit> {
    let lagging = settle::settle(link, std::time::Duration::from_secs(options.wait)).await?;
    let inventory = inventory::take(link).await?;
    Ok(Audit {
        tenant: link.parent.clone(),
        checks: checks::all(&inventory, options.strays),
        lagging,
        lost: lost(&flows(link).await?),
    })
}

pub use settle::{flows, lags, lost, settle};
