//! From the YAML form to a pipeline.

use std::{collections::HashMap, path::Path, time::Duration};

use super::{
    form::{
        DataForm, DataPathForm, InputForm, InputModeForm, OutputForm, OutputModeForm,
        ParameterReference, PipelineForm, StepForm, StepType,
    },
    scalar::{Count, NameOr, Pairs, Scalar, ScalarOr, Text},
};
use crate::{
    Argument, DataPathParameter, DataReference, DatabricksStep, FileDataset, InputMode,
    InputSource, Library, OutputMode, ParameterName, Pipeline, PipelineData, PipelineParameter,
    Problem, ProblemKind, StepInput,
};

/// Makes a pipeline of `form`, whose relative folders are in `folder`, and tells what is
/// wrong with it that does not show in the pipeline.
pub(super) fn pipeline(form: PipelineForm, folder: &Path) -> (Pipeline, Vec<Problem>) {
    let mut reader = Reader { folder, ..Reader::new() };
    let mut pipeline = Pipeline::new(form.name.0);
    pipeline.description = text(form.description);
    pipeline.experiment = text(form.experiment);
    pipeline.default_compute = text(form.default_compute);
    pipeline.default_datastore = text(form.default_datastore);
    pipeline.continue_on_step_failure = form.continue_on_step_failure.is_some_and(|it| it.0);
    for (name, default) in form.parameters.into_iter().flat_map(|it| it.0) {
        match default {
            ScalarOr::Scalar(default) => {
                pipeline.parameters.push(PipelineParameter::new(name, default));
            }
            ScalarOr::More(default) => {
                reader.data_paths.insert(name.clone(), data_path(name, default));
            }
        }
    }
    for entry in form.data.unwrap_or_default() {
        reader.data(entry);
    }
    for step in &form.steps {
        reader.outputs_of(step);
    }
    pipeline.steps = form.steps.into_iter().map(|it| reader.step(it)).collect();
    (pipeline, reader.problems)
}

struct Reader<'a> {
    folder: &'a Path,
    data_paths: HashMap<String, DataPathParameter>,
    /// Data that is there already, as steps read it.
    data: HashMap<String, StepInput>,
    /// What steps write.
    outputs: HashMap<String, PipelineData>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn new() -> Self {
        Self {
            folder: Path::new(""),
            data_paths: HashMap::new(),
            data: HashMap::new(),
            outputs: HashMap::new(),
            problems: Vec::new(),
        }
    }

    fn data(&mut self, entry: DataForm) {
        let name = entry.name.0;
        let (datastore, path) = (text(entry.datastore), text(entry.path).unwrap_or_default());
        let source = if entry.dataset.is_some() {
            let dataset = FileDataset::new(name.clone(), path);
            InputSource::Dataset(FileDataset { datastore, ..dataset })
        } else {
            let reference = DataReference::new(name.clone(), path);
            InputSource::Reference(DataReference { datastore, ..reference })
        };
        let mut input = StepInput::new(source);
        input.mode = entry.mode.map(Into::into);
        input.path_on_compute = text(entry.path_on_compute);
        input.overwrite = entry.overwrite.map(|it| it.0);
        if self.data.insert(name.clone(), input).is_some() {
            self.problems.push(Problem::new(
                "data",
                ProblemKind::Duplicate,
                format!("two entries are called `{name}`"),
                "give each a name of its own",
            ));
        }
    }

    fn outputs_of(&mut self, step: &StepForm) {
        for output in step.outputs.iter().flatten() {
            let output = pipeline_data(output.clone());
            let name = output.name.to_string();
            if self.data.contains_key(&name) {
                let problem = Problem::new(
                    "outputs",
                    ProblemKind::Duplicate,
                    format!("`{name}` is an entry of data too"),
                    "rename one of them",
                );
                self.problems.push(problem.of_step(&step.name.0.as_str().into()));
            }
            // A second producer is told when the pipeline is checked.
            self.outputs.entry(name).or_insert(output);
        }
    }

    fn step(&mut self, form: StepForm) -> DatabricksStep {
        let StepType::DatabricksStep = form.step_type;
        let mut step = DatabricksStep::new(form.name.0);
        for input in form.inputs.into_iter().flatten() {
            match self.input(input) {
                Ok(input) => step.inputs.push(input),
                Err(problem) => self.problems.push(problem.of_step(&step.name)),
            }
        }
        step.outputs = form.outputs.into_iter().flatten().map(pipeline_data).collect();
        step.run_after = form.run_after.into_iter().flatten().map(|it| it.0.into()).collect();

        let code = &mut step.code;
        code.notebook_path = text(form.notebook_path);
        for (key, value) in form.notebook_params.into_iter().flat_map(|it| it.0) {
            let value = match value {
                ScalarOr::Scalar(value) => Argument::Value(value),
                ScalarOr::More(it) => parameter(it),
            };
            code.notebook_params.push((key, value));
        }
        code.python_script_path = text(form.python_script_path);
        code.python_script_name = text(form.python_script_name);
        code.source_directory = text(form.source_directory).map(|it| self.folder.join(it));
        code.python_script_params = arguments(form.python_script_params);
        code.main_class_name = text(form.main_class_name);
        code.jar_params = arguments(form.jar_params);

        let cluster = &mut step.cluster;
        cluster.existing_cluster_id = text(form.existing_cluster_id);
        cluster.permit_cluster_restart = form.permit_cluster_restart.map(|it| it.0);
        cluster.spark_version = text(form.spark_version);
        cluster.node_type = text(form.node_type);
        cluster.instance_pool_id = text(form.instance_pool_id);
        cluster.num_workers = count(form.num_workers);
        cluster.min_workers = count(form.min_workers);
        cluster.max_workers = count(form.max_workers);
        cluster.spark_env_variables = form.spark_env_variables.map(pairs);
        cluster.spark_conf = form.spark_conf.map(pairs);
        cluster.init_scripts = form.init_scripts.map(texts);
        cluster.cluster_log_dbfs_path = text(form.cluster_log_dbfs_path);

        let jars = form.jar_libraries.into_iter().flatten();
        let eggs = form.egg_libraries.into_iter().flatten();
        let files = |it: NameOr<super::form::FileForm>| match it {
            NameOr::Name(path) => path,
            NameOr::More(form) => form.library.0,
        };
        step.libraries.extend(jars.map(|it| Library::Jar(files(it))));
        step.libraries.extend(eggs.map(|it| Library::Egg(files(it))));
        step.libraries.extend(form.pypi_libraries.into_iter().flatten().map(|it| match it {
            NameOr::Name(package) => Library::pypi(package),
            NameOr::More(it) => Library::Pypi { package: it.package.0, repo: text(it.repo) },
        }));
        step.libraries.extend(form.rcran_libraries.into_iter().flatten().map(|it| match it {
            NameOr::Name(package) => Library::rcran(package),
            NameOr::More(it) => Library::Rcran { package: it.package.0, repo: text(it.repo) },
        }));
        step.libraries.extend(form.maven_libraries.into_iter().flatten().map(|it| match it {
            NameOr::Name(coordinates) => Library::maven(coordinates),
            NameOr::More(it) => Library::Maven {
                coordinates: it.coordinates.0,
                repo: text(it.repo),
                exclusions: it.exclusions.map(texts).unwrap_or_default(),
            },
        }));

        step.run_name = text(form.run_name);
        step.timeout = form.timeout_seconds.map(|it| Duration::from_secs(it.0));
        step.compute_target = text(form.compute_target);
        step.allow_reuse = form.allow_reuse.is_none_or(|it| it.0);
        step.version = text(form.version);
        step
    }

    fn input(&self, form: NameOr<InputForm>) -> Result<StepInput, Problem> {
        let form = match form {
            NameOr::Name(name) => return Ok(self.named(&name)),
            NameOr::More(form) => form,
        };
        let mut input = match (&form.name, &form.parameter) {
            (Some(name), None) => self.named(&name.0),
            (None, Some(name)) => match self.data_paths.get(&name.0) {
                Some(parameter) => StepInput::new(parameter),
                None => {
                    return Err(Problem::new(
                        "inputs",
                        ProblemKind::Dangling,
                        format!("`{}` is no parameter whose default is a data path", name.0),
                        "declare it: parameters: {NAME: {datastore: .., path_on_datastore: ..}}",
                    ));
                }
            },
            _ => {
                return Err(Problem::new(
                    "inputs",
                    ProblemKind::Conflict,
                    "an input has not exactly one of name and parameter",
                    "name the data, or the parameter whose default is a data path",
                ));
            }
        };
        input.input_name = form.input_name.map(|it| it.0.into());
        input.mode = form.mode.map(Into::into).or(input.mode);
        input.path_on_compute = text(form.path_on_compute).or(input.path_on_compute);
        input.overwrite = form.overwrite.map(|it| it.0).or(input.overwrite);
        Ok(input)
    }

    /// Data of this name. What nobody writes is told when the pipeline is checked.
    fn named(&self, name: &str) -> StepInput {
        if let Some(input) = self.data.get(name) {
            return input.clone();
        }
        let data = self.outputs.get(name).cloned();
        StepInput::new(data.unwrap_or_else(|| PipelineData::new(name)))
    }
}

fn data_path(name: String, form: DataPathForm) -> DataPathParameter {
    let parameter = DataPathParameter::new(name, form.path_on_datastore.0);
    DataPathParameter { datastore: text(form.datastore), ..parameter }
}

fn pipeline_data(form: NameOr<OutputForm>) -> PipelineData {
    let form = match form {
        NameOr::Name(name) => return PipelineData::new(name),
        NameOr::More(form) => form,
    };
    PipelineData {
        datastore: text(form.datastore),
        is_directory: form.is_directory.is_some_and(|it| it.0),
        data_type: text(form.data_type),
        output_name: form.output_name.map(|it| it.0.into()),
        mode: match form.output_mode {
            Some(OutputModeForm::Upload) => OutputMode::Upload,
            Some(OutputModeForm::Mount) | None => OutputMode::Mount,
        },
        path_on_compute: text(form.output_path_on_compute),
        overwrite: form.output_overwrite.map(|it| it.0),
        pipeline_output_name: text(form.pipeline_output_name),
        ..PipelineData::new(form.name.0)
    }
}

impl From<InputModeForm> for InputMode {
    fn from(form: InputModeForm) -> Self {
        match form {
            InputModeForm::Mount => Self::Mount,
            InputModeForm::Download => Self::Download,
        }
    }
}

fn parameter(reference: ParameterReference) -> Argument {
    Argument::Parameter(ParameterName::from(reference.parameter.0))
}

fn arguments(form: Option<Vec<NameOr<ParameterReference>>>) -> Vec<Argument> {
    let arguments = form.into_iter().flatten().map(|it| match it {
        NameOr::Name(text) => text.into(),
        NameOr::More(it) => parameter(it),
    });
    arguments.collect()
}

fn text(form: Option<Text>) -> Option<String> {
    form.map(|it| it.0)
}

fn texts(form: Vec<Text>) -> Vec<String> {
    form.into_iter().map(|it| it.0).collect()
}

fn count(form: Option<Count<u32>>) -> Option<u32> {
    form.map(|it| it.0)
}

fn pairs(form: Pairs<Scalar>) -> Vec<(String, String)> {
    form.0.into_iter().map(|(key, value)| (key, value.0.to_string())).collect()
}
