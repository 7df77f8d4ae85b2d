use axum::Json;
use serde_json::{Value, json};

use super::{Answer, done, root::Root};
use crate::{
    kernel::{Here, Kernel, Raw, Refusal, Refused},
    services::mlflow::{
        state::{
            Logged, decide_batch, decide_inputs, decide_model_record, decide_one, decide_outputs,
        },
        wire::{Asked, BatchBody, Envelope, Fields, Head, MetricBody, datasets_of, missing},
    },
    store::ModelOutput,
};

type Refuse = Refused<Envelope>;

pub(super) async fn log_metric(
    Here(kernel): Here,
    root: Root,
    head: Head,
    Raw(bytes, _): Raw<Envelope>,
) -> Answer {
    let body = MetricBody::read(&head, &bytes)?;
    if body.metric.dataset_name.is_some() != body.metric.dataset_digest.is_some() {
        let text = "Both dataset_name and dataset_digest must be provided if one is provided";
        return Err(Refusal::invalid(text).into());
    }
    let logged = Logged { metrics: vec![body.metric], ..Logged::default() };
    log_one(&kernel, &root, &body.run_id, logged)
}

pub(super) async fn log_batch(
    Here(kernel): Here,
    root: Root,
    head: Head,
    Raw(bytes, _): Raw<Envelope>,
) -> Answer {
    let body = BatchBody::read(&head, &bytes)?;
    log_all(&kernel, &root, body)?;
    Ok(done())
}

fn log_all(kernel: &Kernel, root: &Root, body: BatchBody) -> Result<(), Refuse> {
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_batch(world, &root.place, &body.run_id, body.logged, ctx)
    })
}

fn log_one(kernel: &Kernel, root: &Root, run_id: &str, logged: Logged) -> Answer {
    kernel.commit::<_, Refuse>(|world, ctx| decide_one(world, &root.place, run_id, logged, ctx))?;
    Ok(done())
}

fn pair(fields: &Fields) -> Result<Vec<(String, String)>, Refusal> {
    let key = fields.required("key")?.to_owned();
    Ok(vec![(key, fields.text_or_empty("value")?.to_owned())])
}

pub(super) async fn log_parameter(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.run_id()?;
    let logged = Logged { params: pair(&fields)?, ..Logged::default() };
    log_one(&kernel, &root, id, logged)
}

pub(super) async fn set_tag(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.run_id()?;
    let logged = Logged { tags: pair(&fields)?, ..Logged::default() };
    log_one(&kernel, &root, id, logged)
}

pub(super) async fn log_inputs(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.run_id()?;
    let datasets = datasets_of(&fields)?;
    let mut models = Vec::new();
    for it in fields.objects("models")? {
        models.push(it.loose_text("model_id")?.unwrap_or_default().to_owned());
    }
    kernel
        .commit::<_, Refuse>(|world, _| decide_inputs(world, &root.place, id, datasets, models))?;
    Ok(done())
}

pub(super) async fn log_outputs(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    let id = fields.run_id()?;
    if !fields.has("models") {
        return Err(missing("models").into());
    }
    let mut models = Vec::new();
    for it in fields.objects("models")? {
        let model_id = it.loose_text("model_id")?.unwrap_or_default().to_owned();
        models.push(ModelOutput { model_id, step: it.loose_whole("step")?.unwrap_or(0) });
    }
    kernel.commit::<_, Refuse>(|world, _| decide_outputs(world, &root.place, id, models))?;
    Ok(done())
}

/// Records a model in the tag of the run, as older clients do.
pub(super) async fn log_model(Here(kernel): Here, root: Root, Asked(fields): Asked) -> Answer {
    const MANDATORY: [&str; 4] = ["artifact_path", "flavors", "run_id", "utc_time_created"];
    let (id, text) = (fields.run_id()?, fields.required("model_json")?);
    let Ok(mut model) = serde_json::from_str::<Value>(text) else {
        let text = format!("Malformed model info. \n {text} \n is not a valid JSON.");
        return Err(Refusal::invalid(text).into());
    };
    let lacking = MANDATORY.into_iter().filter(|it| model.get(it).is_none());
    let lacking: Vec<String> = lacking.map(|it| format!("'{it}'")).collect();
    if !lacking.is_empty() {
        let text = format!("Model json is missing mandatory fields: {{{}}}", lacking.join(", "));
        return Err(Refusal::invalid(text).into());
    }
    // A tag is short; what describes the data is not.
    if let Some(fields) = model.as_object_mut() {
        fields.retain(|key, _| key != "signature" && key != "saved_input_example_info");
    }
    kernel.commit::<_, Refuse>(|world, ctx| {
        decide_model_record(world, &root.place, id, model, ctx)
    })?;
    Ok(done())
}

/// Metrics may come later than the answer. Here they never do.
pub(super) async fn log_batch_async(
    here: Here,
    root: Root,
    head: Head,
    Raw(bytes, _): Raw<Envelope>,
) -> Answer {
    let body = BatchBody::read(&head, &bytes)?;
    let has_metrics = !body.logged.metrics.is_empty();
    log_all(&here.0, &root, body)?;
    let id = if has_metrics { uuid::Uuid::new_v4().to_string() } else { String::new() };
    Ok(Json(json!({ "batch_tracking_id": id })))
}

pub(super) async fn run_data_status(
    Here(kernel): Here,
    root: Root,
    Asked(fields): Asked,
) -> Answer {
    let id = fields.run_id()?;
    kernel.read(|world, _| {
        crate::services::mlflow::state::run(world.stores.at(&root.place), id)?;
        Ok(Json(json!({ "is_complete": true })))
    })
}
