//! Large files in parts, straight to the store behind the server.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use azml_core::{BodySource, Error, ErrorKind, Result};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{
    Root, UPLOAD,
    ops::{AbortMultipart, CompleteMultipart, CreateMultipart, Credential, GetInfo, Part},
};
use crate::{ArtifactPath, MlflowTracking};

/// Smaller files go in one piece.
const LARGE: u64 = 32 * 1024 * 1024;
/// Object stores take no smaller part but for the last.
const PART: u64 = 8 * 1024 * 1024;
/// And no more parts.
const MOST_PARTS: u64 = 10_000;

impl MlflowTracking {
    /// Whether a file of this length goes in parts: where the server says that it
    /// can, which older ones do not.
    pub(super) async fn goes_in_parts(&self, length: u64) -> Result<bool> {
        if length < LARGE {
            return Ok(false);
        }
        let ask = || async {
            match self.endpoint.call(&GetInfo).await {
                Ok(info) => Ok(info.multipart_uploads_enabled),
                Err(err) if err.service_fault().is_some_and(|it| it.status < 500) => Ok(false),
                Err(err) => Err(err),
            }
        };
        self.takes_parts.get_or_try_init(ask).await.copied()
    }

    /// Sends a file in parts. Says whether the server took it so.
    pub(super) async fn send_parts(
        &self,
        root: &Root,
        path: &ArtifactPath,
        body: &Arc<dyn BodySource>,
        at_once: usize,
        report: &(dyn Fn(u64) + Sync),
    ) -> Result<bool> {
        let (folder, name) = path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()));
        let folder = &*root.folder(folder);
        let size = PART.max(body.len().div_ceil(MOST_PARTS));
        let num_parts = body.len().div_ceil(size);
        let create = CreateMultipart { folder, path: name, num_parts };
        let begun = match self.endpoint.call(&create).await {
            Ok(begun) => begun,
            // A store behind the server that has no parts.
            Err(err) if err.service_fault().is_some_and(|it| it.status == 501) => return Ok(false),
            Err(err) => return Err(err),
        };
        let upload_id = begun.upload_id.as_deref();
        let parts = self.put_parts(&begun.credentials, body, size, at_once, report).await;
        let abort = AbortMultipart { folder, path: name, upload_id };
        let parts = match parts {
            Ok(parts) if parts.len() as u64 == num_parts => parts,
            Ok(parts) => {
                let _ = self.endpoint.call(&abort).await;
                let reason = format!("the server takes {} of {num_parts} parts", parts.len());
                return Err(Error::explained(UPLOAD, ErrorKind::Decode, reason));
            }
            Err(err) => {
                let _ = self.endpoint.call(&abort).await;
                return Err(err);
            }
        };
        let complete = CompleteMultipart { folder, path: name, upload_id, parts: &parts };
        match self.endpoint.call(&complete).await {
            Ok(()) => Ok(true),
            // The answer may be all that was lost.
            Err(err) if self.has(root, path).await.unwrap_or(false) => {
                tracing::debug!(error = %err, "the parts were joined all the same");
                Ok(true)
            }
            Err(err) => Err(err),
        }
    }

    async fn put_parts(
        &self,
        credentials: &[Credential],
        body: &Arc<dyn BodySource>,
        size: u64,
        at_once: usize,
        report: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Part>> {
        // The addresses carry their own permission: no token goes there.
        let (endpoint, done) = (self.endpoint.without_credential(), AtomicU64::new(0));
        let puts: Vec<_> = credentials
            .iter()
            .map(|credential| {
                let (endpoint, done) = (&endpoint, &done);
                async move {
                    let start = credential.part_number.saturating_sub(1) * size;
                    let end = body.len().min(start + size);
                    let read = body.read(start..end).await;
                    let bytes = read.map_err(|err| Error::invalid(UPLOAD, err.to_string()))?;
                    let put = super::ops::UploadPart { credential, bytes };
                    let etag = endpoint.call(&put).await?;
                    report(done.fetch_add(end - start, Relaxed) + (end - start));
                    let (part_number, url) = (credential.part_number, credential.url.clone());
                    Ok(Part { part_number, etag, url })
                }
            })
            .collect();
        stream::iter(puts).buffered(at_once).try_collect().await
    }
}
