use async_trait::async_trait;
use azml_core::{Endpoint, Error, ErrorKind, Poller, Progress, Result, WaitOptions};

use super::{ClusterLibraries, Libraries, Library, LibraryState, LibraryStatus, ops};
use crate::clusters::ClusterId;

/// Talks to the Libraries API of one Databricks workspace.
#[derive(Clone, Debug)]
pub struct LibrariesClient {
    endpoint: Endpoint,
}

impl LibrariesClient {
    pub(crate) fn from_endpoint(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    /// Looks until no library of the cluster is on its way, and shows those that are.
    ///
    /// Ends in [`Other`](ErrorKind::Other) when a library could not be installed,
    /// with the messages of the service.
    pub fn poll_until_installed(
        &self,
        cluster_id: &ClusterId,
        options: WaitOptions,
    ) -> Poller<Vec<String>, Vec<LibraryStatus>> {
        const NAME: &str = "databricks.libraries.wait_until_installed";
        let (client, id) = (self.clone(), cluster_id.clone());
        Poller::new(NAME, options, self.endpoint.clock().clone(), move || {
            let (client, id) = (client.clone(), id.clone());
            async move {
                let statuses = client.cluster_status(&id).await?;
                let failed = statuses.iter().find(|it| it.state == LibraryState::Failed);
                if let Some(LibraryStatus { library, messages, .. }) = failed {
                    let reason =
                        format!("library {library} on cluster {id}: {}", messages.join("; "));
                    return Err(Error::explained(NAME, ErrorKind::Other, reason));
                }
                let is_on_its_way = |it: &&LibraryStatus| {
                    use LibraryState::{Installing, Pending, Resolving};
                    matches!(it.state, Pending | Resolving | Installing)
                };
                let pending: Vec<String> =
                    statuses.iter().filter(is_on_its_way).map(describe).collect();
                Ok(if pending.is_empty() {
                    Progress::Done(statuses)
                } else {
                    Progress::Pending(pending)
                })
            }
        })
    }

    /// Waits until no library of the cluster is on its way. The cluster must run:
    /// nothing is installed on a terminated one.
    ///
    /// # Errors
    ///
    /// [`Other`](ErrorKind::Other) when a library could not be installed, with the
    /// messages of the service; [`Timeout`](ErrorKind::Timeout) when it takes too
    /// long.
    pub async fn wait_until_installed(
        &self,
        cluster_id: &ClusterId,
        options: WaitOptions,
    ) -> Result<Vec<LibraryStatus>> {
        self.poll_until_installed(cluster_id, options).until_done().await
    }
}

fn describe(it: &LibraryStatus) -> String {
    format!("{} {}", it.library, it.state)
}

#[async_trait]
impl Libraries for LibrariesClient {
    async fn install(&self, cluster_id: &ClusterId, libraries: &[Library]) -> Result<()> {
        self.endpoint.call(&ops::Install(cluster_id, libraries)).await
    }

    async fn cluster_status(&self, cluster_id: &ClusterId) -> Result<Vec<LibraryStatus>> {
        self.endpoint.call(&ops::ClusterStatus(cluster_id)).await
    }

    async fn uninstall(&self, cluster_id: &ClusterId, libraries: &[Library]) -> Result<()> {
        self.endpoint.call(&ops::Uninstall(cluster_id, libraries)).await
    }

    async fn all_cluster_statuses(&self) -> Result<Vec<ClusterLibraries>> {
        self.endpoint.call(&ops::AllClusterStatuses).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Databricks, testing::Scripted};

    fn status(state: &str) -> String {
        format!(
            r#"{{"library_statuses":[{{"library":{{"pypi":{{"package":"a"}}}},"status":"{state}","messages":["no such package"]}}]}}"#
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_ends_when_everything_is_there() {
        let (first, last) = (status("RESOLVING"), status("INSTALLED"));
        let script = Scripted::new([(200, &*first), (200, &*last)]);
        let libraries = Databricks::new("https://adb-1.test", script).libraries();
        let id = ClusterId::new("c");
        let found = libraries.wait_until_installed(&id, WaitOptions::default()).await.unwrap();
        assert_eq!(found[0].state, LibraryState::Installed);
    }

    #[tokio::test]
    async fn a_failed_library_is_named_with_its_messages() {
        let body = status("FAILED");
        let script = Scripted::new([(200, &*body)]);
        let libraries = Databricks::new("https://adb-1.test", script).libraries();
        let id = ClusterId::new("c");
        let err = libraries.wait_until_installed(&id, WaitOptions::default()).await.unwrap_err();
        assert_eq!(
            err.to_string(),
            "databricks.libraries.wait_until_installed failed: library a on cluster c: no such package"
        );
    }
}
