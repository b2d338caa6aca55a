//! Where a text stands in what a suite keeps: databases, Redis, attachments, logs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use huiyin::suite::SERVICES;
use huiyin_testkit::rows_with;
use sqlx::{Connection as _, PgConnection};

use crate::Suite;

impl Suite {
    /// In how many rows of each service's database (every column of every table, bytes too), keys of Redis, attachments, and log
    /// files a text stands.
    pub async fn search(&self, text: &str) -> BTreeMap<String, i64> {
        let mut found = BTreeMap::new();
        for service in SERVICES {
            let mut database = PgConnection::connect(&self.database_url(service).await).await.unwrap();
            let (clear, bytes) = rows_with(&mut database, text).await;
            found.insert(service.to_owned(), clear + bytes);
            let log = self.files.folder().join(format!("{service}.log"));
            found.insert(format!("{service}.log"), files_with(&log, text));
        }
        found.insert("redis".to_owned(), self.redis_keys_with(text).await);
        let attachments = self.files.folder().join("attachments");
        found.insert("attachments".to_owned(), files_with(&attachments, text));
        found
    }

    /// In how many files of the suite and its servers a text stands, by their bytes: what was deleted may be there still.
    pub async fn search_files(&self, text: &str) -> i64 {
        let mut folders = vec![self.files.folder().to_owned()];
        // Where the servers could not reach the suite's folder they have another.
        let postgres = self.postgres.lock().await.folder().to_owned();
        if !postgres.starts_with(self.files.folder()) {
            folders.push(postgres);
        }
        folders.iter().map(|folder| files_with(folder, text)).sum()
    }

    async fn redis_keys_with(&self, text: &str) -> i64 {
        let url = self.redis.lock().await.url();
        let client = redis::Client::open(url).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        let mut found = 0;
        for key in keys {
            // Whatever kind it is of; streams are read whole, which a dump may hold compressed.
            let kind: String = redis::cmd("TYPE").arg(&key).query_async(&mut connection).await.unwrap();
            let value: redis::Value = match kind.as_str() {
                "stream" => redis::cmd("XRANGE")
                    .arg(&key)
                    .arg("-")
                    .arg("+")
                    .query_async(&mut connection)
                    .await
                    .unwrap(),
                _ => redis::cmd("DUMP").arg(&key).query_async(&mut connection).await.unwrap(),
            };
            found += i64::from(holds(&value, text.as_bytes()));
        }
        found
    }
}

fn holds(value: &redis::Value, text: &[u8]) -> bool {
    match value {
        redis::Value::BulkString(bytes) => contains(bytes, text),
        redis::Value::SimpleString(said) => contains(said.as_bytes(), text),
        redis::Value::Array(values) => values.iter().any(|value| holds(value, text)),
        redis::Value::Map(pairs) => pairs.iter().any(|(key, value)| holds(key, text) || holds(value, text)),
        _ => false,
    }
}

/// In how many files a text stands, of a folder and those in it, or whether it stands in the one file.
fn files_with(path: &Path, text: &str) -> i64 {
    if path.is_dir() {
        let inside: Vec<PathBuf> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        return inside.iter().map(|path| files_with(path, text)).sum();
    }
    // A server that runs removes files; sockets are none.
    let bytes = std::fs::read(path).unwrap_or_default();
    i64::from(contains(&bytes, text.as_bytes()))
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    let Some(first) = text.first() else { return false };
    let begins = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    begins
        .map(|(place, _)| &bytes[place..])
        .any(|rest| rest.starts_with(text))
}
