use proptest::prelude::*;

use super::{
    grammar::{Right, clauses, order},
    lexer::tokens,
    matching::{NumberTest, TextTest},
    *,
};
use crate::store::Store;

fn search(filter: &str, order_by: &[&str]) -> Result<RunSearch, Refusal> {
    let order_by: Vec<String> = order_by.iter().map(|it| (*it).to_owned()).collect();
    RunSearch::new(filter, &order_by, View::Active, Page { offset: 0, size: 10 })
}

fn refusal(filter: &str) -> String {
    search(filter, &[]).err().map_or_else(|| format!("{filter} is taken"), |it| it.message)
}

#[test]
fn names_may_be_quoted_in_every_way() {
    for filter in [
        "metrics.acc > 0.5",
        "metric.`a b` >= -1e-3",
        "`metrics`.acc = .5",
        "params.\"a b\" = 'x' AND tags.mlflow.parentRunId LIKE '%a_b%'",
        "run_name ILIKE 'First'",
        "attributes.\"run name\" != \"x\"",
        "run_id NOT IN ('a', 'b') and created > 5",
        "tags.a IS NULL AND params.b is not null",
        "dataset.context IN ('train')",
        "",
    ] {
        assert!(search(filter, &[]).is_ok(), "{filter}: {}", refusal(filter));
    }
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_mlflow() {
    for (filter, text) in [
        ("metrics.a > 1 OR metrics.b > 1", "Invalid clause(s) in filter string: 'OR'"),
        ("metrics.a > 1;", "Invalid clause(s) in filter string: ';'"),
        (
            "x.a = '1'",
            "Invalid entity type 'x'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']",
        ),
        ("foo = '1'", "Invalid attribute key 'foo' specified. Valid keys are '{'artifact_uri'"),
        ("dataset.foo = '1'", "Invalid dataset key 'foo' specified."),
        ("metrics.a = 'x'", "Expected numeric value type for metric. Found 'x'"),
        (
            "start_time > '5'",
            "Expected numeric value type for numeric attribute: start_time. Found '5'",
        ),
        (
            "params.a = 1",
            "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1",
        ),
        ("status = 1", "Expected a quoted string value for attributes. Got value 1"),
        (
            "status IN ('a')",
            "Only ['run_id'] attributes support comparison with a list of quoted string values.",
        ),
        ("run_id IN (1)", "While parsing a list in the query, expected string value, punctuation"),
        ("run_id IN ()", "While parsing a list in the query, expected a non-empty list"),
        ("params.a RLIKE 'x'", "Invalid comparator 'RLIKE' not one of '{"),
        ("metrics.acc ~ 3", "Invalid comparator '~' not one of '{"),
        (
            "metrics.a IS NULL",
            "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'",
        ),
        (
            "params.a = x",
            "Parameter value is either not quoted or unidentified quote types used for string value x",
        ),
        ("params.a = '1'; params.b = '2'", "Search filter contained multiple expression"),
    ] {
        assert!(refusal(filter).starts_with(text), "{filter}: {}", refusal(filter));
    }
}

#[test]
fn orders_are_read_and_refused_alike() {
    assert_eq!(order("metrics.`a b` desc").unwrap(), ("metrics.`a b`".to_owned(), false));
    assert_eq!(order("start_time").unwrap(), ("start_time".to_owned(), true));
    let text = |by: &[&str]| search("", by).err().map(|it| it.message).unwrap_or_default();
    assert_eq!(
        text(&["start_time NULLS LAST"]),
        "Invalid order_by clause 'start_time NULLS LAST'. Could not be parsed."
    );
    assert_eq!(
        text(&["start_time down"]),
        "Invalid ordering key in order_by clause 'start_time down'."
    );
    assert_eq!(text(&[""]), "Invalid order_by clause ''. Could not be parsed.");
    assert_eq!(text(&["dataset.name"]), "Invalid identifier type 'dataset'");
    let twice = search("", &["start_time", "created DESC"]).err().unwrap();
    assert_eq!(twice.status(), 500, "MLflow's own mistake");
}

#[test]
fn patterns_are_anchored_and_have_two_wildcards() {
    let like =
        |pattern: &str, text: &str| TextTest::new("LIKE", pattern.to_owned()).unwrap().holds(text);
    for (pattern, text, wanted) in [
        ("a%", "abc", true),
        ("a%", "ba", false),
        ("%b%", "abc", true),
        ("a_c", "abc", true),
        ("a_c", "ac", false),
        ("%", "", true),
        ("", "", true),
        ("", "a", false),
        ("%ab%ab", "abxabab", true),
        ("%ab%ab", "aab", false),
        ("A%", "abc", false),
    ] {
        assert_eq!(like(pattern, text), wanted, "{pattern} {text}");
    }
    assert!(TextTest::new("ILIKE", "Ä%".to_owned()).unwrap().holds("äb"));
}

#[test]
fn what_is_not_a_number_only_differs() {
    let test = |comparator| NumberTest::new(comparator, 1.0).unwrap().holds(f64::NAN);
    assert!(test("!="));
    assert!(["=", "<", "<=", ">", ">="].into_iter().all(|it| !test(it)));
}

#[test]
fn a_token_leads_to_where_the_last_page_ended() {
    let page = Page::new(None, 2).unwrap();
    assert_eq!((page.offset, page.end()), (0, 2));
    let next = Page::new(page.next(3).as_deref(), 2).unwrap();
    assert_eq!((next.offset, next.next(3)), (2, None));
    let refused = Page::new(Some("!"), 2).unwrap_err().message;
    assert_eq!(refused, "Invalid page token, could not base64-decode");
}

/// A value and how it is written.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z %_.]{0,8}".prop_map(|it| format!("'{it}'")),
        any::<i32>().prop_map(|it| it.to_string()),
        (-1e9_f64..1e9).prop_map(|it| format!("{it:e}")),
    ]
}

fn any_clause() -> impl Strategy<Value = (String, String, String)> {
    let bare = "(metrics|params|tags)\\.[a-z_]{1,6}(\\.[a-z]{1,3})?";
    let quoted = "(metrics|tags)\\.`[a-z /-]{1,6}`";
    let comparator = prop_oneof![
        Just("="),
        Just("!="),
        Just("<"),
        Just(">="),
        Just("LIKE"),
        Just("ILIKE"),
        Just("NOT LIKE")
    ];
    let left = prop_oneof![bare, quoted];
    (left, comparator, any_value()).prop_map(|(left, by, right)| (left, by.to_owned(), right))
}

proptest! {
    #[test]
    fn nothing_makes_the_parser_panic(filter in ".{0,40}") {
        let _ = search(&filter, &[filter.as_str()]);
        for it in tokens(&filter) {
            prop_assert_eq!(&filter[it.at..it.end()], it.text);
        }
    }

    #[test]
    fn pieces_of_the_grammar_make_no_panic(pieces in prop::collection::vec(
        prop::sample::select(vec![
            "metrics", ".", "a", "`", "'", "\"", "=", "!=", "LIKE", "IN", "NOT", "(", ")", ",", "1",
            "-", "AND", "IS", "NULL", ";", " ", "é",
        ]), 0..16)) {
        let filter = pieces.concat();
        let _ = search(&filter, &[filter.as_str()]);
        let _ = ExperimentSearch::new(&filter, &[], View::All, Page { offset: 0, size: 1 });
        let _ = search_versions(&Store::default(), &filter, &[], Page { offset: 0, size: 1 });
        let _ = ModelSearch::new(&filter, vec![], vec![], Page { offset: 0, size: 1 });
    }

    #[test]
    fn what_is_written_is_read_back(wanted in prop::collection::vec(any_clause(), 1..4)) {
        let written: Vec<String> =
            wanted.iter().map(|(left, by, right)| format!("{left} {by} {right}")).collect();
        let filter = written.join(" AND ");
        let read = clauses(&filter).expect("it is a filter");
        let read: Vec<(String, String, String)> = read
            .into_iter()
            .map(|it| (it.left.to_owned(), it.comparator, it.right.shown().to_owned()))
            .collect();
        prop_assert_eq!(read, wanted);
    }

    #[test]
    fn lists_are_read_item_by_item(items in prop::collection::vec("[a-z ,()]{0,5}", 1..4)) {
        let shown: Vec<String> = items.iter().map(|it| format!("'{it}'")).collect();
        let filter = format!("run_id IN ({})", shown.join(", "));
        let read = clauses(&filter).expect("it is a filter");
        let Right::List(_, Some(read)) = &read[0].right else {
            return Err(TestCaseError::fail("no list"));
        };
        prop_assert_eq!(read, &items);
    }

    #[test]
    fn a_pattern_without_wildcards_fits_itself_alone(text in "[a-c]{0,6}", other in "[a-c]{0,6}") {
        let test = TextTest::new("LIKE", text.clone()).unwrap();
        prop_assert_eq!(test.holds(&other), text == other);
        let begins = TextTest::new("LIKE", format!("{text}%")).unwrap();
        prop_assert_eq!(begins.holds(&other), other.starts_with(&text));
        let contains = TextTest::new("LIKE", format!("%{text}%")).unwrap();
        prop_assert_eq!(contains.holds(&other), other.contains(&text));
    }
}
