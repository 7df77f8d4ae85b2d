use azml_core::{ErrorKind, Operation, Page, Response};
use bytes::Bytes;
use time::macros::datetime;

use super::{
    ops,
    wire::{Entry, Row},
};
use crate::{Metric, MetricKey, MetricKind, MetricValue, PendingMetric, RunId, testing};

const RUN: &str = "3e0d88ee-b50c-4b3d-894a-ca48d453ad1b";

fn point(key: &str, value: f64, step: i64) -> Row {
    let metric = Metric::new(key, value, datetime!(2026-11-22 16:23:18.5 UTC)).with_step(step);
    let id = format!("00000000-0000-0000-0000-{step:012}").parse().unwrap();
    Row::from(&PendingMetric::new(metric, id))
}

fn scalar<'a>(name: &'a str, rows: &'a [Row]) -> Entry<'a> {
    Entry { name, shown_as: "azureml.v1.scalar", columns: vec![(name, "double")], rows }
}

#[test]
fn points_of_one_key_go_as_one_entry() {
    let exchange = azml_fixtures::load("metric/batch");
    let (loss, accuracy) =
        ([point("loss", 1.0, 0), point("loss", 0.5, 1)], [point("accuracy", 0.9, 2)]);
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let entries = [scalar("loss", &loss), scalar("accuracy", &accuracy)];
    let batch = ops::Batch { workspace: &workspace, run: &run, entries: &entries };
    testing::assert_encodes(&batch, "https://ml.test", &exchange);
    batch.decode(testing::response(&exchange)).unwrap();
}

#[test]
fn not_a_number_goes_as_a_bare_word() {
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let points =
        [point("a\"b", f64::NAN, 0), point("a\"b", f64::NEG_INFINITY, 1), point("a\"b", 1e-7, 2)];
    let entries = [scalar("a\"b", &points)];
    let batch = ops::Batch { workspace: &workspace, run: &run, entries: &entries };
    let request = batch.encode("https://ml.test").unwrap();
    insta::assert_snapshot!(String::from_utf8_lossy(request.body()), @r#"{"values":[{"name":"a\"b","columns":{"a\"b":"double"},"value":[{"metricId":"00000000-0000-0000-0000-000000000000","createdUtc":"2026-11-22T16:23:18.5Z","step":0,"data":{"a\"b":NaN}},{"metricId":"00000000-0000-0000-0000-000000000001","createdUtc":"2026-11-22T16:23:18.5Z","step":1,"data":{"a\"b":-Infinity}},{"metricId":"00000000-0000-0000-0000-000000000002","createdUtc":"2026-11-22T16:23:18.5Z","step":2,"data":{"a\"b":1e-7}}],"properties":{"uxMetricType":"azureml.v1.scalar"}}],"reportErrors":true}"#);
}

#[test]
fn a_refused_metric_is_an_error_with_the_services_words() {
    let body = r#"{"errors":[{"metric":{"name":"a"},"errorResponse":{"error":{"code":"UserError","message":"columns differ"}}}]}"#;
    let (workspace, run) = (testing::workspace(), RunId::new(RUN));
    let batch = ops::Batch { workspace: &workspace, run: &run, entries: &[] };
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
    let page = Page::<Metric>::from(full.decode(testing::response(&exchange)).unwrap());
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
    let page = Page::<Metric>::from(full.decode(Response::new(Bytes::from(body))).unwrap());
    assert_eq!(page.items.len(), 2);
    assert!(page.items[0].value.is_nan());
    assert_eq!((page.items[0].key.as_str(), page.items[0].step), ("t/a", 3));
    assert!(page.items[1].value.is_infinite() && page.items[1].value < 0.0);
    assert_eq!(page.next.unwrap().0, "next");
}

#[test]
fn values_come_back_with_their_types() {
    let body = r#"{"name":"t","properties":{"uxMetricType":"azureml.v1.table"},
        "columns":{"a":"int","b":"string","c":"bool","d":"double","e":"Artifact"},"value":[
        {"createdUtc":"2026-11-22T16:23:18Z","data":{"a":1180591620717411303424,"b":"NaN","c":true,
        "d":3,"e":"aml://x"}},
        {"data":{"a":7,"b":"x","c":null,"d":-Infinity,"e":"aml://y"}},
        {"data":{"a":8.0,"b":"12345678901234567890","c":false,"d":0.5,"e":"aml://z"}}]}"#;
    let (workspace, run, key) = (testing::workspace(), RunId::new(RUN), MetricKey::new("t"));
    let full = ops::Full { workspace: &workspace, run: &run, key: &key, token: None };
    let answer = full.decode(Response::new(Bytes::from(body))).unwrap();
    let (series, next) = answer.into_typed(&key);
    assert_eq!((series.kind.clone(), next), (MetricKind::Table, None));
    let column = |name| series.column(name).into_iter().cloned().collect::<Vec<_>>();
    let text = |it: &str| MetricValue::Text(it.to_owned());
    let big = MetricValue::BigInteger("1180591620717411303424".to_owned());
    assert_eq!(column("a"), [big, MetricValue::Integer(7), MetricValue::Integer(8)]);
    assert_eq!(column("b"), [text("NaN"), text("x"), text("12345678901234567890")]);
    let bools = [MetricValue::Bool(true), MetricValue::Empty, MetricValue::Bool(false)];
    assert_eq!(column("c"), bools);
    let infinity = MetricValue::Double(f64::NEG_INFINITY);
    assert_eq!(column("d"), [MetricValue::Double(3.0), infinity, MetricValue::Double(0.5)]);
    assert_eq!(column("e")[0], MetricValue::Artifact("aml://x".to_owned()));
}
