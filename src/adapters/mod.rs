//! Adapters: each implements one port, named thing_how. None names another.
