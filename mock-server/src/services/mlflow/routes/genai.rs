//! What an MLflow server has for generative AI, and the mock has not: each is
//! named by the refusal, so that a client reads why.

use axum::http::Method;

use super::open_to_all;
use crate::{
    kernel::{Route, Service},
    services::mlflow::wire::Envelope,
};

pub(crate) static GENAI: Service = Service::new::<Envelope>("mlflow.genai", open_to_all, ROUTES);

/// All that lies at and below a path, for programs and for pages.
macro_rules! areas {
    ($($operation:literal $version:literal $path:literal)*) => {
        &[$(
            areas!(@all $operation, concat!("/mlflow/api/", $version, "/mlflow", $path)),
            areas!(@all $operation, concat!("/mlflow/ajax-api/", $version, "/mlflow", $path)),
            areas!(@all $operation, concat!("/mlflow/api/", $version, "/mlflow", $path, "/{*rest}")),
            areas!(@all $operation, concat!("/mlflow/ajax-api/", $version, "/mlflow", $path, "/{*rest}")),
        )*]
    };
    (@all $operation:expr, $path:expr) => {
        [
            Route::absent(Method::GET, $operation, $path),
            Route::absent(Method::POST, $operation, $path),
            Route::absent(Method::PATCH, $operation, $path),
            Route::absent(Method::DELETE, $operation, $path),
        ]
    };
}

#[rustfmt::skip]
const AREAS: &[[Route; 4]] = areas! {
    "mlflow.traces" "2.0" "/traces"
    "mlflow.traces" "3.0" "/traces"
    "mlflow.webhooks" "2.0" "/webhooks"
    "mlflow.datasets.evaluation" "3.0" "/datasets"
    "mlflow.scorers" "3.0" "/scorers"
    "mlflow.gateway" "3.0" "/gateway"
    "mlflow.issues" "3.0" "/issues"
    "mlflow.label_schemas" "3.0" "/label-schemas"
    "mlflow.prompt_optimization" "3.0" "/prompt-optimization"
    "mlflow.review_queues" "3.0" "/review-queues"
    "mlflow.workspaces" "3.0" "/workspaces"
};

const ROUTES: &[Route] = AREAS.as_flattened();
