//! The examples of the README do what they say.

use std::process::Command;

use huiyin_e2e::{Suite, root};

/// Every `grpcurl` example in both READMEs, one after the other, against a fresh suite.
#[tokio::test(flavor = "multi_thread")]
async fn every_grpcurl_example_of_the_readmes_answers() {
    let tools = root().join(".tools/venv/bin");
    assert!(
        tools.join("grpcurl").exists(),
        "grpcurl is missing: `make tools-e2e` installs it"
    );
    for readme in ["README.md", "README.zh-CN.md"] {
        let suite = Suite::start(&[]).await;
        let addresses = suite.files.addresses().unwrap();
        let text = std::fs::read_to_string(root().join(readme)).unwrap();
        let examples: Vec<&str> = text
            .split("```")
            .skip(1)
            .step_by(2)
            .filter(|block| block.contains("grpcurl "))
            .collect();
        assert!(examples.len() >= 6, "{readme} has an example for each service");
        for example in examples {
            let (_, script) = example.split_once('\n').unwrap();
            let mut script = script.replace(".huiyin/", &format!("{}/", suite.files.folder().display()));
            for (port, service) in (50051..).zip(huiyin::suite::SERVICES) {
                script = script.replace(&format!("127.0.0.1:{port}"), &addresses[service].to_string());
            }
            let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
            let output = Command::new("bash")
                .args(["-euo", "pipefail", "-c", &script])
                .env("PATH", path)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{readme}: {example}\n{said}");
        }
    }
}
