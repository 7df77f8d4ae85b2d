use azml_blob::BlobUrl;
use azml_core::{
    Error, ErrorKind, Operation, Page, PageToken, Request, RequestBuilder, ResourceId, Response,
    Result, azure,
};
use http::Method;

use super::{
    super::{
        files::{Content, blob_url},
        under,
    },
    wire,
};
use crate::{Artifact, ArtifactPath};

/// Where the artifacts of runs are.
pub(in crate::azureml) const ORIGIN: &str = "ExperimentRun";

fn at(
    operation: &'static str,
    method: Method,
    base: &str,
    workspace: &ResourceId,
) -> RequestBuilder {
    under(operation, method, base, "/artifact/v2.0", workspace).path("/artifacts")
}

/// Announces files and learns where to put their bytes.
pub(in crate::azureml) struct Announce<'a> {
    pub(in crate::azureml) workspace: &'a ResourceId,
    pub(in crate::azureml) origin: &'a str,
    pub(in crate::azureml) container: &'a str,
    pub(in crate::azureml) paths: &'a [&'a ArtifactPath],
}

impl Operation for Announce<'_> {
    const NAME: &'static str = "artifact.batch_metadata";
    const IDEMPOTENT: bool = true;
    /// In the order of `paths`.
    type Output = Vec<BlobUrl>;

    fn encode(&self, base: &str) -> Result<Request> {
        let paths = self.paths.iter().map(|it| wire::PathOf { path: it.as_str() }).collect();
        at(Self::NAME, Method::POST, base, self.workspace)
            .path("/batch/metadata")
            .segment(self.origin)
            .segment(self.container)
            .json(&wire::Paths { paths })
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<BlobUrl>> {
        let batch: wire::Batch = azure::read(Self::NAME, &response)?;
        let url = |path: &&ArtifactPath| {
            let content = batch.artifact_content_information.get(path.as_str());
            let Some(content) = content else {
                let reason = format!("the answer has no address for {path}");
                return Err(Error::explained(Self::NAME, ErrorKind::Decode, reason));
            };
            blob_url(Self::NAME, &content.content_uri)
        };
        self.paths.iter().map(url).collect()
    }
}

pub(super) struct List<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) container: &'a str,
    pub(super) token: Option<&'a PageToken>,
}

impl Operation for List<'_> {
    const NAME: &'static str = "artifact.list";
    const IDEMPOTENT: bool = true;
    type Output = Page<Artifact>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace)
            .path("/")
            .path(ORIGIN)
            .segment(self.container)
            .query_opt("continuationToken", self.token.map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<Artifact>> {
        let page: wire::Artifacts = azure::read(Self::NAME, &response)?;
        let items = page.value.into_iter().map(|it| {
            let path = ArtifactPath::parse(&it.path)
                .map_err(|err| Error::local(Self::NAME, ErrorKind::Decode, err))?;
            Ok(Artifact { path })
        });
        Ok(Page {
            items: items.collect::<Result<_>>()?,
            next: page.continuation_token.filter(|it| !it.is_empty()).map(PageToken),
        })
    }
}

/// Asks where the bytes of one file are.
pub(super) struct GetContentInfo<'a> {
    pub(super) workspace: &'a ResourceId,
    pub(super) container: &'a str,
    pub(super) path: &'a ArtifactPath,
}

impl Operation for GetContentInfo<'_> {
    const NAME: &'static str = "artifact.content_info";
    const IDEMPOTENT: bool = true;
    type Output = BlobUrl;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace)
            .path("/contentinfo")
            .segment(ORIGIN)
            .segment(self.container)
            .segments(self.path.as_str())
            .build()
    }

    fn decode(&self, response: Response) -> Result<BlobUrl> {
        let content: wire::ContentUri = azure::read(Self::NAME, &response)?;
        blob_url(Self::NAME, &content.content_uri)
    }
}

/// Asks where the bytes of each file are whose id begins with `prefix`.
pub(in crate::azureml) struct PrefixContentInfo<'a> {
    pub(in crate::azureml) workspace: &'a ResourceId,
    /// Origin, container and path.
    pub(in crate::azureml) prefix: &'a str,
    pub(in crate::azureml) token: Option<&'a PageToken>,
}

impl PrefixContentInfo<'_> {
    /// The id of a file of a run.
    pub(in crate::azureml) fn id(container: &str, path: &str) -> String {
        format!("{ORIGIN}/{container}/{path}")
    }
}

impl Operation for PrefixContentInfo<'_> {
    const NAME: &'static str = "artifact.prefix_content_info";
    const IDEMPOTENT: bool = true;
    type Output = Page<Content>;

    fn encode(&self, base: &str) -> Result<Request> {
        at(Self::NAME, Method::GET, base, self.workspace)
            .path("/prefix/contentinfo")
            .segments(self.prefix)
            .query_opt("continuationToken", self.token.map(|it| it.0.as_str()))
            .build()
    }

    fn decode(&self, response: Response) -> Result<Page<Content>> {
        let page: wire::Contents = azure::read(Self::NAME, &response)?;
        let items = page.value.into_iter().map(|it| {
            let id = format!("{}/{}/{}", it.origin, it.container, it.path);
            Ok(Content { id, path: it.path, url: blob_url(Self::NAME, &it.content_uri)? })
        });
        Ok(Page {
            items: items.collect::<Result<_>>()?,
            next: page.continuation_token.filter(|it| !it.is_empty()).map(PageToken),
        })
    }
}
