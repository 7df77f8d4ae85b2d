//! The step as the list of named texts that the service stores.

use std::borrow::Cow;

use super::{DatabricksStep, StepCluster, StepCode, defaults};
use crate::{Argument, ParameterValue, Pipeline, PipelineParameter, library};

/// One parameter of a module.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepParameter<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: StepValue<'a>,
    /// Whether it describes where to run rather than what.
    pub(crate) metadata: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StepValue<'a> {
    Literal(Cow<'a, str>),
    /// Follows a parameter of the pipeline.
    Parameter(Cow<'a, PipelineParameter>),
}

/// All parameters of `step`, in the order in which the Python class sends them.
///
/// A reference to a parameter that `pipeline` does not declare counts as empty
/// text; validation has refused it before.
pub(crate) fn parameters<'a>(
    step: &'a DatabricksStep,
    pipeline: &'a Pipeline,
) -> Vec<StepParameter<'a>> {
    let mut list = List { items: Vec::new(), pipeline };
    list.metadata_opt("timeout_seconds", step.timeout.map(|it| it.as_secs().to_string().into()));
    list.metadata_opt("run_name", step.run_name.as_deref().map(Cow::from));
    list.cluster(&step.cluster);
    list.code(&step.code);
    for (name, text) in library::to_parameters(&step.libraries) {
        list.metadata(name, text);
    }
    list.metadata_opt("compute_name", pipeline.compute_of(step).map(Cow::from));
    list.items
}

struct List<'a> {
    items: Vec<StepParameter<'a>>,
    pipeline: &'a Pipeline,
}

impl<'a> List<'a> {
    fn metadata(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        self.push(name.into(), StepValue::Literal(value.into()), true);
    }

    fn metadata_opt(&mut self, name: &'static str, value: Option<Cow<'a, str>>) {
        if let Some(value) = value {
            self.metadata(name, value);
        }
    }

    fn code_text(&mut self, name: &'static str, value: impl Into<Cow<'a, str>>) {
        self.push(name.into(), StepValue::Literal(value.into()), false);
    }

    /// Appends, or replaces the value of a parameter that is there already.
    fn push(&mut self, name: Cow<'a, str>, value: StepValue<'a>, metadata: bool) {
        match self.items.iter_mut().find(|it| it.name == name) {
            Some(known) => known.value = value,
            None => self.items.push(StepParameter { name, value, metadata }),
        }
    }

    fn cluster(&mut self, cluster: &'a StepCluster) {
        if let Some(id) = &cluster.existing_cluster_id {
            self.metadata("existing_cluster_id", id);
            if let Some(permit) = cluster.permit_cluster_restart {
                self.metadata("permit_cluster_restart", ParameterValue::from(permit).to_string());
            }
            return;
        }
        let spark_version = cluster.spark_version.as_deref().unwrap_or(defaults::SPARK_VERSION);
        self.metadata("spark_version", spark_version);
        match (&cluster.node_type, &cluster.instance_pool_id) {
            (None, Some(pool)) => self.metadata("instance_pool_id", pool),
            (node_type, _) => {
                self.metadata("node_type_id", node_type.as_deref().unwrap_or(defaults::NODE_TYPE));
            }
        }
        if let Some(workers) = cluster.num_workers {
            self.metadata("num_workers", workers.to_string());
        } else {
            self.metadata_opt("max_workers", cluster.max_workers.map(|it| it.to_string().into()));
            self.metadata_opt("min_workers", cluster.min_workers.map(|it| it.to_string().into()));
        }
        let environment = match &cluster.spark_env_variables {
            Some(variables) => join_pairs(variables),
            None => format!("{}={}", defaults::ENVIRONMENT.0, defaults::ENVIRONMENT.1).into(),
        };
        self.metadata("spark_env_vars", environment);
        self.metadata_opt("spark_conf", cluster.spark_conf.as_deref().map(join_pairs));
        let scripts = cluster.init_scripts.as_ref().map(|it| it.join(",").into());
        self.metadata_opt("init_scripts", scripts);
        self.metadata_opt(
            "cluster_log_dbfs_path",
            cluster.cluster_log_dbfs_path.as_deref().map(Cow::from),
        );
    }

    fn code(&mut self, code: &'a StepCode) {
        if let Some(path) = &code.notebook_path {
            self.code_text("notebook_path", path);
            self.notebook_params(&code.notebook_params);
        }
        if let Some(path) = &code.python_script_path {
            self.code_text("python_script_path", path);
            self.arguments("python_script_params", &code.python_script_params);
        }
        if let Some(class) = &code.main_class_name {
            self.code_text("main_class_name", class);
            self.arguments("jar_params", &code.jar_params);
        }
        if let Some(name) = &code.python_script_name {
            self.code_text("python_script_name", name);
            self.arguments("python_script_params", &code.python_script_params);
        }
    }

    fn notebook_params(&mut self, params: &'a [(String, Argument)]) {
        if params.is_empty() {
            return;
        }
        let texts: Vec<_> = params
            .iter()
            .map(|(key, value)| match self.resolve(value) {
                Resolved::Value(value) => format!("{key}={value}"),
                Resolved::Parameter(parameter) => format!("{key}={}", parameter.default),
            })
            .collect();
        self.code_text("base_parameters", texts.join(";"));
        for (key, value) in params {
            if let Resolved::Parameter(parameter) = self.resolve(value) {
                let name = format!("_AML_PARAMETER_{key}");
                self.push(name.into(), StepValue::Parameter(parameter), false);
            }
        }
    }

    fn arguments(&mut self, field: &'static str, arguments: &'a [Argument]) {
        if arguments.is_empty() {
            return;
        }
        let mut texts = Vec::new();
        for argument in arguments {
            match self.resolve(argument) {
                Resolved::Value(value) => texts.push(escape(&value.to_string())),
                Resolved::Parameter(parameter) => {
                    texts.push(escape(parameter.name.as_str()));
                    texts.push(escape(&parameter.default.to_string()));
                }
            }
        }
        self.code_text(field, texts.join("||"));
        for argument in arguments {
            if let Resolved::Parameter(parameter) = self.resolve(argument) {
                let name = format!("_AML_PARAMETER_{}", escape(parameter.name.as_str()));
                self.push(name.into(), StepValue::Parameter(parameter), false);
            }
        }
    }

    fn resolve(&self, argument: &'a Argument) -> Resolved<'a> {
        match argument {
            Argument::Value(value) => Resolved::Value(value),
            Argument::Parameter(name) => match self.pipeline.parameter(name) {
                Some(parameter) => Resolved::Parameter(Cow::Borrowed(parameter)),
                None => Resolved::Parameter(Cow::Owned(PipelineParameter::new(name.clone(), ""))),
            },
        }
    }
}

enum Resolved<'a> {
    Value(&'a ParameterValue),
    Parameter(Cow<'a, PipelineParameter>),
}

/// Arguments are joined with `||`, so a bar inside one is written `|-`.
fn escape(text: &str) -> String {
    text.replace('|', "|-")
}

fn join_pairs(pairs: &[(String, String)]) -> Cow<'static, str> {
    let texts: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    texts.join(";").into()
}
