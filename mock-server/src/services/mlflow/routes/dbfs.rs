//! DBFS as MLflow's client reaches it: `/dbfs/{path}`, bytes up and down.

use axum::{body::Body, http::HeaderMap, response::Response};
use serde::Deserialize;

use super::{
    Answer,
    artifacts::{safe, store},
    attachment::sent,
    done,
    root::Tree,
};
use crate::{
    kernel::{Here, Kernel, Names, Refused},
    services::{databricks::AtDatabricks, mlflow::wire::Envelope},
};

#[derive(Deserialize)]
pub(super) struct Path {
    path: String,
}

type PathNames = Names<Path, Envelope>;

fn tree(kernel: &Kernel, workspace: u64) -> Tree {
    Tree { folder: kernel.files.dbfs(workspace), prefix: String::new() }
}

pub(super) async fn upload(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    Names(path, _): PathNames,
    body: Body,
) -> Answer {
    store(&kernel, &tree(&kernel, workspace), &safe(&path.path)?, body).await?;
    Ok(done())
}

pub(super) async fn download(
    Here(kernel): Here,
    AtDatabricks(workspace): AtDatabricks,
    headers: HeaderMap,
    Names(path, _): PathNames,
) -> Result<Response, Refused<Envelope>> {
    Ok(sent(&tree(&kernel, workspace), &safe(&path.path)?, &headers).await?)
}
