//! What the page for trying prompts leaves behind: a finished run.

use serde_json::{Value, json};

use super::{
    artifacts::unusable,
    root::Root,
    runs::{Shown, show},
};
use crate::{
    kernel::{Here, Refusal, Refused},
    services::mlflow::{
        state::{self, NewRun, decide_new_run},
        wire::{Asked, Envelope, Fields, at_millis, python_json},
    },
};

type Refuse = Refused<Envelope>;

/// The name of the table that shows what went in and what came out.
const TABLE: &str = "eval_results_table.json";

fn required<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Refusal> {
    let lacks = || Refusal::invalid(format!("CreatePromptlabRun request must specify {name}."));
    fields.text(name)?.filter(|it| !it.is_empty()).ok_or_else(lacks)
}

/// The pairs of a list, whatever their values are.
fn pairs(fields: &Fields, name: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pair = |it: &Fields| Ok((it.text_or_empty("key")?.to_owned(), it.shown("value")));
    fields.objects(name)?.iter().map(pair).collect()
}

pub(super) async fn create(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Shown {
    let fields = fields.unparsed();
    let experiment_id = required(&fields, "experiment_id")?.to_owned();
    let template = required(&fields, "prompt_template")?.to_owned();
    let prompt = pairs(&fields, "prompt_parameters")?;
    if prompt.is_empty() {
        return Err(
            Refusal::invalid("CreatePromptlabRun request must specify prompt_parameters.").into()
        );
    }
    let route = required(&fields, "model_route")?.to_owned();
    let input = required(&fields, "model_input")?;
    required(&fields, "mlflow_version")?;
    let started_at = fields.whole("start_time")?.and_then(at_millis);
    let table = table(&prompt, input, fields.text_or_empty("model_output")?);

    let now = kernel.clock.now();
    let mut params = pairs(&fields, "model_parameters")?;
    params.extend([("model_route".to_owned(), route), ("prompt_template".to_owned(), template)]);
    let mut tags = fields.pairs("tags")?;
    let shown = json!([{ "path": TABLE, "type": "table" }]);
    tags.push(("mlflow.loggedArtifacts".to_owned(), python_json(&shown)));
    tags.push(("mlflow.runSourceType".to_owned(), "PROMPT_ENGINEERING".to_owned()));
    let new = NewRun {
        experiment_id,
        name: fields.text("run_name")?.filter(|it| !it.is_empty()).map(str::to_owned),
        user: fields.text("user_id")?.unwrap_or("unknown").to_owned(),
        started_at: Some(started_at.unwrap_or(now)),
        finished_at: Some(now),
        params,
        tags,
    };
    let id =
        kernel.commit::<_, Refuse>(|world, ctx| decide_new_run(world, &root.place, new, ctx))?;
    let uri = kernel.read::<_, Refuse>(|world, _| {
        let store = world.stores.at(&root.place);
        Ok(root.artifact_uri(store, state::run(store, &id)?))
    })?;
    // A store that only the client reaches keeps no table.
    if let Some(tree) = root.tree(&kernel, &uri) {
        let target = tree.folder.locate(&format!("{}{TABLE}", tree.prefix));
        kernel.files.write(&target, table.to_string().as_bytes()).map_err(unusable)?;
    }
    show(&kernel, &root, &id)
}

/// One row: the parameters of the prompt, the prompt, and what came of it.
fn table(prompt: &[(String, String)], input: &str, output: &str) -> Value {
    let names = prompt.iter().map(|(key, _)| key.as_str());
    let columns: Vec<&str> = names.chain(["prompt", "output"]).collect();
    let values = prompt.iter().map(|(_, value)| value.as_str());
    let row: Vec<&str> = values.chain([input, output]).collect();
    json!({ "columns": columns, "data": [row] })
}
