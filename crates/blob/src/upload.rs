use std::{collections::BTreeSet, ops::Range, sync::Arc};

use azml_core::{BodySource, Error, ErrorKind, Operation, Result};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use md5::Context as Md5;

use crate::{BlobClient, BlobProperties, BlobUrl, UploadOptions, ops};

/// The most blocks that a blob may have.
const MOST_BLOCKS: u64 = 50_000;

/// One block, read and named after its place and content, so that a block that
/// was left behind by an earlier upload is known again.
struct Block {
    id: String,
    body: Bytes,
    md5: [u8; 16],
}

impl BlobClient {
    /// Writes a blob: as a whole when it is small, else in blocks, several at a
    /// time, of which none is sent that an earlier, broken upload has left.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) when the blob exists and must not be
    /// replaced, [`Other`](ErrorKind::Other) when the source cannot be read.
    pub async fn put(
        &self,
        url: &BlobUrl,
        source: Arc<dyn BodySource>,
        options: UploadOptions,
    ) -> Result<BlobProperties> {
        let total = source.len();
        if options.skip_same
            && options.block_size < total
            && let Some(there) = self.same(url, &*source, &options).await?
        {
            options.report(total, total);
            return Ok(there);
        }
        let (result, md5) = if total <= options.block_size {
            let body = read(&*source, 0..total).await?;
            let md5: [u8; 16] = ::md5::compute(&body).0;
            let put = ops::Put { url, body, md5, options: &options };
            (self.endpoint(url).call(&put).await, md5)
        } else {
            let (ids, md5) = self.put_blocks(url, &*source, &options).await?;
            let put = ops::PutBlockList { url, ids: &ids, len: total, md5, options: &options };
            (self.endpoint(url).call(&put).await, md5)
        };
        let properties = match result {
            Err(err) if is_perhaps_ours(&err) => match self.head(url).await {
                Ok(there) if there.content_md5 == Some(md5) => there,
                _ => return Err(err),
            },
            result => result?,
        };
        options.report(total, total);
        Ok(properties)
    }

    /// The blob, if it has the bytes of `source` already.
    async fn same(
        &self,
        url: &BlobUrl,
        source: &dyn BodySource,
        options: &UploadOptions,
    ) -> Result<Option<BlobProperties>> {
        let there = match self.head(url).await {
            Ok(there) => there,
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(None),
            // Not all who may write may read.
            Err(err) if err.kind() == ErrorKind::PermissionDenied => return Ok(None),
            Err(err) => return Err(err),
        };
        let (Some(expected), true) = (there.content_md5, there.len == source.len()) else {
            return Ok(None);
        };
        let (mut hash, mut at) = (Md5::new(), 0);
        while at < there.len {
            let end = there.len.min(at + options.block_size);
            hash.consume(read(source, at..end).await?);
            at = end;
        }
        let hash: [u8; 16] = hash.finalize().into();
        Ok((hash == expected).then_some(there))
    }

    /// Makes sure that every block is there. Returns their ids and the hash of all.
    async fn put_blocks(
        &self,
        url: &BlobUrl,
        source: &dyn BodySource,
        options: &UploadOptions,
    ) -> Result<(Vec<String>, [u8; 16])> {
        let (total, size) = (source.len(), options.block_size);
        if total.div_ceil(size) > MOST_BLOCKS {
            let reason = format!(
                "block_size: {total} bytes make more than {MOST_BLOCKS} blocks; take at least {}",
                total.div_ceil(MOST_BLOCKS)
            );
            return Err(Error::invalid(ops::PutBlock::NAME, reason));
        }
        let endpoint = self.endpoint(url);
        let there: BTreeSet<(String, u64)> = match endpoint.call(&ops::GetBlockList(url)).await {
            Ok(blocks) => blocks.into_iter().collect(),
            // Nothing to go on from. Whatever else is wrong, the first block will tell.
            Err(_) => BTreeSet::new(),
        };
        let (mut whole, mut ids, mut sent) = (Md5::new(), Vec::new(), 0);
        // Blocks are read in order, because the hash of the whole needs that, and
        // sent in any order.
        let mut blocks = stream::iter((0..total.div_ceil(size)).map(|index| {
            let range = index * size..total.min((index + 1) * size);
            async move { read(source, range).await.map(|body| (index, body)) }
        }))
        .buffered(1)
        .map_ok(|(index, body)| {
            whole.consume(&body);
            let block = Block::new(index, body);
            ids.push(block.id.clone());
            let is_there = there.contains(&(block.id.clone(), block.body.len() as u64));
            let endpoint = &endpoint;
            async move {
                let Block { id, body, md5 } = block;
                let len = body.len() as u64;
                if !is_there {
                    endpoint.call(&ops::PutBlock { url, id: &id, body, md5 }).await?;
                }
                Ok(len)
            }
        })
        .try_buffer_unordered(options.parallel);
        while let Some(len) = blocks.try_next().await? {
            sent += len;
            options.report(sent, total);
        }
        drop(blocks);
        Ok((ids, whole.finalize().into()))
    }
}

impl Block {
    fn new(index: u64, body: Bytes) -> Self {
        let md5: [u8; 16] = ::md5::compute(&body).0;
        let mut name = index.to_be_bytes().to_vec();
        name.extend(md5);
        Self { id: STANDARD.encode(name), body, md5 }
    }
}

/// Whether the blob that stands in the way may come from an earlier try, whose
/// answer was lost.
fn is_perhaps_ours(err: &Error) -> bool {
    let refusal = matches!(err.kind(), ErrorKind::Conflict | ErrorKind::PreconditionFailed);
    refusal && err.attempts() > 1
}

async fn read(source: &dyn BodySource, range: Range<u64>) -> Result<Bytes> {
    let wanted = range.end - range.start;
    let body = source
        .read(range)
        .await
        .map_err(|err| Error::local(ops::Put::NAME, ErrorKind::Other, err))?;
    if body.len() as u64 == wanted {
        Ok(body)
    } else {
        let reason = format!("source: gave {} bytes instead of {wanted}", body.len());
        Err(Error::explained(ops::Put::NAME, ErrorKind::Other, reason))
    }
}
