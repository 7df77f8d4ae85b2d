use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{
    kernel::{self, Ctx, Decision, Kind, Refusal, World},
    services::databricks::{
        self,
        paths::parent,
        scim::{ADMIN, SERVICE_PRINCIPAL},
        workspace_of,
    },
};

/// The tree of a workspace, by path.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Objects(BTreeMap<String, Object>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the service calls it so, and there are other ids")]
pub(crate) struct Object {
    pub(super) object_id: u64,
    pub(super) form: Form,
    pub(super) created_at: OffsetDateTime,
    pub(super) modified_at: OffsetDateTime,
    pub(super) size: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Form {
    Directory,
    /// `language` as the API writes it: `PYTHON`, `SQL`, `SCALA`, `R`.
    Notebook {
        language: String,
        is_jupyter: bool,
    },
    File,
}

impl Form {
    /// As the API writes it.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Directory => "DIRECTORY",
            Self::Notebook { .. } => "NOTEBOOK",
            Self::File => "FILE",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Put {
        path: String,
        object: Object,
    },
    /// With all that is below it.
    Deleted {
        path: String,
    },
}

fn event(workspace: u64, event: Event) -> kernel::Event {
    kernel::Event::Databricks(workspace, databricks::Event::Workspace(event))
}

/// Puts a notebook or a file at `path`.
pub(super) fn decide_import(
    world: &World,
    workspace: u64,
    path: &str,
    form: Form,
    size: u64,
    overwrite: bool,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let objects = &workspace_of(world, workspace)?.workspace;
    let above = parent(path).unwrap_or("/");
    if !objects.is_directory(above) {
        let text = format!("The parent folder ({above}) does not exist.");
        return Err(Refusal::not_found(text));
    }
    let (object_id, created_at) = match objects.0.get(path) {
        None => (ctx.draw_id(), ctx.now),
        Some(it) if it.form == Form::Directory => {
            let text = format!("Path ({path}) is a directory and cannot be overwritten.");
            return Err(Refusal::invalid(text));
        }
        Some(_) if !overwrite => {
            return Err(Refusal::new(
                Kind::AlreadyExists,
                format!("Path ({path}) already exists."),
            ));
        }
        Some(it) if (it.form == Form::File) != (form == Form::File) => {
            let (asked, actual) = (form.name(), it.form.name());
            return Err(Refusal::invalid(format!(
                "Cannot overwrite the asset at {path} due to type mismatch \
                 (asked: {asked}, actual: {actual})"
            )));
        }
        Some(it) => (it.object_id, it.created_at),
    };
    let object = Object { object_id, form, created_at, modified_at: ctx.now, size };
    Ok((vec![event(workspace, Event::Put { path: path.to_owned(), object })], ()))
}

/// Makes a folder and those above it.
pub(crate) fn decide_make_folder(
    world: &World,
    workspace: u64,
    path: &str,
    ctx: &mut Ctx<'_>,
) -> Decision<()> {
    let objects = &workspace_of(world, workspace)?.workspace;
    let mut events = Vec::new();
    let mut next = Some(path);
    while let Some(path) = next.filter(|it| !objects.is_directory(it)) {
        if objects.0.contains_key(path) {
            let text = format!("Cannot create directory {path}: an object exists there.");
            return Err(Refusal::new(Kind::AlreadyExists, text));
        }
        let object = directory(ctx.draw_id(), ctx.now);
        events.push(event(workspace, Event::Put { path: path.to_owned(), object }));
        next = parent(path);
    }
    events.reverse();
    Ok((events, ()))
}

pub(crate) fn decide_delete(
    world: &World,
    workspace: u64,
    path: &str,
    recursive: bool,
) -> Decision<()> {
    let objects = &workspace_of(world, workspace)?.workspace;
    objects.get(path)?;
    if objects.children(path).next().is_some() && !recursive {
        let text = format!("Folder {path} is not empty");
        return Err(Refusal::invalid(text).with_code("DIRECTORY_NOT_EMPTY"));
    }
    if path == "/" {
        return Err(Refusal::invalid("The root of the workspace cannot be deleted"));
    }
    Ok((vec![event(workspace, Event::Deleted { path: path.to_owned() })], ()))
}

fn directory(object_id: u64, at: OffsetDateTime) -> Object {
    Object { object_id, form: Form::Directory, created_at: at, modified_at: at, size: 0 }
}

impl Objects {
    /// Home folders, and the folder of everybody.
    pub(crate) fn seeded(at: OffsetDateTime) -> Self {
        let homes = [ADMIN, SERVICE_PRINCIPAL].map(|it| format!("/Users/{it}"));
        let paths =
            ["/", "/Users", "/Shared", "/Repos"].map(str::to_owned).into_iter().chain(homes);
        // Above any id that is ever drawn.
        let ids = (1 << 40)..;
        Self(ids.zip(paths).map(|(id, path)| (path, directory(id, at))).collect())
    }

    pub(crate) fn evolve(&mut self, event: &Event) {
        match event {
            Event::Put { path, object } => {
                self.0.insert(path.clone(), object.clone());
            }
            Event::Deleted { path } => {
                let below = format!("{path}/");
                self.0.retain(|it, _| it != path && !it.starts_with(&below));
            }
        }
    }

    pub(super) fn get(&self, path: &str) -> Result<&Object, Refusal> {
        let missing = || Refusal::not_found(format!("Path ({path}) doesn't exist."));
        self.0.get(path).ok_or_else(missing)
    }

    pub(super) fn is_directory(&self, path: &str) -> bool {
        self.0.get(path).is_some_and(|it| it.form == Form::Directory)
    }

    /// What is directly below `path`, in the order of the names.
    pub(super) fn children(&self, path: &str) -> impl Iterator<Item = (&String, &Object)> {
        let below = format!("{}/", path.trim_end_matches('/'));
        let own = path.to_owned();
        self.0
            .range(below.clone()..)
            .take_while({
                let below = below.clone();
                move |(it, _)| it.starts_with(&below)
            })
            .filter(move |(it, _)| {
                **it != own && !it[below.len()..].contains('/') && !it[below.len()..].is_empty()
            })
    }

    /// Whether something is at `path`.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Whether something has this number.
    pub(crate) fn has_id(&self, object_id: u64) -> bool {
        self.0.values().any(|it| it.object_id == object_id)
    }

    /// Whether a task can run what is at `path`.
    pub(crate) fn is_notebook(&self, path: &str) -> bool {
        let found = self.0.get(plain(path));
        found.is_some_and(|it| matches!(it.form, Form::Notebook { .. }))
    }

    /// Language of the notebook at `path`, and whether it is kept as JSON.
    pub(crate) fn language_of(&self, path: &str) -> (String, bool) {
        match self.0.get(plain(path)).map(|it| &it.form) {
            Some(Form::Notebook { language, is_jupyter }) => (language.clone(), *is_jupyter),
            _ => ("PYTHON".to_owned(), false),
        }
    }
}

/// `/Workspace/x` and `/x` are the same.
pub(super) fn plain(path: &str) -> &str {
    match path.strip_prefix("/Workspace") {
        Some("") => "/",
        Some(it) if it.starts_with('/') => it,
        _ => path,
    }
}
