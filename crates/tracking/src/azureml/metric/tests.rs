use azml_core::{ErrorKind, Operation, Response};
use bytes::Bytes;
use time::macros::datetime;

use super::{ops, wire::Point};
use crate::{Metric, MetricKey, RunId, testing};

const RUN: &str = "3e0d88ee-b50c-4b3d-894a-ca48d453ad1b";

fn point(key: &str, value: f64, step: i64) -> Point {
    let metric = Metric::new(key, value, datetime!(2026-11-22 16:23:18.5 UTC)).with_step(step);
    Point { id: format!("00000000-0000-0000-0000-{step:012}"), metric }
}

#[test]
fn points_of_one_key_go_as_one_entry() {
    let exchange = azml_fixtures::load("metric/batch");
    let (loss, accuracy) =
        ([point("loss", 1.0, 0), point("loss", 0.5, 1)], [point("accuracy", 0.9, 2)]);
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let batch = ops::Batch { workspace: &workspace, run: &run, series: &[&loss, &accuracy] };
    testing::assert_encodes(&batch, "https://ml.test", &exchange);
    batch.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn not_a_number_goes_as_a_bare_word() {
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let points =
        [point("a\"b", f64::NAN, 0), point("a\"b", f64::NEG_INFINITY, 1), point("a\"b", 1e-7, 2)];
    let batch = ops::Batch { workspace: &workspace, run: &run, series: &[&points] };
    let request = batch.encode("https://ml.test").unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(request.body()), @r#"{"values":[{"name":"a\"b","columns":{"a\"b":"double"},"value":[{"metricId":"00000000-0000-0000-0000-000000000000","createdUtc":"2026-11-22T16:23:18.5Z","step":0,"data":{"a\"b":NaN}},{"metricId":"00000000-0000-0000-0000-000000000001","createdUtc":"2026-11-22T16:23:18.5Z","step":1,"data":{"a\"b":-Infinity}},{"metricId":"00000000-0000-0000-0000-000000000002","createdUtc":"2026-11-22T16:23:18.5Z","step":2,"data":{"a\"b":1e-7}}],"properties":{"uxMetricType":"azureml.v1.scalar"}}],"reportErrors":true}"#);
}

#[test]
fn a_refused_metric_is_an_error_with_the_services_words() {
    let body = r#"{"errors":[{"metric":{"name":"a"},"errorResponse":{"error":{"code":"UserError","message":"columns differ"}}}]}"#;
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let batch = ops::Batch { workspace: &workspace, run: &run, series: &[] };
    let err = batch.decode(Response::new(Bytes::from(body))).unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
    assert_eq!(err.service_fault().unwrap().message, "columns differ");
}

#[test]
fn every_key_is_listed() {
    let exchange = azml_fixtures::load("metric/list");
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let list = ops::List { workspace: &workspace, run: &run, token: None };
    testing::assert_encodes(&list, "https://ml.test", &exchange);
    let page = list.decode(testing::response(&exchange)).unwrap();
    assert_eq!(page.items[..2], [MetricKey::new("loss"), MetricKey::new("accuracy")]);
    assert_eq!(page.next, None);
}

#[test]
fn a_series_is_read_with_its_times() {
    let exchange = azml_fixtures::load("metric/full");
    let (workspace, run, key) = (testing::workspace(), RunId::new(RUN), MetricKey::new("loss"));
    let full = ops::Full { workspace: &workspace, run: &run, key: &key, token: None };
    testing::assert_encodes(&full, "https://ml.test", &exchange);
    let page = full.decode(testing::response(&exchange)).unwrap();
    let values: Vec<f64> = page.items.iter().map(|it| it.value).collect();
    assert_eq!(values, [1.0, 0.5, 0.333_333_333_333_333_3, 0.25, 0.2]);
    assert_eq!(page.items[0].logged_at, datetime!(2026-11-22 16:23:18.015652 UTC));
}

#[test]
fn bare_words_and_tables_are_read() {
    let body = r#"{"name":"t","columns":{"a":"double","b":"string"},"value":[
        {"createdUtc":"2026-11-22T16:23:18Z","step":3,"data":{"a":NaN,"b":"NaN"}},
        {"data":{"a":-Infinity,"b":"x"}}],"continuationToken":"next"}"#;
    let (workspace, run, key) = (testing::workspace(), RunId::new(RUN), MetricKey::new("t"));
    let full = ops::Full { workspace: &workspace, run: &run, key: &key, token: None };
    let page = full.decode(Response::new(Bytes::from(body))).unwrap();
    assert_eq!(page.items.len(), 2);
    assert!(page.items[0].value.is_nan());
    assert_eq!((page.items[0].key.as_str(), page.items[0].step), ("t/a", 3));
    assert!(page.items[1].value.is_infinite() && page.items[1].value < 0.0);
    assert_eq!(page.next.unwrap().0, "next");
}
