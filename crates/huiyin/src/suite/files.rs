//! What lies in the folder of a suite: keys, secrets, addresses, and a configuration file per service.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use huiyin_chassis::{
    Clock,
    auth::{Audience, Claims, SigningKey},
    secret,
};
use serde::{Deserialize, Serialize};

/// The six services, in the order in which feedback meets them.
pub const SERVICES: [&str; 6] = [
    "intake",
    "classifier",
    "scheduler",
    "notification",
    "survey",
    "analytics",
];

const ISSUER: &str = "https://huiyin.local";
const AUDIENCE: &str = "huiyin";
/// The first of the ports that are tried before any free one is taken.
const FIRST_PORT: u16 = 50051;

/// The servers that a suite stands on.
#[derive(Debug, Clone)]
pub struct Servers {
    /// The Postgres server: any database's URL; `{database}` of each service goes in place of its path.
    pub postgres_url: String,
    /// Redis, where there is one.
    pub redis_url: Option<String>,
    /// Where traces, metrics and logs go.
    pub otlp_endpoint: Option<String>,
}

impl Servers {
    /// The URL of a service's own database.
    #[must_use]
    pub fn database_url(&self, service: &str) -> String {
        let (server, query) = self.postgres_url.split_once('?').unwrap_or((&self.postgres_url, ""));
        let (address, _) = server.rsplit_once('/').unwrap_or((server, ""));
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        format!("{address}/huiyin_{service}{query}")
    }
}

/// The folder of a suite.
#[derive(Debug, Clone)]
pub struct Files {
    folder: PathBuf,
}

/// What is the same at every start: made at the first.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    /// Seals page tokens.
    token_secret: String,
    /// Encrypts contacts.
    vault_key: String,
    /// Makes survey tokens.
    survey_key: String,
    /// Where each service listens.
    addresses: BTreeMap<String, SocketAddr>,
}

impl Files {
    /// The folder; made where it is missing, with keys and secrets.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        let folder = fs::canonicalize(folder)?;
        let files = Self { folder };
        if !files.signing_key().exists() {
            SigningKey::create(&files.signing_key(), &files.public_key())?;
        }
        if !files.remembered_file().exists() {
            let random = || secret::to_text(&secret::random_bytes::<32>());
            let remembered = Remembered {
                token_secret: random(),
                vault_key: random(),
                survey_key: random(),
                addresses: free_addresses()?,
            };
            files.write_private("suite.json", &serde_json::to_string_pretty(&remembered)?)?;
        }
        if !files.folder.join("admin.token").exists() {
            files.write_private(
                "admin.token",
                &files.token("user:admin", "demo", &["admin".to_owned()], 365)?,
            )?;
        }
        Ok(files)
    }

    /// The folder of a suite that was started before.
    ///
    /// # Errors
    /// Where there is none.
    pub fn existing(folder: &Path) -> anyhow::Result<Self> {
        anyhow::ensure!(
            folder.join("suite.json").exists(),
            "there is no suite in {}; `huiyin up` makes one",
            folder.display()
        );
        Ok(Self {
            folder: fs::canonicalize(folder)?,
        })
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn signing_key(&self) -> PathBuf {
        self.folder.join("signing.pem")
    }

    fn public_key(&self) -> PathBuf {
        self.folder.join("public.pem")
    }

    fn remembered_file(&self) -> PathBuf {
        self.folder.join("suite.json")
    }

    fn remembered(&self) -> anyhow::Result<Remembered> {
        Ok(serde_json::from_slice(&fs::read(self.remembered_file())?)?)
    }

    /// Where each service listens.
    ///
    /// # Errors
    /// Where the folder is damaged.
    pub fn addresses(&self) -> anyhow::Result<BTreeMap<String, SocketAddr>> {
        Ok(self.remembered()?.addresses)
    }

    /// Takes other ports where somebody else listens at a remembered one.
    ///
    /// # Errors
    /// Where the folder cannot be written.
    pub fn settle_addresses(&self) -> anyhow::Result<()> {
        let mut remembered = self.remembered()?;
        if remembered
            .addresses
            .values()
            .any(|address| TcpListener::bind(address).is_err())
        {
            remembered.addresses = free_addresses()?;
            self.write_private("suite.json", &serde_json::to_string_pretty(&remembered)?)?;
        }
        Ok(())
    }

    /// The administrator's token of the tenant `demo`.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn admin_token(&self) -> anyhow::Result<String> {
        Ok(fs::read_to_string(self.folder.join("admin.token"))?.trim().to_owned())
    }

    /// Signs a token.
    ///
    /// # Errors
    /// Where the key cannot be read.
    pub fn token(&self, subject: &str, tenant: &str, roles: &[String], days: i64) -> anyhow::Result<String> {
        let now = Clock::system().now().as_second();
        SigningKey::read(&self.signing_key())?.sign(&Claims {
            iss: ISSUER.to_owned(),
            sub: subject.to_owned(),
            aud: Audience::One(AUDIENCE.to_owned()),
            exp: now + days * 24 * 3600,
            nbf: now - 60,
            tenant: Some(tenant.to_owned()),
            roles: roles.to_vec(),
        })
    }

    /// Writes the configuration of every service, and where the process as a whole sends its telemetry; returns the texts.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub fn write_configs(&self, servers: &Servers) -> anyhow::Result<BTreeMap<&'static str, String>> {
        fs::create_dir_all(self.folder.join("config"))?;
        let remembered = self.remembered()?;
        let mut texts = BTreeMap::new();
        for service in SERVICES {
            let text = self.config(service, servers, &remembered);
            self.write_private(&format!("config/{service}.toml"), &text)?;
            texts.insert(service, text);
        }
        let mut process = String::from("[telemetry]\nformat = \"json\"\n");
        if let Some(endpoint) = &servers.otlp_endpoint {
            process.push_str(&format!("otlp_endpoint = \"{endpoint}\"\n"));
        }
        self.write_private("config/process.toml", &process)?;
        Ok(texts)
    }

    fn config(&self, service: &str, servers: &Servers, remembered: &Remembered) -> String {
        let Remembered {
            token_secret,
            vault_key,
            survey_key,
            addresses,
        } = remembered;
        let (key, public) = (self.signing_key(), self.public_key());
        let (key, public, url) = (key.display(), public.display(), servers.database_url(service));
        let listen = addresses
            .get(service)
            .map_or_else(|| "127.0.0.1:0".to_owned(), ToString::to_string);
        let mut text = format!(
            r#"# Written by `huiyin up`; docs/operations.md and the service's config.example.toml explain each key.
[service]
listen = "{listen}"
token_secret = "{token_secret}"
database = {{ url = "{url}", max_connections = 16 }}
identity = {{ key_file = "{key}", issuer = "{ISSUER}", audience = "{AUDIENCE}" }}

[[service.auth.issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
keys = {{ public_key_file = "{public}" }}
issues_services = true

[service.neighbors]
"#
        );
        for (name, address) in addresses {
            text.push_str(&format!("{name} = \"http://{address}\"\n"));
        }
        text.push_str("\n[events]\n");
        if let Some(redis) = &servers.redis_url {
            text.push_str(&format!("redis_url = \"{redis}\"\n"));
        }
        match service {
            "intake" | "notification" => text.push_str(&format!("\n[vault]\nkey = \"{vault_key}\"\n")),
            "survey" => text.push_str(&format!("\n[tokens]\nkey = \"{survey_key}\"\n")),
            _ => {}
        }
        if service == "intake" {
            let folder = self.folder.join("attachments");
            text.push_str(&format!("\n[attachments]\nstore = \"{}\"\n", folder.display()));
        }
        text
    }

    fn write_private(&self, name: &str, text: &str) -> anyhow::Result<()> {
        use std::io::Write as _;
        let path = self.folder.join(name);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| path.display().to_string())?;
        Ok(file.write_all(text.as_bytes())?)
    }
}

/// The usual ports where all six are free, others otherwise.
fn free_addresses() -> anyhow::Result<BTreeMap<String, SocketAddr>> {
    let usual: Vec<SocketAddr> = (0u16..)
        .take(SERVICES.len())
        .map(|place| SocketAddr::from(([127, 0, 0, 1], FIRST_PORT + place)))
        .collect();
    let listeners: Result<Vec<TcpListener>, _> = usual.iter().map(TcpListener::bind).collect();
    let listeners = match listeners {
        Ok(listeners) => listeners,
        Err(_) => SERVICES
            .iter()
            .map(|_| TcpListener::bind("127.0.0.1:0"))
            .collect::<Result<Vec<_>, _>>()?,
    };
    SERVICES
        .iter()
        .zip(&listeners)
        .map(|(service, listener)| Ok(((*service).to_owned(), listener.local_addr()?)))
        .collect()
}
