//! Written from the published API reference, never from the client crates.

use serde::Deserialize;
use serde_json::{Value, json};

use super::state::{Change, NewRepo, Repo};
use crate::{kernel::Refusal, services::databricks::wire::required};

#[derive(Deserialize)]
pub(super) struct CreateBody {
    url: Option<String>,
    provider: Option<String>,
    path: Option<String>,
    branch: Option<String>,
    sparse_checkout: Option<Value>,
    #[serde(rename = "git_credential_id")]
    _git_credential_id: Option<Value>,
}

impl CreateBody {
    pub(super) fn read(self) -> Result<NewRepo, Refusal> {
        Ok(NewRepo {
            url: required(self.url, "url")?,
            provider: self.provider,
            path: self.path,
            branch: self.branch,
            sparse_checkout: self.sparse_checkout,
        })
    }
}

#[derive(Deserialize)]
pub(super) struct UpdateBody {
    branch: Option<String>,
    tag: Option<String>,
    sparse_checkout: Option<Value>,
    #[serde(rename = "git_credential_id")]
    _git_credential_id: Option<Value>,
    #[serde(rename = "dangerously_force_discard_all")]
    _force: Option<Value>,
}

impl UpdateBody {
    pub(super) fn read(self) -> Change {
        let Self { branch, tag, sparse_checkout, .. } = self;
        Change { branch, tag, sparse_checkout }
    }
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    path_prefix: Option<String>,
    next_page_token: Option<String>,
}

const PAGE: usize = 20;

pub(super) fn describe(it: &Repo) -> Value {
    let mut answer = json!({
        "id": it.id, "path": it.path, "url": it.url, "provider": it.provider,
        "head_commit_id": it.commit,
    });
    if let Some(branch) = &it.branch {
        answer["branch"] = json!(branch);
    }
    if let Some(sparse) = &it.sparse_checkout {
        answer["sparse_checkout"] = sparse.clone();
    }
    answer
}

pub(super) fn list<'a>(all: impl Iterator<Item = &'a Repo>, query: &ListQuery) -> Value {
    let prefix = query.path_prefix.as_deref().unwrap_or_default();
    let prefix = prefix.strip_prefix("/Workspace").unwrap_or(prefix);
    let found: Vec<&Repo> = all.filter(|it| it.path.starts_with(prefix)).collect();
    let skipped = query.next_page_token.as_deref().and_then(|it| it.parse().ok()).unwrap_or(0);
    let page: Vec<Value> = found.iter().skip(skipped).take(PAGE).map(|it| describe(it)).collect();
    let mut answer = json!({});
    if skipped + page.len() < found.len() {
        answer["next_page_token"] = json!((skipped + page.len()).to_string());
    }
    if !page.is_empty() {
        answer["repos"] = json!(page);
    }
    answer
}
