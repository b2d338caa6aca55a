//! A client in another language: the quick start of the README.

use std::process::Command;

use huiyin_e2e::{Suite, root};

/// Issue 2, "a client in another language".
#[tokio::test(flavor = "multi_thread")]
async fn the_python_quick_start_creates_watches_and_measures() {
    let suite = Suite::start(&[]).await;
    let python = root().join(".tools/venv/bin/python");
    assert!(
        python.exists(),
        "{} is missing: `make tools-e2e` makes it",
        python.display()
    );
    let addresses = suite.files.addresses().unwrap();
    let output = Command::new(python)
        .arg(root().join("docs/quickstart.py"))
        .env("HUIYIN_INTAKE", addresses["intake"].to_string())
        .env("HUIYIN_ANALYTICS", addresses["analytics"].to_string())
        .env("HUIYIN_TOKEN", suite.files.admin_token().unwrap())
        .output()
        .unwrap();
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(
        said.contains("created FB") && said.contains("watched FB") && said.contains("volume 1"),
        "{said}"
    );
}
