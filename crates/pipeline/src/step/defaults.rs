//! What a new cluster is when the step does not say, as in the Python class.

pub(crate) const SPARK_VERSION: &str = "10.4.x-scala2.12";
pub(crate) const NODE_TYPE: &str = "Standard_D3_v2";
pub(crate) const ENVIRONMENT: (&str, &str) = ("PYSPARK_PYTHON", "/databricks/python3/bin/python3");
