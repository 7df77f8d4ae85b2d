//! The machines and runtimes that there are, and how to choose among them.

/// A kind of machine.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeType {
    /// Azure VM size, for example `Standard_DS3_v2`.
    pub node_type_id: String,
    /// For people.
    pub description: String,
    /// For example `General Purpose`, `GPU Accelerated`.
    pub category: String,
    /// Its cores.
    pub num_cores: f64,
    /// Its memory in MiB.
    pub memory_mib: u64,
    /// Its graphics processors.
    pub num_gpus: u32,
    /// Its disks.
    pub local_disks: u32,
    /// Whether new clusters should have another kind.
    pub is_deprecated: bool,
    /// Why it cannot be had, for example `NotAvailableInRegion`. Empty when it can.
    pub unavailable: Vec<String>,
}

/// A runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparkVersion {
    /// The key that [`NewCluster`](super::NewCluster) takes, for example
    /// `15.4.x-scala2.12`.
    pub key: String,
    /// For people, for example `15.4 LTS (includes Apache Spark 3.5.0, Scala 2.12)`.
    pub name: String,
}

/// Where machines can be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Zones {
    /// All of them.
    pub zones: Vec<String>,
    /// The one that is taken when none is named.
    pub default_zone: Option<String>,
}

impl SparkVersion {
    /// Whether it gets long-term support.
    pub fn is_lts(&self) -> bool {
        self.name.contains("LTS")
    }

    /// Whether it has the libraries for machine learning.
    pub fn is_ml(&self) -> bool {
        self.has("ml")
    }

    /// Whether it is for machines with graphics processors.
    pub fn is_gpu(&self) -> bool {
        self.has("gpu")
    }

    /// Whether it is for ordinary machines: no image of its own for Photon or ARM,
    /// and no beta.
    fn is_plain(&self) -> bool {
        !self.has("photon") && !self.has("aarch64") && !self.name.contains("Beta")
    }

    fn has(&self, word: &str) -> bool {
        self.key.split('-').any(|it| it == word)
    }

    /// `15.4.x-scala2.12` is 15 and 4.
    fn number(&self) -> (u32, u32) {
        let mut parts = self.key.split('.').map(|it| it.parse().unwrap_or_default());
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }
}

/// Which runtime to choose: the newest one that fits.
///
/// ```
/// use azml_databricks::clusters::SparkVersionChoice;
///
/// let choice = SparkVersionChoice::latest_lts().with_ml();
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SparkVersionChoice {
    /// Only those with long-term support.
    pub lts: bool,
    /// Those with the libraries for machine learning. Without it, only those without.
    pub ml: bool,
    /// Those for graphics processors. Without it, only those without.
    pub gpu: bool,
    /// Only those with this version of Scala, for example `2.12`.
    pub scala: Option<String>,
}

impl SparkVersionChoice {
    /// The newest.
    pub fn latest() -> Self {
        Self::default()
    }

    /// The newest with long-term support.
    pub fn latest_lts() -> Self {
        Self { lts: true, ..Self::default() }
    }

    /// With the libraries for machine learning.
    #[must_use]
    pub fn with_ml(self) -> Self {
        Self { ml: true, ..self }
    }

    /// For graphics processors, which only those for machine learning are.
    #[must_use]
    pub fn with_gpu(self) -> Self {
        Self { ml: true, gpu: true, ..self }
    }

    /// With this version of Scala.
    #[must_use]
    pub fn with_scala(self, scala: impl Into<String>) -> Self {
        Self { scala: Some(scala.into()), ..self }
    }

    /// The newest of `versions` that fits.
    pub fn select<'a>(&self, versions: &'a [SparkVersion]) -> Option<&'a SparkVersion> {
        let fits = |it: &&SparkVersion| {
            let scala = self.scala.as_ref().is_none_or(|scala| it.has(&format!("scala{scala}")));
            let kind = it.is_ml() == self.ml && it.is_gpu() == self.gpu;
            it.is_plain() && kind && scala && (it.is_lts() || !self.lts)
        };
        versions.iter().filter(fits).max_by_key(|it| it.number())
    }
}

/// Which kind of machine to choose: the smallest one that is large enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeTypeChoice {
    /// It has at least so many cores.
    pub min_cores: u32,
    /// It has at least so much memory, in GiB.
    pub min_memory_gib: u64,
    /// It has at least so many graphics processors. 0 takes only those without.
    pub min_gpus: u32,
    /// It has a disk of its own.
    pub local_disk: bool,
    /// It is of this category, for example `Memory Optimized`.
    pub category: Option<String>,
}

impl NodeTypeChoice {
    /// With at least so many cores.
    #[must_use]
    pub fn with_min_cores(self, min_cores: u32) -> Self {
        Self { min_cores, ..self }
    }

    /// With at least so much memory, in GiB.
    #[must_use]
    pub fn with_min_memory_gib(self, min_memory_gib: u64) -> Self {
        Self { min_memory_gib, ..self }
    }

    /// With at least so many graphics processors.
    #[must_use]
    pub fn with_min_gpus(self, min_gpus: u32) -> Self {
        Self { min_gpus, ..self }
    }

    /// With a disk of its own.
    #[must_use]
    pub fn with_local_disk(self) -> Self {
        Self { local_disk: true, ..self }
    }

    /// Of this category.
    #[must_use]
    pub fn with_category(self, category: impl Into<String>) -> Self {
        Self { category: Some(category.into()), ..self }
    }

    /// The smallest of `types` that is large enough.
    pub fn select<'a>(&self, types: &'a [NodeType]) -> Option<&'a NodeType> {
        let fits = |it: &&NodeType| {
            let gpus = self.min_gpus <= it.num_gpus && (self.min_gpus != 0 || it.num_gpus == 0);
            !it.is_deprecated
                && it.unavailable.is_empty()
                && f64::from(self.min_cores) <= it.num_cores
                && self.min_memory_gib * 1024 <= it.memory_mib
                && gpus
                && (!self.local_disk || 0 < it.local_disks)
                && self.category.as_ref().is_none_or(|wanted| {
                    it.category.to_lowercase().starts_with(&wanted.to_lowercase())
                })
        };
        types.iter().filter(fits).min_by(|one, other| {
            let by_cores = one.num_cores.total_cmp(&other.num_cores);
            by_cores
                .then(one.memory_mib.cmp(&other.memory_mib))
                .then(one.node_type_id.cmp(&other.node_type_id))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(key: &str, name: &str) -> SparkVersion {
        SparkVersion { key: key.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn the_newest_that_fits_is_chosen_by_number_and_not_by_text() {
        let versions = [
            version("9.1.x-scala2.12", "9.1 LTS"),
            version("16.4.x-scala2.12", "16.4 LTS"),
            version("15.4.x-cpu-ml-scala2.12", "15.4 LTS ML"),
            version("15.4.x-gpu-ml-scala2.12", "15.4 LTS ML (GPU)"),
            version("17.1.x-scala2.13", "17.1"),
            version("18.0.x-scala2.13", "18.0 Beta"),
            version("16.4.x-photon-scala2.12", "16.4 LTS Photon"),
        ];
        for (choice, key) in [
            (SparkVersionChoice::latest(), Some("17.1.x-scala2.13")),
            (SparkVersionChoice::latest_lts(), Some("16.4.x-scala2.12")),
            (SparkVersionChoice::latest_lts().with_ml(), Some("15.4.x-cpu-ml-scala2.12")),
            (SparkVersionChoice::latest().with_gpu(), Some("15.4.x-gpu-ml-scala2.12")),
            (SparkVersionChoice::latest().with_scala("2.12"), Some("16.4.x-scala2.12")),
            (SparkVersionChoice::latest().with_scala("3.0"), None),
        ] {
            assert_eq!(choice.select(&versions).map(|it| it.key.as_str()), key, "{choice:?}");
        }
    }

    #[test]
    fn the_smallest_that_is_large_enough_is_chosen() {
        let node = |id: &str, num_cores, memory_mib, num_gpus| NodeType {
            node_type_id: id.to_owned(),
            description: String::new(),
            category: "General Purpose".to_owned(),
            num_cores,
            memory_mib,
            num_gpus,
            local_disks: 1,
            is_deprecated: id == "old",
            unavailable: if id == "sold-out" { vec!["x".to_owned()] } else { Vec::new() },
        };
        let types = [
            node("gpu", 6.0, 114_688, 1),
            node("large", 8.0, 28_672, 0),
            node("old", 1.0, 1024, 0),
            node("sold-out", 2.0, 1024, 0),
            node("small", 4.0, 14_336, 0),
        ];
        let chosen = |choice: NodeTypeChoice| choice.select(&types).map(|it| &*it.node_type_id);
        assert_eq!(chosen(NodeTypeChoice::default()), Some("small"));
        assert_eq!(chosen(NodeTypeChoice::default().with_min_memory_gib(20)), Some("large"));
        assert_eq!(chosen(NodeTypeChoice::default().with_min_gpus(1)), Some("gpu"));
        assert_eq!(chosen(NodeTypeChoice::default().with_min_cores(64)), None);
    }
}
