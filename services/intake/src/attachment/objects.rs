//! Where the bytes of files lie: a folder, or an object store such as S3. What no row names is not there for anybody, so
//! nothing has to be renamed when a file is complete, and what a crash leaves is found by what is listed here and held by no row.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use bytes::Bytes;
use futures::{StreamExt as _, stream::BoxStream};
use huiyin_chassis::Refusal;
use object_store::{
    Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, buffered::BufWriter, local::LocalFileSystem,
    path::Path, prefix::PrefixStore,
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncWriteExt as _;
use url::Url;

use crate::config::AttachmentsConfig;

/// An upload holds back so much before it goes to the store in parts; S3 takes no smaller ones.
const PART_BYTES: usize = 5 << 20;
/// So many parts are on their way at once.
const PARTS: usize = 2;

/// The store.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Where it is a folder: what a crash left of a file that was not whole stands there and is not listed.
    folder: Option<PathBuf>,
}

/// A file on its way into the store: dropped before [`Writing::finish`], it never was.
pub(crate) struct Writing {
    writer: BufWriter,
}

impl Objects {
    /// The configured store. Nothing is written, and no folder made, before the first file comes.
    ///
    /// # Errors
    /// Where its address is not understood.
    pub(crate) fn open(config: &AttachmentsConfig) -> anyhow::Result<Self> {
        match Url::parse(&config.store) {
            Ok(url) if url.scheme() != "file" => Ok(Self {
                store: remote(&url, &config.store_options).context("[attachments] store")?,
                folder: None,
            }),
            Ok(url) => {
                let folder = url
                    .to_file_path()
                    .map_err(|()| anyhow::anyhow!("[attachments] store is not a folder of this machine"))?;
                Self::folder(&folder)
            }
            Err(_) => Self::folder(FilePath::new(&config.store)),
        }
    }

    fn folder(folder: &FilePath) -> anyhow::Result<Self> {
        let folder = std::path::absolute(folder).context("[attachments] store")?;
        let prefix = Path::from_absolute_path(&folder).context("[attachments] store")?;
        // Synced: what was answered for survives a power cut.
        let files = LocalFileSystem::new().with_fsync(true);
        Ok(Self {
            store: Arc::new(PrefixStore::new(files, prefix)),
            folder: Some(folder),
        })
    }

    /// Begins to write an object.
    pub(crate) fn write(&self, object: &str) -> Writing {
        let writer = BufWriter::with_capacity(Arc::clone(&self.store), Path::from(object), PART_BYTES);
        Writing {
            writer: writer.with_max_concurrency(PARTS),
        }
    }

    /// The bytes of an object or, with a range, some of them, in parts as they come.
    ///
    /// # Errors
    /// UNAVAILABLE where the store is gone; a fault where the object is.
    pub(crate) async fn read(
        &self,
        object: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes, Refusal>>, Refusal> {
        let options = GetOptions::new().with_range(range.map(GetRange::Bounded));
        let found = self
            .store
            .get_opts(&Path::from(object), options)
            .await
            .map_err(refusal)?;
        Ok(found.into_stream().map(|part| part.map_err(refusal)).boxed())
    }

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// UNAVAILABLE where the store is gone.
    pub(crate) async fn remove(&self, object: &str) -> Result<(), Refusal> {
        match self.store.delete(&Path::from(object)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }

    /// Every object.
    pub(crate) fn all(&self) -> BoxStream<'static, Result<String, Refusal>> {
        self.store
            .list(None)
            .map(|found| found.map(|object| object.location.to_string()).map_err(refusal))
            .boxed()
    }

    /// What lies in a folder of files that were not whole when their upload ended: their objects' names with `#` and a
    /// number. Other stores keep such parts to themselves, and forget them by a rule of theirs.
    ///
    /// # Errors
    /// UNAVAILABLE where the folder cannot be read.
    pub(crate) async fn parts(&self) -> Result<Vec<String>, Refusal> {
        let Some(folder) = self.folder.clone() else {
            return Ok(Vec::new());
        };
        let found = tokio::task::spawn_blocking(move || parts(&folder));
        found.await.map_err(Refusal::fault)?.map_err(Refusal::unavailable)
    }

    /// Removes what [`Objects::parts`] found.
    ///
    /// # Errors
    /// UNAVAILABLE where the folder cannot be written.
    pub(crate) async fn remove_part(&self, part: &str) -> Result<(), Refusal> {
        let Some(folder) = &self.folder else { return Ok(()) };
        match tokio::fs::remove_file(folder.join(part)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Refusal::unavailable(error)),
            _ => Ok(()),
        }
    }
}

impl Writing {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// UNAVAILABLE where the store is gone.
    pub(crate) async fn put(&mut self, bytes: Bytes) -> Result<(), Refusal> {
        self.writer.put(bytes).await.map_err(refusal)
    }

    /// Makes the object whole and durable.
    ///
    /// # Errors
    /// UNAVAILABLE where the store is gone.
    pub(crate) async fn finish(mut self) -> Result<(), Refusal> {
        self.writer.shutdown().await.map_err(Refusal::unavailable)
    }

    /// Makes it never have been.
    pub(crate) async fn give_up(mut self) {
        // What cannot be told to the store now is swept later.
        let _ = self.writer.abort().await;
    }
}

/// A store that is reached by URL.
fn remote(url: &Url, options: &BTreeMap<String, SecretString>) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let options = options.iter().map(|(key, value)| (key, value.expose_secret()));
    let (store, prefix) = object_store::parse_url_opts(url, options)?;
    Ok(Arc::new(PrefixStore::new(store, prefix)))
}

/// Files of tenants' folders with a `#` in their names.
fn parts(folder: &FilePath) -> std::io::Result<Vec<String>> {
    let entries = |folder: &FilePath| match std::fs::read_dir(folder) {
        Ok(entries) => entries.collect::<std::io::Result<Vec<_>>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let mut found = Vec::new();
    for tenant in entries(folder)? {
        if !tenant.file_type()?.is_dir() {
            continue;
        }
        for file in entries(&tenant.path())? {
            if let (Some(tenant), Some(file)) = (tenant.file_name().to_str(), file.file_name().to_str())
                && file.contains('#')
            {
                found.push(format!("{tenant}/{file}"));
            }
        }
    }
    Ok(found)
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::NotFound { .. } => {
            Refusal::fault(anyhow::Error::new(error).context("an object that a row names is gone"))
        }
        error => Refusal::unavailable(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(store: &str) -> anyhow::Result<Objects> {
        huiyin_chassis::install_crypto();
        Objects::open(&AttachmentsConfig {
            store: store.to_owned(),
            store_options: BTreeMap::from([
                ("aws_region".to_owned(), "cn-north-1".into()),
                ("aws_endpoint".to_owned(), "https://s3.example.com".into()),
            ]),
            ..AttachmentsConfig::default()
        })
    }

    #[test]
    fn a_store_is_a_folder_or_a_url() {
        for folder in ["data/attachments", "/var/lib/huiyin", "file:///var/lib/huiyin"] {
            assert!(open(folder).unwrap().folder.is_some(), "{folder}");
        }
        assert!(open("s3://bucket/prefix").unwrap().folder.is_none());
        assert!(open("ftp://example.com/").is_err());
    }

    /// No folder is made before the first file.
    #[tokio::test]
    async fn an_empty_store_has_nothing() {
        let objects = open("no/such/folder").unwrap();
        assert_eq!(objects.all().count().await, 0);
        assert_eq!(objects.parts().await.unwrap(), Vec::<String>::new());
        objects.remove("acme/nothing").await.unwrap();
        assert!(!FilePath::new("no").exists());
    }
}
