use std::time::Duration;

use azml_core::{ErrorKind, Scope, StaticToken};
use azml_databricks::{
    Databricks,
    current_user::CurrentUser,
    principals::{
        Group, GroupDefinition, PrincipalFilter, PrincipalId, PrincipalPatch, Principals,
        ServicePrincipalDefinition, UserDefinition,
    },
    token_management::{TokenFilter, TokenManagement},
    tokens::{NewToken, TokenId, TokenUpdate, Tokens},
};
use azml_mock::Fault;
use azml_testkit::{CLIENT_ID, DATABRICKS_ORIGIN, TestContext};
use futures_util::TryStreamExt;
use http::StatusCode;
use secrecy::{ExposeSecret, SecretString};

use crate::databricks;

#[tokio::test(start_paused = true)]
async fn the_caller_is_told() {
    let ctx = TestContext::new();
    let user: &dyn CurrentUser = &databricks(&ctx).current_user();
    let me = user.me().await.unwrap();
    assert_eq!(me.user_name, CLIENT_ID);
    assert!(me.groups.iter().any(|it| it.name == "users"));
}

/// What every implementation keeps.
async fn tokens_contract(tokens: &dyn Tokens) {
    let new = NewToken::default()
        .with_comment("for a test")
        .with_lifetime(Duration::from_secs(3600))
        .with_scopes(["sql"]);
    let made = tokens.create(&new).await.unwrap();
    let (id, info) = (made.info.token_id.clone(), made.info);
    assert_eq!(
        (info.comment.as_str(), info.scopes.as_slice()),
        ("for a test", &["sql".into()][..])
    );
    let lifetime = info.expires_at.unwrap() - info.created_at.unwrap();
    assert_eq!(lifetime.whole_seconds(), 3600);
    assert!(!format!("{:?}", made.secret).contains(made.secret.expose_secret()));

    tokens.update(&id, &TokenUpdate::default().with_comment("changed")).await.unwrap();
    let found: Vec<_> = tokens.list().try_collect().await.unwrap();
    let found = found.iter().find(|it| it.token_id == id).unwrap();
    assert_eq!(found.comment, "changed");
    tokens.delete(&id).await.unwrap();
    let nowhere = TokenId::new("fedcba9876543210");
    let update = TokenUpdate::default().with_comment("x");
    for err in
        [tokens.delete(&id).await.unwrap_err(), tokens.update(&nowhere, &update).await.unwrap_err()]
    {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
    let err = tokens.update(&id, &TokenUpdate::default()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidArgument);
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_of_tokens_keeps_the_contract() {
    let ctx = TestContext::new();
    tokens_contract(&databricks(&ctx).tokens()).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_token_is_good_and_a_deleted_one_is_not() {
    let ctx = TestContext::new();
    let tokens = databricks(&ctx).tokens();
    let made = tokens.create(&NewToken::default()).await.unwrap();
    let by = |secret: SecretString| {
        let endpoint = azml_core::Endpoint::new(DATABRICKS_ORIGIN, ctx.transport());
        let credential = std::sync::Arc::new(StaticToken::new(secret));
        let endpoint = endpoint.with_credential(credential, Scope::new("databricks"));
        Databricks::from_endpoint(endpoint).current_user()
    };
    assert_eq!(by(made.secret.clone()).me().await.unwrap().user_name, CLIENT_ID);
    tokens.delete(&made.info.token_id).await.unwrap();
    let err = by(made.secret).me().await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_answer_was_lost_is_not_made_again() {
    let ctx = TestContext::new();
    let tokens = databricks(&ctx).tokens();
    ctx.cloud.inject(
        Fault::operation("databricks.tokens.create", StatusCode::BAD_GATEWAY).after_handler(),
    );
    let err = tokens.create(&NewToken::default()).await.unwrap_err();
    assert_eq!(err.attempts(), 1);
}

/// What every implementation keeps.
async fn token_management_contract(management: &dyn TokenManagement) {
    let new = NewToken::default().with_comment("for the robot");
    let made = management.create_on_behalf(CLIENT_ID, &new).await.unwrap();
    let id = made.token.info.token_id.clone();
    assert!(!format!("{made:?}").contains(made.secret.expose_secret()));
    assert_eq!(management.get(&id).await.unwrap(), made.token);
    let all: Vec<_> = management.list(TokenFilter::default()).try_collect().await.unwrap();
    assert!(all.contains(&made.token));
    let name = made.token.created_by_username.clone();
    let filter = TokenFilter::default().with_created_by_username(name);
    let his: Vec<_> = management.list(filter).try_collect().await.unwrap();
    assert!(his.contains(&made.token));
    management.update(&id, &TokenUpdate::default().with_comment("changed")).await.unwrap();
    assert_eq!(management.get(&id).await.unwrap().info.comment, "changed");
    management.delete(&id).await.unwrap();
    let stranger = "99999999-9999-9999-9999-999999999999";
    for err in [
        management.get(&id).await.unwrap_err(),
        management.delete(&id).await.unwrap_err(),
        management.create_on_behalf(stranger, &new).await.unwrap_err(),
    ] {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_of_token_management_keeps_the_contract() {
    let ctx = TestContext::new();
    token_management_contract(&databricks(&ctx).token_management()).await;
}

/// What every implementation keeps, of groups that have `somebody` in them.
async fn groups_contract(
    groups: &dyn Principals<Definition = GroupDefinition, Principal = Group>,
    somebody: &PrincipalId,
) {
    let new = GroupDefinition::new("tasters").with_entitlement("allow-cluster-create");
    let made = groups.create(&new).await.unwrap();
    assert_eq!((made.display_name.as_str(), made.members.len()), ("tasters", 0));
    let err = groups.create(&new).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Conflict);

    let patch = PrincipalPatch::default().add_member(somebody);
    groups.patch(&made.id, &patch).await.unwrap();
    let read = groups.get(&made.id).await.unwrap();
    assert_eq!(read.members.iter().map(|it| &it.id).collect::<Vec<_>>(), [somebody]);
    let patch = PrincipalPatch::default().remove_member(somebody);
    groups.patch(&made.id, &patch).await.unwrap();
    assert_eq!(groups.get(&made.id).await.unwrap().members, []);
    groups.update(&made.id, &GroupDefinition::new("drinkers")).await.unwrap();

    let filter = PrincipalFilter::equal("displayName", "drinkers");
    let found: Vec<_> = groups.list(filter).try_collect().await.unwrap();
    assert_eq!(found.iter().map(|it| &it.id).collect::<Vec<_>>(), [&made.id]);
    groups.delete(&made.id).await.unwrap();
    for err in [groups.get(&made.id).await.unwrap_err(), groups.delete(&made.id).await.unwrap_err()]
    {
        assert_eq!(err.kind(), ErrorKind::NotFound, "{err}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rest_client_of_groups_keeps_the_contract() {
    let ctx = TestContext::new();
    let databricks = databricks(&ctx);
    let me = databricks.current_user().me().await.unwrap();
    groups_contract(&databricks.groups(), &me.id).await;
}

#[tokio::test(start_paused = true)]
async fn users_come_and_go_and_are_listed_over_pages() {
    let ctx = TestContext::new();
    let users = databricks(&ctx).users();
    for number in 0..120 {
        let new = UserDefinition::new(format!("u{number:03}@many.test"));
        users.create(&new).await.unwrap();
    }
    let filter = PrincipalFilter::matching(r#"userName co "@many.test""#).sorted_by("userName");
    let found: Vec<_> = users.list(filter).try_collect().await.unwrap();
    assert_eq!(found.len(), 120);
    let (first, last) = (&found[0], &found[119]);
    assert_eq!(
        (first.user_name.as_str(), last.user_name.as_str()),
        ("u000@many.test", "u119@many.test")
    );

    let patch = PrincipalPatch::default().replace("displayName", "First").unwrap();
    users.patch(&first.id, &patch).await.unwrap();
    assert_eq!(users.get(&first.id).await.unwrap().display_name, "First");
    users
        .update(&last.id, &UserDefinition::new("u119@many.test").with_active(false))
        .await
        .unwrap();
    assert!(!users.get(&last.id).await.unwrap().is_active);
    users.delete(&last.id).await.unwrap();
    assert_eq!(users.get(&last.id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_service_principal_goes_by_its_application() {
    let ctx = TestContext::new();
    let principals = databricks(&ctx).service_principals();
    let application = "44444444-4444-4444-4444-444444444444";
    let new = ServicePrincipalDefinition::new(application).with_display_name("robot");
    let made = principals.create(&new).await.unwrap();
    let filter = PrincipalFilter::equal("applicationId", application);
    let found: Vec<_> = principals.list(filter).try_collect().await.unwrap();
    assert_eq!(found, std::slice::from_ref(&made));
    principals.update(&made.id, &new.with_active(false)).await.unwrap();
    principals.delete(&made.id).await.unwrap();
    assert_eq!(principals.get(&made.id).await.unwrap_err().kind(), ErrorKind::NotFound);
}
