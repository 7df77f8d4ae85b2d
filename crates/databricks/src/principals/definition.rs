use super::PrincipalId;

/// What is said of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserDefinition {
    /// Their mail address.
    pub user_name: String,
    /// What people call them.
    pub display_name: Option<String>,
    /// Their name in two parts.
    pub name: Option<PersonName>,
    /// Whether they may sign in.
    pub is_active: bool,
    /// Their mail addresses, the main one first. Empty takes the user name.
    pub emails: Vec<String>,
    /// What they may do in the workspace, for example `allow-cluster-create`.
    pub entitlements: Vec<String>,
    /// Their id with who manages them.
    pub external_id: Option<String>,
}

/// The name of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PersonName {
    /// The first name.
    pub given_name: String,
    /// The last name.
    pub family_name: String,
}

/// What is said of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GroupDefinition {
    /// What people call it.
    pub display_name: String,
    /// Who is in it.
    pub members: Vec<PrincipalId>,
    /// What those in it may do in the workspace.
    pub entitlements: Vec<String>,
    /// Its id with who manages it.
    pub external_id: Option<String>,
}

/// What is said of a service principal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServicePrincipalDefinition {
    /// The id of its application in Entra.
    pub application_id: Option<String>,
    /// What people call it.
    pub display_name: Option<String>,
    /// Whether it may sign in.
    pub is_active: bool,
    /// What it may do in the workspace.
    pub entitlements: Vec<String>,
    /// Its id with who manages it.
    pub external_id: Option<String>,
}

impl UserDefinition {
    /// A user who may sign in.
    pub fn new(user_name: impl Into<String>) -> Self {
        Self {
            user_name: user_name.into(),
            display_name: None,
            name: None,
            is_active: true,
            emails: Vec::new(),
            entitlements: Vec::new(),
            external_id: None,
        }
    }

    /// Sets what people call them.
    #[must_use]
    pub fn with_display_name(self, display_name: impl Into<String>) -> Self {
        Self { display_name: Some(display_name.into()), ..self }
    }

    /// Sets their name in two parts.
    #[must_use]
    pub fn with_name(self, given: impl Into<String>, family: impl Into<String>) -> Self {
        let name = PersonName { given_name: given.into(), family_name: family.into() };
        Self { name: Some(name), ..self }
    }

    /// Lets them sign in, or not.
    #[must_use]
    pub fn with_active(self, is_active: bool) -> Self {
        Self { is_active, ..self }
    }

    /// Adds a mail address. The first is the main one.
    #[must_use]
    pub fn with_email(mut self, address: impl Into<String>) -> Self {
        self.emails.push(address.into());
        self
    }

    /// Adds something that they may do.
    #[must_use]
    pub fn with_entitlement(mut self, entitlement: impl Into<String>) -> Self {
        self.entitlements.push(entitlement.into());
        self
    }

    /// Sets their id with who manages them.
    #[must_use]
    pub fn with_external_id(self, external_id: impl Into<String>) -> Self {
        Self { external_id: Some(external_id.into()), ..self }
    }
}

impl GroupDefinition {
    /// A group of nobody.
    pub fn new(display_name: impl Into<String>) -> Self {
        Self {
            display_name: display_name.into(),
            members: Vec::new(),
            entitlements: Vec::new(),
            external_id: None,
        }
    }

    /// Adds somebody.
    #[must_use]
    pub fn with_member(mut self, id: impl Into<PrincipalId>) -> Self {
        self.members.push(id.into());
        self
    }

    /// Adds something that those in it may do.
    #[must_use]
    pub fn with_entitlement(mut self, entitlement: impl Into<String>) -> Self {
        self.entitlements.push(entitlement.into());
        self
    }
}

impl ServicePrincipalDefinition {
    /// The service principal of an application in Entra.
    pub fn new(application_id: impl Into<String>) -> Self {
        Self {
            application_id: Some(application_id.into()),
            display_name: None,
            is_active: true,
            entitlements: Vec::new(),
            external_id: None,
        }
    }

    /// Sets what people call it.
    #[must_use]
    pub fn with_display_name(self, display_name: impl Into<String>) -> Self {
        Self { display_name: Some(display_name.into()), ..self }
    }

    /// Lets it sign in, or not.
    #[must_use]
    pub fn with_active(self, is_active: bool) -> Self {
        Self { is_active, ..self }
    }

    /// Adds something that it may do.
    #[must_use]
    pub fn with_entitlement(mut self, entitlement: impl Into<String>) -> Self {
        self.entitlements.push(entitlement.into());
        self
    }
}
