//! Client for block blobs: up and down in bounded memory, in parallel, checked by
//! hash, and resumable.
//!
//! The permission is a signature (SAS) in the URL, or the credential of a
//! [`Session`](azml_core::Session).
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use azml_blob::{BlobClient, BlobUrl, UploadOptions};
//! use azml_core::{FileSource, Transport};
//!
//! # async fn demo(transport: Arc<dyn Transport>) -> Result<(), Box<dyn std::error::Error>> {
//! let url: BlobUrl = "https://account.blob.core.windows.net/box/model.bin?sig=s".parse()?;
//! let blobs = BlobClient::new(transport);
//! let source = Arc::new(FileSource::open("model.bin").await?);
//! blobs.put(&url, source, UploadOptions::default()).await?;
//! # Ok(())
//! # }
//! ```

mod client;
mod download;
mod fault;
mod ops;
mod options;
mod partial;
mod properties;
#[cfg(test)]
mod tests;
mod upload;
mod url;
mod wire;

pub use crate::{
    client::BlobClient,
    options::{DownloadOptions, UploadOptions},
    properties::{BlobItem, BlobProperties},
    url::{BlobUrl, ParseBlobUrlError},
};
