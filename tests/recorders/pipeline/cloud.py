"""The mock cloud: the environment that leads the SDK to it, and a fresh world for each case."""
import json
import os
import pathlib
import shutil
import urllib.request

NOWHERE = "http://127.0.0.1:9"  # A proxy that refuses: nothing leaves this machine.
OTHER_BLOBS = "otherblobstore"
DATABRICKS_FILES = "dbfsstore"


class Mock:
    def __init__(self, ready_file, scratch):
        self.ready = json.loads(ready_file.read_text())
        self.home = scratch / "home"
        self._url = self.ready["url"].rstrip("/")
        self._workspace = None
        for key in list(os.environ):
            if key.startswith(("AZURE", "AML_", "ARM_")) or key.upper().endswith("_PROXY"):
                del os.environ[key]
        os.environ.update(
            HOME=str(self.home), AZURE_CONFIG_DIR=str(self.home / "azure"), PYTHONWARNINGS="ignore",
            ARM_CLOUD_METADATA_URL=self._url + "/metadata/endpoints?api-version=2019-05-01", AZUREML_CURRENT_CLOUD="AzureCloud",
            REQUESTS_CA_BUNDLE=self.ready["ca_file"], SSL_CERT_FILE=self.ready["ca_file"],
            HTTP_PROXY=NOWHERE, HTTPS_PROXY=NOWHERE, NO_PROXY="127.0.0.1,localhost")
        pathlib.Path(os.environ["AZURE_CONFIG_DIR"]).mkdir(parents=True)

    def fresh_workspace(self):
        """A world without modules and data sources, and an SDK that remembers no snapshot."""
        request = urllib.request.Request(self._url + "/_mock/reset", method="POST", data=b"{}",
                                         headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=30).read()
        shutil.rmtree(self.home / ".azureml" / ".projectcontent", ignore_errors=True)
        if self._workspace is None:
            self._workspace = self._sign_in()
        return self._workspace

    def _sign_in(self):
        from azureml.core import Workspace
        from azureml.core.authentication import ServicePrincipalAuthentication

        ready = self.ready
        credential = ServicePrincipalAuthentication(tenant_id=ready["tenant_id"], service_principal_id=ready["client_id"],
                                                    service_principal_password=ready["client_secret"])
        return Workspace(ready["subscription_id"], ready["resource_group"], ready["workspace_name"], auth=credential)


def datastore(workspace, name):
    """The datastore of this name; registered first, unless the workspace brings it along."""
    from azureml.core import Datastore

    if name is None:
        return workspace.get_default_datastore()
    if name == OTHER_BLOBS:
        return Datastore.register_azure_blob_container(workspace, name, container_name="other", account_name="otheraccount",
                                                       account_key="ZmFrZQ==", create_if_not_exists=True)
    if name == DATABRICKS_FILES:
        from azureml.data.dbfs_datastore import DBFSDatastore

        return DBFSDatastore(workspace, name)  # Not registered: the mock has no datastores of this kind.
    return Datastore(workspace, name)
