//! Policies that Databricks itself provides, to be made one's own.

use crate::kernel::Refusal;

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) definition: &'static str,
}

pub(crate) static FAMILIES: &[Family] = &[
    Family {
        id: "job-cluster",
        name: "Job Compute",
        description: "Use for jobs only",
        definition: r#"{"cluster_type":{"type":"fixed","value":"job"},"spark_version":{"type":"unlimited","defaultValue":"auto:latest-lts"},"num_workers":{"type":"unlimited","defaultValue":4,"isOptional":true}}"#,
    },
    Family {
        id: "personal-vm",
        name: "Personal Compute",
        description: "Use with small-to-medium data or libraries like pandas and scikit-learn. Spark runs in local mode.",
        definition: r#"{"node_type_id":{"type":"allowlist","values":["Standard_DS3_v2","Standard_DS4_v2"],"defaultValue":"Standard_DS3_v2"},"num_workers":{"type":"fixed","value":0,"hidden":true},"autotermination_minutes":{"type":"unlimited","defaultValue":4320,"isOptional":true}}"#,
    },
    Family {
        id: "power-user",
        name: "Power User Compute",
        description: "Use with larger datasets",
        definition: r#"{"autotermination_minutes":{"type":"unlimited","defaultValue":4320,"isOptional":true},"autoscale.max_workers":{"type":"range","maxValue":10,"defaultValue":4,"isOptional":true}}"#,
    },
    Family {
        id: "shared-compute",
        name: "Shared Compute",
        description: "Create a compute resource that is shared by a team",
        definition: r#"{"data_security_mode":{"type":"fixed","value":"USER_ISOLATION","hidden":true},"autotermination_minutes":{"type":"unlimited","defaultValue":60,"isOptional":true}}"#,
    },
];

pub(crate) fn family(id: &str) -> Result<&'static Family, Refusal> {
    let missing = || Refusal::not_found(format!("Policy family {id} does not exist"));
    FAMILIES.iter().find(|it| it.id == id).ok_or_else(missing)
}
