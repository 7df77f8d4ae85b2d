use crate::{MockCloud, services::databricks::tests::get};

#[tokio::test]
async fn a_person_has_an_address() {
    let (status, me) = get(&MockCloud::new(), "/api/2.0/preview/scim/v2/Me").await;
    assert_eq!((status, &me["emails"][0]["value"]), (200, &"tester@example.com".into()));
}
