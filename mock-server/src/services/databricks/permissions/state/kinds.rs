//! The kinds of objects that have permissions, and their levels, weakest first.

/// One kind of objects.
#[derive(Debug)]
pub(crate) struct Kind {
    /// As the path names it.
    pub(crate) folder: &'static str,
    /// As answers name it.
    pub(crate) object_type: &'static str,
    /// As messages name it.
    pub(crate) title: &'static str,
    pub(crate) levels: &'static [&'static str],
    /// Whether it has an owner besides those who manage it.
    pub(crate) is_owned: bool,
}

const fn of(
    folder: &'static str,
    object_type: &'static str,
    title: &'static str,
    levels: &'static [&'static str],
) -> Kind {
    Kind { folder, object_type, title, levels, is_owned: false }
}

const fn owned(
    folder: &'static str,
    object_type: &'static str,
    title: &'static str,
    levels: &'static [&'static str],
) -> Kind {
    Kind { folder, object_type, title, levels, is_owned: true }
}

const DOCUMENT: &[&str] = &["CAN_READ", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"];
const RUNNABLE: &[&str] = &["CAN_VIEW", "CAN_MANAGE_RUN", "CAN_MANAGE", "IS_OWNER"];
const QUERY: &[&str] = &["CAN_VIEW", "CAN_RUN", "CAN_EDIT", "CAN_MANAGE"];

static KINDS: &[Kind] = &[
    of("authorization", "tokens", "Authorization", &["CAN_USE", "CAN_MANAGE"]),
    of("clusters", "cluster", "Cluster", &["CAN_ATTACH_TO", "CAN_RESTART", "CAN_MANAGE"]),
    of("cluster-policies", "cluster-policy", "Cluster policy", &["CAN_USE", "CAN_MANAGE"]),
    of("instance-pools", "instance-pool", "Instance pool", &["CAN_ATTACH_TO", "CAN_MANAGE"]),
    owned("jobs", "job", "Job", RUNNABLE),
    owned("pipelines", "pipelines", "Pipeline", RUNNABLE),
    owned(
        "warehouses",
        "warehouses",
        "SQL warehouse",
        &["CAN_VIEW", "CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"],
    ),
    of("notebooks", "notebook", "Notebook", DOCUMENT),
    of("directories", "directory", "Directory", DOCUMENT),
    of("files", "file", "File", DOCUMENT),
    of("repos", "repo", "Repo", DOCUMENT),
    of("experiments", "mlflowExperiment", "Experiment", &["CAN_READ", "CAN_EDIT", "CAN_MANAGE"]),
    of(
        "registered-models",
        "registered-model",
        "Registered model",
        &[
            "CAN_READ",
            "CAN_EDIT",
            "CAN_MANAGE_STAGING_VERSIONS",
            "CAN_MANAGE_PRODUCTION_VERSIONS",
            "CAN_MANAGE",
        ],
    ),
    of(
        "serving-endpoints",
        "inference-endpoint",
        "Serving endpoint",
        &["CAN_VIEW", "CAN_QUERY", "CAN_MANAGE"],
    ),
    of("dashboards", "dashboard", "Dashboard", DOCUMENT),
    of("dbsql-dashboards", "dashboard", "Dashboard", QUERY),
    of("queries", "query", "Query", QUERY),
    of("alerts", "alert", "Alert", QUERY),
    of("alertsv2", "alertv2", "Alert", DOCUMENT),
    of("genie", "genie-space", "Genie space", QUERY),
    of("apps", "apps", "App", &["CAN_USE", "CAN_MANAGE"]),
    of(
        "vector-search-endpoints",
        "vector-search-endpoints",
        "Endpoint",
        &["CAN_USE", "CAN_MANAGE"],
    ),
    of("database-instances", "database-instances", "Database instance", &["CAN_USE", "CAN_MANAGE"]),
    of("database-projects", "database-projects", "Database project", &["CAN_USE", "CAN_MANAGE"]),
];

pub(crate) fn kind(folder: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|it| it.folder == folder)
}

/// What a level means, in words.
pub(crate) fn meaning(level: &str) -> &'static str {
    match level {
        "CAN_USE" => "Can use the object",
        "CAN_ATTACH_TO" => "Can attach to the object",
        "CAN_RESTART" => "Can attach to and restart the object",
        "CAN_READ" | "CAN_VIEW" => "Can view the object",
        "CAN_RUN" => "Can view and run the object",
        "CAN_QUERY" => "Can view and query the object",
        "CAN_MONITOR" => "Can use and monitor the object",
        "CAN_MANAGE_RUN" => "Can view the object and manage its runs",
        "CAN_EDIT" => "Can view and edit the object",
        "CAN_MANAGE_STAGING_VERSIONS" => "Can manage staging versions of the object",
        "CAN_MANAGE_PRODUCTION_VERSIONS" => "Can manage production versions of the object",
        "IS_OWNER" => "Is the owner of the object",
        _ => "Can manage the object",
    }
}
