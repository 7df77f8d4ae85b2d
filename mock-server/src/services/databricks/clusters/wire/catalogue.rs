//! The machines and runtimes that there are.

use serde_json::{Value, json};

pub(in super::super) const DEFAULT_NODE_TYPE: &str = "Standard_DS3_v2";

pub(super) struct NodeType {
    pub(super) id: &'static str,
    category: &'static str,
    pub(super) cores: f64,
    pub(super) memory_mb: u32,
    gpus: u32,
}

pub(super) fn node_types() -> impl Iterator<Item = NodeType> {
    let node =
        |id, category, cores, memory_mb, gpus| NodeType { id, category, cores, memory_mb, gpus };
    [
        node(DEFAULT_NODE_TYPE, "General Purpose", 4.0, 14_336, 0),
        node("Standard_DS4_v2", "General Purpose", 8.0, 28_672, 0),
        node("Standard_D4s_v3", "General Purpose", 4.0, 16_384, 0),
        node("Standard_F4s", "Compute Optimized", 4.0, 8_192, 0),
        node("Standard_E4s_v3", "Memory Optimized", 4.0, 32_768, 0),
        node("Standard_NC6s_v3", "GPU Accelerated", 6.0, 114_688, 1),
    ]
    .into_iter()
}

pub(in super::super) fn describe_node_types() -> Value {
    let them: Vec<Value> = node_types()
        .map(|it| {
            json!({
                "node_type_id": it.id, "instance_type_id": it.id, "description": it.id,
                "memory_mb": it.memory_mb, "num_cores": it.cores, "num_gpus": it.gpus,
                "category": it.category, "is_deprecated": false, "is_hidden": false,
                "node_instance_type": {
                    "instance_type_id": it.id, "local_disks": 1, "local_disk_size_gb": 28,
                },
                "node_info": { "status": [], "available_core_quota": 350.0, "total_core_quota": 350.0 },
                "support_cluster_tags": true, "support_ebs_volumes": true,
                "photon_driver_capable": false, "photon_worker_capable": false,
            })
        })
        .collect();
    json!({ "node_types": them })
}

pub(in super::super) fn describe_spark_versions() -> Value {
    let version = |key, name| json!({ "key": key, "name": name });
    json!({ "versions": [
        version("17.3.x-scala2.13", "17.3 LTS (includes Apache Spark 4.0.0, Scala 2.13)"),
        version("16.4.x-scala2.12", "16.4 LTS (includes Apache Spark 3.5.2, Scala 2.12)"),
        version("15.4.x-scala2.12", "15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
        version("15.4.x-cpu-ml-scala2.12", "15.4 LTS ML (includes Apache Spark 3.5.0, Scala 2.12)"),
        version("14.3.x-scala2.12", "14.3 LTS (includes Apache Spark 3.5.0, Scala 2.12)"),
        version("13.3.x-scala2.12", "13.3 LTS (includes Apache Spark 3.4.1, Scala 2.12)"),
    ] })
}

/// Where machines can be.
pub(in super::super) fn describe_zones() -> Value {
    json!({ "zones": ["1", "2", "3"], "default_zone": "1" })
}
