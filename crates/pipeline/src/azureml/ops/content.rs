//! Folders of scripts, and records of data.

use azml_core::{Operation, Request, RequestBuilder, ResourceId, Response, Result, azure};
use http::Method;
use serde_json::json;

use crate::{FileDataset, azureml::wire, snapshot::TreeNode};

const CONTENT: &str = "/content/v2.0";
const NO_PARENT: &str = "00000000-0000-0000-0000-000000000000";

pub(in crate::azureml) struct GetBlobs<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) names: Vec<&'a str>,
}

impl Operation for GetBlobs<'_> {
    const NAME: &'static str = "content.snapshots.get_blob";
    const IDEMPOTENT: bool = true;
    type Output = Vec<wire::BlobNode>;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .path(CONTENT)
            .segments(self.workspace)
            .path("/snapshots/getblob")
            .json(&json!({ "FileNames": self.names }))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<wire::BlobNode>> {
        let list: wire::BlobList = azure::read(Self::NAME, &response)?;
        Ok(list.file_nodes)
    }
}

pub(in crate::azureml) struct CreateSnapshot<'a> {
    pub(in crate::azureml) workspace: &'a str,
    /// Made by the caller.
    pub(in crate::azureml) id: &'a str,
    /// The snapshot that has the files which are not sent.
    pub(in crate::azureml) parent: Option<&'a str>,
    pub(in crate::azureml) tree: &'a TreeNode,
    /// Name, address and size of each file that is sent.
    pub(in crate::azureml) files: Vec<(&'a str, &'a str, u64)>,
}

impl Operation for CreateSnapshot<'_> {
    const NAME: &'static str = "content.snapshots.create";
    /// The caller has made the id, so a second request says the same again.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let nodes: Vec<_> = self
            .files
            .iter()
            .map(|(name, uri, size)| json!({ "FullName": name, "BlobUri": uri, "FileSize": size }))
            .collect();
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .path(CONTENT)
            .segments(self.workspace)
            .path("/snapshots")
            .segment(self.id)
            .json(&json!({
                "ParentSnapshotId": self.parent.unwrap_or(NO_PARENT),
                "Tags": null,
                "Properties": {},
                "DirTreeNode": self.tree,
                "FileRevisionList": { "FileNodes": nodes },
            }))
            .build()
    }

    fn decode(&self, response: Response) -> Result<()> {
        azure::expect_success(Self::NAME, &response)
    }
}

/// Keeps a record of files, so that a graph can name it.
pub(in crate::azureml) struct SaveDataset<'a> {
    pub(in crate::azureml) workspace: &'a str,
    pub(in crate::azureml) id: &'a ResourceId,
    pub(in crate::azureml) dataset: &'a FileDataset,
}

impl Operation for SaveDataset<'_> {
    const NAME: &'static str = "datasets.saved.create";
    /// A second record of the same files does no harm.
    const IDEMPOTENT: bool = true;
    type Output = String;

    fn encode(&self, base: &str) -> Result<Request> {
        RequestBuilder::new(Self::NAME, Method::POST, base)
            .path("/dataset/v1.0")
            .segments(self.workspace)
            .path("/saveddatasets")
            .json(&wire::saved_dataset(self.id, self.dataset))
            .build()
    }

    fn decode(&self, response: Response) -> Result<String> {
        let saved: wire::SavedDataset = azure::read(Self::NAME, &response)?;
        Ok(saved.id)
    }
}
