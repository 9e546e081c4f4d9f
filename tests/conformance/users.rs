//! Users and groups of this system, from `/etc/passwd` and `/etc/group` alone: what
//! a directory service would add is not seen.

use std::collections::HashMap;

/// A line of `/etc/passwd`.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) home: String,
}

/// Names by id.
pub(crate) struct Users {
    users: HashMap<u32, User>,
    groups: HashMap<u32, String>,
}

impl Users {
    pub(crate) fn of_this_system() -> Self {
        let rows = |path: &str| -> Vec<Vec<String>> {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.lines().map(|line| line.split(':').map(str::to_owned).collect()).collect()
        };
        let mut users = HashMap::new();
        for row in rows("/etc/passwd") {
            if let [name, _, id, _, _, home, ..] = row.as_slice()
                && let Ok(id) = id.parse()
            {
                users.entry(id).or_insert(User { name: name.clone(), home: home.clone() });
            }
        }
        let mut groups = HashMap::new();
        for row in rows("/etc/group") {
            if let [name, _, id, ..] = row.as_slice()
                && let Ok(id) = id.parse()
            {
                groups.entry(id).or_insert_with(|| name.clone());
            }
        }
        Self { users, groups }
    }

    pub(crate) fn user_name(&self, id: u32) -> Option<&str> {
        self.users.get(&id).map(|user| user.name.as_str())
    }

    pub(crate) fn group_name(&self, id: u32) -> Option<&str> {
        self.groups.get(&id).map(String::as_str)
    }

    pub(crate) fn named(&self, name: &[u8]) -> Option<&User> {
        self.users.values().find(|user| user.name.as_bytes() == name)
    }

    /// Whoever runs this program.
    pub(crate) fn own(&self) -> User {
        let id = rustix::process::getuid().as_raw();
        let unknown = || User { name: id.to_string(), home: "/".to_owned() };
        self.users.get(&id).cloned().unwrap_or_else(unknown)
    }

    /// The folder that `-d` means.
    pub(crate) fn start_folder(&self, text: &str) -> String {
        let own = self.own();
        let text = match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{}{rest}", own.home),
            _ => text.to_owned(),
        };
        let id = rustix::process::getuid().as_raw().to_string();
        text.replace("%d", &own.home).replace("%u", &own.name).replace("%U", &id)
    }
}
