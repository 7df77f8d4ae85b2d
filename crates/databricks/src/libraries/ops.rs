use azml_core::{Error, Operation, Request, Response, Result};

use super::{ClusterLibraries, Library, LibraryStatus, wire};
use crate::{
    clusters::ClusterId,
    fault,
    wire::{get, post},
};

pub(super) struct Install<'a>(pub(super) &'a ClusterId, pub(super) &'a [Library]);

impl Operation for Install<'_> {
    const NAME: &'static str = "databricks.libraries.install";
    // What is installed stays installed.
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = change(Self::NAME, self.0, self.1)?;
        post(Self::NAME, base, "/api/2.0/libraries/install", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

pub(super) struct Uninstall<'a>(pub(super) &'a ClusterId, pub(super) &'a [Library]);

impl Operation for Uninstall<'_> {
    const NAME: &'static str = "databricks.libraries.uninstall";
    const IDEMPOTENT: bool = true;
    type Output = ();

    fn encode(&self, base: &str) -> Result<Request> {
        let body = change(Self::NAME, self.0, self.1)?;
        post(Self::NAME, base, "/api/2.0/libraries/uninstall", &body)
    }

    fn decode(&self, response: Response) -> Result<()> {
        fault::expect_success(Self::NAME, &response)
    }
}

fn change<'a>(
    operation: &'static str,
    cluster_id: &'a ClusterId,
    libraries: &[Library],
) -> Result<wire::ChangeRequest<'a>> {
    if libraries.is_empty() {
        return Err(Error::invalid(operation, "libraries: is empty; name at least one"));
    }
    let libraries = libraries.iter().map(Into::into).collect();
    Ok(wire::ChangeRequest { cluster_id: cluster_id.as_str(), libraries })
}

pub(super) struct ClusterStatus<'a>(pub(super) &'a ClusterId);

impl Operation for ClusterStatus<'_> {
    const NAME: &'static str = "databricks.libraries.cluster_status";
    const IDEMPOTENT: bool = true;
    type Output = Vec<LibraryStatus>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/libraries/cluster-status")
            .query("cluster_id", self.0)
            .build()
    }

    fn decode(&self, response: Response) -> Result<Vec<LibraryStatus>> {
        let body: wire::StatusResponse = fault::read(Self::NAME, &response)?;
        body.library_statuses.into_iter().map(|it| it.into_domain(Self::NAME)).collect()
    }
}

pub(super) struct AllClusterStatuses;

impl Operation for AllClusterStatuses {
    const NAME: &'static str = "databricks.libraries.all_cluster_statuses";
    const IDEMPOTENT: bool = true;
    type Output = Vec<ClusterLibraries>;

    fn encode(&self, base: &str) -> Result<Request> {
        get(Self::NAME, base, "/api/2.0/libraries/all-cluster-statuses").build()
    }

    fn decode(&self, response: Response) -> Result<Vec<ClusterLibraries>> {
        let body: wire::AllStatusesResponse = fault::read(Self::NAME, &response)?;
        let read = |it: wire::WireClusterStatus| {
            let them = it.library_statuses.into_iter().map(|it| it.into_domain(Self::NAME));
            let libraries = them.collect::<Result<_>>()?;
            Ok(ClusterLibraries { cluster_id: ClusterId::new(it.cluster_id), libraries })
        };
        body.statuses.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use azml_core::ErrorKind;

    use super::*;
    use crate::{libraries::LibraryState, testing::check};

    #[test]
    fn every_call_is_as_saved() {
        let id = ClusterId::new("0101-000000-abcd1234");
        let libraries = [
            Library::pypi("simplejson==3.19.3"),
            Library::maven("com.example:tool:1.0"),
            Library::cran("ggplot2"),
            Library::Jar("dbfs:/jars/a.jar".to_owned()),
            Library::Whl("dbfs:/wheels/a.whl".to_owned()),
        ];
        check("libraries/install", &Install(&id, &libraries)).unwrap();
        check("libraries/uninstall", &Uninstall(&id, &libraries[..1])).unwrap();
        let found = check("libraries/cluster-status", &ClusterStatus(&id)).unwrap();
        assert_eq!(found[0].library, libraries[0]);
        assert_eq!(found[0].state, LibraryState::Installed);
        assert_eq!(found[1].state, LibraryState::Failed);
        assert_eq!(found[1].messages, ["no such artifact"]);
        let all = check("libraries/all-cluster-statuses", &AllClusterStatuses).unwrap();
        assert_eq!((&all[0].cluster_id, all[0].libraries.len()), (&id, 6));
        assert_eq!(check("libraries/all-cluster-statuses-empty", &AllClusterStatuses).unwrap(), []);
    }

    #[test]
    fn an_empty_list_is_refused() {
        let err = Install(&ClusterId::new("a"), &[]).encode("https://adb-1.test").unwrap_err();
        assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    }
}
