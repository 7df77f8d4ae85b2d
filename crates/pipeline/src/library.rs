//! Libraries that a step's cluster installs first.

/// A library that the cluster of a step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Library {
    /// A package from `PyPI` or another Python index.
    Pypi {
        /// Name and version, for example `scikit-learn==1.0`.
        package: String,
        /// Index to use. `None` is the default one.
        repo: Option<String>,
    },
    /// A Maven artifact.
    Maven {
        /// For example `org.jsoup:jsoup:1.7.2`.
        coordinates: String,
        /// Repository to use. `None` is Maven Central.
        repo: Option<String>,
        /// Dependencies to leave out, for example `slf4j:slf4j`.
        exclusions: Vec<String>,
    },
    /// An R package from CRAN.
    Rcran {
        /// Name of the package.
        package: String,
        /// Repository to use. `None` is the default one.
        repo: Option<String>,
    },
    /// A JAR, for example `dbfs:/main.jar`.
    Jar(String),
    /// A Python egg, for example `dbfs:/a.egg`.
    Egg(String),
    /// A Python wheel, for example `dbfs:/a-1.0-py3-none-any.whl`.
    ///
    /// The official Python class has no such parameter. It is sent as
    /// `whl_libraries`, beside the other kinds.
    Wheel(String),
}

impl Library {
    /// A package from the default Python index.
    pub fn pypi(package: impl Into<String>) -> Self {
        Self::Pypi { package: package.into(), repo: None }
    }

    /// An artifact from Maven Central.
    pub fn maven(coordinates: impl Into<String>) -> Self {
        Self::Maven { coordinates: coordinates.into(), repo: None, exclusions: Vec::new() }
    }

    /// An R package from the default repository.
    pub fn rcran(package: impl Into<String>) -> Self {
        Self::Rcran { package: package.into(), repo: None }
    }

    /// Takes the library from another index or repository. No effect on files.
    #[must_use]
    pub fn with_repo(mut self, url: impl Into<String>) -> Self {
        if let Self::Pypi { repo, .. } | Self::Maven { repo, .. } | Self::Rcran { repo, .. } =
            &mut self
        {
            *repo = Some(url.into());
        }
        self
    }

    /// Leaves out dependencies of a Maven artifact. No effect on other kinds.
    #[must_use]
    pub fn with_exclusions<T: Into<String>>(
        mut self,
        excluded: impl IntoIterator<Item = T>,
    ) -> Self {
        if let Self::Maven { exclusions, .. } = &mut self {
            *exclusions = excluded.into_iter().map(Into::into).collect();
        }
        self
    }

    /// Name of the step parameter that carries this kind.
    pub(crate) fn field(&self) -> &'static str {
        match self {
            Self::Jar(_) => "jar_libraries",
            Self::Egg(_) => "egg_libraries",
            Self::Pypi { .. } => "pypi_libraries",
            Self::Rcran { .. } => "rcran_libraries",
            Self::Maven { .. } => "maven_libraries",
            Self::Wheel(_) => "whl_libraries",
        }
    }

    /// What must not be empty: the package, the coordinates or the path.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Jar(path) | Self::Egg(path) | Self::Wheel(path) => path,
            Self::Pypi { package, .. } | Self::Rcran { package, .. } => package,
            Self::Maven { coordinates, .. } => coordinates,
        }
    }

    /// A text in it that the service would split, if there is one.
    pub(crate) fn ambiguous(&self) -> Option<&str> {
        match self {
            Self::Jar(path) | Self::Egg(path) | Self::Wheel(path) => {
                Some(path.as_str()).filter(|it| it.contains(','))
            }
            Self::Pypi { package, repo } | Self::Rcran { package, repo } => {
                let mut texts = [Some(package.as_str()), repo.as_deref()].into_iter().flatten();
                texts.find(|it| reads_as_another(it))
            }
            Self::Maven { coordinates, repo, exclusions } => {
                let mut texts = [Some(coordinates.as_str()), repo.as_deref()].into_iter().flatten();
                let mut exclusions = exclusions.iter().map(String::as_str);
                let text = texts.find(|it| reads_as_another(it));
                text.or_else(|| exclusions.find(|it| it.contains(',') || reads_as_another(it)))
            }
        }
    }
}

/// Whether a part of `text` looks like an option: a marker of Python versions, which
/// follows a `;` too, does not.
fn reads_as_another(text: &str) -> bool {
    const KEYS: [&str; 4] = ["package=", "coordinates=", "repo=", "exclusions="];
    text.split([';', '|']).skip(1).any(|part| KEYS.iter().any(|it| part.starts_with(it)))
}

/// The step parameters for `libraries`, one for each kind that occurs.
pub(crate) fn to_parameters(libraries: &[Library]) -> Vec<(&'static str, String)> {
    const ORDER: [(&str, &str); 6] = [
        ("jar_libraries", ","),
        ("egg_libraries", ","),
        ("pypi_libraries", ";"),
        ("rcran_libraries", ";"),
        ("maven_libraries", ";"),
        ("whl_libraries", ","),
    ];
    let mut parameters = Vec::new();
    for (field, separator) in ORDER {
        let texts: Vec<_> =
            libraries.iter().filter(|it| it.field() == field).map(to_text).collect();
        if !texts.is_empty() {
            parameters.push((field, texts.join(separator)));
        }
    }
    parameters
}

fn to_text(library: &Library) -> String {
    let repo = |it: &Option<String>| match it.as_deref() {
        None | Some("") => String::new(),
        Some(url) => format!("|repo={url}"),
    };
    match library {
        Library::Jar(path) | Library::Egg(path) | Library::Wheel(path) => path.clone(),
        Library::Pypi { package, repo: url } | Library::Rcran { package, repo: url } => {
            format!("package={package}{}", repo(url))
        }
        Library::Maven { coordinates, repo: url, exclusions } => {
            let mut text = format!("coordinates={coordinates}{}", repo(url));
            if !exclusions.is_empty() {
                text += "|exclusions=";
                text += &exclusions.join(",");
            }
            text
        }
    }
}
