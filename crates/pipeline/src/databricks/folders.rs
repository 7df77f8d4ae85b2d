//! Local scripts on their way to DBFS.

use std::sync::Arc;

use azml_core::{Error, ErrorKind, FileSource};
use azml_databricks::{
    Databricks,
    dbfs::{Dbfs, DbfsPath},
};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::{Result, snapshot::Snapshot};

/// Where folders of scripts are kept, each under the hash of its content.
const ROOT: &str = "dbfs:/azml/scripts";
/// A file beside the folder that says that all of it is there.
const COMPLETE: &str = "complete";
const AT_A_TIME: usize = 4;
const NAME: &str = "databricks.pipelines.upload";

/// The address of a folder with this content.
pub(super) fn address(content_hash: &str) -> String {
    format!("{ROOT}/{content_hash}/files")
}

/// Uploads a folder, unless one of the same content is there.
pub(super) async fn upload(databricks: &Databricks, snapshot: &Snapshot) -> Result<String> {
    let dbfs = databricks.dbfs();
    let hash = &snapshot.content_hash;
    let complete = path(&format!("{ROOT}/{hash}/{COMPLETE}"))?;
    let address = address(hash);
    match dbfs.get_status(&complete).await {
        Ok(_) => return Ok(address),
        Err(err) if err.kind() == ErrorKind::NotFound => (),
        Err(err) => return Err(err.into()),
    }
    let uploads: Vec<_> = snapshot
        .files
        .iter()
        .map(async |file| {
            let source = FileSource::open(&file.path).await.map_err(|err| {
                let reason = format!("cannot read {}: {err}", file.path.display());
                Error::explained(NAME, ErrorKind::InvalidArgument, reason)
            })?;
            dbfs.upload(&path(&format!("{address}/{}", file.name))?, Arc::new(source)).await
        })
        .collect();
    stream::iter(uploads).buffer_unordered(AT_A_TIME).try_collect::<()>().await?;
    dbfs.put(&complete, Bytes::new(), true).await?;
    Ok(address)
}

/// Makes folders on DBFS; others are where nothing has to be made.
pub(super) async fn make(databricks: &Databricks, folders: &[String]) -> Result<()> {
    let dbfs = databricks.dbfs();
    let on_dbfs = folders.iter().filter(|it| it.starts_with("dbfs:/"));
    let making: Vec<_> = on_dbfs.map(async |it| dbfs.mkdirs(&path(it)?).await).collect();
    Ok(stream::iter(making).buffer_unordered(AT_A_TIME).try_collect::<()>().await?)
}

fn path(text: &str) -> Result<DbfsPath, Error> {
    text.parse().map_err(|err| Error::local(NAME, ErrorKind::InvalidArgument, err))
}
