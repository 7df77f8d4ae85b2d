//! What the services of Azure share: envelopes, gates, the workspace in a path.

mod envelope;
mod gate;
mod workspace;

pub(crate) use self::{
    envelope::{ArmEnvelope, DataPlaneEnvelope, PipelinesEnvelope},
    gate::{
        DATABRICKS_AUDIENCE, ML_AUDIENCE, STORAGE_AUDIENCE, arm_gate, bearer, data_plane_gate,
        entra_claims,
    },
    workspace::{AtWorkspace, workspace_path},
};

/// Fixed parts of resource ids, in the case that the tables use.
const FIXED: &[&str] = &[
    "subscriptions",
    "resourceGroups",
    "providers",
    "workspaces",
    "resources",
    "locations",
    "computes",
    "computeOperationsStatus",
    "computeOperationsResults",
    "workspaceOperationsStatus",
    "workspaceOperationResults",
    "operationStatuses",
    "operationResults",
    "listKeys",
    "Microsoft.MachineLearningServices",
    "Microsoft.Databricks",
];

/// `path` with the fixed parts of a resource id in the case of the tables, and
/// with one slash in front: clients put the id behind an address that ends in one.
pub(crate) fn canonical_path(path: &str) -> String {
    let id = path.trim_start_matches('/');
    let path = if path.starts_with("//") { &path[path.len() - id.len() - 1..] } else { path };
    if !path.to_ascii_lowercase().contains("/subscriptions") {
        return path.to_owned();
    }
    let canonical = |part: &str| {
        let fixed = FIXED.iter().find(|it| it.eq_ignore_ascii_case(part));
        fixed.map_or_else(|| part.to_owned(), |it| (*it).to_owned())
    };
    path.split('/').map(canonical).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_parts_of_a_resource_id_are_known_in_any_case() {
        let path = "/Subscriptions/S/resourcegroups/RG/providers/microsoft.databricks/workspaces/W";
        assert_eq!(
            canonical_path(path),
            "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Databricks/workspaces/W"
        );
        assert_eq!(canonical_path("/api/2.0/Workspaces"), "/api/2.0/Workspaces");
        assert_eq!(canonical_path("//subscriptions/S"), "/subscriptions/S");
        assert_eq!(canonical_path("/"), "/");
    }
}
